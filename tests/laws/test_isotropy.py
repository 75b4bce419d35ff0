"""Erosion and formation on a ball are the same per true area in every direction."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.cells.apposition import fill
from bonesim.cells.cavity import CavityTables, add_record
from bonesim.cells.erosion import Breakthrough, dig
from bonesim.cells.population import new_row
from bonesim.cells.site import FORMING, OSTEOCLAST
from bonesim.lattice.mineral import MineralParameters
from bonesim.lattice.surface import outward_area
from bonesim.lattice.tissue import Tissue
from bonesim.units import FULL
from tests.plain.layers import area_of_layer

SIZE, RADIUS = 77, 32.0
DEPTH_UM = 40.0
ALWAYS = Breakthrough(hole=1.0, cut=1.0)
#: The 26 directions of a cube's faces, edges and corners.
DIRECTIONS = [d for d in itertools.product((-1, 0, 1), repeat=3) if any(d)]


def ball() -> NDArray[np.uint8]:
    z, y, x = np.indices((SIZE,) * 3) - SIZE // 2
    distance = np.sqrt(z * z + y * y + x * x) - RADIUS
    return np.clip(np.round(127.5 - 255 * distance), 0, 255).astype(np.uint8)


def work_on(direction: tuple[int, ...]) -> tuple[float, float, float]:
    """Depth (um of true area) dug from a cap of the ball, and formed again, at equal orders.

    Beside them the area of its columns over the true one.

    The cap's true area, seen along the direction, is that of a circle: what lies within so far of
    the axis. Its rim is a small part of it.
    """
    tissue = Tissue(ball(), 20.0, MineralParameters(), 1)
    outward = np.array(direction) / np.linalg.norm(direction)
    inward = tuple(float(c) for c in -outward)
    tables = CavityTables()
    cavities = tables.columns
    site = int(new_row(cavities.sites))
    sites = cavities.sites
    centre = np.round(SIZE // 2 + RADIUS * outward).astype(int) + 1
    sites.voxel[site] = np.ravel_multi_index(tuple(centre), tissue.padded_shape)
    sites.nz[site], sites.ny[site], sites.nx[site] = inward
    sites.phase[site], sites.first[site] = OSTEOCLAST, -1
    across = RADIUS * np.sin(0.45)
    lattice = tissue.lattice
    bone = np.flatnonzero(lattice.quanta)
    place = np.stack(np.unravel_index(bone, tissue.padded_shape), axis=1) - 1 - SIZE // 2
    height = place @ outward
    from_axis = np.linalg.norm(place - height[:, None] * outward, axis=1)
    for voxel in bone[(from_axis <= across) & (height > 0)]:
        if outward_area(lattice, voxel, *inward) > 0:
            record = add_record(lattice, cavities, site, voxel, True)
            cavities.records.foot[record] = 1
    projected = np.pi * across**2
    sites.area_um2[site] = area_of_layer(lattice, cavities, site, 1.5 * DEPTH_UM)
    area = float(sites.area_um2[site]) / (projected * tissue.voxel_um**2)
    days = int(DEPTH_UM / 2.0)
    removed = sum(dig(lattice, cavities, site, 2.0, ALWAYS, 4, day) for day in range(days))
    sites.phase[site] = FORMING
    formed = sum(fill(lattice, cavities, site, 1.0, day) for day in range(days, 2 * days))
    per_um = projected * FULL / tissue.voxel_um
    return removed / per_um, formed / per_um, area


def test_depth_is_the_same_in_all_directions() -> None:
    depths = np.array([work_on(direction) for direction in DIRECTIONS])
    for column in depths.T:
        assert column.max() / column.min() < 1.10 / 0.95
        assert np.abs(column / column.mean() - 1).max() <= 0.10
    assert depths[:, 0].mean() == pytest.approx(DEPTH_UM, rel=0.1)
    assert depths[:, 1].mean() == pytest.approx(DEPTH_UM / 2, rel=0.1)
    assert depths[:, 2].mean() == pytest.approx(1.0, rel=0.1)
