"""The rules of the house: few rooms, one direction, one place for each thing, public names."""

import ast
import graphlib
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import bonesim

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bonesim"
MAX_ROOMS, MAX_LOOSE_MODULES = 30, 8
PACKAGES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
BELOW_CLI = sorted(p for p in PACKAGE.rglob("*.py") if p.relative_to(PACKAGE).parts[0] != "cli")
#: An option of a command line in a text: "--voxel-um".
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports_of(path: Path) -> list[tuple[str, str]]:
    """(module, name) of every name that a file imports from bonesim."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bonesim"):
            found += [(str(node.module), alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(one.name, "") for one in node.names if one.name.startswith("bonesim")]
    return found


def test_the_house_is_small() -> None:
    loose = list(PACKAGE.glob("*.py"))
    assert len(loose) <= MAX_LOOSE_MODULES, loose
    assert len(loose) + len(PACKAGES) <= MAX_ROOMS


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def test_there_is_no_circle_of_imports() -> None:
    """Of modules, wherever in them they import; the top of the package only names others."""
    files = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    graph = {
        name: {
            full if (full := f"{module}.{inner}") in files else module
            for module, inner in imports_of(path)
        } - {"bonesim", name}
        for name, path in files.items() if name != "bonesim"
    }  # fmt: skip
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert order.index("bonesim.units") < order.index("bonesim.cli.main")


def test_nobody_imports_the_command_line() -> None:
    for path in BELOW_CLI:
        if path.name == "__main__.py":
            continue
        for module, name in imports_of(path):
            assert not f"{module}.{name}".startswith("bonesim.cli"), name_of(path)


def test_nobody_but_the_command_line_speaks_of_options() -> None:
    for path in BELOW_CLI:
        assert not OPTION.findall(path.read_text()), name_of(path)


def test_a_report_is_a_table_and_its_text() -> None:
    reports = [path for path in (PACKAGE / "reports").glob("*.py") if path.stem != "__init__"]
    assert len(reports) >= 7
    for path in reports:
        tree = ast.parse(path.read_text())
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert {"table", "text"} <= set(functions), name_of(path)
        assert [argument.arg for argument in functions["text"].args.args] == ["table"]
        returned = functions["table"].returns
        assert returned is not None and "DataFrame" in ast.unparse(returned), name_of(path)


def test_there_is_one_loop_over_days() -> None:
    stepping = [path for path in PACKAGE.rglob("*.py") if ".step()" in path.read_text()]
    assert [name_of(path) for path in stepping] == ["bonesim/engine/days.py"]


def test_statistics_have_one_place() -> None:
    for path in PACKAGE.rglob("*.py"):
        if name_of(path) != "bonesim/analysis/statistics.py":
            assert not re.search(r"\bstats\.(t\b|ttest|sem\b)", path.read_text()), name_of(path)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_has_public_names_that_work_twice(name: str) -> None:
    package = importlib.import_module(f"bonesim.{name}")
    children = {module.name for module in pkgutil.iter_modules(package.__path__)}
    for public in package.__all__:
        first = getattr(package, public)
        assert first is getattr(package, public)
        assert public not in children or first.__name__ == f"bonesim.{name}.{public}", public
    with pytest.raises(AttributeError):
        package.no_such_name  # noqa: B018


@pytest.mark.parametrize(
    "path", sorted((ROOT / "experiments").rglob("*.py")), ids=lambda path: path.parent.name
)
def test_experiments_use_public_names(path: Path) -> None:
    for module, name in imports_of(path):
        public = set(importlib.import_module(module).__all__)
        assert name in public, f"{module}.{name}"


def test_public_names_are_those_of_the_type_checker() -> None:
    """What `bonesim` declares for type checkers is what it loads."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    declared = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert declared | {"__version__"} == set(bonesim.__all__)
