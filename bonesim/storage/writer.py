"""Writing a run file, in whole steps: a kill at any instant leaves the last commit.

One process writes; a lock file beside the run file says which. Readers need no lock.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bonesim.errors import BusyError, CorruptFileError, InputError
from bonesim.storage import layout
from bonesim.storage.durable import failures_explained
from bonesim.storage.layout import Column
from bonesim.storage.stepped_file import SteppedFile, journal_path

#: VTKHDF: version of the format, and the type, ASCII of fixed length as VTK's reader wants it.
VTKHDF_VERSION = (2, 3)
IMAGE_DATA = np.bytes_("ImageData")


def lock_path(path: Path) -> Path:
    """The file that says who writes `path`."""
    return path.with_name(path.name + ".lock")


class RunWriter:
    """The one writer of a run file. Make it with `create` or `reopen`; use it in a `with`.

    Nothing is on the disk before `commit`, which raises ResourceError when the disk is full;
    what was committed before is intact then.
    """

    def __init__(self, path: Path, lock: int, *, start: Path | None = None) -> None:
        self.path = path
        self._lock = lock
        #: A new file grows under another name until its first commit.
        self._start = start
        self._raw = SteppedFile(start or path, writable=True)
        try:
            self._file = h5py.File(
                self._raw, "r+" if self._raw.seek(0, 2) else "w", libver=layout.FORMAT
            )
        except OSError as error:
            self._raw.close()
            raise CorruptFileError(f"{path}: is not a run file or is damaged ({error})") from None

    # -- opening and closing -------------------------------------------------------------------

    @classmethod
    def create(
        cls, path: Path, *, shape_zyx: tuple[int, ...], voxel_um: float, config_text: str,
        provenance: Mapping[str, Any], table_columns: Sequence[Column],
        snapshot_columns: Sequence[Column], event_columns: Sequence[Column], overwrite: bool,
    ) -> "RunWriter":  # fmt: skip
        """A new run file; it appears at `path` with its first commit.

        Raises:
            InputError: the file exists and `overwrite` is false, or cannot be written there.
            BusyError: another process writes it.
        """
        if path.exists() and not overwrite:
            raise InputError(f"{path}: exists; choose another name or add --overwrite")
        if path.is_dir():
            raise InputError(f"{path}: is a folder; give a file name, e.g. {path / 'out.vtkhdf'}")
        lock = _take_lock(path)
        start = path.with_name(f".{path.name}.new")
        try:
            with failures_explained(path):
                start.write_bytes(b"")
            writer = cls(path, lock, start=start)
        except BaseException:
            start.unlink(missing_ok=True)
            _release_lock(path, lock)
            raise
        nz, ny, nx = shape_zyx
        writer._make_vtk((nz, ny, nx), voxel_um)
        writer._make_bonesim(config_text, provenance, voxel_um)
        for place, columns in (
            (layout.TABLE, table_columns),
            (layout.SNAPSHOT_TABLE, snapshot_columns),
            (layout.EVENTS, event_columns),
        ):
            layout.create_table(writer._file, place, columns)
        return writer

    @classmethod
    def reopen(cls, path: Path) -> "RunWriter":
        """An existing run file, to go on with.

        Raises:
            InputError: no such file. BusyError: another process writes it.
            CorruptFileError: not a run file.
        """
        if not path.exists():
            raise InputError(f"{path}: there is no such file")
        lock = _take_lock(path)
        try:
            return cls(path, lock)
        except BaseException:
            _release_lock(path, lock)
            raise

    def __enter__(self) -> "RunWriter":
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Close; what was not committed is forgotten."""
        self.close()

    def close(self) -> None:
        """Close without committing; a new file that was never committed leaves nothing behind."""
        self._file.close()
        self._raw.close()
        if self._start is not None:
            self._start.unlink(missing_ok=True)
            journal_path(self._start).unlink(missing_ok=True)
        _release_lock(self.path, self._lock)

    def commit(self) -> None:
        """Put everything so far on the disk, all or nothing.

        Raises:
            ResourceError: the disk is full; the last commit is intact.
        """
        self._file.flush()
        with failures_explained(self.path):
            self._raw.commit()
            if self._start is not None:
                journal_path(self.path).unlink(missing_ok=True)
                os.replace(self._start, self.path)
                self._raw.path, self._start = self.path, None

    # -- what goes in --------------------------------------------------------------------------

    def append_table(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add rows to the daily table."""
        self._append(layout.TABLE, columns)

    def write_events(self, columns: Mapping[str, NDArray[Any]], first_row: int = 0) -> None:
        """Put events from `first_row` on; later rows on file are replaced."""
        for name, values in columns.items():
            dataset = self._file[f"{layout.EVENTS}/{name}"]
            dataset.resize(first_row + values.size, axis=0)
            if values.size:
                dataset[first_row:] = values

    def append_snapshot(
        self, day: int, fields: Mapping[str, NDArray[np.uint8]], measures: Mapping[str, float],
        cells: Mapping[str, Mapping[str, NDArray[Any]]],
    ) -> None:  # fmt: skip
        """Add the lattice, what was measured on it, and the cells of one day."""
        steps = self._file[layout.STEPS]
        count = int(steps.attrs["NSteps"])
        for name, field in fields.items():
            dataset = self._file[f"{layout.CELL_DATA}/{name}"]
            dataset.resize(count + 1, axis=0)
            dataset[count] = field
            _grow(self._file[f"{layout.OFFSETS}/{name}"], np.array([count]))
        _grow(self._file[layout.DAYS], np.array([float(day)]))
        row = {"day": np.array([float(day)])} | {n: np.array([v]) for n, v in measures.items()}
        self._append(layout.SNAPSHOT_TABLE, row)
        for population, columns in cells.items():
            group = self._file.require_group(layout.cells_path(population, day))
            for name, values in columns.items():
                dataset = layout.create_series(group, name, values.dtype)
                dataset.resize(values.size, axis=0)
                dataset[:] = values
        steps.attrs["NSteps"] = count + 1

    def set_status(self, status: str) -> None:
        """Say whether the run is "running", "interrupted" or "complete"."""
        if status not in layout.STATUSES:
            raise ValueError(f"status {status!r}: one of {', '.join(layout.STATUSES)}")
        layout.set_text(self._file[layout.BONESIM].attrs, "status", status)

    def truncate_to(self, day: int) -> None:
        """Forget rows, snapshots and cells after `day`, and all events: they are given anew."""
        self.set_status(layout.RUNNING)
        for place in (layout.TABLE, layout.SNAPSHOT_TABLE):
            group = self._file[place]
            kept = int(np.count_nonzero(group["day"][()] <= day))
            for name in layout.column_names(group):
                group[name].resize(kept, axis=0)
        for name in layout.column_names(self._file[layout.EVENTS]):
            self._file[f"{layout.EVENTS}/{name}"].resize(0, axis=0)
        days = self._file[layout.DAYS][()]
        kept = int(np.count_nonzero(days <= day))
        self._file[layout.STEPS].attrs["NSteps"] = kept
        self._file[layout.DAYS].resize(kept, axis=0)
        for field in layout.FIELDS:
            self._file[f"{layout.CELL_DATA}/{field.name}"].resize(kept, axis=0)
            self._file[f"{layout.OFFSETS}/{field.name}"].resize(kept, axis=0)
        for late in days[kept:]:
            for population in self._file[layout.CELLS]:
                place = layout.cells_path(population, int(late))
                if place in self._file:
                    del self._file[place]

    # -- making the groups -----------------------------------------------------------------------

    def _append(self, place: str, columns: Mapping[str, NDArray[Any]]) -> None:
        group = self._file[place]
        missing = set(layout.column_names(group)) - set(columns)
        if missing:
            raise ValueError(f"{place}: no values for {', '.join(sorted(missing))}")
        for name in layout.column_names(group):
            _grow(group[name], columns[name])

    def _make_vtk(self, shape_zyx: tuple[int, int, int], voxel_um: float) -> None:
        nz, ny, nx = shape_zyx
        vtk = self._file.create_group(layout.VTK)
        vtk.attrs["Version"] = np.array(VTKHDF_VERSION, np.int64)
        vtk.attrs["Type"] = IMAGE_DATA
        vtk.attrs["WholeExtent"] = np.array([0, nx, 0, ny, 0, nz], np.int64)
        vtk.attrs["Origin"] = np.zeros(3)
        vtk.attrs["Spacing"] = np.full(3, voxel_um / 1000.0)
        vtk.attrs["Direction"] = np.eye(3).ravel()
        cells = vtk.create_group("CellData")
        steps = vtk.create_group("Steps")
        steps.attrs["NSteps"] = 0
        layout.create_series(steps, "Values", np.float64)
        offsets = steps.create_group("CellDataOffsets")
        for field in layout.FIELDS:
            layout.create_field(cells, field, shape_zyx)
            layout.create_series(offsets, field.name, np.int64)

    def _make_bonesim(
        self, config_text: str, provenance: Mapping[str, Any], voxel_um: float
    ) -> None:
        group = self._file.create_group(layout.BONESIM)
        group.attrs["schema_version"] = layout.SCHEMA_VERSION
        group.attrs["voxel_um"] = voxel_um
        layout.set_text(group.attrs, "status", layout.RUNNING)
        self._file.create_group(layout.CELLS)
        for place, text in (
            (layout.CONFIG, config_text),
            (layout.PROVENANCE, json.dumps(dict(provenance), indent=1)),
        ):
            encoded = np.frombuffer(text.encode(), np.uint8)
            self._file.create_dataset(place, data=encoded, chunks=True, **layout.FILTERS)


def _grow(dataset: h5py.Dataset, values: NDArray[Any]) -> None:
    """Add values at the end."""
    old = dataset.shape[0]
    dataset.resize(old + len(values), axis=0)
    if len(values):
        dataset[old:] = values


def _take_lock(path: Path) -> int:
    """The open lock file of `path`, locked for as long as this process has it open.

    Raises:
        BusyError: another process holds it.
    """
    import fcntl

    with failures_explained(path):
        lock = os.open(lock_path(path), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise BusyError(f"{path}: another process is writing it; wait, or choose another name") from None
    return lock


def _release_lock(path: Path, lock: int) -> None:
    """Let others write."""
    lock_path(path).unlink(missing_ok=True)
    os.close(lock)
