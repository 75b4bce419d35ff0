"""A run file made by version 0.1: it opens, gives the tables of today, and is not continued."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

import bonesim
from bonesim.engine.run import checkpoint_path, resume
from bonesim.errors import InputError
from bonesim.reports import clinic
from bonesim.reports import run as reports_run
from bonesim.storage import checkpoint
from bonesim.storage.cell_tables import CELL_COLUMNS, from_version_0_1
from bonesim.storage.layout import descriptions
from bonesim.storage.reader import open_run

#: 28 x 24 x 20 voxels of 25 um, stopped at day 100 of 120; snapshots 0 and 90.
OLD = Path(__file__).parent / "data" / "interrupted_0_1.vtkhdf"
FORMING = 6


def test_it_opens() -> None:
    with open_run(OLD) as run:
        assert repr(run).endswith(
            "'A run file of bonesim 0.1', interrupted, day 100 of 120, "
            "28 x 24 x 20 voxels of 25 um, snapshots 0, 90)"
        )
        assert "bonesim 0.1.0" in run._repr_html_()
        assert descriptions(run._file["bonesim/cells/bmus"]) is None
        assert run.table["day"].tolist() == list(range(101))
        assert run.table.attrs["units"]["bvtv_percent"] == "%"
        assert set(run.events["kind"]) == {
            "plate_perforation",
            "strut_cut",
            "speck_lost",
            "healing",
        }
        assert int(run.table["bone_quanta"][90]) == int(run.quanta(90).sum(dtype=np.int64))
        assert len(run.content_hash()) == 64


def test_its_cells_are_as_those_of_today() -> None:
    with open_run(OLD) as run:
        counts = run.cells()
        assert counts["osteoclasts"].tolist() == [5, 0]
        for population, columns in CELL_COLUMNS.items():
            for row, day in enumerate(run.snapshot_days):
                table = run.cells(population, day)
                assert list(table) == [column.name for column in columns]
                assert table.attrs["meaning"] == {c.name: c.meaning for c in columns}
                assert len(table) == counts[population][row]
                assert (table["age_day"] >= 0).all()
        fates = run.cells("osteoblasts", 90)["fate"].value_counts()
        codes = np.bincount(run._file["bonesim/cells/osteoblasts/day_90/fate"][()])
        assert [fates[n] for n in ("osteocyte", "lining cell", "apoptosis")] == codes[1:].tolist()
        assert codes.tolist() == [0, 59, 49, 177]
        assert run.cells("bmus", 0)["phase"].tolist() == ["finishing", "travelling"]
        osteocytes = run.cells("osteocytes", 90)
        assert osteocytes["viable"].dtype == bool
        assert osteocytes.loc[osteocytes["viable"], "died_day"].isna().all()


def test_its_places_are_in_the_frame_of_its_images() -> None:
    """Osteoblasts sit at forming voxels, and osteocytes give the image of their viability."""
    with open_run(OLD) as run:
        for day in run.snapshot_days:
            osteoblasts, osteocytes = run.cells("osteoblasts", day), run.cells("osteocytes", day)
            place = tuple((osteoblasts[f"{a}_um"] // run.voxel_um).astype(int) for a in "zyx")
            assert (run.field("surface_state", day)[place] == FORMING).all()
            place = tuple((osteocytes[f"{a}_um"] // run.voxel_um).astype(int) for a in "zyx")
            lacunae, viable = np.zeros(run.shape), np.zeros(run.shape)
            np.add.at(lacunae, place, 1)
            np.add.at(viable, place, osteocytes["viable"])
            share = np.round(255.0 * viable / np.maximum(lacunae, 1)).astype(np.uint8)
            assert np.array_equal(share, run.field("osteocyte_viability", day))


def test_an_unknown_population_or_a_place_outside_is_an_error() -> None:
    rows = {"id": np.arange(1), "voxel": np.array([5]), "born_day": np.arange(1)}
    with pytest.raises(LookupError):
        from_version_0_1("neurons", rows, 0, (3, 3, 3), 25.0)
    with pytest.raises(ValueError, match="out of bounds"):
        from_version_0_1("osteoclasts", rows | {"voxel": np.array([125])}, 0, (3, 3, 3), 25.0)


def test_reports_on_it() -> None:
    with open_run(OLD) as run:
        assert "plate_perforation" in reports_run.text(reports_run.table(run))
        assert set(bonesim.measure(run)["day"]) == {0, 90}
        visits = bonesim.clinic(run)
        assert len(visits)
        assert clinic.text(visits)


def test_it_is_not_continued_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "x.vtkhdf"
    shutil.copy(OLD, path)
    beside = checkpoint_path(path)
    checkpoint.save(beside, {"day": 100}, {"day": 100, "run": "any"})
    payload = beside.read_bytes()[len(checkpoint.MAGIC) + 32 :]
    beside.write_bytes(b"bonesim checkpoint 3\n" + hashlib.sha256(payload).digest() + payload)
    before = path.read_bytes(), beside.read_bytes()
    with pytest.raises(InputError) as error:
        resume(path)
    assert error.value.exit_code == 2
    assert str(error.value) == (
        f"{path}: x.vtkhdf.checkpoint beside it was written by bonesim 0.1, which 0.2 cannot "
        "continue; run it again from its config (bonesim info prints it)"
    )
    assert (path.read_bytes(), beside.read_bytes()) == before
    assert sorted(each.name for each in tmp_path.iterdir()) == [path.name, beside.name]
