"""State of each triangle of a simulation's surface: its site, and the phase of the site."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.cells.site import FORMING
from bonesim.engine.simulation import Simulation
from bonesim.errors import InputError
from bonesim.histology.sections import Surface, surface_of
from bonesim.lattice.ledger import RIM_WIDTH
from bonesim.lattice.tissue import Tissue
from bonesim.units import FULL

#: Cosine to its normal from which a triangle is of a site's floor: 75 degrees.
_STEEPEST = 0.25


def boxed(tissue: Tissue, flat: NDArray[Any]) -> NDArray[Any]:
    """A flat padded array as a view of the interior, rim and padding left out."""
    inside = slice(1 + RIM_WIDTH, -1 - RIM_WIDTH)
    return flat.reshape(tissue.padded_shape)[inside, inside, inside]


def owned_records(simulation: Simulation) -> tuple[NDArray[np.int64], ...]:
    """Voxel, site row and stock of every record that owns its voxel."""
    records: Any = simulation.cavities.records.columns
    rows = np.flatnonzero(records.alive)
    rows = rows[simulation.tissue.lattice.owner[records.voxel[rows]] == rows]
    return (
        records.voxel[rows],
        records.site[rows].astype(np.int64),
        records.stock[rows].astype(np.int64),
    )


def filled(simulation: Simulation) -> NDArray[np.uint8]:
    """The lattice with the stock of every open cavity put back, flat and padded."""
    voxel, _, stock = owned_records(simulation)
    whole = simulation.tissue.lattice.quanta.copy()
    whole[voxel] = np.minimum(whole[voxel].astype(np.int64) + stock, FULL)
    return whole


def of_triangles(surface: Surface, of_voxel: NDArray[Any], nothing: int) -> NDArray[Any]:
    """Value of each triangle from a value of voxels: of the one beneath, else of the one above.

    The voxel at the floor of a cavity has no owner; the empty one above it belongs to the site.
    """
    flat = of_voxel.reshape(-1)
    beneath = flat[surface.beneath]
    return np.where(beneath != nothing, beneath, flat[surface.above])


@dataclass(frozen=True)
class SurfaceState:
    """The interior's surface on one day.

    Attributes:
        surface: its triangles.
        site: row of the site each is of, or -1.
        phase: phase of that site, 0 where quiescent.
    """

    surface: Surface
    site: NDArray[np.int64]
    phase: NDArray[np.uint8]

    def share(self, of_triangle: NDArray[Any]) -> float:
        """Share of the area that has this property."""
        area = self.surface.area_um2
        return float((area * of_triangle).sum() / area.sum()) if area.size else float("nan")


def states_of_surface(
    simulation: Simulation, instead: NDArray[np.uint8] | None = None
) -> SurfaceState:
    """The surface today, or that of other quanta (flat, padded) with today's sites.

    Raises:
        InputError: there is no surface.
    """
    tissue = simulation.tissue
    quanta = boxed(tissue, tissue.lattice.quanta if instead is None else instead)
    surface = surface_of(quanta, tissue.voxel_um)
    if not surface.area_um2.size:
        raise InputError("there is no bone surface for a biopsy; check [specimen]")
    records: Any = simulation.cavities.records.columns
    sites: Any = simulation.cavities.sites.columns
    owner = boxed(tissue, tissue.lattice.owner)
    site_of_voxel = np.where(owner >= 0, records.site[np.maximum(owner, 0)], -1)
    site = of_triangles(surface, site_of_voxel, -1).astype(np.int64)
    phase = np.where(site >= 0, sites.phase[np.maximum(site, 0)], 0).astype(np.uint8)
    return SurfaceState(surface, site, phase)


def forming_floor(simulation: Simulation, state: SurfaceState) -> NDArray[np.bool_]:
    """Which triangles are of the floor of a site that forms: an upright wall gets no matrix."""
    sites: Any = simulation.cavities.sites.columns
    normals = np.stack([sites.nz, sites.ny, sites.nx], axis=1)[np.maximum(state.site, 0)]
    faces = (state.surface.into * normals).sum(axis=1) > _STEEPEST
    return np.asarray((state.phase == FORMING) & faces)
