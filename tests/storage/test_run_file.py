"""What goes into a run file comes out of it, by our reader and by VTK's own."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from run_pieces import (
    AGE,
    DAYS,
    ID,
    SHAPE,
    VOXEL_UM,
    cells_on,
    events_of,
    fields_on,
    fill,
    new_writer,
    put_snapshot,
    rows_on,
)

from bonesim.errors import CorruptFileError, InputError
from bonesim.storage import layout
from bonesim.storage.layout import FIELDS
from bonesim.storage.reader import open_run
from bonesim.storage.writer import RunWriter


def test_vtk_reads_every_step(run_file: Path) -> None:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOHDF import vtkHDFReader

    reader = vtkHDFReader()
    reader.SetFileName(str(run_file))
    reader.UpdateInformation()
    assert reader.GetNumberOfSteps() == len(DAYS)
    for step, day in enumerate(DAYS):
        reader.SetStep(step)
        reader.Update()
        image = reader.GetOutputDataObject(0)
        assert image.GetSpacing() == pytest.approx((0.02, 0.02, 0.02))
        assert image.GetDimensions() == (SHAPE[2] + 1, SHAPE[1] + 1, SHAPE[0] + 1)
        assert reader.GetTimeValue() == day
        for field in FIELDS:
            cells = vtk_to_numpy(image.GetCellData().GetArray(field.name))
            assert np.array_equal(cells.reshape(SHAPE), fields_on(day)[field.name])
        # Place of a voxel by VTK's own count: x fastest.
        z, y, x = 3, 2, 31
        bounds = image.GetCell(x + SHAPE[2] * (y + SHAPE[1] * z)).GetBounds()
        assert bounds[::2] == pytest.approx((0.62, 0.04, 0.06))


def test_every_dataset_is_chunked_compressed_and_checksummed(run_file: Path) -> None:
    seen = []

    def check(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            seen.append(name)
            assert item.chunks is not None, name
            assert (item.compression, item.shuffle, item.fletcher32) == ("gzip", True, True), name

    with h5py.File(run_file) as file:
        file.visititems(check)
    assert {"VTKHDF/CellData/quanta", "bonesim/config", "bonesim/table/day"} < set(seen)
    assert "bonesim/cells/osteoclasts/day_10/id" in seen


def test_everything_comes_back(run_file: Path) -> None:
    with open_run(run_file) as run:
        assert run.config["cells"] == {"x_um": 1.5}
        assert (run.title, run.last_day, run.planned_days) == ("a title", 20, 20)
        assert run.provenance["notes"] == ["a bone"]
        assert (run.status, run.snapshot_days) == ("complete", list(DAYS))
        assert (run.shape, run.voxel_um) == (SHAPE, VOXEL_UM)
        for name, values in rows_on(np.arange(21)).items():
            assert np.array_equal(run.table[name], values)
        assert list(run.snapshot_table["tb_th_um"]) == [100.0, 110.0, 120.0]
        assert list(run.events["kind"]) == ["plate_perforation", "strut_cut"] * 5
        assert list(run.events["bmu"]) == [2**63 + i for i in range(10)]
        assert [c.symbol for c in run.columns("table")] == ["", "BV/TV"]
        for day in DAYS:
            assert np.array_equal(run.quanta(day), fields_on(day)["quanta"])
            image = run.image(day)
            assert image.spacing == pytest.approx((0.02, 0.02, 0.02))
            for name, field in fields_on(day).items():
                assert np.array_equal(image.cell_data[name].reshape(SHAPE), field)
            for population, columns in cells_on(day).items():
                frame = run.cells(population, day)
                assert list(frame) == [column.name for column in columns]
                for column, values in columns.items():
                    if column.codes:
                        assert list(frame[column.name].cat.categories) == list(column.codes)
                        assert np.array_equal(frame[column.name].cat.codes, values)
                        continue
                    assert frame[column.name].dtype == values.dtype
                    assert np.array_equal(frame[column.name], values)


def test_what_is_not_there_is_named(run_file: Path) -> None:
    with open_run(run_file) as run:
        for ask in (
            lambda: run.quanta(11),
            lambda: run.field("colour", 10),
            lambda: run.cells("neurons", 10),
            lambda: run.cells("osteoclasts", 11),
            lambda: run.cells("osteoclasts"),
        ):
            with pytest.raises(InputError) as error:
                ask()
            assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="closed"):
        run.quanta(10)


def test_resume_gives_the_same_content(run_file: Path, tmp_path: Path) -> None:
    """Stopped at day 12 with rows and a snapshot beyond the checkpoint of day 10."""
    cut = tmp_path / "cut.vtkhdf"
    with new_writer(cut) as writer:
        fill(writer, (0, 10, 12))
    with RunWriter.reopen(cut) as writer:
        writer.truncate_to(10)
        writer.commit()
        with open_run(cut) as run:
            assert (run.snapshot_days, len(run.table), run.status) == ([0, 10], 11, "running")
            assert (len(run.events), len(run.snapshot_table)) == (0, 2)
        fill(writer, (20,), first_row=11)
    with open_run(cut) as run, open_run(run_file) as whole:
        assert run.content_hash() == whole.content_hash()
        assert "day_12" not in run._file["bonesim/cells/osteoclasts"]


def test_a_file_that_ends_before_the_checkpoint_is_not_resumed(run_file: Path) -> None:
    with RunWriter.reopen(run_file) as writer, pytest.raises(CorruptFileError, match="day 20"):
        writer.truncate_to(21)


def test_content_hash_sees_every_part(tmp_path: Path) -> None:
    def hash_with(name: str, **changes: Any) -> str:
        path = tmp_path / name
        with new_writer(path) as writer:
            writer.append_table(rows_on(np.arange(changes.get("rows", 1))))
            writer.write_log(layout.EVENTS, events_of(changes.get("events", 2)))
            fields, cells = fields_on(0), cells_on(0)
            fields["mineral"][4, 6, 39] ^= changes.get("bit", 0)
            cells["osteoclasts"][AGE][2] += changes.get("age", 0.0)
            writer.append_snapshot(0, fields, {"tb_th_um": changes.get("tb_th", 1.0)}, cells)
            writer.commit()
        with open_run(path) as run:
            return run.content_hash()

    hashes = [
        hash_with("a"),
        hash_with("b", rows=2),
        hash_with("c", events=3),
        hash_with("d", bit=1),
        hash_with("e", age=1e-12),
        hash_with("f", tb_th=2.0),
    ]
    assert len(set(hashes)) == len(hashes)
    assert hash_with("g") == hashes[0]


def test_events_are_replaced_from_a_row_on(run_file: Path) -> None:
    with RunWriter.reopen(run_file) as writer:
        writer.write_log(layout.EVENTS, {n: c[4:7] for n, c in events_of(9).items()}, 4)
        writer.commit()
        with pytest.raises(ValueError, match="rows before"):
            writer.write_log(layout.EVENTS, events_of(1), 8)
    with open_run(run_file) as run:
        assert np.array_equal(run.events["bmu"], events_of(7)["bmu"])


def _short(rows: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return rows | {"bvtv_percent": rows["bvtv_percent"][:-1]}


@pytest.mark.parametrize(
    "rows",
    [
        {"day": np.zeros(1)},
        rows_on(np.arange(1)) | {"colour": np.zeros(1)},
        _short(rows_on(np.arange(3))),
        {"day": np.zeros(1), "bvtv_percent": np.zeros(1, complex)},
    ],
)
def test_wrong_rows_are_refused_whole(run_file: Path, rows: dict[str, NDArray[Any]]) -> None:
    with RunWriter.reopen(run_file) as writer:
        with pytest.raises(ValueError, match="bonesim/table"):
            writer.append_table(rows)
        writer.commit()
    with open_run(run_file) as run:
        assert len(run.table) == 21


def test_cells_are_counted(run_file: Path) -> None:
    with open_run(run_file) as run:
        counts = run.cells()
    assert list(counts) == ["day", "osteoblasts", "osteoclasts"]
    assert counts["day"].tolist() == list(DAYS)
    assert counts["osteoblasts"].tolist() == [0, 0, 0]
    assert counts["osteoclasts"].tolist() == [day + 3 for day in DAYS]


@pytest.mark.parametrize(
    "wrong",
    [
        {ID: np.arange(2)},
        {column: values.astype(complex) for column, values in cells_on(0)["osteoclasts"].items()},
        cells_on(0)["osteoclasts"] | {ID: np.zeros(1, np.uint64)},
    ],
)
def test_other_cells_than_before_are_refused_whole(run_file: Path, wrong: dict[Any, Any]) -> None:
    with RunWriter.reopen(run_file) as writer:
        with pytest.raises(ValueError, match="cells osteoclasts"):
            writer.append_snapshot(30, fields_on(30), {"tb_th_um": 1.0}, {"osteoclasts": wrong})
        writer.commit()
    with open_run(run_file) as run:
        assert run.snapshot_days == list(DAYS)


def test_a_code_without_a_name_is_damage(run_file: Path) -> None:
    with h5py.File(run_file, "r+") as file:
        file["bonesim/cells/osteoclasts/day_10/phase"][0] = 7
    with open_run(run_file) as run, pytest.raises(CorruptFileError, match="damaged"):
        run.cells("osteoclasts", 10)


def test_half_a_snapshot_is_refused_whole(run_file: Path) -> None:
    fields = fields_on(30)
    with RunWriter.reopen(run_file) as writer:
        for bad in (
            {k: v for k, v in fields.items() if k != "mineral"},
            fields | {"mineral": fields["mineral"].astype(float)},
            fields | {"mineral": fields["mineral"][:, :, :-1]},
        ):
            with pytest.raises(ValueError, match="day 30"):
                writer.append_snapshot(30, bad, {"tb_th_um": 1.0}, {})
        with pytest.raises(ValueError, match="tb_th_um"):
            writer.append_snapshot(30, fields, {}, {})
        with pytest.raises(ValueError, match="after that of day 20"):
            put_snapshot(writer, 20)
        writer.commit()
    with open_run(run_file) as run:
        assert run.snapshot_days == list(DAYS)
        assert len(run.snapshot_table) == len(DAYS)
