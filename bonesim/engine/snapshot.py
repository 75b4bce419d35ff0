"""What a snapshot keeps: the lattice as images, its morphometry, and every cell."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.cells.bmu_parameters import TRAVELLING
from bonesim.cells.lacuna import LONG_AGO
from bonesim.cells.osteoblast_parameters import OSTEOCYTE_FATE
from bonesim.engine.simulation import Simulation
from bonesim.morphometry.closed import CLOSED, closed_measures
from bonesim.morphometry.panel import PANEL, QUICK, measure
from bonesim.storage.cell_tables import CELL_COLUMNS, in_order
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
    *(Column(name, unit_of(name), *CLOSED[name]) for name in CLOSED),
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
        "stock": simulation.stock(),
    }


def measures_of(simulation: Simulation) -> dict[str, float]:
    """What is measured of the lattice and of the closed lattice: name -> value."""
    tissue = simulation.tissue
    quanta = np.ascontiguousarray(tissue.inner(tissue.lattice.quanta))
    measures = measure(quanta, tissue.voxel_um, quick=True)
    measures |= closed_measures(quanta, simulation.stock(), tissue.voxel_um)
    return {name: float(one.value) for name, one in measures.items()}


def _surface_state(simulation: Simulation) -> NDArray[np.uint8]:
    """The state of each voxel; an eroded one keeps its site's code though it is marrow now."""
    tissue, cavities = simulation.tissue, simulation.cavities
    state = (tissue.lattice.quanta >= BONE).astype(np.uint8) * BONE_INTERIOR
    state[tissue.surface_voxels] = QUIESCENT
    records, sites = cavities.records.columns, cavities.sites.columns
    owned = np.flatnonzero(tissue.lattice.owner >= 0)
    site = records.site[tissue.lattice.owner[owned]]
    state[owned] = sites.phase[site] + PHASE_OFFSET
    return np.ascontiguousarray(tissue.inner(state))


def cells_of(simulation: Simulation) -> dict[str, dict[Column, NDArray[Any]]]:
    """Every BMU, cell and empty lacuna: population -> column -> values, one row each."""
    tissue, tables = simulation.tissue, {}
    for population, rows in simulation.tables().items():
        values = rows.alive_columns()
        values["age_day"] = simulation.day - values["born_day"]
        if population == "bmus":
            front = np.stack([values[axis].astype(np.float64) for axis in "zyx"], axis=1)
            places = (front - 0.5) * tissue.voxel_um
        else:
            places = tissue.places_um(values["voxel"])
        values["z_um"], values["y_um"], values["x_um"] = places.T
        tables[population] = in_order(
            CELL_COLUMNS[population], values | _STATES[population](values)
        )
    return tables


def _osteocyte_states(values: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What is not known of an osteocyte is NaN; a viable one's day of death is a former row's."""
    died, setpoint = values["died_day"], values["setpoint_mpa"]
    unknown = (values["viable"] == 1) | (died <= LONG_AGO)
    return {
        "died_day": np.where(unknown, np.nan, died),
        "setpoint_mpa": np.where(setpoint == 0.0, np.nan, setpoint),
    }


#: Population -> its columns that are codes, identities or unknown in the simulation's rows.
_STATES: dict[str, Callable[[dict[str, NDArray[Any]]], dict[str, NDArray[Any]]]] = {
    "bmus": lambda values: {"phase": values["phase"] - TRAVELLING},
    "osteoclasts": lambda values: {"site_id": values["id"]},
    "osteoblasts": lambda values: {"fate": values["fate"] - OSTEOCYTE_FATE},
    "osteocytes": _osteocyte_states,
}
