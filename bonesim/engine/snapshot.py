"""What a snapshot keeps: the lattice as images, its morphometry, and every cell."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.engine.simulation import Simulation
from bonesim.morphometry.panel import PANEL, QUICK
from bonesim.storage.layout import Column
from bonesim.units import BONE, unit_of

#: Codes of the image "surface_state" (storage.layout.FIELDS names them).
BONE_INTERIOR, QUIESCENT = 1, 2
#: A site's phase (cells.cavity) plus this is its code.
PHASE_OFFSET = 2

#: What is measured at each snapshot only.
SNAPSHOT_COLUMNS = (
    Column("day", "d", "", "days since the end of the burn-in"),
    *(Column(name, unit_of(name), *PANEL[name]) for name in QUICK),
)


def fields_of(simulation: Simulation) -> dict[str, NDArray[np.uint8]]:
    """The images of one day, each uint8 of shape (nz, ny, nx)."""
    tissue = simulation.tissue
    quanta = tissue.inner(tissue.lattice.quanta)
    return {
        "quanta": np.ascontiguousarray(quanta),
        "mineral": tissue.mineral_image(simulation.day),
        "surface_state": _surface_state(simulation),
        "osteocyte_viability": np.ascontiguousarray(simulation.osteocytes.viability(tissue)),
    }


def _surface_state(simulation: Simulation) -> NDArray[np.uint8]:
    """What happens at each voxel; an eroded one keeps its site's code though it is marrow now."""
    tissue, cavities = simulation.tissue, simulation.cavities
    state = (tissue.lattice.quanta >= BONE).astype(np.uint8) * BONE_INTERIOR
    state[tissue.surface_voxels] = QUIESCENT
    records, sites = cavities.records.columns, cavities.sites.columns
    owned = np.flatnonzero(tissue.lattice.owner >= 0)
    site = records.site[tissue.lattice.owner[owned]]
    state[owned] = sites.phase[site] + PHASE_OFFSET
    return np.ascontiguousarray(tissue.inner(state))


def cells_of(simulation: Simulation) -> dict[str, dict[str, NDArray[Any]]]:
    """Every living cell and BMU: population -> column -> values."""
    return {name: rows.alive_columns() for name, rows in simulation.tables().items()}
