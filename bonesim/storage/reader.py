"""Opening a run file: tables, events, images, cells. The bytes are not trusted.

with bonesim.open_run("out.vtkhdf") as run:
    run.table, run.events, run.image(1825), run.cells("osteocytes", 1825)

Every DataFrame carries in `attrs` the run's title, and unit and meaning of each column.
"""

import json
import os
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bonesim.errors import BusyError, CorruptFileError, InputError
from bonesim.storage import checksums, layout
from bonesim.storage.breaks import breaks_there
from bonesim.storage.cell_tables import from_version_0_1
from bonesim.storage.content_hash import content_hash
from bonesim.storage.display import html_table, one_line
from bonesim.storage.durable import unreadable
from bonesim.storage.file_kind import refuse_other_kind
from bonesim.storage.frames import frame
from bonesim.storage.journaled_file import JournaledFile
from bonesim.storage.layout import Column
from bonesim.storage.lock import is_being_written
from bonesim.storage.story import story_of
from bonesim.storage.validation import (
    DAMAGE,
    close_both,
    first_line,
    require_file,
    require_lattice,
    require_run_file,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyvista as pv

#: Times to try to open a file that is being written, and seconds between.
TRIES, PAUSE = 5, 0.05
#: Bytes of the longest text that is read: a configuration, a provenance.
MAX_TEXT_BYTES = 2**24


def open_run(path: str | Path) -> "Run":
    """Open a run file for reading, also after its writer was killed.

    While a run still writes it, its last commit is read. A commit in between can make a read
    fail as BusyError: open it again.

    Raises:
        InputError: no such file, or it cannot be read. BusyError: it is being written.
        CorruptFileError: damaged, foreign or from a newer bonesim.
    """
    for _ in range(TRIES - 1):
        try:
            return Run(Path(path))
        except BusyError:
            time.sleep(PAUSE)
    return Run(Path(path))


class Run:
    """A run file, open for reading; use it in a `with` or call `close`.

    Attributes:
        path: the file.
        shape: (nz, ny, nx) of the lattice.
        voxel_um: edge of a voxel.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        require_file(path)
        refuse_other_kind(path, "run")
        try:
            self._raw = JournaledFile(Path(os.path.realpath(path)), writable=False)
        except OSError as error:
            raise unreadable(error, path) from None
        try:
            with self._damage_explained():
                self._file = h5py.File(self._raw, "r")
                self._check()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Run":
        """The run itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; what was read stays valid."""
        close_both(getattr(self, "_file", None), self._raw)

    # -- what the run is -----------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return self._raw.closed

    def __repr__(self) -> str:
        """One line: file, title, status, days, lattice, snapshots."""
        return one_line(self)

    def _repr_html_(self) -> str:
        """A small table for notebooks."""
        return html_table(self)

    @property
    def title(self) -> str:
        """The title of its configuration."""
        return str(self.config.get("title", ""))

    @property
    def last_day(self) -> int | None:
        """The last day on file; None if there is none yet."""
        with self._damage_explained():
            days = self._values(f"{layout.TABLE}/day")
            return int(days[-1]) if days.size else None

    @property
    def planned_days(self) -> int | None:
        """The days that its configuration plans; None if it has no schedule."""
        with self._damage_explained():
            planned = self.config.get("schedule", {}).get("duration_day")
            return None if planned is None else int(planned)

    @cached_property
    def config_text(self) -> str:
        """The resolved configuration, TOML."""
        return self._text(layout.CONFIG)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved configuration, nested."""
        with self._damage_explained():
            return tomllib.loads(self.config_text)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Versions, machine, command line, seed, notes on the specimen; programs that resumed it."""
        with self._damage_explained():
            record = dict(json.loads(self._text(layout.PROVENANCE)))
            notes = record.get("notes", [])
            if not isinstance(notes, list) or not all(isinstance(one, str) for one in notes):
                raise ValueError("the notes of its provenance are no list of texts")
            attributes = self._file[layout.BONESIM].attrs
            if layout.RESUMED in attributes:
                resumed = json.loads(layout.get_text(attributes, layout.RESUMED))
                record["resumed"] = [dict(one) for one in resumed]
            return record

    def identity(self) -> str:
        """What distinguishes this run from all others; kept with its checkpoints."""
        with self._damage_explained():
            return layout.identity(self._file)

    @property
    def has_sums(self) -> bool:
        """Whether its numbers are bound to their places: see `bonesim.storage.checksums`."""
        with self._damage_explained():
            return checksums.are_in(self._file)

    @property
    def uses_journal(self) -> bool:
        """Whether its last commit is in the journal beside it: the writer was killed within it."""
        return self._raw.uses_journal

    @property
    def status(self) -> str:
        """ "running", "interrupted" or "complete"."""
        with self._damage_explained():
            status = layout.get_text(self._file[layout.BONESIM].attrs, "status")
            if status not in layout.STATUSES:
                raise ValueError(f"its status is {status!r}")
            return status

    # -- tables --------------------------------------------------------------------------------

    def columns(self, table: str) -> tuple[Column, ...]:
        """What the columns of "table", "snapshot_table" or "events" mean."""
        with self._damage_explained():
            group = self._file[f"{layout.BONESIM}/{table}"]
            return tuple(layout.described(n, group[n]) for n in layout.column_names(group))

    @cached_property
    def table(self) -> "pd.DataFrame":
        """The daily table, one row a day."""
        return self._frame("table")

    @cached_property
    def snapshot_table(self) -> "pd.DataFrame":
        """What was measured at each snapshot, one row each."""
        return self._frame("snapshot_table")

    @cached_property
    def events(self) -> "pd.DataFrame":
        """The event log; `kind` and `status` by name."""
        return self._frame("events")

    @cached_property
    def breaks(self) -> "pd.DataFrame":
        """Holes and cuts of the network, one row each; empty in a file of version 0.1."""
        return self._log("breaks")

    @cached_property
    def break_tracks(self) -> "pd.DataFrame":
        """Width and volume of every break at each look; empty in a file of version 0.1."""
        return self._log("break_tracks")

    def breaks_there(self, day: float) -> "pd.DataFrame":
        """Holes and cuts that are there on a day: see `bonesim.storage.breaks`."""
        return breaks_there(self, day)

    def _log(self, name: str) -> "pd.DataFrame":
        import pandas as pd

        return self._frame(name) if self._has(name) else pd.DataFrame({"id": [], "day": []})

    def _has(self, table: str) -> bool:
        with self._damage_explained():
            return f"{layout.BONESIM}/{table}" in self._file

    def _frame(self, table: str) -> "pd.DataFrame":
        with self._damage_explained():
            columns = [
                (column, self._values(f"{layout.BONESIM}/{table}/{column.name}"))
                for column in self.columns(table)
            ]
            return frame(columns, self.title)

    # -- snapshots -----------------------------------------------------------------------------

    @cached_property
    def snapshot_days(self) -> list[int]:
        """The days whose lattice is on file."""
        with self._damage_explained():
            return [int(day) for day in self._values(layout.DAYS)]

    @cached_property
    def fields(self) -> tuple[Column, ...]:
        """The images that a snapshot has; a file of an earlier version may lack `stock`."""
        with self._damage_explained():
            return layout.fields_in(self._file)

    def quanta(self, day: int) -> NDArray[np.uint8]:
        """The bone of a snapshot, 0..255 quanta a voxel, shape (nz, ny, nx)."""
        return self.field("quanta", day)

    def field(self, name: str, day: int) -> NDArray[np.uint8]:
        """One image of a snapshot: quanta, mineral, surface_state, osteocyte_viability or stock.

        Raises:
            InputError: no such image or day. CorruptFileError: a checksum is wrong.
        """
        known = [field.name for field in self.fields]
        if name not in known:
            raise InputError(f"{self.path}: no image {name!r}; there are {', '.join(known)}")
        with self._damage_explained():
            return checksums.checked_field(self._file, name, self._step(day))

    def image(self, day: int) -> "pv.ImageData":
        """A snapshot for PyVista: all images as cell data, spacing in mm.

        Saved as VTI it can be measured again: the field `um_per_unit` states its unit.
        """
        import pyvista as pv

        nz, ny, nx = self.shape
        grid = pv.ImageData(
            dimensions=(nx + 1, ny + 1, nz + 1), spacing=(self.voxel_um / 1000.0,) * 3
        )
        grid.field_data["um_per_unit"] = np.array([1000.0])
        for field in self.fields:
            grid.cell_data[field.name] = self.field(field.name, day).ravel()
        return grid

    def cells(self, population: str | None = None, day: int | None = None) -> "pd.DataFrame":
        """The cells of a population at a snapshot, one row each; without arguments, how many.

        Args:
            population: "bmus", "osteoclasts", "osteoblasts" or "osteocytes".
            day: of a snapshot.

        Returns:
            Identity, place (x_um, y_um, z_um in the frame of `image`), age and states. Without
            arguments: a row for each snapshot, a column for each population.

        Raises:
            InputError: no such population or day.
        """
        if population is None:
            return self._cell_counts()
        names = self._populations()
        if population not in names:
            raise InputError(f"{self.path}: no cells {population!r}; there are {', '.join(names)}")
        if day is None:
            days = ", ".join(map(str, self.snapshot_days)) or "none"
            raise InputError(f"{self.path}: cells of which day? There are snapshots {days}")
        self._step(day)
        return frame(self.cell_columns(population, day).items(), self.title)

    def cell_columns(self, population: str, day: int) -> dict[Column, NDArray[Any]]:
        """The cells of a population at a snapshot as they are on file, codes as numbers."""
        with self._damage_explained():
            rows = self._cell_rows(population, day)
            known = layout.descriptions(self._file[layout.population_path(population)])
            if known is None:
                return from_version_0_1(population, rows, day, self.shape, self.voxel_um)
            return {replace(known[n], dtype=str(row.dtype)): row for n, row in rows.items()}

    def story(self, bmu: int) -> "pd.DataFrame":
        """What the file holds of one remodelling unit, in order of days.

        A row for its birth, each snapshot it is in, each of its topological events, and its end.

        Args:
            bmu: its id, as in `events["bmu"]` and `cells("bmus", day)["id"]`.

        Raises:
            InputError: no such unit on file.
        """
        return story_of(self, bmu)

    def _cell_counts(self) -> "pd.DataFrame":
        """How many cells of each population every snapshot holds."""
        with self._damage_explained():
            columns = [(layout.Column("day", "d", "", "day of the snapshot"), self.snapshot_days)]
            for name in self._populations():
                counts = [self._cell_count(name, day) for day in self.snapshot_days]
                columns.append((layout.Column(name, "", "", f"number of {name}"), counts))
            return frame([(c, np.array(n, np.int64)) for c, n in columns], self.title)

    def _cell_count(self, population: str, day: int) -> int:
        place = layout.cells_path(population, day)
        if place not in self._file:
            return 0
        group = self._file[place]
        return int(group[layout.column_names(group)[0]].shape[0])

    def _populations(self) -> list[str]:
        with self._damage_explained():
            return sorted(self._file[layout.CELLS])

    def _cell_rows(self, population: str, day: int) -> dict[str, NDArray[Any]]:
        """The columns of a population as they are on file."""
        with self._damage_explained():
            place = layout.cells_path(population, day)
            names = layout.column_names(self._file[place])
            return {name: self._values(f"{place}/{name}") for name in names}

    def content_hash(self) -> str:
        """SHA-256 of tables, events, images and cells: equal for equal results.

        How, when and where the file was made plays no part.
        """
        content: dict[str, Any] = {
            table: {
                c.name: self._values(f"{layout.BONESIM}/{table}/{c.name}")
                for c in self.columns(table)
            }
            for table in ("table", "snapshot_table", "events", "breaks", "break_tracks")
            if self._has(table)
        }
        for day in self.snapshot_days:
            # One day at a time: together they need not fit into memory.
            snapshot: dict[str, Any] = {f.name: self.field(f.name, day) for f in self.fields}
            for population in self._populations():
                if layout.cells_path(population, day) not in self._file:
                    continue
                snapshot[f"cells {population}"] = self._cell_rows(population, day)
            content[f"day {day}"] = content_hash(snapshot)
        return content_hash(content)

    # -- reading with care ---------------------------------------------------------------------

    def _step(self, day: int) -> int:
        if day not in self.snapshot_days:
            raise InputError(
                f"{self.path}: no snapshot of day {day}; there are "
                f"{', '.join(map(str, self.snapshot_days)) or 'none'}"
            )
        return self.snapshot_days.index(day)

    def _values(self, place: str) -> NDArray[Any]:
        with self._damage_explained():
            return checksums.checked(self._file[place])

    def _text(self, place: str) -> str:
        with self._damage_explained():
            size = self._file[place].size
            if size > MAX_TEXT_BYTES:
                raise ValueError(f"{place} is a text of {size} bytes")
            return self._values(place).tobytes().decode()

    def _check(self) -> None:
        """Refuse what is no run file, and what would make reading it dangerous."""
        require_run_file(self._file)
        self.shape = require_lattice(self._file)
        self.voxel_um = float(self._file[layout.BONESIM].attrs["voxel_um"])
        if not 0.0 < self.voxel_um < 1e4:
            raise ValueError(f"voxels of {self.voxel_um} um")

    @contextmanager
    def _damage_explained(self) -> Iterator[None]:
        """Turn what damaged bytes raise into CorruptFileError, in one line."""
        try:
            yield
        except DAMAGE as error:
            if self._raw.closed:
                raise ValueError(f"{self.path}: the run is closed; open it again") from None
            failure = self._raw.failure
            if failure is not None:
                raise (
                    unreadable(failure, self.path) if isinstance(failure, OSError) else failure
                ) from None
            if is_being_written(self._raw.path) or self._raw.has_changed():
                raise BusyError(
                    f"{self.path}: is being written; open it again in a moment"
                ) from None
            raise CorruptFileError(
                f"{self.path}: is damaged or no bonesim run file ({first_line(error)}); "
                "take another copy or run it again"
            ) from None
