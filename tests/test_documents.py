"""The documents agree with the code: version, workflow, rooms, and paths of modules."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import bonesim
from bonesim.config.renamed import RENAMED
from bonesim.morphometry.panel import PANEL

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bonesim"
GITHUB = ROOT / ".github"
DOCUMENTS = sorted(
    [
        ROOT / "README.md", *ROOT.glob("*/README.md"), *(ROOT / "experiments").glob("*/README.md"),
        *GITHUB.glob("*.md"), *(PACKAGE / "guide").glob("*.md"),
    ]
)  # fmt: skip
#: bonesim/x/y.py or bonesim/x/ (of the project, not of a cache), and bonesim.x.y.
FILE = re.compile(r"(?<!\.cache/)\bbonesim/[\w/]+(?:\.(?:py|md)\b)?")
DOTTED = re.compile(r"\bbonesim(?:\.[A-Za-z_]\w*)+")


def exists(dotted: str) -> bool:
    """Whether this is a public name, a module, or a name that a module defines."""
    first, *rest = dotted.split(".")[1:]
    if not rest and first in bonesim.__all__:
        return True
    place = PACKAGE / first
    while rest and not place.with_suffix(".py").is_file() and place.is_dir():
        place /= rest.pop(0)
    module = place.with_suffix(".py")
    if module.is_file():
        return not rest or bool(re.search(rf"\b{rest[0]}\b", module.read_text()))
    return place.is_dir() and not rest


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    changelog = (GITHUB / "CHANGELOG.md").read_text()
    newest = re.search(r"^## \[(\d[\w.]*)\] - \d{4}-\d\d-\d\d$", changelog, re.M)
    assert newest is not None
    assert str(citation["version"]) == newest[1] == project


def test_the_number_of_measures_is_true() -> None:
    for place in (ROOT / "README.md", PACKAGE / "guide" / "measures.md"):
        assert re.findall(r"\b(\d+) measures\b", place.read_text()) == [str(len(PANEL))], place


def test_first_steps_warn_of_chance_and_name_a_clear_loss() -> None:
    for name in ("README.md", "bonesim/guide/first_run.md", "bonesim/config/templates/run.toml"):
        text = " ".join((ROOT / name).read_text().split())
        assert re.search(r"small block shows mostly chance.{,120}a clear loss", text, re.I), name


def test_the_guide_needs_the_python_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    least = project["requires-python"].removeprefix(">=")
    for name in ("README.md", "bonesim/guide/first_run.md"):
        assert f"Python {least} or newer on Linux" in (ROOT / name).read_text(), name


def test_the_workflow_runs_what_a_desk_runs() -> None:
    workflow = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text())
    # YAML 1.1 reads a bare `on` as true.
    assert {"push", "pull_request"} <= set(workflow.get("on", workflow.get(True)))
    for job in workflow["jobs"].values():
        assert any(".ci/run" in step.get("run", "") for step in job["steps"])
        for action in (step["uses"] for step in job["steps"] if "uses" in step):
            assert re.fullmatch(r"[\w/-]+@v\d+", action), action
    assert (ROOT / ".ci" / "run").is_file()


def test_hooks_use_the_environment_of_the_project() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [one["repo"] for one in hooks] == ["local"]
    for hook in hooks[0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/")


def test_every_package_has_its_line_among_the_rooms() -> None:
    text = (GITHUB / "CONTRIBUTING.md").read_text()
    rooms = text.split("\n## Rooms\n")[1].split("\n## ")[0]
    packages = sorted(place.parent.name for place in PACKAGE.glob("*/__init__.py"))
    assert len(packages) > 10
    listed = re.findall(r"^- `(\w+)`:", rooms, re.M)
    assert sorted(listed) == packages


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_named_modules_exist(document: Path) -> None:
    text = document.read_text()
    for path in FILE.findall(text):
        assert (ROOT / path).exists(), path
    for dotted in DOTTED.findall(text):
        assert exists(dotted), dotted


@pytest.mark.parametrize("gone", ["bonesim.hormones.drugs", "bonesim.engine.nothing", "bonesim.f"])
def test_a_module_that_is_gone_would_be_noticed(gone: str) -> None:
    assert not exists(gone)
    assert exists("bonesim.endocrine.drugs")
    assert exists("bonesim.loss.reclosure.final_breaks")
    assert exists("bonesim.open_run")


def test_the_changelog_lists_every_renamed_key() -> None:
    text = (GITHUB / "CHANGELOG.md").read_text().split("#### Renamed configuration keys")[1]
    rows = re.findall(r"^\| `([\w.]+)` \| `([\w.]+)` \|$", text.split("####")[0], re.M)
    assert dict(rows) == RENAMED
