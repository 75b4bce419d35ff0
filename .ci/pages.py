"""Pages of the site that are made: notebooks as executed, and the gallery of the experiments.

    python .ci/pages.py        build/pages: the guide, the notebooks, the experiments; then
    zensical build --clean --strict -f .mkdocs.yml

A notebook is a Markdown file of `bonesim/guide/notebooks` (jupytext opens it in Jupyter). It is executed
from its first to its last cell in an empty folder; an executed one is kept in build/notebooks, by the
content of its source and of the package, so that the tests and the site need one execution.
"""

import hashlib
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GUIDE, EXPERIMENTS = ROOT / "bonesim" / "guide", ROOT / "experiments"
SOURCES = GUIDE / "notebooks"
KEPT, PAGES = ROOT / "build" / "notebooks", ROOT / "build" / "pages"
#: Seconds for one cell.
PATIENCE = 600
#: Of figures in notebooks: they are made for print, and shown on a screen.
DPI = 110
#: Pixels across a thumbnail.
THUMBNAIL_PX = 480
PICTURES = (".png", ".jpg")


def notebooks() -> list[Path]:
    """Sources of the notebooks, in the order of the guide's index."""
    order = (GUIDE / "index.md").read_text(encoding="utf-8")
    found = sorted(SOURCES.glob("*.md"), key=lambda path: order.find(f"notebooks/{path.name}"))
    missing = [path.name for path in found if f"notebooks/{path.name}" not in order]
    if missing:
        raise SystemExit(f"{GUIDE / 'index.md'} does not list {', '.join(missing)}")
    return found


def kept(source: Path) -> Path:
    """Where a notebook is kept once executed: by its name, its content and the package's modules."""
    digest = hashlib.sha256(source.read_bytes())
    for module in sorted((ROOT / "bonesim").rglob("*.py")):
        digest.update(module.read_bytes())
    return KEPT / f"{source.stem}_{digest.hexdigest()[:12]}.ipynb"


def executed(source: Path, *, again: bool = False) -> Any:
    """A notebook with its outputs.

    Args:
        source: its Markdown.
        again: execute it even if it is kept.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; the message has the cell and the error.
    """
    import jupytext
    import nbformat
    from nbclient import NotebookClient

    place = kept(source)
    if place.exists() and not again:
        return nbformat.read(place, nbformat.NO_CONVERT)
    notebook = jupytext.read(source)
    first = nbformat.v4.new_code_cell(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "import warnings\nwarnings.filterwarnings('ignore', message='IProgress not found')\n"
        "%matplotlib inline\n"
        f"%config InlineBackend.print_figure_kwargs = {{'bbox_inches': None, 'dpi': {DPI}}}"
    )
    notebook.cells.insert(0, first)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            timeout=PATIENCE,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        ).execute()
    del notebook.cells[0]
    KEPT.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place)
    return notebook


def complaints(notebook: Any) -> list[str]:
    """What cells wrote to stderr."""
    return [
        str(output["text"])
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.get("name") == "stderr"
    ]


def pictures(notebook: Any) -> int:
    """The number of pictures in a notebook's outputs."""
    return sum(
        "image/png" in output.get("data", {})
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    )


def write_notebook(source: Path, folder: Path) -> None:
    """A page with the outputs, its pictures beside it, and the notebook itself to take home."""
    import nbformat
    from nbconvert import MarkdownExporter

    notebook = executed(source)
    exporter = MarkdownExporter()
    body, resources = exporter.from_notebook_node(
        notebook, {"unique_key": source.stem, "output_files_dir": f"{source.stem}_files"}
    )
    for name, data in resources["outputs"].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    nbformat.write(notebook, folder / f"{source.stem}.ipynb")
    take = f"\n[This page as a notebook]({source.stem}.ipynb), or `jupytext --to ipynb` of its Markdown.\n"
    # Tables are HTML with a style of their own, which the site's policy of styles needs not.
    body = re.sub(r"<style scoped>.*?</style>", "", body, flags=re.DOTALL)
    heading, rest = body.lstrip().split("\n", 1)
    (folder / source.name).write_text(f"{heading}\n{take}{rest}", encoding="utf-8")


def rows() -> list[tuple[list[str], str, str]]:
    """Of the table in experiments/README.md: folders of a row, question, answer."""
    text = (EXPERIMENTS / "README.md").read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        folders = re.findall(r"\]\((\w+)/README\.md\)", line)
        if line.startswith("| [") and folders:
            _, question, answer = line.strip("| ").split(" | ")
            found.append((folders, question.strip(), answer.strip()))
    return found


def thumbnail(folder: Path, place: Path) -> str:
    """The name of a small picture of an experiment's first picture; "" if it has none."""
    from PIL import Image

    every = sorted(one for one in folder.iterdir() if one.suffix in PICTURES)
    if not every:
        return ""
    with Image.open(every[0]) as image:
        small = image.convert("RGB")
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    place.mkdir(parents=True, exist_ok=True)
    small.save(place / f"{folder.name}.jpg", quality=85)
    return f"{folder.name}.jpg"


def sentence(text: str) -> str:
    """A cell of the table as one sentence."""
    plain = text.replace("**", "")
    return plain[0].upper() + plain[1:] + ("" if plain.endswith((".", "?")) else ".")


def gallery(folder: Path) -> None:
    """The experiments with their questions, answers and thumbnails; and their folders as pages."""
    lines, listed = [], set()
    for folders, question, answer in rows():
        for name in folders:
            listed.add(name)
            small = thumbnail(EXPERIMENTS / name, folder / "thumbnails")
            picture = f"![{question}](thumbnails/{small})" if small else "no picture"
            title = name.replace("_", " ").capitalize()
            lines.append(f"| [{picture}]({name}/index.md) | **[{title}]({name}/index.md)** "
                         f"{sentence(question)} *{sentence(answer)}* |")  # fmt: skip
            copy_experiment(EXPERIMENTS / name, folder / name)
    unlisted = {path.parent.name for path in EXPERIMENTS.glob("*/README.md")} - listed
    if unlisted:
        raise SystemExit(f"{EXPERIMENTS / 'README.md'} does not list {', '.join(sorted(unlisted))}")
    head = (EXPERIMENTS / "README.md").read_text(encoding="utf-8").split("\n| folder", 1)[0]
    table = "| | |\n|---|---|\n" + "\n".join(lines) + "\n"
    (folder / "index.md").write_text(f"{head}\n{table}", encoding="utf-8")


def copy_experiment(folder: Path, place: Path) -> None:
    """An experiment's folder as pages: its README is the index, links to the guide lead to the site's."""
    shutil.copytree(folder, place, ignore=shutil.ignore_patterns("__pycache__"))
    text = (place / "README.md").read_text(encoding="utf-8")
    text = text.replace("../../bonesim/guide/", "../../").replace("/README.md)", "/index.md)")
    (place / "README.md").unlink()
    (place / "index.md").write_text(text, encoding="utf-8")


def main() -> None:
    """Make build/pages, whatever was there before."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(GUIDE, PAGES, ignore=shutil.ignore_patterns("notebooks"))
    (PAGES / "notebooks").mkdir()
    for source in notebooks():
        print(source.relative_to(ROOT), file=sys.stderr)
        write_notebook(source, PAGES / "notebooks")
    (PAGES / "experiments").mkdir()
    gallery(PAGES / "experiments")


if __name__ == "__main__":
    main()
