"""Sections through bodies whose perimeter, area and volume are known."""

import numpy as np
import pytest

from bonesim.errors import InputError
from bonesim.histology.sections import (
    PERIMETER_TO_SURFACE,
    sections_through,
    surface_of,
    widths_um,
)
from bonesim.histology.surface_state import of_triangles
from bonesim.units import BONE, FULL
from tests.morphometry.phantoms import ball, places, rod, sampled, slab, turned

VOXEL_UM = 20.0


def share(quanta: np.ndarray) -> np.ndarray:
    return (quanta / FULL).astype(np.float32)


def test_every_triangle_has_a_voxel_beneath_and_above() -> None:
    quanta = sampled(ball(turned(places(40), 20.0), 14.3))
    surface = surface_of(quanta, VOXEL_UM)
    flat = quanta.reshape(-1)
    assert (flat[surface.beneath] >= BONE).all()
    assert (flat[surface.above] < BONE).all()
    from_middle = surface.middles() - surface.middles().mean(axis=0)
    assert ((from_middle * surface.into).sum(axis=1) < 0.0).all()
    np.testing.assert_allclose(np.linalg.norm(surface.into, axis=1), 1.0)
    for end, way in ((surface.beneath, 1.0), (surface.above, -1.0)):
        away = np.stack(np.unravel_index(end, quanta.shape), axis=1) - surface.middles()
        assert np.abs(away - 0.9 * way * surface.into).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("radius", [1.5, 3.0, 6.0])
def test_a_territory_has_its_own_area(radius: float) -> None:
    """A disc of columns on a plane of any direction: the triangles that are its are its area."""
    shares = []
    for number in range(30):
        generator = np.random.default_rng(number)
        n = generator.normal(size=3)
        n /= np.linalg.norm(n)
        at = np.stack(np.meshgrid(*[np.arange(24.0)] * 3, indexing="ij"), axis=-1) - 12.0
        at += generator.uniform(-0.5, 0.5, 3)
        height = at @ n
        bone = np.round(FULL * np.clip(0.5 - height / np.abs(n).max(), 0, 1)).astype(np.uint8)
        aside = np.linalg.norm(at - height[..., None] * n, axis=-1)
        mine = (aside <= radius) & (bone > 0) & (height > -3.0)
        surface = surface_of(bone, VOXEL_UM)
        found = surface.area_um2[of_triangles(surface, mine.astype(int), 0) == 1].sum()
        shares.append(found / (np.pi * (radius * VOXEL_UM) ** 2))
    assert np.mean(shares) == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize("degree", [0.0, 20.0, 45.0])
def test_traces_add_up_to_area_times_sine(degree: float) -> None:
    """Of any body: a plane every d cuts, in the mean, area x sin(angle to the plane) / d."""
    quanta = sampled(rod(turned(places(60), degree), 15.0))
    surface = surface_of(quanta, VOXEL_UM)
    edges = surface.corners[:, 1:] - surface.corners[:, :1]
    normal = np.cross(edges[:, 0], edges[:, 1])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    step_um = 2.5 * VOXEL_UM
    cut = sections_through(surface, step_um, 0.5)
    sine = np.sqrt(1.0 - np.minimum(normal**2, 1.0)).sum(axis=1)
    expected = (surface.area_um2 * sine).sum() / step_um
    assert cut.trace_um(np.ones(len(sine))) == pytest.approx(expected, rel=0.03)


def test_a_rod_is_cut_in_circles_and_lines() -> None:
    surface = surface_of(sampled(rod(places(60), 15.0)), VOXEL_UM)
    cut = sections_through(surface, 200.0, 0.5)
    across_rod = sum(axis == 0 for axis, _ in cut.planes)
    along = [place for axis, place in cut.planes if axis != 0 and abs(place - 29.5) < 15.0]
    lines = 2 * 59 * VOXEL_UM * len(along)
    circles = 2.0 * np.pi * 15.0 * VOXEL_UM * across_rod
    assert cut.trace_um(np.ones(len(surface.beneath))) == pytest.approx(lines + circles, rel=0.01)


def test_surface_and_thickness_of_a_ball() -> None:
    """A ball is isotropic: factors must give back its surface, and its rind as a distance."""
    depth = ball(places(80), 30.2)
    quanta = sampled(depth)
    rind = share(quanta) - share(sampled(depth - 3.0))
    surface = surface_of(quanta, VOXEL_UM)
    cut = sections_through(surface, 100.0, 0.5)
    everywhere = np.ones(len(surface.beneath), np.bool_)
    per_volume = PERIMETER_TO_SURFACE * cut.trace_um(everywhere) / cut.section_um2() * 1000.0
    area_mm2 = 4.0 * np.pi * (30.2 * VOXEL_UM / 1000.0) ** 2
    assert per_volume == pytest.approx(area_mm2 / surface.volume_mm3, rel=0.02)
    assert surface.area_um2.sum() * 1e-6 == pytest.approx(area_mm2, rel=0.01)
    # Area over length would be less: the rind's inner surface is the smaller.
    triangles = np.arange(len(surface.beneath))
    widths = widths_um(rind, surface, triangles, surface.into)
    assert widths.mean() == pytest.approx(60.0, rel=0.01)
    assert widths.std() < 2.0
    assert cut.mean_width_um(rind, surface, everywhere) == pytest.approx(60.0, rel=0.03)
    assert np.isnan(cut.mean_width_um(rind, surface, ~everywhere))


def test_a_slab_upright_shows_its_own_thickness() -> None:
    """Cut at right angles nothing is oblique; a section is as large as its face of the box."""
    quanta = sampled(slab(places(40), 6.0))
    surface = surface_of(quanta, VOXEL_UM)
    cut = sections_through(surface, 150.0, 0.5)
    upright = sum(axis != 0 for axis, _ in cut.planes)
    trace = cut.trace_um(np.ones(len(surface.beneath)))
    assert trace == pytest.approx(2 * 39 * VOXEL_UM * upright, rel=1e-6)
    assert cut.section_um2() == pytest.approx(len(cut.planes) * (39 * VOXEL_UM) ** 2)
    # From either side the ray goes through all of it: 12 voxels are more than it sees.
    widths = widths_um(share(quanta), surface, np.arange(4), surface.into[:4])
    assert widths == pytest.approx(150.0, abs=VOXEL_UM)


def test_a_ray_ends_where_another_packet_begins() -> None:
    """Two packets, one on the other: each is as thick as itself."""
    quanta = sampled(slab(places(40), 8.0))
    wall = np.zeros(quanta.shape, np.float32)
    whose = np.zeros(quanta.shape, np.int32)
    top = int(np.flatnonzero(quanta[:, 20, 20] >= BONE)[0])
    wall[top : top + 5] = 1.0
    whose[top : top + 2], whose[top + 2 : top + 5] = 7, 3
    surface = surface_of(quanta, VOXEL_UM)
    upper = np.flatnonzero(surface.into[:, 0] > 0.9)
    assert widths_um(wall, surface, upper, surface.into[upper]) == pytest.approx(100.0, abs=4.0)
    own = widths_um(wall, surface, upper, surface.into[upper], whose)
    assert own == pytest.approx(40.0, abs=4.0)


def test_sections_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="spacing_um"):
        sections_through(surface_of(sampled(ball(places(12), 4.0)), VOXEL_UM), 800.0, 0.5)


def test_no_surface_has_no_trace() -> None:
    surface = surface_of(np.zeros((20, 20, 20), np.uint8), VOXEL_UM)
    cut = sections_through(surface, 100.0, 0.5)
    assert cut.trace_um(np.zeros(0)) == 0.0
