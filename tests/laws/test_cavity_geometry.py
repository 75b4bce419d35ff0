"""One cavity has one area: depth and wall of the daily table are those of the geometry.

A BMU digs one cavity into a slab or a rod without strain and without breakthrough, and the cavity is
refilled. The table divides volume by the area that sites claimed. The geometry knows nothing of
claims: it compares three images of bone (whole, dug, refilled). Depth is, as in histology, the volume
removed over the area of the old surface that is gone; wall thickness is the volume formed over the
area of the new surface that has packet beneath it. Both areas are of scikit-image's triangles. Bone
one voxel beneath each, in the direction of digging, is the witness. (Along the surface's own normal
it would lie behind the upright wall of a cavity in a rod, and areas of rods read too large.)
The instrument is tested first, on ideal cavities: it is right within 4 % on slabs and rods of 400 um,
within 7 % on rods of 200 and 140 um, and reads areas of rods of 100 um, five voxels, up to 18 % too large.
"""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, map_coordinates
from skimage.measure import marching_cubes

from bonesim.cells.bmu import found
from bonesim.cells.bmu_parameters import FINISHING
from bonesim.cells.column import inward_normal
from bonesim.cells.population import new_row
from bonesim.cells.site import REVERSAL
from bonesim.cells.world import world_of
from bonesim.config.config import validated
from bonesim.engine.simulation import Simulation
from bonesim.histology.surface_state import owned_records
from bonesim.specimens.specimen import Specimen
from bonesim.units import BONE, FULL
from tests.morphometry.phantoms import places, sampled

Quanta, Floats = NDArray[np.uint8], NDArray[np.float64]
EDGE, VOXEL_UM = 60, 20.0
#: The witness is so far beneath a surface, voxels: less than any cavity is deep.
BENEATH = 1.0
#: Surface that is tilted more than this from the normal is not claimed, degrees.
TILT = 34.0
SHAPES = [(kind, um) for kind in ("slab", "rod") for um in (400, 200, 140, 100)]
#: Normal of the slab, or axis of the rod (z, y, x); one cavity for each.
DIRECTIONS = {
    "axial": [(1, 0, 0), (0, 1, 0)],
    "tilted": [(1, 1, 0), (1, 2, 3)],
}
#: In the heavy form every direction has so many.
MANY = 6


def frame(direction: tuple[int, ...], turn: float) -> Floats:
    """Rows: the direction, and two unit vectors across it, turned about it by `turn` radians."""
    d = np.array(direction, np.float64) / np.linalg.norm(direction)
    one = np.cross(d, np.eye(3)[np.argmin(np.abs(d))])
    one /= np.linalg.norm(one)
    other = np.cross(d, one)
    c, s = np.cos(turn), np.sin(turn)
    return np.array([d, c * one + s * other, c * other - s * one])


def depth_of(kind: str, um: float, along: Floats) -> Floats:
    """Depth below the surface, voxels, at coordinates (axis, out, across), shape (3, ...)."""
    half = um / 2.0 / VOXEL_UM
    return half - (np.abs(along[1]) if kind == "slab" else np.hypot(along[1], along[2]))


# -- the instrument: images of bone, and the direction in which each voxel was dug ---------------


def surface_without(surface_of: Quanta, beneath: Quanta, digging: Floats) -> float:
    """Area (um2) of one image's surface under which the other image lacks its bone.

    `digging` (3, nz, ny, nx) is a unit vector at every voxel. Where part of a voxel is lacking, so
    much of the triangle above it counts.
    """
    padded = np.pad(surface_of.astype(np.float32), 2, mode="symmetric")
    vertices, faces, _, _ = marching_cubes(padded, BONE - 0.5)
    corners = vertices[faces] - 2.0
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    middle = corners.mean(axis=1)
    inside = (middle > -0.5).all(axis=1) & (middle < np.array(surface_of.shape) - 0.5).all(axis=1)
    middle, area = middle[inside], area[inside] / 2.0 * VOXEL_UM**2
    nearest = np.clip(np.rint(middle).astype(int), 0, np.array(surface_of.shape) - 1)
    there = middle.T + BENEATH * digging[(slice(None), *nearest.T)]
    bone = surface_of >= BONE
    lacking = np.where(bone, 1.0 - beneath / np.maximum(surface_of, 1.0), 0.0)
    share, weight = (
        map_coordinates(image, there, order=1, mode="reflect")
        for image in (lacking, bone.astype(np.float64))
    )
    return float((area * np.clip(share / np.maximum(weight, 1e-9), 0.0, 1.0)).sum())


def volume_um3(more: Quanta, less: Quanta) -> float:
    return float((more.astype(np.int64) - less).sum() / FULL * VOXEL_UM**3)


@pytest.mark.parametrize("direction", [(1, 0, 0), (1, 2, 3)])
@pytest.mark.parametrize(("kind", "um"), SHAPES)
def test_the_instrument_on_ideal_cavities(kind: str, um: int, direction: tuple[int, ...]) -> None:
    """A box of 500 x 200 um, or what a rod has of it within its tilt, cut against the surface."""
    fine, edge, deep = 4, 36, 46.0 / VOXEL_UM
    half_long, half_wide, radius = 12.5, 5.0, um / 2.0 / VOXEL_UM
    arc = half_wide
    if kind == "rod":
        half_wide = min(half_wide, radius * np.sin(np.deg2rad(TILT)))
        arc = radius * np.arcsin(half_wide / radius)
    axes = frame(direction, 0.4)
    axes = axes[[1, 0, 2]] if kind == "slab" else axes
    along = np.einsum("ij,j...->i...", axes, places(edge * fine) / fine)
    level = np.sqrt(np.maximum(radius**2 - along[2] ** 2, 0.0)) if kind == "rod" else radius
    bone = depth_of(kind, um, along) > 0.0
    hollow = (np.abs(along[0]) < half_long) & (np.abs(along[2]) < half_wide)
    hollow &= along[1] > level - deep

    def coarse(image: NDArray[np.bool_]) -> Quanta:
        blocks = image.reshape(edge, fine, edge, fine, edge, fine)
        return np.round(FULL * blocks.mean(axis=(1, 3, 5))).astype(np.uint8)

    digging = np.broadcast_to(-axes[1][:, None, None, None], (3, edge, edge, edge))
    lost = surface_without(coarse(bone), coarse(bone & ~hollow), digging)
    expected = 4.0 * half_long * arc * VOXEL_UM**2
    within = {400: 0.04, 200: 0.07, 140: 0.07, 100: 0.18}[um] if kind == "rod" else 0.04
    assert lost == pytest.approx(expected, rel=within)


# -- one BMU ---------------------------------------------------------------------------------------


class Both(NamedTuple):
    """A BMU's depth and wall, the daily table's over the geometry's."""

    depth: float
    wall: float


def made(kind: str, um: int, direction: tuple[int, ...], seed: int) -> Simulation:
    """A slab or rod with one newborn BMU in its middle; no other is born and nothing is modelled."""
    config = validated(
        {"seed": seed, "schedule": {"burn_in_day": 0, "duration_day": 2000},
         "mechanics": {"interval_day": 0},
         "cells": {"bmu": {"origination_per_mm2_per_year": 0.0},
                   "modelling": {"start_per_mm2_per_year": 0.0},
                   "osteoclast": {"strain_stop": 0.0, "breakthrough_chance": 0.0},
                   "osteoblast": {"reversal_day": 1.0, "arrest_day": 2000.0}}},
        "test",
    )  # fmt: skip
    axes = frame(direction, 2.4 * seed)
    axes = axes[[1, 0, 2]] if kind == "slab" else axes
    along = np.einsum("ij,j...->i...", axes, places(EDGE))
    s = Simulation(config, Specimen(sampled(depth_of(kind, um, along)), VOXEL_UM, kind, ()))
    lattice, shape = s.tissue.lattice, s.tissue.padded_shape
    surface = np.flatnonzero(lattice.surface_slot >= 0)
    place = np.stack(np.unravel_index(surface, shape), axis=1) - 1 - (EDGE - 1) / 2.0
    away = np.linalg.norm(place - axes[1] * um / 2.0 / VOXEL_UM, axis=1)
    voxel = int(surface[np.argmin(away)])
    s.bmus.rows.make_room(8)
    bmus = s.bmus.rows.columns
    n = inward_normal(lattice, s.cavities.columns, voxel, s.bmus.numbers.normal_radius_voxel)
    depth = s.osteoclasts.depth(s.drive)
    world = world_of(s.tissue, s.signals.fields, s.cavities, s.run_seed, 1)
    found(world, bmus, new_row(bmus), voxel, n, s.bmus.numbers, depth)
    return s


def digging_of(s: Simulation) -> Floats:
    """The direction in which the nearest open site digs, at every voxel."""
    voxel, site, _ = owned_records(s)
    columns = s.cavities.sites.columns
    n = np.zeros((3, s.tissue.lattice.quanta.size))
    n[:, voxel] = [columns.nz[site], columns.ny[site], columns.nx[site]]
    n = np.stack([s.tissue.inner(one) for one in n])
    nearest = distance_transform_edt(
        (n == 0.0).all(axis=0), return_distances=False, return_indices=True
    )
    return np.asarray(n[(slice(None), *nearest)])


def one_cavity(kind: str, um: int, direction: tuple[int, ...], seed: int) -> Both:
    """Dig it whole while no team can come, then refill it whole."""
    s = made(kind, um, direction, seed)
    quanta = s.tissue.lattice.quanta
    whole = s.tissue.inner(quanta).copy()
    pool = s.precursors.pool.copy()
    collect = s.datacollector.collect
    s.datacollector.collect = lambda model: None  # type: ignore[method-assign]
    s.precursors.pool[:] = 0.0

    def still_dug() -> bool:
        sites = s.cavities.sites.columns
        waiting = sites.phase[sites.alive == 1] == REVERSAL
        return s.bmus.rows.columns.phase[0] != FINISHING or not waiting.all()

    while still_dug():
        s.step()
        assert s.day < 400
    dug, digging = s.tissue.inner(quanta).copy(), digging_of(s)
    s.precursors.pool[:] = pool
    while s.cavities.sites.columns.alive.any():
        s.step()
        assert s.day < 1500
    refilled = s.tissue.inner(quanta)
    collect(s)
    last = {name: float(column[-1]) for name, column in s.table().items()}
    per_area = 1000.0 / last["area_closed_mm2"]
    depth = volume_um3(whole, dug) / surface_without(whole, dug, digging)
    wall = volume_um3(refilled, dug) / surface_without(refilled, dug, digging)
    return Both(
        last["closed_eroded_mm3"] * per_area / depth, last["closed_formed_mm3"] * per_area / wall
    )


def held(kind: str, um: int, cavities: list[tuple[tuple[int, ...], int]]) -> None:
    """The mean ratio of these cavities lies in its band; what is printed has its standard error."""
    found_ = np.array([one_cavity(kind, um, direction, seed) for direction, seed in cavities])
    low, high = (0.90, 1.15) if kind == "rod" and um <= 140 else (0.94, 1.06)
    mean, error = found_.mean(axis=0), found_.std(axis=0, ddof=1) / np.sqrt(len(found_))
    text = " ".join(
        f"{name} {m:.3f} +/- {e:.3f}"
        for name, m, e in zip(("E.De", "W.Th"), mean, error, strict=True)
    )
    print(f"{kind} {um}: table over geometry {text}")
    assert ((mean >= low) & (mean <= high)).all(), f"{text}; allowed {low} to {high}"


@pytest.mark.parametrize("tilt", list(DIRECTIONS))
@pytest.mark.parametrize(("kind", "um"), SHAPES)
def test_the_table_is_the_geometry(kind: str, um: int, tilt: str) -> None:
    if (kind, um) == ("rod", 400):  # cavities there differ most: two are too few
        held(kind, um, [(d, seed) for d in DIRECTIONS[tilt] for seed in range(11, 11 + MANY)])
    else:
        held(kind, um, [(d, seed) for seed, d in enumerate(DIRECTIONS[tilt], 1)])


@pytest.mark.slow
@pytest.mark.parametrize("tilt", list(DIRECTIONS))
@pytest.mark.parametrize(("kind", "um"), SHAPES)
def test_the_table_is_the_geometry_of_many(kind: str, um: int, tilt: str) -> None:
    held(kind, um, [(d, seed) for d in DIRECTIONS[tilt] for seed in range(11, 11 + MANY)])
