"""`bonesim hormones`: a prescription in, a table and a picture out."""

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import pyvista as pv

Bonesim = Callable[..., subprocess.CompletedProcess[str]]
CONFIG = Path(__file__).parents[2] / "configs" / "trt_anastrozole.toml"


def test_table_and_picture(in_a_process: Bonesim, tmp_path: Path) -> None:
    picture, table = tmp_path / "h.png", tmp_path / "h.csv"
    printed = in_a_process("hormones", CONFIG, "-o", picture, "--csv", table, "--people", 5).stdout
    assert "before day 730: anastrozole 0.5 mg 2x/week + testosterone cypionate 100 mg" in printed
    assert "90 % of people" in printed
    daily = pd.read_csv(table)
    assert daily["day"].is_monotonic_increasing
    assert daily["day"].iloc[-1] == 2189
    for name in ("t_ng_per_dl", "e2_pg_per_ml", "lh_iu_per_l", "anastrozole_ng_per_ml"):
        assert (daily[f"{name}_trough"] <= daily[f"{name}_mean"] + 1e-9).all()
        assert (daily[f"{name}_mean"] <= daily[f"{name}_peak"] + 1e-9).all()
    image = pv.read(picture)
    assert image.dimensions[0] > 800
    colours = image.point_data.active_scalars
    assert len({tuple(row) for row in colours[::997]}) > 5


def test_csv_to_stdout(bonesim: Bonesim) -> None:
    done = bonesim("hormones", CONFIG, "--csv", "-", "--set", "schedule.duration_day=10",
                   "--set", "schedule.snapshots_day=[0]")  # fmt: skip
    assert pd.read_csv(io.StringIO(done.stdout))["e2_pg_per_ml_mean"].iloc[-1] > 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "protocol.anastrozole.0.dose_mg=-1"], "dose_mg: got -1"),
        (["--set", "protocol.anastrazole.dose_mg=1"], "Did you mean anastrozole"),
        (["--set", "protocol.anastrozole.dose_mg=1"], "choose one, 0 to 1"),
        (["-o", "h.tif"], "ends in .png"),
        (["-o", "nowhere/h.png"], "there is no folder"),
        (["--csv", "nowhere/h.csv"], "there is no folder"),
    ],
)
def test_bad_input_is_one_line(
    main_here: Bonesim, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = main_here("hormones", CONFIG, *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_config_without_protocol_is_refused(main_here: Bonesim, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('title = "no drugs"\n')
    done = main_here("hormones", "c.toml")
    assert done.returncode == 2
    assert "has no protocol" in done.stderr


def test_a_run_follows_a_prescription(bonesim: Bonesim, tmp_path: Path) -> None:
    run = tmp_path / "rx.vtkhdf"
    small = ["specimen.size_mm=[0.8,0.8,0.8]", "schedule.burn_in_day=5", "schedule.duration_day=30",
             "schedule.snapshots_day=[0,30]"]  # fmt: skip
    changes = [word for change in small for word in ("--set", change)]
    bonesim("run", CONFIG, "-o", run, *changes)
    from bonesim import open_run

    with open_run(run) as opened:
        e2 = opened.table["e2_pg_per_ml"]
        assert 40 < e2.iloc[0] < 50
        assert e2.iloc[-7:].mean() < 30
        assert opened.config["protocol"]["anastrozole"][0]["dose_mg"] == 0.5
