"""`bonesim measure` on scans and runs, and its refusals: one line, exit code 2."""

import csv
import io
import json
from functools import partial
from pathlib import Path

import nrrd
import numpy as np
import pandas as pd
import pytest

from bonesim.images.reading import read_image
from tests.cli.conftest import Bonesim
from tests.morphometry.phantoms import lattice, places


@pytest.fixture
def measured(main_here: Bonesim) -> Bonesim:
    """Run `bonesim measure ARGUMENTS` within this process."""
    return partial(main_here, "measure")


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rods of 6 voxels through a grid of 24, voxels of 20 um."""
    path = tmp_path_factory.mktemp("grid") / "grid.nrrd"
    bone = (lattice(places(72), (24.0, 24.0, 24.0), 3.0) > 0).astype(np.uint8)
    nrrd.write(str(path), bone, {"spacings": [0.02] * 3, "units": ["mm"] * 3}, index_order="C")
    roi = np.zeros_like(bone)
    roi[12:60, 12:60, 12:60] = 1
    nrrd.write(
        str(path.with_name("roi.nrrd")),
        roi,
        {"spacings": [0.02] * 3, "units": ["mm"] * 3},
        index_order="C",
    )
    np.save(path.with_name("bare.npy"), bone)
    np.save(path.with_name("full.npy"), np.ones_like(bone))
    np.save(path.with_name("nothing.npy"), np.zeros_like(bone))
    np.save(path.with_name("thin.npy"), bone[:, :, :1])
    np.save(path.with_name("small.npy"), bone[:, :, :9])
    return path


def test_a_scan_in_words(in_a_process: Bonesim, grid: Path) -> None:
    done = in_a_process("measure", grid, "--threshold", 0.5)
    assert done.returncode == 0
    for word in ("BV/TV (%)", "Tb.Th (um)", "Conn.D 15 um (1/mm3)", "Conn.D raw (1/mm3)",
                 "windows < 300 um (1/mm3)", "SMI", "DA", "pBV/BV", "Hildebrand",
                 "voxel 20 um", "bonesim 0"):  # fmt: skip
        assert word in done.stdout
    assert "read 72 x 72 x 72 voxels" in done.stderr


def test_json_csv_and_parquet_agree(measured: Bonesim, grid: Path, tmp_path: Path) -> None:
    done = measured(grid, "--threshold", 0.5, "--json", "--csv", tmp_path / "m.csv",
                    "--parquet", tmp_path / "m.parquet")  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = pd.DataFrame(json.loads(done.stdout))
    for table in (pd.read_csv(tmp_path / "m.csv"), pd.read_parquet(tmp_path / "m.parquet")):
        assert list(table["measure"]) == list(records["measure"])
        assert table["value"].to_numpy(float) == pytest.approx(
            records["value"].to_numpy(float), nan_ok=True
        )
    assert set(records["unit"]) >= {"%", "um", "1/mm3", "mm3", ""}


def test_a_region_is_honoured_and_reported(measured: Bonesim, grid: Path) -> None:
    """Between the middles of nodes: 2 x 2 x 2 cells of the grid and what they share."""
    done = measured(grid, "--threshold", 0.5, "--roi", grid.with_name("roi.nrrd"), "--csv", "-")
    rows = {row["measure"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert {row["region"] for row in rows.values()} == {"roi.nrrd"}
    assert float(rows["tv_mm3"]["value"]) == pytest.approx((48 * 0.02) ** 3)
    # One node and three struts for each cell of an endless grid.
    assert float(rows["conn_d_per_mm3"]["value"]) == pytest.approx(2 / 0.48**3, rel=0.15)


def test_a_voxel_size_replaces_that_of_the_header_and_is_noted(
    measured: Bonesim, grid: Path
) -> None:
    done = measured(grid, "--voxel-um", 30)
    assert done.returncode == 0
    assert "voxels are 30 um as given, not the 20 x 20 x 20 um of the header" in done.stderr
    assert "voxel 30 um" in done.stdout


def test_each_label_of_a_region_by_itself(measured: Bonesim, grid: Path, tmp_path: Path) -> None:
    labels = np.zeros((72, 72, 72), np.uint8)
    labels[12:36, 12:60, 12:60], labels[36:60, 12:60, 12:60] = 1, 7
    nrrd.write(str(tmp_path / "l.nrrd"), labels, {"spacings": [0.02] * 3}, index_order="C")
    options = (grid, "--threshold", 0.5, "--roi", tmp_path / "l.nrrd")
    both = pd.DataFrame(json.loads(measured(*options, "--json").stdout)).set_index("measure")
    done = measured(*options, "--per-label", "--json")
    assert done.returncode == 0, done.stderr
    each = pd.DataFrame(json.loads(done.stdout))
    assert list(each["label"].unique()) == [1, 7]
    one, other = (rows.set_index("measure") for _, rows in each.groupby("label"))
    for name in ("tv_mm3", "bv_mm3"):
        total = one.loc[name, "value"] + other.loc[name, "value"]
        assert total == pytest.approx(both.loc[name, "value"])
    assert one.loc["block_bvtv_percent", "value"] == both.loc["block_bvtv_percent", "value"]
    assert set(other["region"]) == {"l.nrrd, label 7"}
    words = measured(*options, "--per-label").stdout
    assert next(line for line in words.splitlines() if "label 1" in line).split() == [
        "label", "1", "label", "7"
    ]  # fmt: skip


def test_maps_of_a_scan_are_images_with_units(
    measured: Bonesim, grid: Path, tmp_path: Path
) -> None:
    options = (grid, "--threshold", 0.5, "--roi", grid.with_name("roi.nrrd"))
    done = measured(*options, "--map", tmp_path / "maps", "--csv", tmp_path / "m.csv")
    assert done.returncode == 0, done.stderr
    bone, _ = nrrd.read(str(grid), index_order="C")
    roi, _ = nrrd.read(str(grid.with_name("roi.nrrd")), index_order="C")
    table = pd.read_csv(tmp_path / "m.csv").set_index("measure")["value"]
    for name, phase in (("tb_th_um", bone == 1), ("tb_sp_um", bone == 0)):
        values, header = nrrd.read(str(tmp_path / "maps" / f"{name}.nrrd"), index_order="C")
        assert values.dtype == np.float32
        assert header["space units"] == ["mm"] * 3
        np.testing.assert_allclose(header["space directions"], np.eye(3) * 0.02)
        assert ((values > 0) == (phase & (roi == 1))).all()
        assert np.median(values[values > 0]) == pytest.approx(table[name], rel=0.15)
    again = measured(*options, "--map", tmp_path / "maps")
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert "--overwrite" in again.stderr
    assert measured(*options, "--map", tmp_path / "maps", "--overwrite").returncode == 0


def test_maps_of_a_run_are_of_each_day(measured: Bonesim, tiny: Path, tmp_path: Path) -> None:
    done = measured(tiny, "--map", tmp_path / "a.nrrd", "--quiet", "--csv", tmp_path / "m.csv")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert sorted(path.name for path in tmp_path.glob("*.nrrd")) == sorted(
        f"a_{name}_day_{day}.nrrd" for name in ("tb_th_um", "tb_sp_um") for day in (0, 20, 40)
    )


def test_a_run_by_day(measured: Bonesim, tiny: Path) -> None:
    done = measured(tiny)
    assert done.returncode == 0
    assert next(line for line in done.stdout.splitlines() if "day" in line).split() == [
        "day", "0", "day", "20", "day", "40"
    ]  # fmt: skip


def test_an_exported_snapshot_is_measured_again(
    measured: Bonesim, tiny: Path, tmp_path: Path
) -> None:
    """`image.save("own.vti")` carries its unit; one of its arrays is chosen."""
    from bonesim.storage.reader import open_run

    with open_run(tiny) as run:
        run.image(40).save(tmp_path / "own.vti")
        wanted, voxel_um = run.quanta(40), run.voxel_um
    # Its bone is known, so no array need be chosen.
    done = measured(tmp_path / "own.vti", "--threshold", 128)
    assert done.returncode == 0, done.stderr
    image = read_image(tmp_path / "own.vti", array="quanta")
    np.testing.assert_array_equal(image.values, wanted)
    assert image.voxel_um == voxel_um
    done = measured(tmp_path / "own.vti", "--array", "quanta", "--threshold", 128)
    assert done.returncode == 0, done.stderr
    assert f"voxel {voxel_um:g} um" in done.stdout


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bare.npy", (), "--voxel-um"),
        ("bare.npy", ("--voxel-um", "-3"), "voxel_um"),
        ("full.npy", ("--voxel-um", "20"), "bone and marrow cannot be segmented"),
        ("nothing.npy", ("--voxel-um", "20", "--threshold", "0.5"), "no voxel bone"),
        ("thin.npy", ("--voxel-um", "20", "--threshold", "0.5"), "at least 3"),
        ("grid.nrrd", ("--roi", "nothing.npy"), "0 everywhere"),
        ("grid.nrrd", ("--roi", "small.npy"), "must match"),
        ("grid.nrrd", ("--voxel-um", "300"), "from 1 to 200 um"),
        ("grid.nrrd", ("--index", "1"), "holds 1 volumes"),
        ("grid.nrrd", ("--array", "grey"), "--array: "),
        ("grid.nrrd", ("--json", "--csv", "-"), "one of them"),
        ("none.nrrd", (), "no such file"),
        ("grid.nrrd", ("--per-label",), "--per-label: needs a region"),
        ("grid.nrrd", ("--mechanics", "--map", "maps"), "--map: is not for --mechanics"),
        ("grid.nrrd", ("--mechanics", "--per-label"), "--per-label: is not for --mechanics"),
    ],
)
def test_refusals_are_one_line(
    main_here: Bonesim, grid: Path, name: str, options: tuple[str, ...], message: str
) -> None:
    folder = grid.parent
    options = tuple(str(folder / o) if o.endswith(".npy") else o for o in options)
    done = main_here("measure", folder / name, *options)
    assert done.returncode == 2
    assert message in done.stderr
    last = done.stderr.strip().splitlines()
    assert last[-1].startswith("bonesim: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_scan_options_on_a_run_are_refused(measured: Bonesim, tiny: Path) -> None:
    done = measured(tiny, "--threshold", 3)
    assert done.returncode == 2
    assert "--threshold: is for scans" in done.stderr
