"""`bonesim look`, `measure` of many files, crops and density thresholds on the command line."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bonesim
from bonesim.config.config import load_config
from tests.cli.conftest import Bonesim
from tests.images import scanco_files
from tests.images.test_field_formats import GREY

VOLUME = GREY.astype(np.int16) * 20


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    return scanco_files.write(tmp_path / "a.isq", scanco_files.isq(VOLUME))


def test_look(main_here: Bonesim, scan: Path, tmp_path: Path) -> None:
    done = main_here("look", scan, "-o", "look.png", "--threshold-mg", 500, "--csv", "t.csv")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "t.csv").set_index("quantity")
    grey = (500 + 391.209) / (1603.55 / 4096)
    assert table["value"]["threshold_given"] == pytest.approx(grey)
    assert table["value"]["threshold_given_density"] == pytest.approx(500)
    assert table["value"]["bvtv_given"] == pytest.approx(100 * (grey <= VOLUME).mean())
    for name in ("otsu", "li", "isodata"):
        at = table["value"][f"threshold_{name}"]
        assert VOLUME.min() < at < VOLUME.max()
        assert table["value"][f"bvtv_{name}"] == pytest.approx(
            100 * (np.float32(at) <= VOLUME).mean()
        )
    assert table["value"]["run_voxels"] == VOLUME.size
    assert table["value"]["size_x"] == pytest.approx(VOLUME.shape[2] * 0.02)
    assert "threshold_otsu_density" in done.stdout and "mgHA/cm3" in done.stderr
    assert (tmp_path / "look.png").read_bytes().startswith(b"\x89PNG")
    curve = pd.read_csv(tmp_path / "look.csv")
    for row in curve.iloc[::37].itertuples():
        assert row.bvtv_percent == pytest.approx(100 * (row.threshold <= VOLUME).mean(), abs=0.01)
    assert curve["threshold_mg_per_cm3"].is_monotonic_increasing
    assert curve["voxels_in_bin_percent"].sum() == pytest.approx(100)


def test_look_ends_with_the_run_and_names_the_picture(main_here: Bonesim, scan: Path) -> None:
    done = main_here("look", "a.isq", "--crop", "2:18,3:20,4:24", "--smooth-voxel", 0.5)
    assert "see it with bonesim look SCAN -o look.png, and give" in done.stderr
    picture, following = done.stderr.splitlines()[-2:]
    assert picture == "a picture: bonesim look a.isq -o look.png"
    words = shlex.split(following.removeprefix("next: ").partition("   (")[0])[1:]
    assert words[:7] == ["run", "run.toml", "-o", "out.vtkhdf", "--bone", "a.isq", "--voxel-um"]
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert rows["run_voxels"][:2] == ["5,440", "voxels"]
    for name in ("run_memory", "run_minutes_per_year"):
        assert len(rows[name][0].replace(".", "").strip("0")) <= 2, rows[name]
    assert main_here("new", "run").returncode == 0
    assert main_here(*words, "--dry-run").returncode == 0, words
    threshold = float(words[words.index("--threshold") + 1])
    assert threshold == pytest.approx(float(rows["threshold_otsu"][0]), rel=1e-5)
    for given in (["--threshold-mg", "500"], ["--threshold", "2400"]):
        assert " ".join(given) in main_here("look", "a.isq", *given, "--json").stderr


def test_look_at_a_crop_and_at_what_cannot_be_simulated(scan: Path, tmp_path: Path) -> None:
    table, figure = bonesim.look(scan, crop="2:12,:,0:0.2 mm".replace("2:12", "0.04:0.24"))
    values = table.set_index("quantity")["value"]
    assert values["size_x"] == pytest.approx(0.2) and values["size_z"] == pytest.approx(0.2)
    assert len(figure.axes) == 6
    coarse = scanco_files.write(tmp_path / "b.isq", scanco_files.isq(VOLUME, (82, 82, 82)))
    table, _ = bonesim.look(coarse)
    row = table.set_index("quantity").loc["run_voxels"]
    assert np.isnan(row["value"]) and "too coarse" in row["note"]
    assert not table.attrs["bone"]


def test_look_names_what_a_coarse_scan_is_resampled_to(tmp_path: Path) -> None:
    path = scanco_files.write(tmp_path / "b.isq", scanco_files.isq(VOLUME, (50, 50, 50)))
    table, _ = bonesim.look(path)
    values = table.set_index("quantity")["value"]
    assert values["run_voxel"] == 25 and values["run_voxels"] == 8 * VOLUME.size


def test_many_files_in_one_table(main_here: Bonesim, scan: Path, tmp_path: Path) -> None:
    scanco_files.write(tmp_path / "b.aim", scanco_files.aim(VOLUME[:, ::-1]))
    done = main_here("measure", "a.isq", "b.aim", "--threshold", 2400, "--json")
    assert done.returncode == 0, done.stderr
    table = pd.DataFrame(json.loads(done.stdout))
    assert next(iter(table.columns)) == "file"
    assert list(dict.fromkeys(table["file"])) == ["a.isq", "b.aim"]
    wide = table.pivot(index="measure", columns="file", values="value")
    assert wide["a.isq"]["bvtv_percent"] == pytest.approx(wide["b.aim"]["bvtv_percent"])
    assert "a.isq: read" in done.stderr and "b.aim: read" in done.stderr
    words = main_here("measure", "a.isq", "b.aim", "--threshold", 2400).stdout
    assert words.startswith("a.isq\nvoxel 20 um") and "\nb.aim\nvoxel 20 um" in words
    alone = main_here("measure", "a.isq", "--threshold", 2400, "--json")
    assert "file" not in json.loads(alone.stdout)[0]


def test_a_threshold_of_a_mask_is_reported_as_one(main_here: Bonesim, tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.where(VOLUME > 2400, 255, 0).astype(np.uint8))
    options = ("mask.npy", "--voxel-um", 20, "--threshold", 127.5)
    done = main_here("measure", *options)
    assert "a mask, not grey values; threshold 127.5 parts them" in done.stdout + done.stderr
    assert "bone where the mask is not 0" in done.stdout + done.stderr
    looked = main_here("look", *options)
    assert (
        "threshold_given" not in looked.stdout
        and "--threshold" not in looked.stderr.split("next")[1]
    )


def test_a_bad_file_does_not_stop_the_others(
    main_here: Bonesim, scan: Path, tmp_path: Path
) -> None:
    scanco_files.write(tmp_path / "cut.isq", scan.read_bytes()[:5000])
    done = main_here("measure", "cut.isq", "a.isq", "none.isq", "--threshold", 2400, "--csv", "-")
    assert done.returncode == 5
    assert done.stdout.count("\n") > 10
    assert {line.split(",")[0] for line in done.stdout.splitlines()[1:]} == {"a.isq"}
    lines = [line for line in done.stderr.splitlines() if line.startswith("bonesim: ")]
    assert len(lines) == 2 and "cut.isq" in lines[0] and "none.isq" in lines[1]
    assert main_here("measure", "none.isq", "a.isq", "--threshold", 2400).returncode == 2
    assert main_here("measure", "none.isq", "cut.isq").returncode == 2


def test_crop_on_measure_and_run(main_here: Bonesim, scan: Path, tmp_path: Path) -> None:
    crop = "2:18,3:20,4:24"
    done = main_here("measure", "a.isq", "--threshold", 2400, "--crop", crop, "--json")
    cut = np.save(tmp_path / "cut.npy", VOLUME[4:24, 3:20, 2:18])
    assert cut is None
    same = main_here("measure", "cut.npy", "--voxel-um", 20, "--threshold", 2400, "--json")
    assert json.loads(done.stdout) == json.loads(same.stdout)
    (tmp_path / "c.toml").write_text('title = "a"\n[schedule]\nburn_in_day = 0\nduration_day = 1\n')
    mm = "0.04:0.36,0.06:0.4,0.08:0.48 mm"
    for given, field in ((crop, "crop_voxel"), (mm, "crop_mm")):
        run = main_here(
            "run", "c.toml", "-o", "a.vtkhdf", "--bone", "a.isq", "--crop", given,
            "--threshold-mg", 500, "--dry-run",
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        (tmp_path / "resolved.toml").write_text(run.stdout)
        specimen = load_config(tmp_path / "resolved.toml").specimen
        assert getattr(specimen, field) is not None and specimen.threshold_mg == 500


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--crop", "0:90,0:9,0:9"), "reaches outside the image of 22 x 26 x 30 voxels"),
        (("--crop", "nothing"), "--crop: got"),
        (("--threshold", 9, "--threshold-mg", 9), "--threshold: and --threshold-mg exclude"),
        (("--density-slope", 2), "--density-slope: needs --density-intercept"),
        (("--threshold-mg", 1e9), "makes no voxel bone"),
    ],
)
def test_refused(main_here: Bonesim, scan: Path, options: tuple[object, ...], words: str) -> None:
    for command in ("measure", "look"):
        done = main_here(command, scan, *options)
        assert done.returncode == 2
        assert words in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_density_needs_a_calibration(main_here: Bonesim, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VOLUME)
    done = main_here("measure", "a.npy", "--voxel-um", 20, "--threshold-mg", 300)
    assert done.returncode == 2
    assert "give --density-slope and --density-intercept, or a --threshold" in done.stderr
