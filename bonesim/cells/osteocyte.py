"""Osteocytes: one row per lacuna, living or dead, until the bone around it is resorbed.

    death   hazard (1 / lifespan) (1 + gain x deficit) (1 + gain max(0, 1 - u)), looked at every
            few days; u is the strain felt around the cell over the usual one
    density the share of osteoblasts that are buried, over wall thickness (about 17 k/mm3)

Lacunae whose voxel is no longer bone are found at the same look, so a count is at most that many
days behind; no cavity is refilled that fast.
How they feel strain is in `sensing`, what they say in `messages` and `signals`.
Sources: guide M1; Mullender 1996, Manolagas 2000 (25 years).
"""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.cells.lacuna import LONG_AGO, OsteocyteColumns
from bonesim.cells.mechanosensing import StrainEnergy, adapt_setpoints, smoothed, stimuli
from bonesim.cells.population import CellPopulation, Rows, entity_of, free_row, identity, new_row
from bonesim.chance import OSTEOCYTE_AGE, OSTEOCYTE_DEATH, OSTEOCYTE_NUMBER, poisson, uniform
from bonesim.endocrine.response import Drive
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Count, Day, Seed, Voxel
from bonesim.lattice.tissue import Tissue
from bonesim.mechanics.habitual import Habitual
from bonesim.parameters import Parameters
from bonesim.signals.fields import Fields, strain_in
from bonesim.units import BONE, DAYS_PER_YEAR, FULL


class OsteocyteParameters(Parameters):
    """Number and life of osteocytes."""

    lifespan_year: Annotated[
        float, Field(gt=0, le=1000, description="mean life; 25 y, Manolagas 2000, 10-50")
    ] = 25.0
    start_density_per_mm3: Annotated[
        float, Field(ge=0, le=60000, description="lacunae at the start; Mullender 1996, 13-30 k")
    ] = 17000.0
    look_day: Annotated[
        int, Field(ge=1, le=60, description="each cell is looked at every so many days; assumed")
    ] = 28
    energy_exponent: Annotated[
        float, Field(gt=0, le=2, description="stimulus ~ energy^n; .5: linear, Christen 2014")
    ] = 0.5
    settled_day: Annotated[
        int,
        Field(ge=0, le=8000, description="so long before day 0 set-points drift as later; assumed"),
    ] = 450
    setpoint_tau_year: Annotated[
        float,
        Field(
            gt=0,
            le=1e9,
            description="drift of the set-point to what is felt; assumed, 5 (guide M4)",
        ),
    ] = 5.0
    min_energy_share: Annotated[
        float, Field(gt=0, le=1, description="of the mean strain energy, the least felt; assumed")
    ] = 0.02
    max_stimulus: Annotated[
        float, Field(ge=1, le=100, description="most one cell feels of the usual; assumed")
    ] = 4.0
    disuse_death_gain: Annotated[
        float,
        Field(
            ge=0, le=20, description="death x(1+g max(0,1-u)); Aguirre 2006 (mouse), size assumed"
        ),
    ] = 4.0


@lean_kernel
def populate(
    lattice: Lattice,
    cells: OsteocyteColumns,
    density_per_mm3: float,
    lifespan_day: float,
    seed: Seed,
    day: Day,
) -> Count:
    """Fill bone fresh on `day` with lacunae: Poisson in each voxel, by quanta; dead by their age.

    Returns how many cells live.

    Args:
        density_per_mm3: lacunae per mm3 of bone.
        lifespan_day: mean life, days.

    Writes:
        cells
    """
    living = np.int64(0)
    per_quantum = density_per_mm3 * lattice.voxel_um**3 * 1e-9 / FULL
    for k in range(lattice.quanta.size):
        voxel = Voxel(k)
        q = lattice.quanta[voxel]
        if q < BONE:
            continue
        count = poisson(per_quantum * q, seed, Day(0), voxel, OSTEOCYTE_NUMBER)
        for index in range(count):
            row = new_row(cells)
            if row < 0:
                return living
            born = np.int64(lattice.formed_day[voxel])
            who = identity(voxel, Day(-8192), index)
            cells.id[row] = who
            cells.voxel[row] = voxel
            cells.born_day[row] = born
            drawn = uniform(seed, Day(0), who, OSTEOCYTE_AGE)
            cells.viable[row] = 1 if drawn < np.exp((born - day) / lifespan_day) else 0
            cells.setpoint_mpa[row] = 0.0
            cells.died_day[row] = LONG_AGO  # signals of the dead fade; when they died is not known
            living += np.int64(cells.viable[row])
    return living


@lean_kernel
def age(
    lattice: Lattice,
    fields: Fields,
    cells: OsteocyteColumns,
    hazard_per_day: float,
    disuse_gain: float,
    look_day: int,
    seed: Seed,
    day: Day,
) -> tuple[int, int]:
    """Look at every `look_day`-th cell: is its bone still there, does it die. Counts kept current.

    Strain is read only where the number drawn is below the chance without any strain: hardly
    ever. Returns (lacunae lost with their bone, cells died).

    Args:
        hazard_per_day: of death where strain is usual, per day.
        disuse_gain: the hazard grows by it where there is no strain.
        look_day: days between two looks at a cell.

    Writes:
        cells
    """
    most = 1.0 - np.exp(-hazard_per_day * (1.0 + disuse_gain) * look_day)
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
        elif cells.viable[row] == 1:
            drawn = uniform(seed, day, entity_of(cells.id[row]), OSTEOCYTE_DEATH)
            if drawn >= most:
                continue
            disuse = max(0.0, 1.0 - strain_in(fields, cells.voxel[row], lattice.shape))
            expected = hazard_per_day * (1.0 + disuse_gain * disuse) * look_day
            if drawn < 1.0 - np.exp(-expected):
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
        self.energy = np.zeros((1, 1, 1), np.float32)
        self.min_mpa = 0.0
        self.voxels_per_element = 1

    def populate(self, tissue: Tissue, seed: int, day: int) -> None:
        """Give bone that is fresh on `day` its lacunae."""
        p = self.parameters
        quanta = float(tissue.lattice.quanta.sum(dtype=np.int64))
        expected = quanta / FULL * tissue.voxel_um**3 * 1e-9 * p.start_density_per_mm3
        self.rows.make_room(int(expected + 10.0 * np.sqrt(expected) + 1000))
        self.viable = int(populate(
            tissue.lattice, self.rows.columns, p.start_density_per_mm3,
            p.lifespan_year * DAYS_PER_YEAR, Seed(seed), Day(day),
        ))  # fmt: skip

    def load_level(self, load_percent: float) -> float:
        """What a load does to every stimulus at once."""
        return float((load_percent / 100.0) ** (2.0 * self.parameters.energy_exponent))

    def _strain_energy(self, tissue: Tissue) -> StrainEnergy:
        """What mechanics has solved, as kernels read it."""
        shape = tissue.padded_shape
        return StrainEnergy(self.energy, self.min_mpa, self.voxels_per_element, shape)

    def initialise_setpoints(self, tissue: Tissue) -> None:
        """Every cell takes what it feels at habitual load for the usual: u is 1 everywhere."""
        adapt_setpoints(self.rows.columns, self._strain_energy(tissue), 1.0, 1.0, 0, 1)

    def take_strain(self, habitual: Habitual) -> None:
        """From now on strain is what mechanics has solved."""
        bone = habitual.energy[habitual.energy > 0]
        self.energy = smoothed(habitual.energy)
        self.voxels_per_element = habitual.voxels_per_element
        self.min_mpa = 0.0
        if bone.size:
            mean = float(bone.mean(dtype=np.float64))
            self.min_mpa = self.parameters.min_energy_share * mean

    def adapt_setpoints(self, tissue: Tissue, load_percent: float, day: int) -> None:
        """Let today's share of the cells drift towards what they feel."""
        p = self.parameters
        if self.min_mpa == 0.0:
            return
        drift = 1.0 - np.exp(-p.look_day / (p.setpoint_tau_year * DAYS_PER_YEAR))
        adapt_setpoints(
            self.rows.columns, self._strain_energy(tissue), (load_percent / 100.0) ** 2,
            float(drift) if day > -p.settled_day else 1.0, day % p.look_day, p.look_day,
        )  # fmt: skip

    def stimulus(self, tissue: Tissue) -> NDArray[np.float32]:
        """What each row feels at habitual load over what it is used to."""
        p = self.parameters
        if self.min_mpa == 0.0:
            return np.ones(self.rows.columns.used[0], np.float32)
        return stimuli(
            self.rows.columns, self._strain_energy(tissue), p.energy_exponent, p.max_stimulus
        )

    def age(self, tissue: Tissue, fields: Fields, drive: Drive, seed: int, day: int) -> None:
        """Let a share of the cells live or die, and forget lacunae whose bone is gone."""
        p = self.parameters
        hazard = drive.osteocyte_death / (p.lifespan_year * DAYS_PER_YEAR)
        _, died = age(
            tissue.lattice,
            fields,
            self.rows.columns,
            hazard,
            p.disuse_death_gain,
            p.look_day,
            Seed(seed),
            Day(day),
        )
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
