"""Osteocytes: one row per lacuna, living or dead, until the bone around it is resorbed.

    death   hazard (1 / lifespan) (1 + gain x deficit), looked at every few days
    density the share of osteoblasts that are buried, over wall thickness (about 17 k/mm3)

Lacunae whose voxel is no longer bone are found at the same look, so a count is at most that many
days behind; no cavity is refilled that fast.
Left out: load (part on mechanics), pro-resorption signals of the dying (part on signals).
Sources: mechanisms 1; Mullender 1996; Frost, Manolagas (25 years).
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.cells.population import CellPopulation, Rows, free_row, identity, new_row
from bonesim.chance import OSTEOCYTE_AGE, OSTEOCYTE_DEATH, OSTEOCYTE_NUMBER, poisson, uniform
from bonesim.hormones.response import Drive
from bonesim.kernel import kernel
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import Parameters
from bonesim.quantities import BONE, DAYS_PER_YEAR, FULL

#: Day of death of lacunae that are empty at the start.
LONG_AGO = -100000


class OsteocyteParameters(Parameters):
    """Number and life of osteocytes."""

    lifespan_year: Annotated[
        float, Field(gt=0, le=1000, description="mean life; 25 y, Frost and Manolagas, 10-50")
    ] = 25.0
    start_density_per_mm3: Annotated[
        float, Field(ge=0, le=60000, description="lacunae at the start; Mullender 1996, 13-30 k")
    ] = 17000.0
    look_day: Annotated[
        int, Field(ge=1, le=60, description="each cell is looked at every so many days; assumed")
    ] = 28


class OsteocyteColumns(NamedTuple):
    """One row per lacuna."""

    alive: NDArray[np.uint8]
    free: NDArray[np.int32]
    used: NDArray[np.int64]
    id: NDArray[np.uint64]
    voxel: NDArray[np.int64]
    born_day: NDArray[np.int32]
    viable: NDArray[np.uint8]
    died_day: NDArray[np.int32]  # of those not viable


@kernel
def populate(lattice, cells, density_per_mm3, lifespan_day, seed, day):  # type: ignore[no-untyped-def]
    """Fill bone fresh on `day` with lacunae: Poisson in each voxel, by quanta; dead by their age.

    Returns how many cells live.
    """
    living = 0
    per_quantum = density_per_mm3 * lattice.voxel_um**3 * 1e-9 / FULL
    for voxel in range(lattice.quanta.size):
        q = lattice.quanta[voxel]
        if q < BONE:
            continue
        count = poisson(per_quantum * q, seed, 0, voxel, OSTEOCYTE_NUMBER)
        for index in range(count):
            row = new_row(cells)
            if row < 0:
                return living
            born = np.int64(lattice.formed_day[voxel])
            who = identity(voxel, -8192, index)
            cells.id[row] = who
            cells.voxel[row] = voxel
            cells.born_day[row] = born
            lived = uniform(seed, 0, who, OSTEOCYTE_AGE) < np.exp((born - day) / lifespan_day)
            cells.viable[row] = 1 if lived else 0
            cells.died_day[row] = LONG_AGO  # signals of the dead fade; when they died is not known
            living += cells.viable[row]
    return living


@kernel
def age(lattice, cells, hazard_per_day, look_day, seed, day):  # type: ignore[no-untyped-def]
    """Look at every `look_day`-th cell: is its bone still there, does it die. Counts kept current.

    Returns (lacunae lost with their bone, cells died).
    """
    chance = 1.0 - np.exp(-hazard_per_day * look_day)
    lost = 0
    died = 0
    for row in range(day % look_day, cells.used[0], look_day):
        if cells.alive[row] == 0:
            continue
        if lattice.quanta[cells.voxel[row]] < BONE:
            if cells.viable[row] == 1:
                died += 1
            free_row(cells, row)
            lost += 1
        elif cells.viable[row] == 1 and uniform(seed, day, cells.id[row], OSTEOCYTE_DEATH) < chance:
            cells.viable[row] = 0
            cells.died_day[row] = day
            died += 1
    return lost, died


class Osteocytes(CellPopulation):
    """All osteocytes of a specimen."""

    def __init__(self, model: Any, parameters: OsteocyteParameters) -> None:
        super().__init__(model)
        self.parameters = parameters
        self.rows: Rows[OsteocyteColumns] = Rows(OsteocyteColumns)
        self.viable = 0

    def populate(self, tissue: Tissue, seed: int, day: int) -> None:
        """Give bone that is fresh on `day` its lacunae."""
        p = self.parameters
        quanta = float(tissue.lattice.quanta.sum(dtype=np.int64))
        expected = quanta / FULL * tissue.voxel_um**3 * 1e-9 * p.start_density_per_mm3
        self.rows.make_room(int(expected + 10.0 * np.sqrt(expected) + 1000))
        self.viable = populate(
            tissue.lattice, self.rows.columns, p.start_density_per_mm3,
            p.lifespan_year * DAYS_PER_YEAR, seed, day,
        )  # fmt: skip

    def age(self, tissue: Tissue, drive: Drive, seed: int, day: int) -> None:
        """Let a share of the cells live or die, and forget lacunae whose bone is gone."""
        p = self.parameters
        hazard = drive.osteocyte_death / (p.lifespan_year * DAYS_PER_YEAR)
        _, died = age(tissue.lattice, self.rows.columns, hazard, p.look_day, seed, day)
        self.viable -= died

    def viability(self, tissue: Tissue) -> NDArray[np.uint8]:
        """Share of a voxel's lacunae that hold a living cell, 0..255; 0 where there is none.

        Shape (nz, ny, nx).
        """
        columns = self.rows.alive_columns()
        size = tissue.lattice.quanta.size
        lacunae = np.bincount(columns["voxel"], minlength=size)
        living = np.bincount(columns["voxel"], weights=columns["viable"], minlength=size)
        share = np.round(255.0 * living / np.maximum(lacunae, 1)).astype(np.uint8)
        return tissue.inner(share)
