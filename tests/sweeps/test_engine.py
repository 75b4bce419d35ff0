"""The engine: every point once, also after kills; tables equal to an undisturbed sweep's."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from bonesim.errors import BusyError, InputError, ResourceError
from bonesim.storage.lock import WriteLock
from bonesim.sweeps import batch
from bonesim.sweeps.cost import Plan, refuse_what_cannot_fit
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.journal import Journal
from bonesim.sweeps.study import Study
from bonesim.sweeps.sweep import in_order, missing, plan, run_share, run_study
from tests.sweeps import dummy
from tests.sweeps.conftest import HILL, study_in

pytest.importorskip("distributed", reason="sweeps need: pip install '.[sweep]'")

Write = Callable[..., Path]
ROOT = Path(__file__).parents[2]
FOUR = "seeds = 2\n" + HILL + "values = [1.0, 1.5, 2.0, 2.5]"


def results(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "results.csv").drop(columns="seconds")


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an undisturbed sweep."""
    place = tmp_path_factory.mktemp("undisturbed")
    study = Study(study_in(place, FOUR))
    assert run_study(study, place / "calm", workers=1, simulate=dummy.numbers) == 0
    return place / "calm"


@pytest.fixture
def undisturbed(calm: Path) -> pd.DataFrame:
    """Its results."""
    return results(calm)


def test_the_table_is_tidy(undisturbed: pd.DataFrame, calm: Path) -> None:
    assert len(undisturbed) == 4 * 2 * 3
    assert set(undisturbed) >= {"point", "row", "replicate", "seed", "hill", "snapshot", "day",
                                "bvtv_percent", "status"}  # fmt: skip
    parquet = pd.read_parquet(calm / "results.parquet").drop(columns="seconds")
    assert parquet["bvtv_percent"].tolist() == undisturbed["bvtv_percent"].tolist()
    for row in undisturbed.to_dict("records"):
        expected = 10 - row["snapshot"] * row["hill"] + 0.01 * (row["seed"] % 7)
        assert row["bvtv_percent"] == pytest.approx(expected)


def test_nothing_is_done_twice_and_points_can_be_added(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    run_study(Study(write(FOUR)), folder, workers=1, simulate=dummy.numbers)
    journal = (folder / "journal.jsonl").read_text()
    run_study(Study(write(FOUR)), folder, workers=1, simulate=dummy.failing)
    assert (folder / "journal.jsonl").read_text() == journal
    more = FOUR.replace("2.5]", "2.5, 3.0]")
    run_study(Study(write(more)), folder, workers=1, simulate=dummy.numbers)
    assert len((folder / "journal.jsonl").read_text().splitlines()) == 10
    assert len(results(folder)) == 30


def test_failures_are_tried_three_times_and_reported(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert run_study(Study(write(FOUR)), folder, workers=1, simulate=dummy.failing) == 2
    failed = pd.read_csv(folder / "failed.csv")
    assert failed["attempts"].tolist() == [3, 3]
    assert failed["error"].str.contains("a dummy's fault").all()
    assert failed["traceback"].str.contains("in failing").all()
    assert len(results(folder)) == 18
    assert run_study(Study(write(FOUR)), folder, workers=1, simulate=dummy.numbers) == 0
    assert pd.read_csv(folder / "failed.csv").empty


def test_a_dead_worker_affects_only_its_own_run(
    write: Write, tmp_path: Path, undisturbed: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BONESIM_TEST_MARK", str(tmp_path / "mark"))
    folder = tmp_path / "out"
    assert run_study(Study(write(FOUR)), folder, workers=2, simulate=dummy.deadly_once) == 0
    assert (tmp_path / "mark").exists()
    pd.testing.assert_frame_equal(results(folder), undisturbed)


def kills(write: Write, tmp_path: Path, undisturbed: pd.DataFrame, number: int) -> None:
    """Kill workers and parents at random moments, start again each time."""
    rng = np.random.default_rng(1)
    study, folder = write(FOUR), tmp_path / "out"
    command = [sys.executable, "-m", "tests.sweeps.dummy", str(study), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = 0
    for _ in range(10 * number):
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        parent = psutil.Process(process.pid)
        while process.poll() is None and killed < number:
            time.sleep(rng.uniform(0.2, 2.5))
            try:
                family = [p for p in parent.children(recursive=True)
                          if "spawn_main" in " ".join(p.cmdline())]  # fmt: skip
                victims = [parent] if rng.uniform() < 0.4 else family
                victim = victims[rng.integers(len(victims))] if victims else None
                if victim is None:
                    continue
                if victim is parent:
                    for child in [*parent.children(recursive=True), parent]:
                        child.kill()
                else:
                    victim.kill()
                killed += 1
            except psutil.NoSuchProcess:
                continue
        if process.wait(timeout=300) == 0 and killed >= number:
            break
        if process.returncode == 0:
            # Finished before enough was killed: some results are forgotten, and it goes on.
            lines = (folder / "journal.jsonl").read_text().splitlines()
            (folder / "journal.jsonl").write_text("\n".join(lines[: len(lines) // 2]) + "\n")
    assert killed == number
    pd.testing.assert_frame_equal(results(folder), undisturbed)
    done = [json.loads(line)["point"] for line in (folder / "journal.jsonl").read_text().splitlines()
            if '"done"' in line]  # fmt: skip
    assert sorted(set(done)) == sorted(undisturbed["point"].unique())


@pytest.mark.long
def test_kills_of_workers_and_parent(
    write: Write, tmp_path: Path, undisturbed: pd.DataFrame
) -> None:
    kills(write, tmp_path, undisturbed, 3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_fifty_kills(write: Write, tmp_path: Path, undisturbed: pd.DataFrame) -> None:
    kills(write, tmp_path, undisturbed, 50)


@pytest.mark.long
def test_ctrl_c_keeps_what_is_finished(write: Write, tmp_path: Path) -> None:
    study, folder = write(FOUR), tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sweeps.dummy", str(study), str(folder)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    journal = folder / "journal.jsonl"
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    done, _ = Folder(folder).status()
    assert 0 < len(done) < 8
    assert run_study(Study(study), folder, workers=1, simulate=dummy.numbers) == 0


@pytest.mark.long
def test_a_full_disk_loses_nothing(write: Write, tmp_path: Path, undisturbed: pd.DataFrame) -> None:
    study, folder = write(FOUR), tmp_path / "out"
    command = [sys.executable, "-m", "tests.sweeps.dummy", str(study), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    full = subprocess.run([*command, "1500"], cwd=ROOT, env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert full.returncode == 4, full.stderr
    assert "the disk is full" in full.stderr
    assert full.stderr.count("\n") == 1, full.stderr
    done, _ = Folder(folder).status()
    assert 0 < len(done) < 8
    kept = (folder / "journal.jsonl").read_bytes()
    assert run_study(Study(study), folder, workers=1, simulate=dummy.numbers) == 0
    assert (folder / "journal.jsonl").read_bytes().startswith(kept)
    pd.testing.assert_frame_equal(results(folder), undisturbed)


@pytest.mark.long
def test_workers_as_jobs_of_a_queue(
    write: Write, tmp_path: Path, undisturbed: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SLURM of two shell scripts starts what it is given; what it was asked for is read."""
    pytest.importorskip("dask_jobqueue", reason="needs: pip install '.[cluster]'")
    commands = {
        "sbatch": f'cat "$1" >> {tmp_path}/asked; cp "$1" "$1.kept"\n'
        'setsid bash "$1.kept" > /dev/null 2>&1 &\necho "Submitted batch job $!"',
        "scancel": 'for job in "$@"; do kill -- -"$job" 2> /dev/null; done; true',
    }
    for name, text in commands.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "out"
    assert (
        run_study(Study(write(FOUR)), folder, workers=2, cluster="slurm", simulate=dummy.slow) == 0
    )
    pd.testing.assert_frame_equal(results(folder), undisturbed)
    asked = (tmp_path / "asked").read_text()
    assert asked.count("--nthreads 1") >= 2
    assert "export NUMBA_NUM_THREADS=1" in asked
    with pytest.raises(InputError, match="one of") as error:
        run_study(Study(write(FOUR)), tmp_path / "none", cluster="punchcards", simulate=dummy.slow)
    assert error.value.parameter == "cluster"


@pytest.mark.long
def test_a_scheduler_and_workers_of_their_own(
    write: Write, tmp_path: Path, undisturbed: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started as separate processes that speak TCP, as on a cluster."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    family = [subprocess.Popen(
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
         "--scheduler-file", str(file)],
        env=environment, stderr=subprocess.DEVNULL)]  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        assert address.startswith("tcp://")
        family += [subprocess.Popen(
            [*dask, "worker", address, "--nthreads", "1", "--no-dashboard"],
            cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) for _ in range(2)]  # fmt: skip
        folder = tmp_path / "out"
        assert run_study(Study(write(FOUR)), folder, scheduler=address, simulate=dummy.slow) == 0
        pd.testing.assert_frame_equal(results(folder), undisturbed)
    finally:
        for process in family:
            process.terminate()
        for process in family:
            process.wait(timeout=30)
    monkeypatch.setattr(batch, "ANSWER", "1s")
    with pytest.raises(InputError, match="does not answer") as error:
        run_study(Study(write(FOUR)), tmp_path / "none", scheduler="tcp://127.0.0.1:9",
                  simulate=dummy.numbers)  # fmt: skip
    assert error.value.parameter == "scheduler"


def test_shares_of_a_job_array_need_no_service(
    write: Write, tmp_path: Path, undisturbed: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    monkeypatch.setattr(Study, "simulate", property(lambda _: dummy.numbers))
    for index in range(3):
        assert run_share(Study(write(FOUR)), folder, index, 3) == 0
    Folder(folder).write_tables()
    pd.testing.assert_frame_equal(results(folder), undisturbed)


def test_shares_may_start_at_the_same_time_and_in_any_order(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an array of jobs: none waits for task 0, and none is in another's way."""
    monkeypatch.setattr(Study, "simulate", property(lambda _: dummy.numbers))
    study, tasks = Study(write(FOUR)), 8
    for number in range(5):
        folder, together = tmp_path / f"out_{number}", threading.Barrier(tasks)

        def claim(_: int, folder: Path = folder, together: threading.Barrier = together) -> None:
            together.wait()
            Folder.shared(folder, study, study.points())

        with ThreadPoolExecutor(tasks) as pool:
            list(pool.map(claim, range(tasks)))
        assert sorted(path.name for path in folder.iterdir()) == ["points.csv", "study.toml"]
    for index in (2, 0, 1):
        assert run_share(study, folder, index, 3) == 0
        assert len(Folder(folder).points()) == len(study.points())


@pytest.mark.long
def test_a_real_bone_is_the_same_in_a_sweep_as_alone(write: Write, tmp_path: Path) -> None:
    study = Study(
        write("seeds = 1\n" + HILL + "values = [1.2, 2.2]", head="[results]\nkeep = 'files'")
    )
    assert run_study(study, tmp_path / "out", workers=2) == 0
    from bonesim import open_run
    from bonesim.sweeps.worker import outcomes

    point = study.points()[0]
    alone = outcomes(point.config, None)
    table = results(tmp_path / "out")
    mine = table[table["point"] == point.id]
    assert mine["bvtv_percent"].tolist() == [row["bvtv_percent"] for row in alone]
    with open_run(tmp_path / "out" / "runs" / f"{point.id}.vtkhdf") as kept:
        assert kept.status == "complete"


def test_points_that_share_a_burn_in_stand_together(write: Write) -> None:
    points = Study(write("seeds = 2\n[[design.variable]]\npath = 'schedule.duration_day'\n"
                         "values = [10, 20, 30]")).points()  # fmt: skip
    ordered = in_order(points)
    assert sorted(p.id for p in ordered) == sorted(p.id for p in points)
    assert len({p.seed for p in ordered[:2]}) == 2  # first one of each group, then the rest


def test_a_torn_journal_is_read_and_goes_on(write: Write, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "out", Study(write(FOUR)))
    place = folder.path / "journal.jsonl"
    place.write_text(
        '{"point": "a", "status": "done", "rows": [], "seconds": 1}\n{"point": "b", "st'
    )
    journal = Journal(place)
    journal.add({"point": "c", "status": "done", "rows": [{"x": float("nan")}], "seconds": 1})
    journal.close()
    done, _ = folder.status()
    assert set(done) == {"a", "c"}
    assert done["c"]["rows"] == [{"x": None}]


def test_what_cannot_be(write: Write, tmp_path: Path) -> None:
    study = Study(write(FOUR))
    folder = tmp_path / "out"
    Folder(folder, study)
    with pytest.raises(InputError, match="another study"):
        Folder(folder, Study(write(FOUR, title="something else")))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not empty"):
        Folder(tmp_path / "full", study)
    with pytest.raises(InputError, match="no folder of a sweep"):
        Folder(tmp_path / "nowhere")
    lock = WriteLock(folder / "sweep")
    with pytest.raises(BusyError):
        run_study(Study(write(FOUR)), folder, workers=1, simulate=dummy.numbers)
    lock.release()
    with pytest.raises(ResourceError, match="give fewer workers") as error:
        refuse_what_cannot_fit(Plan(1, 1, 1000, 1e12, 1, 1), folder)
    assert "give fewer `workers`" in error.value.message
    with pytest.raises(ResourceError, match="are free"):
        refuse_what_cannot_fit(Plan(1, 1, 1, 1, 1e18, 1), folder)


def test_the_plan_writes_nothing(write: Write, tmp_path: Path) -> None:
    found = plan(Study(write(FOUR)), tmp_path / "out", 2)
    assert (found.points, found.to_do) == (8, 8)
    assert "8 points, 8 to do" in found.text()
    for hours, words in ((0.013, "47 s here"), (0.5, "30 min here"), (3.2, "3.2 h here")):
        assert words in found._replace(hours=hours).text()
    assert "0 s here" in found._replace(to_do=0, hours=0.0).text()
    assert not (tmp_path / "out").exists()
    run_study(Study(write(FOUR)), tmp_path / "out", workers=1, simulate=dummy.numbers)
    assert plan(Study(write(FOUR)), tmp_path / "out", 2).to_do == 0
    assert missing(Folder(tmp_path / "out"), Study(write(FOUR)).points()) == []
