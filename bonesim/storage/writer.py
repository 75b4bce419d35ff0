"""Writing a run file by whole commits: a kill at any instant leaves the last commit.

One process writes and holds the lock file beside the run file. Readers need no lock.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError
from bonesim.storage import checksums, layout, new_file
from bonesim.storage.durable import create_exclusively, explained, failures_explained, sync_folder
from bonesim.storage.journaled_file import JournaledFile, journal_path
from bonesim.storage.layout import Column
from bonesim.storage.lock import WriteLock
from bonesim.storage.outputs import check_output
from bonesim.storage.validation import (
    DAMAGE,
    close_both,
    first_line,
    require_file,
    require_run_file,
)


def check_place(path: Path, overwrite: bool, inputs: Iterable[Path] = ()) -> None:
    """Refuse an output that cannot become a run file, before anything is computed for it.

    Raises:
        InputError: as `check_output`; a place without permission.
        BusyError: another process writes it.
    """
    check_output(path, overwrite, inputs)
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
        mode = "r+" if start is None else "w"
        try:
            with self._failures_explained():
                self._file = h5py.File(self._raw, mode, libver=layout.FORMAT)
                if start is None:
                    require_run_file(self._file)
        except DAMAGE as error:
            self._forget()
            raise self._damaged(error) from None
        except BaseException:
            self._forget()
            raise

    # -- opening and closing -------------------------------------------------------------------

    @classmethod
    def create(
        cls, path: Path, *, shape_zyx: tuple[int, ...], voxel_um: float, config_text: str,
        provenance: Mapping[str, Any], table_columns: Sequence[Column],
        snapshot_columns: Sequence[Column], log_columns: Mapping[str, Sequence[Column]],
        overwrite: bool,
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
                os.close(create_exclusively(start))
                journal_path(start).unlink(missing_ok=True)
            writer = cls(path, lock, start=start)
            try:
                tables = {
                    layout.TABLE: table_columns, layout.SNAPSHOT_TABLE: snapshot_columns,
                    **log_columns,
                }  # fmt: skip
                nz, ny, nx = shape_zyx
                with writer._failures_explained():
                    new_file.make(
                        writer._file, (nz, ny, nx), voxel_um, config_text, provenance, tables
                    )
            except BaseException:
                writer.close()
                raise
        except BaseException:
            with suppress(OSError):
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
        self._forget()
        if self._start is not None:
            # What is left behind here is removed by the next writer.
            with suppress(OSError):
                self._start.unlink(missing_ok=True)
                journal_path(self._start).unlink(missing_ok=True)
        self._lock.release()

    def commit(self) -> None:
        """Put everything so far on the disk, all or nothing.

        Raises:
            ResourceError, InputError: it cannot be written, or a read or write of HDF5 failed
                since; the last commit is intact.
        """
        with self._failures_explained():
            self._file.flush()
            self._raw.commit()
            if self._start is not None:
                self._start.replace(self.path)
                self._raw.path, self._start = self.path, None
                # It belongs to the file that was there before, not to the new one.
                journal_path(self.path).unlink(missing_ok=True)
                sync_folder(self.path.parent)

    def identity(self) -> str:
        """What distinguishes this run from all others; kept with its checkpoints."""
        with self._failures_explained():
            return layout.identity(self._file)

    def lacks(self, tables: Mapping[str, Sequence[Column]]) -> list[str]:
        """Columns and fields in which the file differs from those of today; none: it can go on.

        Args:
            tables: place in the file -> its columns, as for `create`.
        """
        with self._failures_explained():
            here = {
                place: set(layout.column_names(self._file[place])) ^ {one.name for one in columns}
                for place, columns in tables.items()
            }
            fields = set(layout.FIELDS) - set(layout.fields_in(self._file))
        return sorted({one for names in here.values() for one in names} | {f.name for f in fields})

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
        with self._failures_explained():
            self._append(layout.TABLE, columns)

    def write_log(
        self, place: str, columns: Mapping[str, NDArray[Any]], first_changed_row: int = 0
    ) -> None:
        """Write rows of a log from `first_changed_row` on; those on file from there are replaced.

        `place`: one of `layout.LOGS`.

        Raises:
            ValueError: as `append_table`, or there are fewer rows on file.
        """
        with self._failures_explained():
            group = self._file[place]
            _require_columns(group, columns)
            for name in layout.column_names(group):
                if first_changed_row > group[name].shape[0]:
                    raise ValueError(
                        f"{place} from row {first_changed_row}: rows before are missing"
                    )
                checksums.cut(group[name], first_changed_row)
                checksums.append(group[name], columns[name])

    def append_snapshot(
        self, day: int, fields: Mapping[str, NDArray[np.uint8]], measures: Mapping[str, float],
        cells: Mapping[str, Mapping[Column, NDArray[Any]]],
    ) -> None:  # fmt: skip
        """Add the lattice, what was measured on it, and the cells of one day.

        `fields`: all of `layout.fields_in` the file, each uint8 (nz, ny, nx). `measures`: the columns of the
        snapshot table but "day". `cells`: population -> column -> values, one row a cell; the columns
        of a population are the same at every snapshot.

        Raises:
            ValueError: something is missing, unknown or of another shape or kind; or `day` is
                not after the last snapshot.
        """
        row = {"day": np.array([float(day)])} | {n: np.array([v]) for n, v in measures.items()}
        with self._failures_explained():
            self._require_snapshot(day, fields, row, cells)
            steps = self._file[layout.STEPS]
            count = int(steps.attrs["NSteps"])
            for name, field in fields.items():
                checksums.append_field(self._file, name, count, field)
                checksums.append(self._file[f"{layout.OFFSETS}/{name}"], np.array([count]))
            checksums.append(self._file[layout.DAYS], np.array([float(day)]))
            self._append(layout.SNAPSHOT_TABLE, row)
            for population, columns in cells.items():
                self._append_cells(population, day, columns)
            steps.attrs["NSteps"] = count + 1

    def set_status(self, status: str) -> None:
        """Set the status: "running", "interrupted" or "complete"."""
        if status not in layout.STATUSES:
            raise ValueError(f"status {status!r}: one of {', '.join(layout.STATUSES)}")
        with self._failures_explained():
            layout.set_text(self._file[layout.BONESIM].attrs, "status", status)

    def truncate_to(self, day: int) -> None:
        """Remove rows, snapshots and cells after `day`, and all logs: they are written again.

        Raises:
            CorruptFileError: the file ends before `day`; nothing is changed.
        """
        try:
            with self._failures_explained():
                self._truncate(day)
        except DAMAGE as error:
            raise self._damaged(error) from None

    def _truncate(self, day: int) -> None:
        last = checksums.checked(self._file[f"{layout.TABLE}/day"])[-1:]
        if day >= 0 and (not last.size or last[0] < day):
            raise CorruptFileError(
                f"{self.path}: ends at day {last[0] if last.size else 'none'}, before its "
                f"checkpoint of day {day}: they do not belong together; run it again"
            )
        self.set_status(layout.RUNNING)
        for place in (layout.TABLE, layout.SNAPSHOT_TABLE):
            group = self._file[place]
            kept = int(np.count_nonzero(checksums.checked(group["day"]) <= day))
            for name in layout.column_names(group):
                checksums.cut(group[name], kept)
        for place in layout.LOGS:
            for name in layout.column_names(self._file[place]):
                checksums.cut(self._file[f"{place}/{name}"], 0)
        days = checksums.checked(self._file[layout.DAYS])
        kept = int(np.count_nonzero(days <= day))
        self._file[layout.STEPS].attrs["NSteps"] = kept
        checksums.cut(self._file[layout.DAYS], kept)
        for field in layout.fields_in(self._file):
            checksums.cut_field(self._file, field.name, kept)
            checksums.cut(self._file[f"{layout.OFFSETS}/{field.name}"], kept)
        for population in self._file[layout.CELLS]:
            for late in days[kept:]:
                place = layout.cells_path(population, int(late))
                if place in self._file:
                    del self._file[place]

    @contextmanager
    def _failures_explained(self) -> Iterator[None]:
        """Explain what the disk did within the block, also where HDF5 made something else of it."""
        try:
            self._raw.require_whole()
            yield
            self._raw.require_whole()
        except DAMAGE as error:
            failure = self._raw.failure
            if isinstance(failure, OSError):
                raise explained(failure, self.path) from None
            if failure is not None:
                raise failure from None
            if isinstance(error, OSError):
                # HDF5's own errors have no number.
                raise (
                    self._damaged(error) if error.errno is None else explained(error, self.path)
                ) from None
            raise

    def _forget(self) -> None:
        """Close without a word: what HDF5 cannot write into memory any more is lost anyway."""
        close_both(getattr(self, "_file", None), self._raw)

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
            series = layout.create_series(group, column.name, column.dtype, rows)
            if checksums.are_in(self._file):
                checksums.start(series)
            checksums.append(series, values)

    def _append(self, place: str, columns: Mapping[str, NDArray[Any]]) -> None:
        group = self._file[place]
        _require_columns(group, columns)
        for name in layout.column_names(group):
            checksums.append(group[name], columns[name])

    def _require_snapshot(
        self, day: int, fields: Mapping[str, NDArray[np.uint8]],
        row: Mapping[str, NDArray[Any]], cells: Mapping[str, Mapping[Column, NDArray[Any]]],
    ) -> None:  # fmt: skip
        """Raise ValueError before anything is written, so that no half of it is on file."""
        shape = self._file[f"{layout.CELL_DATA}/quanta"].shape[1:]
        wanted = {field.name: (shape, np.dtype(np.uint8)) for field in layout.fields_in(self._file)}
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
