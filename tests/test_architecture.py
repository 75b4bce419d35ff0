"""The house rules that a machine can check: layers, sizes, names, chance, parameters, kernels."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from bonesim.config import Config
from bonesim.quantities import UNITS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bonesim"
#: Import goes down only. Packages of one row do not import each other.
LAYER = {
    "errors": 0, "quantities": 0, "parameters": 0, "kernel": 0, "chance": 0,
    "lattice": 1, "storage": 1,
    "hormones": 2, "morphometry": 2, "specimens": 2,
    "cells": 3,
    "config_errors": 4, "config": 4,
    "daily_table": 5, "event_table": 5, "simulation": 5,
    "simulation_state": 6, "snapshot": 6, "burn_in": 6, "run": 7, "progress": 7, "report": 7,
    "viewer": 8,
    "cli": 9, "__main__": 9,
    "__init__": 10,
}  # fmt: skip
#: Within these rows modules may build on each other; the rest may not.
SOCIABLE = {0, 4, 5, 6, 9}
LONGEST_FILE = 450
FORBIDDEN = {"utils", "helpers", "common", "misc", "core", "base", "manager"}
#: Numbers without a unit: shares, exponents, counts, seeds.
PURE = {
    "beta_share", "hill", "rankl_gain", "opg_loss", "activation_exponent", "speed_exponent",
    "osteoclast_survival", "osteoblast_loss", "osteocyte_death_gain", "sclerostin_gain",
    "sclerostin_wall_exponent", "extra_depth_refilled", "androgen_formation_exponent",
    "androgen_rankl_gain", "precursor_growth_gain", "origination_ceiling", "area_cv", "founders",
    "mononuclear_cv", "strain_stop", "osteocyte_share", "lining_share", "pool_wall_exponent",
    "capacity", "capacity_loss", "fast_fraction", "seed", "threshold", "elongation",
    "plate_share", "flange_share", "hole_level", "rod_share",
}  # fmt: skip


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    """The package or module at the top of bonesim that a file belongs to."""
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported_parts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("bonesim."):
                yield name.split(".")[1]


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    mine = part(path)
    for other in imported_parts(ast.parse(path.read_text())):
        if other == mine:
            continue
        assert LAYER[other] <= LAYER[mine], f"{mine} imports {other}, which is above it"
        if LAYER[other] == LAYER[mine]:
            assert LAYER[mine] in SOCIABLE, f"{mine} imports {other} of its own row"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_are_short_and_named_for_what_they_do(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE
    assert path.stem not in FORBIDDEN


def test_chance_has_one_source() -> None:
    for path in sources():
        text = path.read_text()
        assert "np.random" not in text, path
        assert "import random" not in text, path


def test_mechanism_is_named_where_it_belongs() -> None:
    """Tissue and measurement know no cell, hormone or framework."""
    for path in sources():
        imports = set(imported_parts(ast.parse(path.read_text())))
        if part(path) in ("lattice", "morphometry", "storage"):
            assert not imports & {"cells", "hormones", "simulation", "config"}, path
        if part(path) in ("morphometry", "viewer"):
            assert "import mesa" not in path.read_text(), path


def groups(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A parameter group and all groups within it."""
    yield model
    for field in model.model_fields.values():
        pending: list[Any] = [field.annotation]
        while pending:
            kind = pending.pop()
            if get_origin(kind) in (Union, UnionType, tuple):
                pending.extend(get_args(kind))
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from groups(kind)


def test_every_parameter_has_unit_and_source() -> None:
    checked = 0
    for group in set(groups(Config)):
        for name, field in group.model_fields.items():
            kinds = {field.annotation, *get_args(field.annotation)}
            numeric = bool(kinds & {int, float}) and bool not in kinds
            where = f"{group.__name__}.{name}"
            if numeric:
                checked += 1
                assert field.description, f"{where} has no description"
                assert ";" in field.description or "assumed" in field.description, where
                assert name in PURE or name.endswith(tuple(UNITS)), f"{where} has no unit"
    assert checked > 60


def kernels() -> list[tuple[str, ast.FunctionDef]]:
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                marks = {d.id for d in node.decorator_list if isinstance(d, ast.Name)}
                if marks & {"kernel", "parallel_kernel"}:
                    found.append((str(path.relative_to(PACKAGE)), node))
    return found


@pytest.mark.parametrize(("where", "node"), kernels(), ids=lambda x: getattr(x, "name", str(x)))
def test_every_kernel_says_what_it_does(where: str, node: ast.FunctionDef) -> None:
    assert ast.get_docstring(node), where


def test_nothing_tracked_names_this_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not listed:
        pytest.skip("not a git checkout: nothing is tracked")
    secrets = ["/wo" + "rk/", "/ro" + "ot/", "py" + "pi.org", ".lib" + "rary"]
    for name in listed:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".cff", "") and path.is_file():
            text = path.read_text(errors="replace")
            for secret in secrets:
                assert secret not in text, f"{name} names {secret}"


def test_importing_bonesim_is_light() -> None:
    program = (
        "import sys, bonesim, bonesim.cli; "
        "print([m for m in ('numba', 'mesa', 'pyvista', 'pandas', 'matplotlib', 'h5py', 'scipy') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
