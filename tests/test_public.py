"""The public names: each works twice, whichever was used first; no child of the package hides one."""

import pkgutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest

import bonesim

SMALL: dict[str, Any] = {
    "title": "public names",
    "specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0], "voxel_um": 25.0},
    "cells": {"bmu": {"origination_per_mm2_per_year": 10.0}},
    "hormones": {"course": {"kind": "stepped", "steps": [{"start_day": 0, "e2_pg_per_ml": 7.0}]}},
    "mechanics": {"interval_day": 0},
    "schedule": {"burn_in_day": 30, "duration_day": 20, "snapshots_day": [0, 20]},
}
PRESCRIBED: dict[str, Any] = {
    "protocol": {"anastrozole": [{"dose_mg": 1.0}]},
    "schedule": {"burn_in_day": 0, "duration_day": 28},
}
STUDY = """
title = "two"
base = "base.toml"
[design]
kind = "grid"
seeds = 1
[[design.variable]]
path = "hormones.course.e2_pg_per_ml"
values = [20.0, 25.0]
"""

#: Those that take seconds; a second time only in the full form.
COSTLY = {"biopsy", "compare", "decompose_without", "demo", "doctor", "film", "report", "run_twins"}


def test_no_child_of_the_package_bears_a_public_name() -> None:
    children = {module.name for module in pkgutil.iter_modules(bonesim.__path__)}
    assert not children & set(bonesim.__all__)


def test_every_public_name_is_the_same_thing_twice() -> None:
    for name in bonesim.__all__:
        first, second = getattr(bonesim, name), getattr(bonesim, name)
        assert first is second or name == "__version__"
        assert not isinstance(first, types.ModuleType), name
        assert name in dir(bonesim)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        bonesim.nothing  # noqa: B018


@pytest.mark.parametrize(
    "order",
    [
        ("run", "resume"),
        pytest.param(("resume", "run"), marks=pytest.mark.long),
        pytest.param(("sweep", "trial"), marks=pytest.mark.long),
    ],
)
def test_names_survive_any_order_of_first_use(order: tuple[str, str]) -> None:
    """Of a fresh process: touching one name must not turn another into a module."""
    program = (
        "import bonesim\n"
        f"for name in {order!r} * 2:\n"
        "    assert callable(getattr(bonesim, name)), name\n"
        "import bonesim.engine.run, bonesim.sweeps.sweep, bonesim.trials.trial, bonesim.cli.main\n"
        "for name in bonesim.__all__:\n"
        "    if name != '__version__':\n"
        "        assert callable(getattr(bonesim, name)), name\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid_out(tmp_path_factory.mktemp("public"))


def laid_out(place: Path) -> Path:
    """A folder with a base and a study of it."""
    (place / "base.toml").write_text(toml(SMALL))
    (place / "study.toml").write_text(STUDY)
    return place


def toml(tree: dict[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(tree)


@pytest.fixture(scope="module")
def run_file(folder: Path) -> Path:
    return bonesim.run(SMALL, folder / "shared.vtkhdf")


def calls(folder: Path, run_file: Path) -> dict[str, Any]:
    """Public function -> a call of it with small input; `n` tells two calls apart."""
    interrupted = [bonesim.run(SMALL, folder / f"half_{n}.vtkhdf", until_day=10) for n in (0, 1)]
    mask = np.zeros((18, 18, 18), bool)
    mask[:, 6:11] = True
    np.save(folder / "scan.npy", mask)
    config = bonesim.load_config(folder / "base.toml")
    (folder / "own.py").write_text("def bone(day):\n    return float(day.quanta.mean())\n")
    with bonesim.open_run(run_file) as run:
        bmu = int(run.cells("bmus", 20)["id"].iloc[0])
    return {
        "load_config": lambda n: bonesim.load_config(folder / "base.toml", {"seed": n}),
        "load_module": lambda n: bonesim.load_module(folder / "own.py"),
        "untreated_twin": lambda n: bonesim.untreated_twin(config),
        "make_specimen": lambda n: bonesim.make_specimen(mask, 20.0),
        "run": lambda n: bonesim.run(config, folder / f"run_{n}.vtkhdf", seed=n),
        "run_cost": lambda n: bonesim.run_cost(config, folder / f"run_{n}.vtkhdf", seed=n),
        "doctor": lambda n: bonesim.doctor(),
        "bones": lambda n: bonesim.bones(),
        "guide": lambda n: bonesim.guide(),
        "run_twins": lambda n: bonesim.run_twins(SMALL, folder / f"twins_{n}.vtkhdf"),
        "resume": lambda n: bonesim.resume(interrupted[n]),
        "branch": lambda n: bonesim.branch(run_file, folder / f"branch_{n}.vtkhdf", day=10),
        "demo": lambda n: bonesim.demo(
            folder / f"demo_{n}", changes={
                "specimen.size_mm": [1.0, 1.0, 1.0], "mechanics.interval_day": 0,
                "protocol.anastrozole.stop_day": 20,
                "schedule": {"burn_in_day": 0, "duration_day": 40, "snapshots_day": [0, 20, 40]},
            },
        ),
        "hormones": lambda n: bonesim.hormones(PRESCRIBED, people=n),
        "biopsy": lambda n: bonesim.biopsy(
            SMALL, 12, changes={"biopsy.packets_day": 12, "biopsy.interval_day": 3,
                                "biopsy.wait_day": 8, "tissue.mineral.lag_day": 1,
                                "specimen.size_mm": [1.6, 1.6, 1.6]},
        ),
        "decompose": lambda n: bonesim.decompose(SMALL, [5, 10], twin="untreated"),
        "decompose_without": lambda n: bonesim.decompose_without(
            SMALL, ["arrest"], folder / "without", days=[5], workers=1
        ),
        "schema": lambda n: bonesim.schema(),
        "explain": lambda n: bonesim.explain("strain_stop", config),
        "odd": lambda n: bonesim.odd(SMALL),
        "open_run": lambda n: bonesim.open_run(run_file).close(),
        "info": lambda n: bonesim.info(run_file),
        "measure": lambda n: bonesim.measure(mask, 20.0, quick=True),
        "measure_stiffness": lambda n: bonesim.measure_stiffness(mask, 20.0, tolerance=1e-3),
        "thickness_maps": lambda n: bonesim.thickness_maps(folder / "scan.npy", 20.0),
        "look": lambda n: bonesim.look(
            folder / "scan.npy", folder / "look.png", voxel_um=20.0, overwrite=True
        ),
        "measure_files": lambda n: bonesim.measure_files(
            [folder / "scan.npy"] * 2, voxel_um=20.0, quick=True
        ),
        "clinic": lambda n: bonesim.clinic(run_file, seed=n),
        "scan_like": lambda n: bonesim.scan_like(
            run_file, folder / "scans", scanner="micro_ct_20", overwrite=True
        ),
        "story": lambda n: bonesim.story(run_file, bmu),
        "plot_story": lambda n: bonesim.plot_story(run_file, bmu),
        "verify": lambda n: bonesim.verify(run_file),
        "render": lambda n: bonesim.render(run_file, folder / "run.png", overwrite=True),
        "export": lambda n: bonesim.export(run_file, folder / "bone.stl", overwrite=True),
        "film": lambda n: bonesim.film(
            run_file, folder / "f.gif", "turntable", seconds=0.1, size_px=320, overwrite=True
        ),
        "report": lambda n: bonesim.report(
            run_file, output=folder / "report.html", overwrite=True
        ),
        "view": lambda n: bonesim.view(run_file, off_screen=True).close(),
        "plot_hormones": lambda n: bonesim.plot_hormones(PRESCRIBED),
        "plot_loss": lambda n: bonesim.plot_loss(bonesim.decompose(SMALL, [10])),
        "sweep_cost": lambda n: bonesim.sweep_cost(folder / "study.toml", folder / "sweep"),
        "sweep": lambda n: bonesim.sweep(folder / "study.toml", folder / "sweep", workers=1),
        "sweep_share": lambda n: bonesim.sweep_share(
            folder / "study.toml", folder / "shares", task_index=n, task_count=2
        ),
        "sweep_status": lambda n: bonesim.sweep_status(folder / "sweep"),
        "paired_sweep": lambda n: pd.concat([bonesim.paired_sweep(folder / "sweep"), pd.DataFrame([n])]),
        "compare": lambda n: bonesim.compare(*bonesim.run_twins(SMALL, folder / f"pair_{n}.vtkhdf")),
        "bundle": lambda n: bonesim.bundle(run_file, folder / f"bundle_{n}.zip"),
        "new": lambda n: bonesim.new("study", folder / f"new_{n}"),
        "gather_sweep": lambda n: bonesim.gather_sweep(folder / "sweep"),
        "plot_sweep": lambda n: bonesim.plot_sweep(folder / "sweep"),
        "posterior_members": lambda n: bonesim.posterior_members(),
        "run_posterior_cost": lambda n: bonesim.run_posterior_cost(SMALL, folder / "e", posterior=n + 1),
    }  # fmt: skip


#: Tested with a trial of their own in tests/trials, which takes longer to make.
OF_TRIALS = {"trial", "trial_cost", "compare_trial", "plot_trial"}
#: Tested with a run that has topological events in tests/viewer.
OF_EVENTS = {"render_event"}
#: Tested with an ensemble of their own in tests/sweeps.
OF_ENSEMBLES = {"run_posterior", "bands", "plot_bands"}
CLASSES = {
    "Config", "Specimen", "Simulation", "Observer", "Measure", "Drug", "Stopped", "Run",
    "BonesimError", "InputError",
    "ResourceError", "CorruptFileError", "BusyError", "NumericalError",
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("costly", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_every_public_function_works_twice(
    tmp_path: Path, run_file: Path, one_core: None, monkeypatch: pytest.MonkeyPatch, costly: int
) -> None:
    """Photographs of few rows, for speed; those of commands have all.

    A costly one once: after all of them it is still the function that worked.
    """
    folder, functions = laid_out(tmp_path), {one: getattr(bonesim, one) for one in bonesim.__all__}
    for module, rows in (("scene", 300), ("twin_scene", 150)):
        monkeypatch.setattr(f"bonesim.viewer.{module}.HEIGHT_PX", rows)
    known = calls(folder, run_file)
    assert set(known) | OF_TRIALS | OF_EVENTS | OF_ENSEMBLES | CLASSES | {"__version__"} == set(
        bonesim.__all__
    )
    for name, call in known.items():
        for n in range(costly if name in COSTLY else 2):
            found = call(n)
            if isinstance(found, pd.DataFrame):
                assert len(found), name
            if name.startswith("plot_") or name == "render":
                assert isinstance(found, matplotlib.figure.Figure), name
    assert {one: getattr(bonesim, one) for one in bonesim.__all__} == functions


def test_tables_carry_their_units(folder: Path, run_file: Path) -> None:
    for table, name, unit in (
        (bonesim.info(run_file), "bvtv_percent", "%"),
        (bonesim.hormones(PRESCRIBED), "e2_pg_per_ml_mean", "pg/mL"),
        (bonesim.sweep(folder / "study.toml", folder / "sweep", workers=1), "tb_th_um", "um"),
    ):
        assert table.attrs["units"][name] == unit
        assert set(table.attrs["units"]) == set(map(str, table))


def test_every_public_class_works_twice() -> None:
    for _ in range(2):
        config = bonesim.Config.model_validate(SMALL)
        simulation = bonesim.Simulation(config)
        bone = bonesim.Specimen(simulation.specimen.quanta, 25.0, "again", ())
        assert bonesim.Simulation(config, bone).day == -30
        for kind in (bonesim.InputError, bonesim.ResourceError, bonesim.CorruptFileError,
                     bonesim.BusyError, bonesim.NumericalError):  # fmt: skip
            assert issubclass(kind, bonesim.BonesimError)
        assert bonesim.Observer().on_day(simulation) is None
        assert bonesim.Measure("x", "", "nothing", float).measures()[0].every_day == 1
        assert not hasattr(bonesim.Drug, "sources")
        assert bonesim.Stopped(2).number == 2


@pytest.mark.long
def test_the_example_of_help_runs(tmp_path: Path) -> None:
    """As written in help(bonesim), in a folder where configs/ is."""
    lines = (bonesim.__doc__ or "").splitlines()
    program = "\n".join(line[4:] for line in lines if line.startswith("    "))
    assert program.count("bonesim.run(") == 1
    (tmp_path / "configs").symlink_to(Path(__file__).parents[1] / "configs")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "run_1.vtkhdf" in done.stdout and "bvtv_percent" in done.stdout
    assert (tmp_path / "run_2.vtkhdf").exists()
