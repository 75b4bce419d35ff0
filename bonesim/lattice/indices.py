"""What the whole numbers of a kernel count: a voxel, a site, a day are not to be mixed up.

Type checkers see a class of its own for each kind, so a voxel where a day belongs is an error. Numba
and Python see an int64: in a kernel `Voxel(k)` is the cast, and an annotation is nothing at all.
"""

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bonesim.chance import Day, Identity, Place, Seed

__all__ = [
    "Bits", "Count", "Day", "Floats", "Identity", "Normal", "Place", "Record", "Row", "Seed", "Shape",
    "Site", "Voxel",
]  # fmt: skip

if TYPE_CHECKING:

    class Voxel(Place):
        """A voxel: flat index into the padded lattice; -1 is none."""

        def __add__(self, step: int) -> "Voxel": ...
        def __sub__(self, step: int) -> "Voxel": ...

    class Site(int):
        """A row of the table of sites; -1 is none."""

    class Record(int):
        """A row of the table of records; -1 is none."""

    class Row(int):
        """A row of a table of cells or BMUs; -1 is none."""

else:
    Voxel = Site = Record = Row = np.int64

#: A number of things, of quanta mostly.
Count: TypeAlias = int | np.int64
#: The 26 neighbours of a voxel, a bit each (`lattice.neighbours`).
Bits: TypeAlias = int | np.int64
#: A unit vector (z, y, x), mostly into bone.
Normal: TypeAlias = tuple[float, float, float]
#: Voxels or cubes along z, y, x.
Shape: TypeAlias = tuple[int, ...]
#: An array of real numbers, in single or double precision.
Floats: TypeAlias = NDArray[np.floating]
