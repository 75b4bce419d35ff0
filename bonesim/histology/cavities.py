"""Open resorption cavities in 3-D, one by one, measured as Goff 2012 measured them.

A *cavity* is what touches (26-connected) of the eroded sites of one BMU: osteoclasts, mononuclear
cells, reversal, arrested. Part of a BMU that is being filled is a cavity no more. Cavities of two BMUs
that touch stay two; an image would show one.

    N.Cv/TV   cavities per tissue volume
    Cv.De     the deepest point of the eroded surface below the surface there was before
    Cv.S      area of the eroded surface, walls included
    Cv.V      volume between the eroded surface and the surface there was before

A cut face of the block is a mirror: a cavity at k faces is one of 2^k parts of a whole one. It counts
2^-k, and what is seen of it is so much of its area and volume. Less than the territory of one osteoclast
is no cavity but a remnant. That matters: number and mean size hang on the smallest that counts.

Goff's definitions are read from the abstract: how the former surface was found there, and which was
the smallest cavity, is not known here. Here the former surface is known exactly, from the stock.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from bonesim.cells.site import ERODED
from bonesim.engine.simulation import Simulation
from bonesim.histology.sections import Surface
from bonesim.histology.surface_state import (
    boxed,
    filled,
    of_triangles,
    owned_records,
    states_of_surface,
)
from bonesim.units import FULL


class OpenCavity(NamedTuple):
    """One open cavity.

    Attributes:
        bmu: id of the BMU that dug it.
        volume_um3: removed and not put back.
        area_um2: of its eroded surface.
        deepest_um: of its deepest point below the surface there was.
        faces: cut faces of the block that it touches.
    """

    bmu: int
    volume_um3: float
    area_um2: float
    deepest_um: float
    faces: int


def open_cavities(simulation: Simulation) -> list[OpenCavity]:
    """Every open cavity of the interior, in the order of their first voxels.

    Raises:
        InputError: there is no surface.
    """
    import cc3d

    tissue = simulation.tissue
    columns: Any = simulation.cavities.sites.columns
    voxel, site, stock = owned_records(simulation)
    eroded = np.isin(columns.phase[site], ERODED)
    voxel, site, stock = voxel[eroded], site[eroded], stock[eroded]
    ids, number = np.unique(columns.bmu_id[site], return_inverse=True)
    bmu = np.zeros(tissue.lattice.quanta.size, np.int32)
    bmu[voxel] = number + 1
    removed = np.zeros(bmu.size, np.int32)
    removed[voxel] = stock
    bmu, removed = boxed(tissue, bmu), boxed(tissue, removed)
    labels, count = cc3d.connected_components(
        np.ascontiguousarray(bmu), connectivity=26, return_N=True
    )
    part: NDArray[np.int64] = labels.astype(np.int64)
    whose = np.zeros(count + 1, np.int64)
    whose[part.reshape(-1)] = bmu.reshape(-1)
    volume = np.bincount(part.reshape(-1), removed.reshape(-1), minlength=count + 1)
    now = states_of_surface(simulation).surface
    lid = states_of_surface(simulation, filled(simulation)).surface
    floor_part, lid_part = (of_triangles(one, part, 0) for one in (now, lid))
    area = np.bincount(floor_part, now.area_um2, minlength=count + 1)
    deepest = _deepest_um(now, floor_part, lid, lid_part, count)
    faces = _faces_touched(part, count)
    return [
        OpenCavity(
            int(ids[whose[k] - 1]), float(volume[k]) * tissue.voxel_um**3 / FULL, float(area[k]),
            float(deepest[k]), int(faces[k]),
        )
        for k in range(1, count + 1)
        if volume[k] > 0
    ]  # fmt: skip


def _deepest_um(
    floor: Surface, floor_part: NDArray[Any], lid: Surface, lid_part: NDArray[Any], count: int
) -> NDArray[np.float64]:
    """For each cavity, the largest distance of its floor from its own lid; NaN without a lid."""
    deepest = np.full(count + 1, np.nan)
    down, up = floor_part > 0, lid_part > 0
    if not (down.any() and up.any()):
        return deepest
    # A fourth coordinate keeps cavities apart: no other one's lid is nearer.
    apart = 10.0 * max(floor.shape)
    # A lid is its corners and middles: with middles alone shallow cavities read a tenth too deep.
    over = np.concatenate([lid.corners[up], lid.middles()[up][:, None]], axis=1)
    above = np.column_stack([over.reshape(-1, 3), apart * np.repeat(lid_part[up], 4)])
    below = np.column_stack([floor.middles()[down], apart * floor_part[down]])
    distance = cKDTree(above).query(below)[0]
    lidded = np.isin(floor_part[down], lid_part[up])
    np.fmax.at(deepest, floor_part[down][lidded], distance[lidded] * floor.voxel_um)
    return deepest


def _faces_touched(part: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """How many of the block's six faces each cavity touches."""
    faces = np.zeros(count + 1, np.int64)
    for axis in range(3):
        for place in (0, -1):
            faces[np.unique(np.take(part, place, axis=axis))] += 1
    return faces


def cavity_measures(simulation: Simulation, least_um2: float | None = None) -> dict[str, float]:
    """Symbol -> value of the four measures; sizes are NaN where no cavity is open.

    Args:
        simulation: on any day.
        least_um2: eroded surface of the smallest cavity that counts; None: one osteoclast's territory.

    Raises:
        InputError: there is no surface.
    """
    if least_um2 is None:
        least_um2 = float(np.pi) * simulation.config.cells.bmu.territory_radius_um**2
    tissue = simulation.tissue
    volume_mm3 = tissue.measured_voxels * (tissue.voxel_um / 1000.0) ** 3
    found = [c for c in open_cavities(simulation) if c.area_um2 * 2.0**c.faces >= least_um2]
    if not found:
        return {"N.Cv/TV": 0.0, **dict.fromkeys(("Cv.De", "Cv.S", "Cv.V"), float("nan"))}
    share = np.array([0.5**c.faces for c in found])
    deepest = np.array([c.deepest_um for c in found])
    lidded = np.isfinite(deepest)
    number = float(share.sum())
    return {
        "N.Cv/TV": number / volume_mm3,
        "Cv.De": float(np.average(deepest[lidded], weights=share[lidded]))
        if lidded.any()
        else float("nan"),
        "Cv.S": sum(c.area_um2 for c in found) / number,
        "Cv.V": sum(c.volume_um3 for c in found) / number,
    }
