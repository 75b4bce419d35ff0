"""What `new` writes validates, is completed by its schema, and runs: each kind in its smallest form."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

import bonesim as library
from bonesim.api.new import FILES, SCHEMAS
from bonesim.config.config import load_config
from bonesim.config.schema import NAMES
from bonesim.errors import InputError
from bonesim.storage.file_kind import kind_of
from bonesim.sweeps.study import Study
from bonesim.trials.trial import Trial
from tests.cli.conftest import Bonesim

ROOT = Path(__file__).parents[2]
#: An alternative in a template: a comment that is an assignment.
ALTERNATIVE = re.compile(r"^# (\w+ = .+)$", re.MULTILINE)
SMALLEST = {
    "specimen": {"size_mm": [1.0, 1.0, 1.0], "voxel_um": 25.0},
    "mechanics": {"interval_day": 0},
    "schedule": {"burn_in_day": 20, "duration_day": 30, "snapshots_day": [0, 30]},
}
TAPLO = shutil.which("taplo") or shutil.which("taplo", path=str(Path(sys.executable).parent))
CONFIGS = sorted(
    place for place in (*ROOT.glob("configs/*.toml"), *ROOT.glob("experiments/*/*.toml"),
                        ROOT / "bonesim/config/demo.toml")
)  # fmt: skip


def edited(place: Path, changes: dict[str, Any]) -> None:
    """A TOML file with values of its groups replaced."""
    tree = tomllib.loads(place.read_text())
    for name, group in changes.items():
        tree[name] = tree.get(name, {}) | group if isinstance(group, dict) else group
    place.write_text(tomli_w.dumps(tree))


def test_it_lists_what_it_made_and_refuses_to_replace_it(
    main_here: Bonesim, tmp_path: Path
) -> None:
    done = main_here("new", "study", "-o", "mine")
    assert done.returncode == 0, done.stderr
    listed = done.stdout.split()
    assert listed[0] == "mine/study.toml"
    assert sorted(listed) == sorted(
        str(p.relative_to(tmp_path)) for p in (tmp_path / "mine").iterdir()
    )
    assert "next: bonesim sweep run mine/study.toml" in done.stderr
    (tmp_path / "mine" / "run.toml").write_text("seed = 3\n")
    again = main_here("new", "study", "-o", "mine")
    assert again.returncode == 2
    assert "exists; choose another name or give --overwrite" in again.stderr
    assert (tmp_path / "mine" / "run.toml").read_text() == "seed = 3\n"
    assert main_here("new", "study", "-o", "mine", "--overwrite").returncode == 0
    wrong = main_here("new", "swep")
    assert wrong.returncode == 2
    assert "'swep' is not known; one of run, study, trial, experiment" in wrong.stderr


def test_a_sweep_is_a_study(main_here: Bonesim) -> None:
    made = [main_here("new", kind, "-o", kind) for kind in ("study", "sweep")]
    assert made[1].stdout == made[0].stdout.replace("study/", "sweep/")
    assert made[1].stderr == "next: bonesim sweep run sweep/study.toml -o sweep --dry-run\n"


@pytest.mark.parametrize("kind", FILES)
def test_it_validates_as_written(kind: str, tmp_path: Path) -> None:
    """Every file, by the program and by its schema; every alternative in its comments too."""
    paths = library.new(kind, tmp_path / "made")
    for place in paths:
        if place.suffix != ".toml":
            continue
        text = place.read_text()
        assert text.startswith(f"#:schema ./{SCHEMAS[place.name]}.schema.json\n")
        assert checked(place)
        for found in ALTERNATIVE.finditer(text):
            name = found[1].partition(" ")[0]
            line = re.compile(rf"^{name} = .*\n", re.MULTILINE)
            before = text[: found.start()]
            group = before.rindex("[") if "[" in before else 0
            other = text[:group] + line.sub("", text[group : found.start()], count=1)
            place.write_text(other + found[1] + text[found.end() :])
            if "published" not in text[: found.start()].rpartition("# [[")[2][:12]:
                assert checked(place), found[1]
            place.write_text(text)
    assert not list((tmp_path / "made").glob(".*"))


def checked(place: Path) -> bool:
    kind = kind_of(place)
    if kind == "config":
        load_config(place)
    elif kind == "study":
        assert len(Study(place).points()) > 1
    else:
        assert kind == "trial"
        assert len(Trial(place).points()) > 1
    return True


def test_the_published_result_of_the_trial_is_allowed(tmp_path: Path) -> None:
    place = library.new("trial", tmp_path)[0]
    head, marker, rest = place.read_text().partition("# [[published]]")
    place.write_text(head + (marker + rest).replace("# ", "", 1).replace("\n# ", "\n"))
    assert len(Trial(place).parameters.published) == 1


def test_a_run_runs(one_core: None, tmp_path: Path) -> None:
    place = library.new("run", tmp_path)[0]
    edited(place, SMALLEST)
    treated, untreated = library.run_twins(place, tmp_path / "run.vtkhdf")
    assert library.compare(treated, untreated).table.attrs["differs"] == ["protocol.anastrozole"]


@pytest.mark.long
def test_an_experiment_runs(tmp_path: Path) -> None:
    """And with it the study: its program prints an answer, and draws it."""
    folder = tmp_path / "experiment"
    library.new("experiment", folder)
    edited(folder / "run.toml", SMALLEST)
    edited(folder / "study.toml", {"design": {"seeds": 2}})
    assert library.sweep(folder / "study.toml", folder / "sweep", workers=1).attrs["missing"] == 0
    done = subprocess.run(
        [sys.executable, "answer.py", "sweep", "answer.png"], cwd=folder,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert re.search(
        r"dose_mg = 1 less dose_mg = 0.5: [-+]\d.*\(95 % interval over 2 pairs\)", done.stdout
    )
    assert (folder / "answer.png").stat().st_size > 10_000


@pytest.mark.long
def test_a_trial_runs(tmp_path: Path) -> None:
    place = library.new("trial", tmp_path)[0]
    edited(tmp_path / "person.toml", SMALLEST | {"schedule": {"burn_in_day": 20}})
    edited(place, {"visits_day": [30], "repeats": 20, "cohort": {"people": 2, "bones": 1}})
    found = library.trial(place, tmp_path / "trial", workers=1)
    assert set(found.estimates["arm"]) >= {"placebo", "anastrozole"}


@pytest.mark.parametrize("kind", NAMES)
def test_schemas_name_units(kind: str) -> None:
    schema = library.schema(kind)
    assert schema["$schema"].startswith("https://json-schema.org/")
    text = json.dumps(schema)
    assert '"unit": "d"' in text or kind == "study"
    with pytest.raises(InputError, match="'runs' is not known; one of run, study, trial"):
        library.schema("runs")


@pytest.mark.parametrize("place", CONFIGS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_config_names_its_schema(place: Path) -> None:
    line = place.read_text(encoding="utf-8").splitlines()[0]
    assert line.startswith("#:schema ")
    named = (place.parent / line.removeprefix("#:schema ")).resolve()
    kind = kind_of(place)
    assert named == ROOT / "bonesim/config" / NAMES["run" if kind == "config" else kind]  # type: ignore[index]


@pytest.mark.skipif(TAPLO is None, reason="taplo is not installed (extra dev)")
def test_every_config_and_template_meets_its_schema(tmp_path: Path) -> None:
    """As an editor sees it; and a typo, a wrong type and a value out of range are found."""
    made = [place for kind in FILES for place in library.new(kind, tmp_path / kind)]
    files = [*CONFIGS, *(place for place in made if place.suffix == ".toml")]
    done = lint(files)
    assert done.returncode == 0, done.stderr
    good = (tmp_path / "run" / "run.toml").read_text()
    for old, new in (
        ("duration_day", "duration_days"), ("seed = 1 ", 'seed = "one" '),
        ("dose_mg = 1.0", "dose_mg = -1.0"),
    ):  # fmt: skip
        assert old in good
        (tmp_path / "run" / "run.toml").write_text(good.replace(old, new, 1))
        assert lint([tmp_path / "run" / "run.toml"]).returncode != 0, new


def lint(files: list[Path]) -> subprocess.CompletedProcess[str]:
    assert TAPLO is not None
    return subprocess.run(
        [TAPLO, "lint", "--no-auto-config", *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
