"""The house rules that a machine can check: layers, sizes, names, chance, parameters, kernels."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from kernel_source import kernels
from pydantic import BaseModel

from bonesim.config.config import Config
from bonesim.engine.compile_ahead import LAST_COMPILED
from bonesim.histology.biopsy import BiopsyParameters
from bonesim.instruments.imaging import Scanner
from bonesim.instruments.visits import ClinicParameters
from bonesim.kernel import KERNEL_SOURCES
from bonesim.mechanics.apparent import ApparentParameters
from bonesim.storage.program import OUTCOME_SOURCES, PROGRAM_SOURCES
from bonesim.trials.parameters import TrialParameters
from bonesim.units import UNITS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bonesim"
#: Import goes down only. Packages of one row do not import each other.
LAYER = {
    "public": 0, "errors": 0, "units": 0, "parameters": 0, "kernel": 0, "chance": 0,
    "lattice": 1, "storage": 1,
    "images": 2,
    "instruments": 3, "mechanics": 3, "morphometry": 3, "signals": 3, "specimens": 3,
    "analysis": 4, "endocrine": 4,
    "cells": 5,
    "config": 6,
    "engine": 7,
    "histology": 8, "loss": 8,
    "reports": 9,
    "sweeps": 10,
    "trials": 11,
    "viewer": 12,
    "page": 13,
    "api": 14,
    "cli": 15, "__main__": 16, "__init__": 17,
}  # fmt: skip
#: Within these rows modules may build on each other; the rest may not.
SOCIABLE = {0}
LONGEST_FILE = 450
FORBIDDEN = {"utils", "helpers", "common", "misc", "core", "base", "manager"}
MECHANISM = re.compile(
    r"osteo(clast|blast|cyte)|estradiol|hormone|testosterone|androgen|rankl|\bopg\b|sclerostin"
    r"|messenger|\be2\b",
    re.IGNORECASE,
)
#: Where a number comes from, in a description.
SOURCE = re.compile(
    r"assumed|\bfit(ted)?\b|calibrated|choice|input|default|\bguide M\d|PMC\d|[a-z] label\b"
    r"|[A-Z][\w'-]+ (19|20)\d\d[a-z]?\b"
)
#: Numbers without a unit: shares, exponents, counts, seeds.
PURE = {
    "beta_share", "hill", "activation_exponent", "speed_exponent",
    "depth_exponent",
    "sclerostin_wall_exponent", "extra_depth_refilled", "androgen_formation_exponent",
    "androgen_rankl_gain", "origination_ceiling", "area_cv", "founders",
    "depth_cv", "territory_cv", "mononuclear_cv", "wait_cv", "least_share", "working_share", "strain_stop",
    "overload", "osteocyte_share", "pool_wall_exponent",
    "capacity", "capacity_loss", "fast_fraction", "seed", "threshold", "elongation",
    "rod_share", "thickness_sd",
    "max_inhibition", "insensitive_share", "receptor_signal", "atrophy_below_lh", "breakthrough_chance",
    "burn_in_seed", "max_atrophy", "bioavailability",
    "bioavailable_weight", "clearance_cv", "desensitised_rest", "e2_cv", "e2_feedback",
    "feedback_cv", "flare", "ic50_cv", "immunoassay_cv", "inhibition_hill", "max_lh_ratio",
    "leydig_exponent", "missed_share",
    "pth_activation_exponent", "pth_calcium_gain", "pth_vitamin_d_gain", "shbg_e2_exponent",
    "shbg_t_exponent", "spectrometry_cv", "t_cv", "t_feedback",
    "testis_ic50_ratio", "testis_share",
    "canopy_exponent", "coupling_exponent", "death_share",
    "opg_osteocyte_share", "opg_production", "rankl_dying_gain", "rankl_osteocyte_share",
    "rankl_production", "sclerostin_exponent",
    "density_intercept", "density_slope",
    "dxa_cv", "fat_rise", "fat_share", "hr_pqct_cv", "k_dxa", "marker_cv", "qct_cv",
    "trabecular_share", "cortical_share", "osteoclastic_share",
    "blind_share", "disuse_death_gain", "disuse_exponent", "energy_exponent", "max_stimulus",
    "min_energy_share", "opg_strain_gain", "rankl_disuse_gain",
    "sclerostin_strain_exponent", "strain_bias", "strain_wall_exponent",
    "critical_strain", "min_bone_share", "mineral_exponent", "max_cycles", "poisson", "share_x",
    "share_y", "share_z", "tolerance", "yield_strain",
    "bones", "cv", "high", "index", "low", "mean", "p", "people", "repeats", "sd", "value",
    "rankl_exponent", "opg_exponent", "osteoblast_life_exponent", "precursor_growth_exponent",
    "osteocyte_death_exponent", "births_adaptation", "depth_adaptation", "ovary_exponent",
    "max_suppression", "recovery_cv", "never_recover_share", "share", "posterior",
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
        if isinstance(node, ast.ImportFrom):
            assert not node.level and node.module, "relative imports hide the layer"
            names = [node.module]
            if node.module == "bonesim":
                names = [f"bonesim.{alias.name}" for alias in node.names]
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


def tracked() -> list[Path]:
    """Every file under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_files_are_short_and_named_for_what_they_do() -> None:
    everywhere = [p for p in tracked() if p.suffix == ".py"] or sources()
    assert len(everywhere) > 50
    for path in everywhere:
        assert len(path.read_text().splitlines()) <= LONGEST_FILE, path
        assert not FORBIDDEN & {path.stem, *path.relative_to(ROOT).parent.parts}, path


def imported_modules(tree: ast.AST) -> set[str]:
    """Full names of all that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_chance_has_one_source() -> None:
    for path in sources():
        tree = ast.parse(path.read_text())
        for name in imported_modules(tree):
            foreign = name.split(".")[0] in ("random", "secrets", "uuid")
            assert not foreign and not name.startswith("numpy.random"), f"{path}: {name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                named = ast.unparse(node)
                assert not named.startswith(("np.random", "numpy.random")), f"{path}: {named}"


def test_mechanism_is_named_where_it_belongs() -> None:
    """Tissue and measurement know no cell, hormone, messenger or framework; files no simulation."""
    for path in sources():
        text = path.read_text()
        tree, mine = ast.parse(text), part(path)
        if mine in ("lattice", "morphometry", "storage"):
            above = {"cells", "endocrine", "engine", "config", "specimens"}
            assert not set(imported_parts(tree)) & above, path
        if mine in ("lattice", "morphometry"):
            assert not MECHANISM.search(text), f"{path} names {MECHANISM.findall(text)}"
        if mine in ("morphometry", "viewer", "storage"):
            tops = {name.split(".")[0] for name in imported_modules(tree)}
            assert "mesa" not in tops, path


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


PARAMETERS = (
    Config, ClinicParameters, Scanner, BiopsyParameters, ApparentParameters, TrialParameters,
)  # fmt: skip


def test_every_parameter_has_unit_and_source() -> None:
    checked, pure = 0, set()
    everything = {one for top in PARAMETERS for one in groups(top)}
    for group in sorted(everything, key=lambda g: g.__name__):
        for name, field in group.model_fields.items():
            kinds = {field.annotation, *get_args(field.annotation)}
            where = f"{group.__name__}.{name}"
            if kinds & {int, float} and bool not in kinds:
                checked += 1
                if not name.endswith(tuple(UNITS)):
                    pure.add(name)
            elif not kinds & {str}:
                continue  # a group of parameters, or a choice between names
            assert field.description, f"{where} has no description"
            assert SOURCE.search(field.description), f"{where}: {field.description}"
    assert pure == PURE
    assert checked > 60


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def used_names(tree: ast.AST) -> set[str]:
    """Full names of what a test takes from bonesim's modules and really uses.

    A word of the same spelling, a variable or a field of that name, does not count.
    """
    modules, names, used = {}, {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                names[alias.asname or alias.name] = full
                modules[alias.asname or alias.name] = full
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            used.add(names[node.id])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.add(f"{modules.get(node.value.id, '')}.{node.attr}")
    return used


def closure(names: set[str]) -> set[str]:
    """The modules of bonesim that these modules reach by imports, themselves included."""
    files = {module_of(path).removesuffix(".__init__"): path for path in sources()}
    reached, pending = set(), list(names)
    while pending:
        name = pending.pop()
        if name not in reached and name in files:
            reached.add(name)
            pending += imported_modules(ast.parse(files[name].read_text()))
    return reached


def test_the_kernels_hash_covers_what_kernels_reach() -> None:
    """An edit elsewhere compiles nothing; an edit here is never missed."""
    reached = closure({name.rpartition(".")[0] for name in kernels()}) - {"bonesim"}
    rooms = {f"bonesim.{name}" for name in KERNEL_SOURCES if not name.endswith(".py")}
    alone = {module_of(PACKAGE / name) for name in KERNEL_SOURCES if name.endswith(".py")}
    assert {name for name in reached if ".".join(name.split(".")[:2]) not in rooms} == alone


def loaded_by(package: Path) -> set[str]:
    """The modules that a package's `__init__` loads when one of its names is used."""
    tree = ast.parse(package.read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {f"{module_of(package).removesuffix('.__init__')}.{ast.literal_eval(key)}"
            for call in calls if ast.unparse(call.func) == "loaded_when_used"
            for key in getattr(call.args[1], "keys", [])}  # fmt: skip


def results_closure(names: set[str]) -> set[str]:
    """As `closure`, and what is loaded only when a name of a package is used."""
    reached, more = set[str](), closure(names)
    while more - reached:
        reached |= more
        packages = [PACKAGE / name.split(".")[1] / "__init__.py" for name in reached if "." in name]
        loaded = {name for place in packages if place.is_file() and
                  f"bonesim.{place.parent.name}" in reached for name in loaded_by(place)}  # fmt: skip
        more = closure(reached | loaded)
    return reached - {"bonesim"}


def uncovered(reached: set[str], listed: tuple[str, ...]) -> set[str]:
    """The modules that no folder or file of a list holds."""
    rooms = {f"bonesim.{name}" for name in listed if not name.endswith(".py")}
    alone = {module_of(PACKAGE / name) for name in listed if name.endswith(".py")}
    assert {name for name in alone if name not in reached} == set(), "listed, but not reached"
    return {n for n in reached if ".".join(n.split(".")[:2]) not in rooms and n not in alone}


def test_the_program_s_hash_covers_what_results_depend_on() -> None:
    """A new module that the engine reaches is never missed; reports and pictures are not in it."""
    engine = {module_of(path) for path in (PACKAGE / "engine").glob("*.py")}
    reached = results_closure(engine)
    assert {"bonesim.engine.daily_table", "bonesim.specimens.synthetic"} <= reached
    assert uncovered(reached, PROGRAM_SOURCES) == set()
    worker = {"bonesim.sweeps.worker", "bonesim.trials.visits"}
    assert uncovered(results_closure(engine | worker), PROGRAM_SOURCES + OUTCOME_SOURCES) == set()
    rooms = {name.partition("/")[0] for name in PROGRAM_SOURCES + OUTCOME_SOURCES}
    assert not rooms & {"api", "cli", "guide", "page", "reports", "viewer"}


def test_every_kernel_has_a_docstring() -> None:
    found = kernels()
    assert len(found) > 80
    assert [name for name, kernel in found.items() if not kernel.text] == []


def test_what_is_looked_for_in_the_cache_are_kernels() -> None:
    """A name that no kernel has is never there: every run would compile beside itself for nothing."""
    for name in LAST_COMPILED:
        assert any(full.endswith(f".{name}") for full in kernels()), name


@cache
def twinned() -> set[str]:
    """Every name that the plain twins, the laws and the tests of whole layers use."""
    names: set[str] = set()
    for folder in ("plain", "laws", "mechanics", "morphometry", "signals"):
        for path in (ROOT / "tests" / folder).rglob("test_*.py"):
            names |= used_names(ast.parse(path.read_text()))
    return names


@pytest.mark.parametrize("name", sorted(kernels()))
def test_every_kernel_has_a_plain_twin(name: str) -> None:
    assert name in twinned(), f"{name}: write its slow, obvious twin in tests/plain"


def test_nothing_tracked_names_this_machine_or_a_registry() -> None:
    paths = tracked()
    if not paths:
        pytest.skip("not a git checkout: nothing is tracked")
    # Written in halves, so that this file does not name them.
    secrets = [
        first + second
        for first, second in (
            ("/wo", "rk/"), ("/tm", "p/w"), ("/ro", "ot/"), (".lib", "rary"),
            ("py", "pi.org"), ("pythonh", "osted"), ("anaconda", ".org"), ("conda-", "forge"),
            ("npm", "js"), ("crates", ".io"), ("proxy.go", "lang"), ("ghcr", ".io"),
            ("docker", ".io"), ("--index", "-url"),
        )
    ]  # fmt: skip
    for path in paths:
        content = path.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, f"{path.relative_to(ROOT)} names {secret}"


def test_importing_bonesim_is_light() -> None:
    program = (
        "import sys, bonesim, bonesim.cli.main; "
        "print([m for m in ('numba', 'mesa', 'pyvista', 'pandas', 'matplotlib', 'h5py', 'scipy') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


#: Examples in help, messages and descriptions, and what is known of a drug beside the package's code.
MAY_NAME_A_DRUG = {
    "api/first_picture.py", "cli/demo.py", "cli/main.py", "reports/blood.py", "trials/parameters.py",
}  # fmt: skip


def test_only_its_own_file_names_a_drug() -> None:
    from bonesim.endocrine.drugs import DRUGS

    for path in sources():
        place = path.relative_to(PACKAGE).as_posix()
        if place in MAY_NAME_A_DRUG or place == "config/medicines.py":
            continue
        named = {name for name in DRUGS if re.search(rf"\b{name}\b", path.read_text(), re.I)}
        assert not named or place == f"endocrine/drugs/{min(named)}.py", f"{place} names {named}"
        if path.parent.name == "drugs" and path.stem != "__init__":
            assert DRUGS[path.stem].name == path.stem
