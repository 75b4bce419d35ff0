"""Kernels say what they take, write and return; each column of a table has its few writers."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_source import PACKAGE, Kernel, files, kernels, names_in, writers, writers_now, written

from bonesim.cells.cavity import TALLIES

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
#: Places of running totals (`tally`, `counts`, `sums`) have names; those with none are under the array's.
WRITERS = {
    "lattice": {
        "lattice.ledger engine.state": "quanta",
        "lattice.ledger lattice.tissue engine.state": "formed_day",
        "engine.simulation engine.state": "counts",
        "engine.state": "sums",
        "lattice.surface": "SURFACE",
        "lattice.ledger lattice.tissue": "EULER BONE_QUANTA INTERIOR_QUANTA FACE_PAIRS EDGE_PAIRS "
        "CORNER_PAIRS EVENTS FLOORLESS SLOW_DEFICIT",
        "lattice.surface engine.state": "surface surface_slot",
        "cells.cavity cells.accounts engine.state": "owner",
        "lattice.ledger": "FORMED RESORBED FRAGMENTS INTERIOR_FORMED INTERIOR_RESORBED "
        "INTERIOR_FRAGMENTS event_voxel event_kind event_euler event_quanta event_thickness_um "
        "event_depth_um event_bmu lost_voxel lost_quanta lost_bmu lost_event",
    },
    "sites": {
        "cells.site": "id bmu bmu_id voxel nz ny nx phase phase_day osteoclast_depth_um",
        "cells.site cells.osteoblast": "waited",
        "cells.site cells.depth": "depth_excess osteoclast_target_um",
        "cells.site cells.depth cells.osteoclast": "mononuclear_target_um",
        "cells.site cells.osteoclast": "mononuclear_depth_um",
        "cells.site cells.accounts": "formed_quanta removed_quanta",
        "cells.site cells.accounts cells.cavity cells.floor": "first",
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
        "cells.cavity cells.accounts cells.apposition": "granted",
        "cells.cavity cells.accounts": "stock",
        "cells.cavity cells.apposition cells.film cells.modelling": "film_um",
        "cells.cavity cells.apposition cells.column cells.film": "below_um",
        "cells.cavity cells.column cells.floor": "weight",
    },
    "cavities": {
        "engine.simulation engine.state": "tally",
        "cells.accounts": "QUANTA_ERODED QUANTA_FORMED QUANTA_ADDED QUANTA_ARRESTED QUANTA_FLOORLESS "
        "QUANTA_MODELLED CLOSED_ERODED CLOSED_FORMED AREA_CLOSED SITES_CLOSED SITES_ARRESTED",
        "cells.osteoclast": "SITES_PERFORATED",
        "cells.bmu": "AREA_STARTED BMUS_BORN",
        "cells.modelling": "AREA_MODELLED",
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
#: What changes bone or stock in some accounts only, and the one file that calls it.
CALLED_BY = {
    "bonesim.lattice.ledger.remove_quanta": "lattice.ledger",
    "bonesim.lattice.ledger.take": "cells.accounts",
    "bonesim.lattice.ledger.give": "cells.accounts",
    "bonesim.lattice.ledger.log_floorless": "cells.accounts",
    "bonesim.cells.accounts.take_bone": "cells.accounts",
    "bonesim.cells.accounts.give_bone": "cells.accounts",
    "bonesim.cells.site.arrest": "cells.accounts",
    "bonesim.cells.site.pass_to": "cells.accounts",
}


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
    assert writers_now() == declared


def test_one_file_changes_the_phase_of_a_site() -> None:
    found = writers_now()
    assert found["sites", "phase"] == found["sites", "phase_day"] == {"cells.site"}


def test_what_books_only_some_accounts_is_called_by_one_file() -> None:
    """The ledger's own, and those of cavities: all others call what books every account."""
    found: dict[str, set[str]] = {name: set() for name in CALLED_BY}
    for module, tree in files().items():
        names = names_in(f"bonesim.{module}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and names.get(node.id) in found:
                found[names[node.id]].add(module)
    assert found == {name: {module} for name, module in CALLED_BY.items()}


def test_each_running_total_is_booked_by_one_file() -> None:
    booked = {n: where for (table, n), where in writers_now().items() if table == "cavities"}
    booked.pop("tally")  # a state that is read, and the start of counting
    assert len(booked) == TALLIES
    assert {name for name, where in booked.items() if len(where) > 1} == set()
    of_bone = {name for name in booked if name.startswith(("QUANTA", "CLOSED"))}
    assert len(of_bone) == 8
    assert {name for name in of_bone if booked[name] != {"cells.accounts"}} == set()


@pytest.mark.parametrize(
    ("statement", "column"),
    [
        ("cavities.tally[QUANTA_ADDED] += moved", ("cavities", "QUANTA_ADDED")),
        ("cavities.records.stock[record] -= moved", ("records", "stock")),
        ("sites = cavities.sites; sites.formed_quanta[0] += moved", ("sites", "formed_quanta")),
        ("counts = lattice.counts; counts[FORMED] += moved", ("lattice", "FORMED")),
    ],
)
def test_a_booking_by_hand_is_found(statement: str, column: tuple[str, str]) -> None:
    """The lists above would name the file of whoever books by himself."""
    by_hand = ast.parse(
        f"def build(lattice: Lattice, cavities: Cavities) -> None:\n    {statement}"
    )
    assert writers({"cells.apposition": by_hand}) == {column: {"cells.apposition"}}
    assert "cells.apposition" not in writers_now()[column]


SNIPPET = """
from bonesim.cells.cavity import Cavities, add_record
from bonesim.chance import ORIGINATION, uniform
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Day, Seed, Site, Voxel


def right(lattice: Lattice, cavities: Cavities, site: Site, voxel: Voxel) -> None:
    add_record(lattice, cavities, site, voxel + lattice.stride_y, True)


def swapped(lattice: Lattice, cavities: Cavities, site: Site, voxel: Voxel) -> None:
    add_record(lattice, cavities, voxel, site, True)


def drawn(seed: Seed, day: Day, voxel: Voxel) -> float:
    return uniform(seed, day, voxel, ORIGINATION)


def drawn_wrong(seed: Seed, day: Day, voxel: Voxel) -> float:
    uniform(day, seed, voxel, ORIGINATION)
    uniform(seed, voxel, day, ORIGINATION)
    return uniform(seed, day, ORIGINATION, voxel)
"""
#: Of each error that mypy is to find: its line, which argument, and what is given there.
SWAPPED = [
    (13, 3, "Voxel"), (13, 4, "Site"),
    (21, 1, "Day"), (21, 2, "Seed"), (22, 2, "Voxel"), (22, 3, "Day"), (23, 3, "int"),
]  # fmt: skip


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
    given = r':(\d+): error: Argument (\d) to "\w+" has incompatible type "(\w+)"'
    found = [match.groups() for line in errors if (match := re.search(given, line))]
    expected = [(str(line), str(argument), kind) for line, argument, kind in SWAPPED]
    assert found == expected, done.stdout + done.stderr
    assert len(errors) == len(SWAPPED)
