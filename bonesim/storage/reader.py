"""Opening a run file: tables, events, images, cells. The bytes are not trusted.

with bonesim.open_run("out.vtkhdf") as run:
    run.table, run.events, run.image(1825)
"""

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.storage import layout
from bonesim.storage.content_hash import content_hash
from bonesim.storage.journaled_file import SteppedFile
from bonesim.storage.layout import Column
from bonesim.storage.validation import DAMAGE, first_line, require_file, require_run_file

if TYPE_CHECKING:
    import pandas as pd
    import pyvista as pv

#: A lattice with more voxels is no run of ours; it is not read.
MOST_VOXELS = 4096**3


def open_run(path: str | Path) -> "Run":
    """Open a run file for reading, also after its writer was killed.

    While a run still writes it, what is read is of its last commit; a commit in between can make
    a read fail: open it again.

    Raises:
        InputError: no such file, or it cannot be read.
        CorruptFileError: damaged, foreign or from a newer bonesim.
    """
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
        try:
            self._raw = SteppedFile(path, writable=False)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
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
        if hasattr(self, "_file"):
            self._file.close()
        self._raw.close()

    # -- what the run is -----------------------------------------------------------------------

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
        """Versions, machine, command line, seed, notes on the specimen."""
        with self._damage_explained():
            return dict(json.loads(self._text(layout.PROVENANCE)))

    def identity(self) -> str:
        """What tells this run from all others; kept with its checkpoints."""
        with self._damage_explained():
            return layout.identity(self._file)

    @property
    def status(self) -> str:
        """ "running", "interrupted" or "complete"."""
        with self._damage_explained():
            return layout.get_text(self._file[layout.BONESIM].attrs, "status")

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

    def _frame(self, table: str) -> "pd.DataFrame":
        import pandas as pd

        data: dict[str, Any] = {}
        with self._damage_explained():
            for column in self.columns(table):
                values = self._values(f"{layout.BONESIM}/{table}/{column.name}")
                if column.codes:
                    kind = pd.CategoricalDtype(list(column.codes))
                    data[column.name] = pd.Categorical.from_codes(
                        values.astype(np.int64), dtype=kind
                    )
                else:
                    data[column.name] = values
            return pd.DataFrame(data)

    # -- snapshots -----------------------------------------------------------------------------

    @cached_property
    def snapshot_days(self) -> list[int]:
        """The days whose lattice is on file."""
        with self._damage_explained():
            return [int(day) for day in self._values(layout.DAYS)]

    def quanta(self, day: int) -> NDArray[np.uint8]:
        """The bone of a snapshot, 0..255 quanta a voxel, shape (nz, ny, nx)."""
        return self.field("quanta", day)

    def field(self, name: str, day: int) -> NDArray[np.uint8]:
        """One image of a snapshot: quanta, mineral, surface_state or osteocyte_viability.

        Raises:
            InputError: no such image or day. CorruptFileError: a checksum is wrong.
        """
        known = [field.name for field in layout.FIELDS]
        if name not in known:
            raise InputError(f"{self.path}: no image {name!r}; there are {', '.join(known)}")
        with self._damage_explained():
            image: NDArray[np.uint8] = self._file[f"{layout.CELL_DATA}/{name}"][self._step(day)]
        return image

    def image(self, day: int) -> "pv.ImageData":
        """A snapshot for PyVista: all images as cell data, spacing in mm."""
        import pyvista as pv

        nz, ny, nx = self.shape
        grid = pv.ImageData(
            dimensions=(nx + 1, ny + 1, nz + 1), spacing=(self.voxel_um / 1000.0,) * 3
        )
        for field in layout.FIELDS:
            grid.cell_data[field.name] = self.field(field.name, day).ravel()
        return grid

    def cells(self, population: str, day: int) -> "pd.DataFrame":
        """The cells of a population at a snapshot, one row each.

        Raises:
            InputError: no such population or day.
        """
        import pandas as pd

        self._step(day)
        with self._damage_explained():
            names = sorted(self._file[layout.CELLS])
            if population not in names:
                raise InputError(
                    f"{self.path}: no cells {population!r}; there are {', '.join(names)}"
                )
            place = layout.cells_path(population, day)
            columns = layout.column_names(self._file[place])
            return pd.DataFrame({name: self._values(f"{place}/{name}") for name in columns})

    def content_hash(self) -> str:
        """SHA-256 of tables, events, images and cells: equal for equal results.

        How, when and where the file was made plays no part.
        """
        content: dict[str, Any] = {
            table: {
                c.name: self._values(f"{layout.BONESIM}/{table}/{c.name}")
                for c in self.columns(table)
            }
            for table in ("table", "snapshot_table", "events")
        }
        with self._damage_explained():
            populations = sorted(self._file[layout.CELLS])
        for day in self.snapshot_days:
            # One day at a time: together they need not fit into memory.
            snapshot: dict[str, Any] = {f.name: self.field(f.name, day) for f in layout.FIELDS}
            for population in populations:
                if layout.cells_path(population, day) not in self._file:
                    continue
                cells = self.cells(population, day)
                snapshot[f"cells {population}"] = {n: cells[n].to_numpy() for n in cells}
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
            values: NDArray[Any] = self._file[place][()]
        return values

    def _text(self, place: str) -> str:
        with self._damage_explained():
            return self._values(place).tobytes().decode()

    def _check(self) -> None:
        """Refuse what is no run file, and what would make reading it dangerous."""
        require_run_file(self._file)
        nz, ny, nx = (int(n) for n in self._file[f"{layout.CELL_DATA}/quanta"].shape[1:])
        self.shape = nz, ny, nx
        self.voxel_um = float(self._file[layout.BONESIM].attrs["voxel_um"])
        if not (0 < nz * ny * nx <= MOST_VOXELS and 0.0 < self.voxel_um < 1e4):
            raise ValueError(f"a lattice of {self.shape} voxels of {self.voxel_um} um")

    @contextmanager
    def _damage_explained(self) -> Iterator[None]:
        """Turn what damaged bytes raise into CorruptFileError, in one line."""
        try:
            yield
        except DAMAGE as error:
            if self._raw.closed:
                raise ValueError(f"{self.path}: the run is closed; open it again") from None
            raise CorruptFileError(
                f"{self.path}: is damaged or no bonesim run file ({first_line(error)}); "
                "take another copy or run it anew"
            ) from None
