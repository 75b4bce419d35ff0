"""What cells work in on one day, as their kernels see it: tissue, messengers, cavities and chance."""

from typing import NamedTuple

from bonesim.cells.cavity import Cavities, CavityTables
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Day, Seed
from bonesim.lattice.tissue import Tissue
from bonesim.signals.fields import Fields


class World(NamedTuple):
    """One specimen on one day; its arrays are those of the simulation itself."""

    lattice: Lattice
    fields: Fields
    cavities: Cavities
    seed: Seed
    day: Day


def world_of(tissue: Tissue, fields: Fields, cavities: CavityTables, seed: int, day: int) -> World:
    """The world of a day; valid until the next `CavityTables.make_room`."""
    return World(tissue.lattice, fields, cavities.columns, Seed(seed), Day(day))
