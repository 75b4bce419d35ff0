"""Kernels say what they take, write and return; each column of a table has its few writers."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_source import PACKAGE, Kernel, files, kernels, writers, written

MOST_ARGUMENTS = 8
#: Rooms whose kernels document their arguments.
DOCUMENTED = ("cells", "lattice", "signals")
#: Types that say what an argument is; numbers, arrays and tuples do not.
TELLING = {
    "Lattice", "Cavities", "World", "Fields", "Site", "Voxel", "Record", "Row", "Day", "Seed",
    "Identity", "Shape", "Table", "TableOfIds", "StrainEnergy", "Marrow", "TeamOrders", "CavityDepth",
    "Breakthrough", "Bits", "Normal", "Shares", "Place",
}  # fmt: skip

#: Who assigns which column: table -> files -> columns. A column that is not here nobody assigns.
WRITERS = {
    "lattice": {
        "lattice.ledger engine.state": "quanta",
        "lattice.ledger lattice.tissue engine.state": "formed_day sums",
        "lattice.ledger lattice.surface lattice.tissue engine.simulation engine.state": "counts",
        "lattice.surface engine.state": "surface surface_slot",
        "cells.cavity cells.erosion engine.state": "owner",
        "lattice.ledger": "event_voxel event_kind event_euler event_quanta event_thickness_um "
        "event_depth_um event_bmu lost_voxel lost_quanta lost_bmu lost_event",
    },
    "sites": {
        "cells.site": "id bmu bmu_id voxel nz ny nx phase phase_day osteoclast_depth_um",
        "cells.site cells.osteoblast": "waited",
        "cells.site cells.depth": "depth_excess osteoclast_target_um",
        "cells.site cells.depth cells.osteoclast": "mononuclear_target_um",
        "cells.site cells.osteoclast": "mononuclear_depth_um",
        "cells.site cells.cavity": "formed_quanta removed_quanta",
        "cells.site cells.cavity cells.floor": "first",
        "cells.site cells.apposition": "front_voxel",
        "cells.site cells.film cells.modelling": "film_um",
        "cells.site cells.apposition cells.erosion cells.modelling": "open_um",
        "cells.site cells.osteoblast cells.modelling": "wall_um",
        "cells.territory cells.modelling": "area_um2",
    },
    "records": {
        "cells.cavity": "site voxel",
        "cells.cavity cells.territory": "foot",
        "cells.cavity cells.floor": "next",
        "cells.cavity cells.erosion": "event",
        "cells.cavity cells.apposition": "granted",
        "cells.cavity cells.apposition cells.erosion cells.film cells.floor": "stock",
        "cells.cavity cells.apposition cells.film cells.modelling": "film_um",
        "cells.cavity cells.apposition cells.column cells.film": "below_um",
        "cells.cavity cells.column cells.floor": "weight",
    },
    "cavities": {
        "cells.apposition cells.bmu cells.cavity cells.erosion cells.floor cells.modelling "
        "cells.osteoblast cells.osteoclast cells.territory engine.simulation engine.state": "tally",
    },
    "bmus": {
        "cells.bmu": "id voxel born_day phase quota_um2 area_um2 owed_um2 depth_factor "
        "mononuclear_factor wait_factor misses recruited",
        "cells.bmu cells.bmu_front": "z y x nz ny nx tz ty tx",
        "cells.bmu cells.site": "open_sites",
    },
    "osteoclasts": {
        "cells.bmu": "id site voxel born_day",
        "cells.bmu cells.osteoclast": "depth_um",
    },
    "osteoblasts": {"cells.osteoblast": "id site site_id voxel born_day end_day fate"},
    "osteocytes": {
        "cells.osteoblast cells.osteocyte": "id voxel born_day viable",
        "cells.osteocyte": "died_day",
        "cells.osteoblast cells.osteocyte cells.mechanosensing": "setpoint_mpa",
    },
}  # fmt: skip


def says_itself(kind: str) -> bool:
    """Whether a type says what the argument is."""
    return kind in TELLING or kind.endswith(("Columns", "Parameters"))


def section(text: str, title: str) -> list[str]:
    """The lines of a section of a docstring."""
    lines = text.splitlines()
    if f"{title}:" not in lines:
        return []
    found = []
    for line in lines[lines.index(f"{title}:") + 1 :]:
        if not line.startswith("    "):
            break
        found.append(line.strip())
    return found


@pytest.mark.parametrize("kernel", kernels().values(), ids=kernels())
def test_a_kernel_is_annotated(kernel: Kernel) -> None:
    assert all(kernel.arguments.values()), kernel.arguments
    assert kernel.returns
    assert not kernel.node.args.defaults
    assert not kernel.node.args.kwonlyargs


def test_kernels_of_cells_have_few_arguments() -> None:
    many = {n: len(k.arguments) for n, k in kernels().items() if k.room == "cells"}
    assert len(many) > 90
    assert {n: size for n, size in many.items() if size > MOST_ARGUMENTS} == {}


@pytest.mark.parametrize(
    "kernel", [k for k in kernels().values() if k.room in DOCUMENTED], ids=lambda k: k.name
)
def test_a_docstring_says_what_goes_in_and_what_is_written(kernel: Kernel) -> None:
    """Args: all that its type does not say. Writes: exactly what it or one it calls assigns."""
    named = {name.strip() for line in section(kernel.text, "Args")
             for name in line.split(":")[0].split(",")}  # fmt: skip
    assert named <= set(kernel.arguments)
    assert {n for n, kind in kernel.arguments.items() if not says_itself(kind)} <= named
    told = {name.strip() for line in section(kernel.text, "Writes") for name in line.split(",")}
    assert told == written()[kernel.name]
    if told and kernel.returns != "None":
        assert "Returns" in kernel.text


def test_each_column_is_assigned_where_it_is_declared() -> None:
    declared = {
        (table, column): set(where.split())
        for table, groups in WRITERS.items()
        for where, columns in groups.items()
        for column in columns.split()
    }
    assert writers() == declared


def test_one_file_changes_the_phase_of_a_site() -> None:
    found = writers()
    assert found["sites", "phase"] == found["sites", "phase_day"] == {"cells.site"}


def test_the_ledger_books_itself() -> None:
    """What changes quanta without an account is called within the ledger alone."""
    for module, tree in files().items():
        for node in ast.walk(tree):
            named = isinstance(node, ast.Name) and node.id == "remove_quanta"
            imported = isinstance(node, ast.alias) and node.name == "remove_quanta"
            assert module == "lattice.ledger" or not (named or imported), module
    assert "lattice.ledger" in files()


SNIPPET = """
from bonesim.cells.cavity import Cavities, add_record
from bonesim.lattice.indices import Day, Site, Voxel
from bonesim.lattice.arrays import Lattice


def right(lattice: Lattice, cavities: Cavities, site: Site, voxel: Voxel) -> None:
    add_record(lattice, cavities, site, voxel + lattice.stride_y, True)


def swapped(lattice: Lattice, cavities: Cavities, site: Site, voxel: Voxel) -> None:
    add_record(lattice, cavities, voxel, site, True)
"""


@pytest.mark.slow
def test_mypy_catches_swapped_arguments(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", PACKAGE.parent / "pyproject.toml",
         "--cache-dir", tmp_path / "cache", "--follow-imports", "silent", snippet],
        capture_output=True, text=True, check=False, cwd=PACKAGE.parent,
        env={**os.environ, "MYPYPATH": str(PACKAGE.parent)},
    )  # fmt: skip
    errors = [line for line in done.stdout.splitlines() if "error:" in line]
    assert [line.split(":")[1] for line in errors] == ["12", "12"], done.stdout + done.stderr
    assert '"Voxel"; expected "Site"' in errors[0]
    assert '"Site"; expected "Voxel"' in errors[1]
