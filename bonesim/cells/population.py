"""Rows of cells: growable structure-of-arrays tables, and the Mesa agent that owns one.

A kind of cell is a NamedTuple of arrays, one per column, read by kernels. Three columns are
common to all: `alive` (1 where a row is in use), `free` (a stack of rows given back) and `used`
(rows ever used, rows on the stack, rows asked for beyond the capacity). A row is never moved
while a cell lives in it; its number means nothing, the cell's `id` does: it is made from the
place and day of birth and never used again. Two teams can start at one voxel on one day: their
cells differ in the copy number, the upper bits of the id, which chance does not read (`entity_of`).
"""

from typing import Any, Generic, NamedTuple, Protocol, TypeVar, get_args, get_type_hints

import mesa
import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import lean_kernel
from bonesim.lattice.indices import Day, Identity, Voxel

T = TypeVar("T", bound=NamedTuple)

#: Of an id: where its copy number begins, and all the bits below.
COPY_SHIFT, ENTITY_BITS = np.uint64(59), np.uint64((1 << 59) - 1)
HIGH_WATER, FREE_ROWS, REFUSED = 0, 1, 2
BOOKKEEPING = ("free", "used")


class Table(Protocol):
    """What all tables have."""

    @property
    def alive(self) -> NDArray[np.uint8]:
        """1 where a row is in use."""

    @property
    def free(self) -> NDArray[np.int32]:
        """Rows given back, a stack."""

    @property
    def used(self) -> NDArray[np.int64]:
        """Rows ever used, rows on the stack, rows refused."""


class TableOfIds(Table, Protocol):
    """One whose rows have an id."""

    @property
    def id(self) -> NDArray[np.uint64]:
        """By place and day of birth."""


@lean_kernel
def new_row(table: Table) -> Any:
    """A free row of `table`, marked alive; -1 if there is none, and the refusal is counted.

    Writes:
        table

    Returns:
        The row, a row of its kind of table.
    """
    used = table.used
    if used[FREE_ROWS] > 0:
        used[FREE_ROWS] -= 1
        row = np.int64(table.free[used[FREE_ROWS]])
    elif used[HIGH_WATER] < table.alive.size:
        row = used[HIGH_WATER]
        used[HIGH_WATER] += 1
    else:
        used[REFUSED] += 1
        return np.int64(-1)
    table.alive[row] = 1
    return row


@lean_kernel
def free_row(table: Table, row: int) -> None:
    """Give a row back.

    Args:
        row: of this table.

    Writes:
        table
    """
    table.alive[row] = 0
    table.free[table.used[FREE_ROWS]] = row
    table.used[FREE_ROWS] += 1


@lean_kernel
def identity(voxel: Voxel, day: Day, index: int) -> Identity:
    """The id of a cell born at `voxel` on `day` as the `index`-th there: 31, 16 and 12 bits.

    A cell that is not the only one of its kind there bears it with a copy number, see `copy_of`.

    Args:
        index: which of those born there that day.
    """
    born = np.uint64(day + 8192) & np.uint64(0xFFFF)
    number = np.uint64(index) & np.uint64(0xFFF)
    return (np.uint64(voxel) << np.uint64(28)) | (born << np.uint64(12)) | number


@lean_kernel
def copy_of(who: Identity, number: int) -> Identity:
    """The id `who` with a copy number, 0 to 31: its upper five bits.

    Args:
        number: 0 to 31.
    """
    return who | (np.uint64(number) << COPY_SHIFT)


@lean_kernel
def entity_of(who: Identity) -> Identity:
    """What chance knows a cell by: its id without the copy number."""
    return who & ENTITY_BITS


@lean_kernel
def first_free_copy(table: TableOfIds, who: Identity) -> int:
    """The least copy number with which no living row of `table` has the id `who`."""
    number = 0
    row = table.used[HIGH_WATER] - 1
    while row >= 0:
        if table.id[row] == copy_of(who, number) and table.alive[row] == 1:
            number += 1
            row = table.used[HIGH_WATER]
        row -= 1
    return number


def column_types(kind: type[NamedTuple]) -> dict[str, np.dtype[Any]]:
    """The dtype of each column of a NamedTuple of arrays, read from its annotations."""
    return {
        name: np.dtype(get_args(get_args(hint)[1])[0])
        for name, hint in get_type_hints(kind).items()
    }


class Rows(Generic[T]):
    """A growable table of cells.

    Args:
        kind: the NamedTuple of its columns.
        capacity: rows to start with.
    """

    def __init__(self, kind: type[T], capacity: int = 1024) -> None:
        self.kind = kind
        make: Any = kind
        self._types = column_types(kind)
        arrays = {n: np.zeros(capacity, d) for n, d in self._types.items() if n != "used"}
        self.columns: T = make(**arrays, used=np.zeros(3, np.int64))

    def __len__(self) -> int:
        """Cells alive."""
        used = self.columns.used  # type: ignore[attr-defined]
        return int(used[HIGH_WATER] - used[FREE_ROWS])

    def make_room(self, spare: int) -> None:
        """Let at least `spare` more cells be born; growth doubles."""
        columns = self.columns._asdict()
        capacity, high = columns["alive"].size, int(columns["used"][HIGH_WATER])
        wanted = high - int(columns["used"][FREE_ROWS]) + spare
        if wanted <= capacity:
            return
        size = max(wanted, 2 * capacity)
        for name, array in columns.items():
            if name != "used":
                grown = np.zeros(size, array.dtype)
                # Rows never used are zero, and copying them would take their memory.
                grown[:high] = array[:high]
                columns[name] = grown
        make: Any = self.kind
        self.columns = make(**columns)

    def put_in_order(self, rows: NDArray[np.int64]) -> None:
        """Move the living rows, all of which `rows` names, to the front in its order.

        Rows of other tables that point here are the caller's. Births then go behind them.
        """
        columns = self.columns._asdict()
        high = int(columns["used"][HIGH_WATER])
        for name, array in columns.items():
            if name not in BOOKKEEPING:
                array[: rows.size] = array[rows]
        columns["alive"][rows.size : high] = 0
        columns["used"][:REFUSED] = rows.size, 0

    def refused(self) -> int:
        """Births refused for lack of room since the start; any is a bug."""
        return int(self.columns.used[REFUSED])  # type: ignore[attr-defined]

    def alive_columns(self) -> dict[str, NDArray[Any]]:
        """Columns of the living rows only, in row order, without the bookkeeping."""
        columns = self.columns._asdict()
        rows = np.flatnonzero(columns["alive"])
        return {n: a[rows] for n, a in columns.items() if n not in (*BOOKKEEPING, "alive")}

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything a restart needs, bit for bit: all rows ever used and the stack."""
        columns = self.columns._asdict()
        high, free = int(columns["used"][HIGH_WATER]), int(columns["used"][FREE_ROWS])
        cut = dict.fromkeys(columns, high) | {"free": free, "used": 3}
        return {name: array[: cut[name]].copy() for name, array in columns.items()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Put a `state` back."""
        capacity = max(1024, int(state["used"][HIGH_WATER]))
        columns = {}
        for name, dtype in self._types.items():
            if name == "used":
                columns[name] = state[name].astype(np.int64)
                continue
            columns[name] = np.zeros(capacity, dtype)
            columns[name][: state[name].size] = state[name]
        make: Any = self.kind
        self.columns = make(**columns)


class CellPopulation(mesa.Agent):
    """A population is the acting Mesa agent; its cells are rows of `rows`.

    `population[i]` is a read-only view of the i-th living cell, for teaching and notebooks.
    """

    rows: Rows[Any]

    def __len__(self) -> int:
        """Cells alive."""
        return len(self.rows)

    def __bool__(self) -> bool:
        """A population exists even when it is empty."""
        return True

    def __getitem__(self, index: int) -> dict[str, Any]:
        """The `index`-th living cell: column name -> value."""
        return {name: array[index].item() for name, array in self.rows.alive_columns().items()}
