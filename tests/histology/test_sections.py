"""Sections through bodies whose perimeter, area and volume are known."""

import numpy as np
import pytest

from bonesim.errors import InputError
from bonesim.histology.sections import (
    PERIMETER_TO_SURFACE,
    WIDTH_TO_THICKNESS,
    box_volume_um3,
    sections_through,
    surface_above,
    surface_of,
)
from bonesim.units import BONE, FULL
from tests.morphometry.phantoms import ball, places, rod, sampled, slab, turned

VOXEL_UM = 20.0


def share(quanta: np.ndarray) -> np.ndarray:
    return (quanta / FULL).astype(np.float32)


def test_every_triangle_lies_between_a_bone_and_a_marrow_voxel() -> None:
    quanta = sampled(ball(turned(places(40), 20.0), 14.3))
    surface = surface_of(quanta, VOXEL_UM)
    flat = quanta.reshape(-1)
    assert (flat[surface.bone] >= BONE).all()
    assert (flat[surface.marrow] < BONE).all()
    for end in (surface.bone, surface.marrow):
        away = np.stack(np.unravel_index(end, quanta.shape), axis=1) - surface.middles()
        assert np.linalg.norm(away, axis=1).max() < 1.8


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
    assert cut.trace_um(np.ones(len(surface.bone))) == pytest.approx(lines + circles, rel=0.01)


def test_surface_and_thickness_of_a_ball() -> None:
    """A ball is isotropic: Parfitt's factors must give back its surface and its rind."""
    depth = ball(places(80), 30.2)
    quanta = sampled(depth)
    rind = share(quanta) - share(sampled(depth - 3.0))
    surface = surface_of(quanta, VOXEL_UM)
    cut = sections_through(surface, 100.0, 0.5)
    everywhere = np.ones(len(surface.bone))
    per_volume = PERIMETER_TO_SURFACE * cut.trace_um(everywhere) / cut.section_um2() * 1000.0
    area_mm2 = 4.0 * np.pi * (30.2 * VOXEL_UM / 1000.0) ** 2
    assert per_volume == pytest.approx(area_mm2 / surface.volume_mm3, rel=0.02)
    assert surface.area_um2.sum() * 1e-6 == pytest.approx(area_mm2, rel=0.01)
    thickness = WIDTH_TO_THICKNESS * cut.profile_um2(rind) / cut.trace_um(everywhere)
    true = box_volume_um3(rind, VOXEL_UM) / surface.area_um2.sum()
    assert true == pytest.approx(60.0 * (1 - 60.0 / 604.0 + (60.0 / 604.0) ** 2 / 3), rel=0.01)
    assert thickness == pytest.approx(true, rel=0.02)


def test_a_slab_upright_shows_its_own_thickness() -> None:
    """Cut at right angles nothing is oblique: the factor would be wrong, and is not applied."""
    quanta = sampled(slab(places(40), 6.0))
    surface = surface_of(quanta, VOXEL_UM)
    cut = sections_through(surface, 150.0, 0.5)
    upright = sum(axis != 0 for axis, _ in cut.planes)
    trace = cut.trace_um(np.ones(len(surface.bone)))
    assert trace == pytest.approx(2 * 39 * VOXEL_UM * upright, rel=1e-6)
    lying = cut.profile_um2(share(quanta)) - 12 * VOXEL_UM * trace / 2
    inside = [p for axis, p in cut.planes if axis == 0 and abs(p - 19.5) < 6]
    assert lying == pytest.approx(len(inside) * (39 * VOXEL_UM) ** 2, rel=0.01)


def test_the_box_is_what_lies_between_the_outermost_centres() -> None:
    full = np.ones((11, 13, 15), np.float32)
    assert box_volume_um3(full, 10.0) == pytest.approx(10 * 12 * 14 * 1000.0)


def test_a_wall_finds_its_own_side_of_a_plate() -> None:
    quanta = sampled(slab(places(30), 4.0))
    surface = surface_of(quanta, VOXEL_UM)
    # A voxel in the upper half, of a packet that was laid down from below.
    place = np.array([[16, 15, 15], [16, 15, 15]])
    normals = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    above = surface_above(quanta, surface, place, normals)
    assert surface.middles()[above][:, 0] == pytest.approx([10.5, 18.5], abs=0.1)


def test_sections_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="spacing_um"):
        sections_through(surface_of(sampled(ball(places(12), 4.0)), VOXEL_UM), 800.0, 0.5)


def test_no_surface_has_no_trace() -> None:
    surface = surface_of(np.zeros((20, 20, 20), np.uint8), VOXEL_UM)
    cut = sections_through(surface, 100.0, 0.5)
    assert cut.trace_um(np.zeros(0)) == 0.0
