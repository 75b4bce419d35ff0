"""Notebooks of the guide: static checks, and (slow) each is executed whole; the gallery's pages."""

import ast
import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import bonesim

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "bonesim" / "guide" / "notebooks").glob("*.md"))
#: Code cells, as jupytext reads them.
CELL = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Number of pictures in a notebook's outputs.
PICTURES = {
    "first_run_and_twin": 2, "own_scan": 2, "own_prescription": 2, "sweep_to_answer": 1,
    "own_drug_and_measure": 2,
}  # fmt: skip
each = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    """The script that makes pages, which no package has."""
    spec = importlib.util.spec_from_file_location("pages", ROOT / ".ci" / "pages.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_five_and_no_wheel_has_them() -> None:
    assert {path.stem for path in SOURCES} == set(PICTURES)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shipped = project["tool"]["setuptools"]["package-data"]["bonesim"]
    for pattern in shipped:
        assert not set((ROOT / "bonesim").glob(pattern)) & set(SOURCES), pattern


@each
def test_cells_are_python_of_public_names(source: Path) -> None:
    text = source.read_text()
    cells = CELL.findall(text)
    assert len(cells) >= 4 and text.startswith("# ")
    for cell in cells:
        for node in ast.walk(ast.parse(cell)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id != "bonesim" or node.attr in bonesim.__all__, node.attr


def test_the_index_lists_every_notebook(pages: ModuleType) -> None:
    assert sorted(pages.notebooks()) == SOURCES


def test_the_gallery_has_every_experiment_with_its_picture(
    pages: ModuleType, tmp_path: Path
) -> None:
    pages.gallery(tmp_path)
    text = (tmp_path / "index.md").read_text()
    assert "stale" in text.split("\n| |", 1)[0], "what is wrong with the figures stands above them"
    for readme in sorted((ROOT / "experiments").glob("*/README.md")):
        name = readme.parent.name
        assert f"]({name}/index.md)" in text
        pictures = [one for one in readme.parent.iterdir() if one.suffix in (".png", ".jpg")]
        assert (tmp_path / "thumbnails" / f"{name}.jpg").is_file() == bool(pictures), name
    for page in tmp_path.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            target = (page.parent / link).resolve()
            guide = target.relative_to(tmp_path.parent) if not target.exists() else None
            assert guide is None or (ROOT / "bonesim" / "guide" / guide).is_file(), (page, link)


@pytest.mark.slow
@each
def test_a_notebook_runs_from_its_first_to_its_last_cell(source: Path, pages: ModuleType) -> None:
    """Its outputs are kept, for the site."""
    for needed in ("jupytext", "nbclient", "ipykernel"):
        pytest.importorskip(needed, reason="extra docs")
    notebook = pages.executed(source, again=True)
    assert pages.complaints(notebook) == []
    assert pages.pictures(notebook) == PICTURES[source.stem]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) == len(CELL.findall(source.read_text()))
    assert [cell.execution_count for cell in code] == list(range(2, len(code) + 2))
