"""`bonesim clinic` and `bonesim scan-like`: a run in, a record and images out."""

import importlib.util
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bonesim.images.reading import read_image
from bonesim.reports.scan_like import write
from bonesim.specimens.scan import ScanParameters, read_scan
from bonesim.storage.reader import open_run

Bonesim = Callable[..., subprocess.CompletedProcess[str]]


def test_the_record_in_words_states_k(bonesim: Bonesim, tiny: Path) -> None:
    printed = bonesim("clinic", tiny).stdout
    assert "k = 0.50" in printed and "k 0.40 to 0.70" in printed
    for word in ("day 20", "day 40", "CTX", "P1NP", "BSAP", "osteocalcin", "QCT", "LSC"):
        assert word in printed
    assert "k = 0.40" in bonesim("clinic", tiny, "--set", "density.k_dxa=0.4").stdout


def test_dxa_is_k_times_mineral_of_the_run(in_a_process: Bonesim, tiny: Path) -> None:
    table = pd.read_csv(
        io.StringIO(in_a_process("clinic", tiny, "--every-day", "--csv", "-").stdout)
    )
    with open_run(tiny) as run:
        mineral = run.table["bmd_mg_per_cm3"].to_numpy()
    abmd = table.loc[table["quantity"] == "ls_abmd"]
    assert abmd["day"].tolist() == list(range(41))
    np.testing.assert_allclose(
        abmd["change_percent"], 50 * (mineral / mineral[0] - 1), rtol=1e-9, atol=1e-12
    )
    assert (abmd["read"] != abmd["value"]).all()


def test_every_format_holds_the_same_table(bonesim: Bonesim, tiny: Path, tmp_path: Path) -> None:
    csv = pd.read_csv(io.StringIO(bonesim("clinic", tiny, "--csv", "-", "--seed", "5").stdout))
    assert csv["day"].unique().tolist() == [0, 20, 40]
    records = json.loads(bonesim("clinic", tiny, "--json", "--seed", "5").stdout)
    pd.testing.assert_frame_equal(pd.DataFrame(records), csv)
    bonesim("clinic", tiny, "--csv", tmp_path / "a.csv", "--seed", "5")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a.csv"), csv)
    other = pd.read_csv(io.StringIO(bonesim("clinic", tiny, "--csv", "-").stdout))
    assert other["value"].equals(csv["value"]) and (other["read"] != csv["read"]).all()
    if importlib.util.find_spec("pyarrow"):
        bonesim("clinic", tiny, "--parquet", tmp_path / "a.parquet", "--seed", "5")
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), csv)


def test_scans_are_written_and_read_back(bonesim: Bonesim, tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    printed = bonesim("scan-like", tiny, "-o", folder, "--day", "0", "--day", "40", "--scanner",
                   "micro_ct_20", "--seed", "3").stderr  # fmt: skip
    assert printed.count("BV/TV") == 2
    assert sorted(file.name for file in folder.iterdir()) == [
        "day_0.nrrd", "day_0_bone.nrrd", "day_40.nrrd", "day_40_bone.nrrd", "scan.json",
        "truth_0_40.nrrd",
    ]  # fmt: skip
    done = json.loads((folder / "scan.json").read_text())
    assert (done["scanner"], done["voxel_um"], done["seed"]) == ("micro_ct_20", 20.0, 3)
    grey = read_image(folder / "day_40.nrrd")
    assert grey.geometry.spacing_um == pytest.approx((20.0, 20.0, 20.0))
    assert grey.values.shape == (50, 50, 50)
    mask = read_image(folder / "day_40_bone.nrrd").values
    assert np.array_equal(mask, grey.values >= done["threshold_mg_per_cm3"])
    with open_run(tiny) as run:
        after = run.quanta(40) >= 128
    # Axes are those of the lattice: the scan looks like the bone, and like no transposed bone.
    alike = [np.corrcoef(grey.values.ravel(), after.transpose(axes).ravel())[0, 1]
             for axes in ((0, 1, 2), (1, 0, 2), (0, 2, 1), (2, 1, 0))]  # fmt: skip
    assert alike[0] > 0.85 and max(alike[1:]) < 0.5


def test_the_truth_between_two_days(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tiny run turns nothing over in 40 days: its bone is moved by two voxels instead."""
    with open_run(tiny) as run:
        first = run.quanta(0)
        later = np.roll(first, 2, axis=0)
        monkeypatch.setattr(run, "quanta", lambda day: later if day else first)
        done = write(run, tmp_path, [40, 0], "micro_ct_20").attrs["scan"]
    truth = read_image(tmp_path / "truth_0_40.nrrd").values
    before, after = first >= 128, later >= 128
    assert np.array_equal(truth, np.select([before & after, after, before], [1, 2, 3], 0))
    counted = done["truths"][0]["voxels"]
    assert counted["resorbed"] == int((before & ~after).sum()) > 100
    assert sum(counted.values()) == truth.size


def test_fat_follows_the_bone(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With half of the bone gone, marrow reads -30 (0.60 + 0.50 / 2)."""
    with open_run(tiny) as run:
        first = run.quanta(0)
        monkeypatch.setattr(run, "quanta", lambda day: first // 2 if day else first)
        done = write(run, tmp_path, None, "hr_pqct_61").attrs["scan"]
    assert [scan["day"] for scan in done["scans"]] == [0, 20, 40]
    assert done["scans"][0]["marrow_mg_per_cm3"] == pytest.approx(-18.0)
    assert done["scans"][2]["marrow_mg_per_cm3"] == pytest.approx(-25.5, abs=0.1)


@pytest.mark.parametrize(("scanner", "voxel"), [("micro_ct_20", 20.0), ("hr_pqct_61", 60.7)])
def test_the_scan_reader_takes_them(
    bonesim: Bonesim, tiny: Path, tmp_path: Path, scanner: str, voxel: float
) -> None:
    bonesim("scan-like", tiny, "-o", tmp_path, "--day", "40", "--scanner", scanner)
    threshold = json.loads((tmp_path / "scan.json").read_text())["threshold_mg_per_cm3"]
    specimen = read_scan(ScanParameters(path=str(tmp_path / "day_40.nrrd"), threshold=threshold))
    assert f"voxels (x, y, z) of {voxel:g} um" in specimen.notes[0]
    assert specimen.voxel_um == pytest.approx(voxel if voxel < 40 else voxel / 3)
    # What the scanner sees: at 61 um thin bone looks thicker than it is.
    (day,) = json.loads((tmp_path / "scan.json").read_text())["scans"]
    seen = day["seen_bvtv_percent"] / 100.0
    assert specimen.quanta.mean() / 255 == pytest.approx(seen, rel=0.1)


def test_a_voxel_of_ones_own(in_a_process: Bonesim, tiny: Path, tmp_path: Path) -> None:
    in_a_process("scan-like", tiny, "-o", tmp_path, "--day", "0", "--voxel-um", "100")
    image = read_image(tmp_path / "day_0.nrrd")
    assert image.geometry.spacing_um == pytest.approx((100.0, 100.0, 100.0))
    assert image.values.shape == (10, 10, 10)
    assert not list(tmp_path.glob("truth*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clinic", "RUN", "--set", "density.k=0.4"], "no such parameter"),
        (["clinic", "RUN", "--set", "density.k_dxa=3"], "density.k_dxa: got 3"),
        (["clinic", "RUN", "--set", "k_dxa"], "write path=value"),
        (["clinic", "RUN", "--json", "--csv", "-"], "give one of them"),
        (["clinic", "RUN", "--csv", "nowhere/a.csv"], "there is no folder nowhere"),
        (["clinic", "nothing.vtkhdf"], "nothing.vtkhdf"),
        (["scan-like", "RUN", "-o", "s", "--day", "7"], "there are 0, 20, 40"),
        (["scan-like", "RUN", "-o", "s", "--scanner", "mri"], "hr_pqct_61, hr_pqct_82, qct"),
        (["scan-like", "RUN", "-o", "s", "--scanner", "qct"], "at most 333.333 um"),
        (["scan-like", "RUN", "-o", "s", "--voxel-um", "5"], "finer than half"),
        (["scan-like", "RUN", "-o", "s", "--voxel-um", "-5"], "--voxel-um"),
    ],
)
def test_bad_input_is_one_line(
    main_here: Bonesim, tiny: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = main_here(*(tiny if word == "RUN" else word for word in arguments))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_parquet_without_its_library_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bonesim.cli import table_files as table_output
    from bonesim.errors import InputError

    monkeypatch.setattr(table_output, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'bonesim\[sweep\]'"):
        table_output.write(pd.DataFrame({"a": [1]}), None, False, tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []
