"""A run on file: complete, interrupted, resumed; equal bytes in the end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bonesim.config.config import Config, to_toml
from bonesim.engine.run import checkpoint_path, resume, run
from bonesim.errors import InputError
from bonesim.storage.reader import open_run


@pytest.fixture(scope="session")
def small(small: Config) -> Config:
    """A smaller bone than other tests have, with more at work in it: it is simulated many times."""
    return small.with_changes({"specimen.size_mm": [1.1, 1.0, 1.2], "hormones.course.steps.1.start_day": 60,
                               "cells.bmu.origination_per_mm2_per_year": 15.0,
                               "schedule": {"burn_in_day": 30, "duration_day": 120,
                                            "snapshots_day": [0, 60, 120],
                                            "checkpoint_every_day": 40}})  # fmt: skip


@pytest.fixture(scope="module")
def whole_run(small: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(small, tmp_path_factory.mktemp("run") / "whole.vtkhdf")


def test_file_holds_every_day(whole_run: Path) -> None:
    with open_run(whole_run) as opened:
        assert opened.status == "complete"
        assert opened.table["day"].tolist() == list(range(121))
        assert opened.snapshot_days == [0, 60, 120]
        final = opened.table.iloc[-1]
        assert int(opened.quanta(120).sum(dtype=np.int64)) == int(final["bone_quanta"])
        assert len(opened.cells("osteocytes", 120)) == int(final["osteocyte_lacunae"])
        assert len(opened.events) > 20
        assert set(opened.events["kind"].astype(str)) <= set(opened.events["kind"].cat.categories)
    assert not checkpoint_path(whole_run).exists()


@pytest.mark.parametrize(
    ("split", "elsewhere"),
    [
        (17, False),
        pytest.param(60, True, marks=pytest.mark.long),
        pytest.param(85, False, marks=pytest.mark.long),
    ],
)
def test_resume_is_bit_for_bit(
    small: Config, whole_run: Path, tmp_path: Path, split: int, elsewhere: bool
) -> None:
    """In this process, and in another that knows nothing of the run."""
    path = run(small, tmp_path / "part.vtkhdf", until_day=split)
    with open_run(path) as part:
        assert part.status == "interrupted"
    if elsewhere:
        program = "import sys; from bonesim import resume; resume(sys.argv[1])"
        subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    else:
        resume(path)
    with open_run(path) as resumed, open_run(whole_run) as straight:
        assert resumed.content_hash() == straight.content_hash()
        for day in straight.snapshot_days:
            for population in ("bmus", "osteoclasts", "osteoblasts", "osteocytes"):
                assert resumed.cells(population, day).equals(straight.cells(population, day))


def test_stop_signal_leaves_a_whole_file(small: Config, whole_run: Path, tmp_path: Path) -> None:
    config, path = tmp_path / "c.toml", tmp_path / "stopped.vtkhdf"
    config.write_text(to_toml(small.with_changes({"schedule.duration_day": 40000})))
    command = [sys.executable, "-m", "bonesim", "run", str(config), "-o", str(path), "-q"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    _, printed = process.communicate(timeout=120)
    assert process.returncode == 130
    assert printed.count("\n") == 1
    assert "resume" in printed
    with open_run(path) as stopped:
        assert stopped.status == "interrupted"
        assert len(stopped.table) >= 1


def test_complete_run_is_not_resumed(whole_run: Path) -> None:
    with pytest.raises(InputError, match="complete"):
        resume(whole_run)


def test_existing_file_is_not_replaced(small: Config, whole_run: Path) -> None:
    before = whole_run.read_bytes()
    with pytest.raises(InputError, match="exists"):
        run(small, whole_run)
    assert whole_run.read_bytes() == before


def test_vtk_opens_all_steps(whole_run: Path) -> None:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOHDF import vtkHDFReader

    reader = vtkHDFReader()
    reader.SetFileName(str(whole_run))
    reader.UpdateInformation()
    assert reader.GetNumberOfSteps() == 3
    with open_run(whole_run) as opened:
        for step, day in enumerate(opened.snapshot_days):
            reader.SetStep(step)
            reader.Update()
            image = reader.GetOutputDataObject(0)
            assert image.GetSpacing() == pytest.approx((0.02, 0.02, 0.02))
            for name in ("quanta", "mineral", "surface_state", "osteocyte_viability"):
                seen = vtk_to_numpy(image.GetCellData().GetArray(name))
                assert np.array_equal(seen, opened.field(name, day).ravel())


def test_image_for_pyvista(whole_run: Path) -> None:
    with open_run(whole_run) as opened:
        image = opened.image(60)
        quanta = opened.quanta(60)
    assert np.array_equal(image.cell_data["quanta"].reshape(quanta.shape), quanta)


def test_interrupted_before_any_snapshot(small: Config, whole_run: Path, tmp_path: Path) -> None:
    late = small.with_changes({"schedule.snapshots_day": [120]})
    path = run(late, tmp_path / "late.vtkhdf", until_day=20)
    with open_run(path) as part:
        assert part.snapshot_days == []
    resume(path)
    with open_run(path) as resumed, open_run(whole_run) as straight:
        assert resumed.table.equals(straight.table)
        assert (resumed.quanta(120) == straight.quanta(120)).all()


def test_checkpoint_of_another_run_is_refused(small: Config, tmp_path: Path) -> None:
    paths = [
        run(small.with_changes({"seed": seed}), tmp_path / f"{seed}.vtkhdf", until_day=3)
        for seed in (1, 2)
    ]
    checkpoint_path(paths[0]).replace(checkpoint_path(paths[1]))
    with pytest.raises(InputError, match="of another run"):
        resume(paths[1])


def test_a_table_may_not_change_under_a_run(small: Config, tmp_path: Path) -> None:
    table = tmp_path / "e2.csv"
    table.write_text("day,e2_pg_per_ml\n0,25\n100,7\n")
    course = {"kind": "table", "path": str(table)}
    path = run(
        small.with_changes({"hormones.course": course, "schedule.burn_in_day": 0}),
        tmp_path / "t.vtkhdf",
        until_day=3,
    )
    table.write_text("day,e2_pg_per_ml\n0,25\n100,8\n")
    with pytest.raises(InputError, match="has changed since the run began"):
        resume(path)
