"""Writing a run file by whole commits: a kill at any instant leaves the last commit.

One process writes and holds the lock file beside the run file. Readers need no lock.
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

from bonesim.errors import CorruptFileError, InputError
from bonesim.storage import layout
from bonesim.storage.durable import failures_explained, sync_folder
from bonesim.storage.journaled_file import JournaledFile, journal_path
from bonesim.storage.layout import Column
from bonesim.storage.lock import WriteLock
from bonesim.storage.validation import DAMAGE, first_line, require_file, require_run_file

#: VTKHDF: version of the format, and the type, ASCII of fixed length as VTK's reader wants it.
VTKHDF_VERSION = (2, 3)
IMAGE_DATA = np.bytes_("ImageData")
#: Bytes of a run file's name: systems allow 255, and ".NAME.checkpoint.tmp" must fit too.
MAX_NAME_BYTES = 200


def check_place(path: Path, overwrite: bool) -> None:
    """Refuse an output that cannot become a run file, before anything is computed for it.

    Raises:
        InputError: a folder; a file that exists (unless `overwrite`); a place without a folder
            or without permission; a name too long for the temporary files beside it.
        BusyError: another process writes it.
    """
    if len(os.fsencode(path.name)) > MAX_NAME_BYTES:
        raise InputError(
            f"{path}: the file's name is too long; give one of at most {MAX_NAME_BYTES} bytes"
        )
    with failures_explained(path):
        if path.is_dir():
            raise InputError(f"{path}: is a folder; give a file name, e.g. {path / 'out.vtkhdf'}")
        if path.exists() and not overwrite:
            raise InputError(f"{path}: exists; choose another name or give `overwrite`")
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no folder {path.parent}; create it first")
    # Only making a file shows whether one can be made.
    WriteLock(path).release()


class RunWriter:
    """The one writer of a run file. Make it with `create` or `reopen`; use it in a `with`.

    Nothing is on the disk before `commit`. It raises ResourceError when the disk is full; what
    was committed before is intact then.
    """

    def __init__(self, path: Path, lock: WriteLock, *, start: Path | None = None) -> None:
        self.path = path
        self._lock = lock
        #: A new file grows under another name until its first commit.
        self._start = start
        with failures_explained(path):
            self._raw = JournaledFile(start or path, writable=True)
        try:
            self._file = h5py.File(self._raw, "r+" if start is None else "w", libver=layout.FORMAT)
        except DAMAGE as error:
            self._raw.close()
            raise self._damaged(error) from None
        try:
            if start is None:
                require_run_file(self._file)
        except DAMAGE as error:
            self._file.close()
            self._raw.close()
            raise self._damaged(error) from None

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
        check_place(path, overwrite)
        lock = WriteLock(path)
        start = path.with_name(f".{path.name}.new")
        try:
            with failures_explained(path):
                start.write_bytes(b"")
            writer = cls(path, lock, start=start)
            try:
                nz, ny, nx = shape_zyx
                writer._make_vtk((nz, ny, nx), voxel_um)
                writer._make_bonesim(config_text, provenance, voxel_um)
                for place, columns in (
                    (layout.TABLE, table_columns),
                    (layout.SNAPSHOT_TABLE, snapshot_columns),
                    (layout.EVENTS, event_columns),
                ):
                    layout.create_table(writer._file, place, columns)
            except BaseException:
                writer.close()
                raise
        except BaseException:
            start.unlink(missing_ok=True)
            lock.release()
            raise
        return writer

    @classmethod
    def reopen(cls, path: Path) -> "RunWriter":
        """An existing run file, to be continued.

        Raises:
            InputError: no such file. BusyError: another process writes it.
            CorruptFileError: not a run file.
        """
        require_file(path)
        lock = WriteLock(path)
        try:
            return cls(path, lock)
        except BaseException:
            lock.release()
            raise

    def __enter__(self) -> "RunWriter":
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Close; what was not committed is lost."""
        self.close()

    def close(self) -> None:
        """Close without committing; a new file that was never committed leaves nothing behind.

        A second time does nothing.
        """
        self._file.close()
        self._raw.close()
        if self._start is not None:
            self._start.unlink(missing_ok=True)
            journal_path(self._start).unlink(missing_ok=True)
        self._lock.release()

    def commit(self) -> None:
        """Put everything so far on the disk, all or nothing.

        Raises:
            ResourceError, InputError: it cannot be written; the last commit is intact.
        """
        self._file.flush()
        with failures_explained(self.path):
            self._raw.commit()
            if self._start is not None:
                self._start.replace(self.path)
                self._raw.path, self._start = self.path, None
                # It belongs to the file that was there before, not to the new one.
                journal_path(self.path).unlink(missing_ok=True)
                sync_folder(self.path.parent)

    def identity(self) -> str:
        """What distinguishes this run from all others; kept with its checkpoints."""
        return layout.identity(self._file)

    # -- what goes in --------------------------------------------------------------------------

    def record_resumption(self, record: Mapping[str, Any]) -> None:
        """Record that another program goes on with the run (`storage.provenance.resumption`)."""
        attributes, earlier = self._file[layout.BONESIM].attrs, []
        if layout.RESUMED in attributes:
            earlier = json.loads(layout.get_text(attributes, layout.RESUMED))
        layout.set_text(attributes, layout.RESUMED, json.dumps([*earlier, dict(record)]))

    def append_table(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Add rows to the daily table: each of its columns, all of one length.

        Raises:
            ValueError: columns are missing, unknown, of several lengths or of another kind.
        """
        self._append(layout.TABLE, columns)

    def write_events(self, columns: Mapping[str, NDArray[Any]], first_changed_row: int = 0) -> None:
        """Write events from `first_changed_row` on; rows on file from there on are replaced.

        Raises:
            ValueError: as `append_table`, or there are fewer rows on file.
        """
        group = self._file[layout.EVENTS]
        _require_columns(group, columns)
        for name in layout.column_names(group):
            if first_changed_row > group[name].shape[0]:
                raise ValueError(f"events from row {first_changed_row}: rows before are missing")
            group[name].resize(first_changed_row, axis=0)
            _grow(group[name], columns[name])

    def append_snapshot(
        self, day: int, fields: Mapping[str, NDArray[np.uint8]], measures: Mapping[str, float],
        cells: Mapping[str, Mapping[Column, NDArray[Any]]],
    ) -> None:  # fmt: skip
        """Add the lattice, what was measured on it, and the cells of one day.

        `fields`: all of `layout.FIELDS`, each uint8 (nz, ny, nx). `measures`: the columns of the
        snapshot table but "day". `cells`: population -> column -> values, one row a cell; the columns
        of a population are the same at every snapshot.

        Raises:
            ValueError: something is missing, unknown or of another shape or kind; or `day` is
                not after the last snapshot.
        """
        row = {"day": np.array([float(day)])} | {n: np.array([v]) for n, v in measures.items()}
        self._require_snapshot(day, fields, row, cells)
        steps = self._file[layout.STEPS]
        count = int(steps.attrs["NSteps"])
        for name, field in fields.items():
            dataset = self._file[f"{layout.CELL_DATA}/{name}"]
            dataset.resize(count + 1, axis=0)
            dataset[count] = field
            _grow(self._file[f"{layout.OFFSETS}/{name}"], np.array([count]))
        _grow(self._file[layout.DAYS], np.array([float(day)]))
        self._append(layout.SNAPSHOT_TABLE, row)
        for population, columns in cells.items():
            self._append_cells(population, day, columns)
        steps.attrs["NSteps"] = count + 1

    def set_status(self, status: str) -> None:
        """Set the status: "running", "interrupted" or "complete"."""
        if status not in layout.STATUSES:
            raise ValueError(f"status {status!r}: one of {', '.join(layout.STATUSES)}")
        layout.set_text(self._file[layout.BONESIM].attrs, "status", status)

    def truncate_to(self, day: int) -> None:
        """Remove rows, snapshots and cells after `day`, and all events: they are written again.

        Raises:
            CorruptFileError: the file ends before `day`; nothing is changed.
        """
        last = self._file[f"{layout.TABLE}/day"][-1:]
        if not last.size or last[0] < day:
            raise CorruptFileError(
                f"{self.path}: ends at day {last[0] if last.size else 'none'}, before its "
                f"checkpoint of day {day}: they do not belong together; run it again"
            )
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
        for population in self._file[layout.CELLS]:
            for late in days[kept:]:
                place = layout.cells_path(population, int(late))
                if place in self._file:
                    del self._file[place]

    def _damaged(self, error: BaseException) -> CorruptFileError:
        return CorruptFileError(
            f"{self.path}: is damaged or no bonesim run file ({first_line(error)}); run it again"
        )

    # -- making the groups -----------------------------------------------------------------------

    def _append_cells(
        self, population: str, day: int, columns: Mapping[Column, NDArray[Any]]
    ) -> None:
        """Write the cells of a population; its columns are described with its first snapshot."""
        place = layout.population_path(population)
        if place not in self._file:
            layout.set_descriptions(self._file.create_group(place), list(columns))
        group = self._file.create_group(layout.cells_path(population, day))
        layout.set_text(group.attrs, "columns", json.dumps([column.name for column in columns]))
        for column, values in columns.items():
            rows = max(1, min(values.size, layout.CHUNK_CELLS))
            _grow(layout.create_series(group, column.name, column.dtype, rows), values)

    def _append(self, place: str, columns: Mapping[str, NDArray[Any]]) -> None:
        group = self._file[place]
        _require_columns(group, columns)
        for name in layout.column_names(group):
            _grow(group[name], columns[name])

    def _require_snapshot(
        self, day: int, fields: Mapping[str, NDArray[np.uint8]],
        row: Mapping[str, NDArray[Any]], cells: Mapping[str, Mapping[Column, NDArray[Any]]],
    ) -> None:  # fmt: skip
        """Raise ValueError before anything is written, so that no half of it is on file."""
        shape = self._file[f"{layout.CELL_DATA}/quanta"].shape[1:]
        wanted = {field.name: (shape, np.dtype(np.uint8)) for field in layout.FIELDS}
        got = {name: (field.shape, field.dtype) for name, field in fields.items()}
        if got != wanted:
            raise ValueError(f"snapshot of day {day}: fields {got}; wanted {wanted}")
        last = self._file[layout.DAYS][-1:]
        if last.size and day <= last[0]:
            raise ValueError(f"snapshot of day {day} after that of day {last[0]:g}")
        _require_columns(self._file[layout.SNAPSHOT_TABLE], row)
        for population, columns in cells.items():
            if len({values.shape for values in columns.values()}) > 1:
                raise ValueError(f"cells {population}: columns of several lengths")
            self._require_described(population, columns)

    def _require_described(self, population: str, columns: Mapping[Column, NDArray[Any]]) -> None:
        """Raise ValueError if these are not the columns that the population has on file."""
        for column, values in columns.items():
            if values.size and not np.can_cast(values.dtype, column.dtype, "same_kind"):
                raise ValueError(
                    f"cells {population}/{column.name}: got {values.dtype}, kept as {column.dtype}"
                )
        place = layout.population_path(population)
        if place in self._file:
            known = layout.descriptions(self._file[place])
            if known is None or list(known) != [column.name for column in columns]:
                raise ValueError(f"cells {population}: not the columns of the snapshots before")

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
        for name, key in (("bonesim_version", "bonesim"), ("created", "created")):
            layout.set_text(group.attrs, name, str(provenance.get(key, "unknown")))
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
    dataset.resize(old + values.size, axis=0)
    if values.size:
        dataset[old:] = values


def _require_columns(group: h5py.Group, columns: Mapping[str, NDArray[Any]]) -> None:
    """Raise ValueError unless `columns` are those of the table `group`, in length and kind."""
    names = layout.column_names(group)
    if set(names) != set(columns):
        wrong = ", ".join(sorted(set(names) ^ set(columns)))
        raise ValueError(f"{group.name}: columns missing or unknown: {wrong}")
    if len({columns[name].shape for name in names}) > 1 or columns[names[0]].ndim != 1:
        raise ValueError(f"{group.name}: columns of several shapes")
    for name in names:
        kind, kept = columns[name].dtype, group[name].dtype
        # An empty list makes an array of float64, whatever would have been in it.
        if columns[name].size and not np.can_cast(kind, kept, "same_kind"):
            raise ValueError(f"{group.name}/{name}: got {kind}, kept as {kept}")
