"""A file of another kind than wanted, a drug that is not modelled, a library that is missing."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Bonesim

STUDY = """
title = "a study"
base = "c.toml"
[design]
kind = "KIND"
seeds = 1
[[design.variable]]
path = "hormones.response.hill"
name = "hill"
"""
TRIAL = 'title = "t"\nbase = "c.toml"\n[[arm]]\nname = "placebo"\n[cohort]\npeople = 3\n'


@pytest.fixture
def here(main_here: Bonesim, tiny: Path, tmp_path: Path) -> Bonesim:
    shutil.copy(tiny, tmp_path / "a.vtkhdf")
    shutil.copy(tiny.parent / "c.toml", tmp_path)
    study = STUDY.replace("KIND", "grid") + "values = [1.5, 2.5]\n"
    (tmp_path / "study.toml").write_text(study)
    (tmp_path / "trial.toml").write_text(TRIAL)
    return main_here


def refused(here: Bonesim, arguments: str, *words: str) -> None:
    done = here(*arguments.split())
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("arguments", "is_a", "command"),
    [
        ("run a.vtkhdf -o b.vtkhdf", "is a run file, not the config of one run", "info"),
        ("run a.vtkhdf -o b.vtkhdf --dry-run", "is a run file", "resume"),
        ("hormones a.vtkhdf", "is a run file", "info"),
        ("biopsy a.vtkhdf --day 9", "is a run file", "info"),
        ("sweep run a.vtkhdf -o s", "is a run file, not the study of a sweep", "info"),
        ("trial a.vtkhdf -o t --dry-run", "is a run file, not a simulated trial", "info"),
        ("info c.toml", "is the config of one run, not a run file", "bonesim run takes it"),
        ("resume c.toml", "is the config of one run, not a run file", "bonesim run takes it"),
        ("measure c.toml", "is the config of one run", "bonesim run takes it"),
        ("clinic c.toml", "is the config of one run", "bonesim run takes it"),
        ("render c.toml -o a.png", "is the config of one run", "bonesim run takes it"),
        ("compare c.toml", "is the config of one run", "bonesim run c.toml -o out.vtkhdf --twin"),
        ("compare a.vtkhdf c.toml", "is the config of one run", "-o out.vtkhdf --twin"),
        ("info study.toml", "is the study of a sweep", "bonesim sweep run takes it"),
        ("info trial.toml", "is a simulated trial", "bonesim trial takes it"),
        ("run study.toml -o b.vtkhdf", "is the study of a sweep", "bonesim sweep run takes it"),
        ("run trial.toml -o b.vtkhdf", "is a simulated trial", "bonesim trial takes it"),
        ("sweep run c.toml -o s", "is the config of one run", "bonesim run takes it"),
        ("sweep run trial.toml -o s", "is a simulated trial", "bonesim trial takes it"),
        ("trial study.toml -o t", "is the study of a sweep", "bonesim sweep run takes it"),
    ],
)
def test_the_command_that_takes_it_is_named(
    here: Bonesim, tmp_path: Path, arguments: str, is_a: str, command: str
) -> None:
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    refused(here, arguments, is_a, command)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("drug", "words"),
    [
        ("denosumab", "protocol.denosumab: not modelled; modelled are anastrozole, estradiol_gel"),
        ("toremifene", "not modelled"),
        ("gnrh_antagonist", "not modelled"),
        ("testosterone_enanthate", "not modelled"),
        ("anastrozol", "Did you mean anastrozole?"),
        ("testosterone", "Did you mean testosterone_cypionate or testosterone_gel?"),
    ],
)
def test_drugs(here: Bonesim, drug: str, words: str) -> None:
    refused(here, f"run c.toml -o b.vtkhdf --set protocol.{drug}.dose_mg=1 --dry-run", words)


def test_a_specimen_can_be_set_where_the_config_has_none(here: Bonesim, tmp_path: Path) -> None:
    (tmp_path / "plain.toml").write_text('title = "plain"\n')
    size = "run plain.toml -o b.vtkhdf --dry-run --set specimen.size_mm=[1,1,1]"
    done = here(*size.split())
    assert done.returncode == 0, done.stderr
    assert 'kind = "synthetic"' in done.stdout
    course = "run plain.toml -o b.vtkhdf --dry-run --set hormones.course.e2_pg_per_ml=12"
    done = here(*course.split())
    assert 'kind = "constant"' in done.stdout
    scan = (
        "run plain.toml -o b.vtkhdf --dry-run --set specimen.path=a.tif --set specimen.threshold=9"
    )
    assert "a.tif: no such file" in here(*scan.split()).stderr
    (tmp_path / "plain.toml").write_text("[specimen]\nsize_mm = [1, 1, 1]\n")
    refused(here, "run plain.toml -o b.vtkhdf --dry-run", "has no kind")


@pytest.mark.parametrize("end", ["", " --dry-run"])
def test_what_is_not_installed_is_named(
    here: Bonesim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    pytest.importorskip("SALib", reason="sweeps need: pip install '.[sweep]'")
    run = "sweep run study.toml -o s --workers 2"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "distributed", None)
        refused(here, run + end, "2 --workers at once need Dask", "pip install 'bonesim[sweep]'",
                "give 1 of --workers")  # fmt: skip
        refused(here, run + " --scheduler tcp://a:1" + end, "need Dask", "'bonesim[sweep]'")
        if end:  # what was not asked for is not missed
            done = here(*run.replace(" --workers 2", end).split())
            assert done.returncode == 0 and "1 worker," in done.stdout + done.stderr
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "dask_jobqueue", None)
        refused(here, run + " --cluster slurm" + end, "dask-jobqueue", "'bonesim[cluster]'")
    for kind in ("sobol", "morris"):
        text = STUDY.replace("KIND", kind) + "low = 1.0\nhigh = 2.0\n"
        (tmp_path / "sampled.toml").write_text(text)
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "SALib", None)
            refused(here, "sweep run sampled.toml -o s" + end, f"'{kind}' need SALib",
                    "pip install 'bonesim[sweep]'")  # fmt: skip
    assert not (tmp_path / "s").exists()


@pytest.mark.long
def test_one_worker_needs_no_dask(
    here: Bonesim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "dask", None)
    done = here(*["sweep", "run", "study.toml", "-o", "s", "--workers", "1"])
    assert done.returncode == 0, done.stderr
    assert "2 of 2 points" in done.stderr
    assert (tmp_path / "s" / "results.csv").is_file()


def test_gather_states_what_is_missing(here: Bonesim, tmp_path: Path) -> None:
    from bonesim.sweeps.folder import Folder
    from bonesim.sweeps.study import Study

    study = Study(tmp_path / "study.toml")
    Folder(tmp_path / "s", study).write_points(study.points())
    done = here("sweep", "gather", "s")
    assert done.returncode == 0
    assert "2 points have no result" in done.stderr


def test_a_file_in_place_of_a_folder(here: Bonesim) -> None:
    refused(here, "sweep run study.toml -o c.toml --workers 1", "is a file, and a folder is needed")
    refused(here, "sweep status c.toml", "is no folder of a sweep")
