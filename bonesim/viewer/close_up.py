"""One hole in close-up: the plate before, at the hole's first day, after suppression and recovery.

All panels have one camera, along the plate's normal at the hole, and one scale of thickness. What
stands between the viewer and the plate is cut away.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    distance_transform_edt,
    gaussian_filter,
    generate_binary_structure,
    map_coordinates,
    maximum_filter,
)

from bonesim.morphometry.plate_hole import (
    Box,
    Hole,
    Plate,
    Sight,
    bone_along,
    depth_in,
    hole_box,
    hole_in,
    plate_in,
    points_of,
    resampled,
    sight_on,
)
from bonesim.morphometry.thickness import local_thickness
from bonesim.units import BONE, FULL
from bonesim.viewer import palette
from bonesim.viewer.camera import COLOUR_LOOK, View, photograph
from bonesim.viewer.moments import day_text
from bonesim.viewer.picture import Drawing
from bonesim.viewer.print_size import TWO_COLUMNS_MM, at_print_size, lettered, print_figure
from bonesim.viewer.scale_bar import scale_bar
from bonesim.viewer.surface import Block, bone_block, paint_number, under_surface

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Half the width of a panel; how deep behind the plate, and at most in front of it, is shown, um.
HALF_WIDTH_UM, BACK_UM, FRONT_UM = 500.0, 450.0, 300.0
#: Spheres of bone up to twice as thick are whole in the part that is measured.
THICK_UM = 400.0
#: Rows of each photograph; a panel, its text, and the bar of colours, mm.
HEIGHT_PX = 620
PANEL_MM, TEXT_MM, COLOURS_MM = 55.0, 30.0, 18.0
BAR_UM = 200.0
#: Rim of a hole: bone this near to it, um.
RIM_UM = 40.0
#: The ring is this much wider than the hole, um.
RING_ROOM_UM = 60.0
#: Column of the table -> its unit.
UNITS = {
    "panel": "", "day": "d", "name": "", "hole_width_um": "um", "hole_area_um2": "um2",
    "hole_volume_um3": "um3", "thickness_um": "um",
}  # fmt: skip
#: Red of perforations: it is in no colour of the map.
RING_COLOUR = palette.EVENTS["plate_perforation"].colour
#: A point of the surface is of a cut face if it lies this near to the cut, points of the grid.
CUT_STEPS = 0.8
#: The colour bar is chosen for bone this near to the ring, um.
SCALE_REACH_UM = 100.0
#: A voxel and its six nearest.
FACES = generate_binary_structure(3, 1)
#: Bone this near to the place decides from which side it is seen, um.
FACING_UM = 150.0
#: Radius of ambient occlusion, mm: about a plate's thickness.
OCCLUSION_MM = 0.12
#: Gaussian before the surface is drawn, voxels: less than in pictures of a whole block, since a hole
#: may be one voxel wide.
SMOOTH_VOXEL = 0.4


class Panel(NamedTuple):
    """A day to show, its name, and the bone (quanta, nz, ny, nx)."""

    day: int
    name: str
    quanta: NDArray[np.uint8]


class Seen(NamedTuple):
    """A panel as it is drawn: the block, and what is measured at the hole."""

    panel: Panel
    block: Block
    hole: Hole
    thickness_um: float


class Ring(NamedTuple):
    """A ring about the hole: its centre to the right of and above the sight's place, and its radius, um."""

    centre_um: tuple[float, float]
    radius_um: float

    @property
    def inner_um(self) -> float:
        """Radius that holds the hole and little more."""
        return self.radius_um - 0.67 * RING_ROOM_UM


class Near(NamedTuple):
    """The part of a lattice around a hole.

    Attributes:
        bone: quanta after a slight Gaussian.
        thickness_um: local thickness, 0 in marrow.
        voxel_um: edge of a voxel.
        sight: with its place in this part.
        whole: with its place in the lattice.
        edge_um: of the lattice along z, y, x.
    """

    bone: NDArray[np.float32]
    thickness_um: NDArray[np.float32]
    voxel_um: float
    sight: Sight
    whole: Sight
    edge_um: NDArray[np.float64]


class CloseUp(NamedTuple):
    """A hole with all that its picture needs.

    Attributes:
        sight: the camera's axes at the hole.
        box: what is drawn.
        seen: the panels.
        scale_um: thickness at the end of the colour bar.
        ring: about the hole.
    """

    sight: Sight
    box: Box
    seen: list[Seen]
    scale_um: float
    ring: Ring


def look_at(panels: list[Panel], place_um: NDArray[np.float64], voxel_um: float) -> CloseUp:
    """Find the camera, measure the hole on each day, and make the surfaces.

    Args:
        panels: in order of days; there is no hole on the first.
        place_um: (z, y, x) of the hole.
        voxel_um: edge of a voxel.

    Raises:
        InputError: no bone at the place on the first day.
    """
    sight, grid = sight_on(panels[0].quanta, voxel_um, place_um), hole_box(voxel_um)
    shapes = [bone_along(one.quanta, voxel_um, sight, grid) for one in panels]
    if _taken_from_behind(shapes, grid):
        sight, shapes = sight.turned(), [shape[::-1, :, ::-1] for shape in shapes]
    plate = plate_in(shapes[0], grid)
    holes = [hole_in(plate, shape) for shape in shapes]
    ring = _ring(holes, grid)
    box = Box(HALF_WIDTH_UM, BACK_UM, FRONT_UM, voxel_um / 2.0)
    free_um = _free_um(plate, shapes, ring)
    seen, shown = [], []
    for one, hole in zip(panels, holes, strict=True):
        near = _near(one.quanta, voxel_um, sight)
        left = _left_um(near, box, ring, free_um)
        block, thickness = _surface(near, box, left)
        cut = _at(block, left, box) < CUT_STEPS * box.spacing_um
        shown.append((block, thickness, cut))
        rim = _thickness_at(plate, near, hole.open, ring)
        seen.append(Seen(one, block, hole, rim))
    scale_um = _scale_um(shown, ring, box)
    for block, thickness, cut in shown:
        paint_number(block, thickness / scale_um, cut)
    return CloseUp(sight, box, seen, scale_um, ring)


def _scale_um(
    shown: list[tuple[Block, NDArray[np.float64], NDArray[np.bool_]]], ring: Ring, box: Box
) -> float:
    """The end of the colour bar: nearly all bone within sight of the hole is thinner."""
    found = []
    for block, thickness, cut in shown:
        at = np.asarray(block.surface.points)[:, :2] * 1000.0 - box.half_width_um
        away = np.linalg.norm(at - np.array(ring.centre_um), axis=1)
        found.append(thickness[~cut & (away <= ring.radius_um + SCALE_REACH_UM)])
    most = float(np.percentile(np.concatenate(found), 95)) if sum(map(len, found)) else 0.0
    return max(20.0 * float(np.ceil(most / 20.0)), 20.0)


def _taken_from_behind(shapes: list[NDArray[np.bool_]], grid: Box) -> bool:
    """Whether more bone goes behind the plate's middle than before it: the viewer faces the loss."""
    lost = shapes[0] & ~shapes[min(1, len(shapes) - 1)]
    near = _about((0.0, 0.0), grid) <= FACING_UM
    along = grid.along()[:, None, None]
    return bool((lost & near & (along < 0.0)).sum() > (lost & near & (along > 0.0)).sum())


def _about(centre_um: tuple[float, float], grid: Box) -> NDArray[np.float64]:
    """Distance of each column (up, right) from a place (right, up), um."""
    across = grid.across()
    return np.hypot(across[:, None] - centre_um[1], across[None, :] - centre_um[0])


def _ring(holes: list[Hole], grid: Box) -> Ring:
    """The ring about the hole where it is largest."""
    largest = max(holes, key=lambda hole: hole.area_um2)
    if not largest.open.any():
        return Ring((0.0, 0.0), RING_ROOM_UM)
    across = grid.across()
    up, right = (across[one] for one in np.nonzero(largest.open))
    centre = (float((right.min() + right.max()) / 2.0), float((up.min() + up.max()) / 2.0))
    reach = float(np.hypot(right - centre[0], up - centre[1]).max())
    return Ring(centre, min(reach + RING_ROOM_UM, 0.9 * HALF_WIDTH_UM))


def _free_um(plate: Plate, shapes: list[NDArray[np.bool_]], ring: Ring) -> float:
    """How far in front of the middle bone is left standing: none hides the hole on any day."""
    along, step = plate.box.along(), plate.box.spacing_um
    plated = (_about(ring.centre_um, plate.box) <= ring.inner_um) & ~np.isnan(plate.high_um)
    top = np.where(plated, plate.high_um, 0.0)
    above = plated & (along[:, None, None] > top + step)
    hiding = along[np.any([shape & above for shape in shapes], axis=0).any(axis=(1, 2))]
    free = float(hiding.min()) - step if hiding.size else FRONT_UM
    return min(max(free, float(top.max()) + 2.0 * step), FRONT_UM)


def _left_um(near: Near, box: Box, ring: Ring, free_um: float) -> NDArray[np.float64]:
    """How deep each point of a box lies in what is left standing, um; negative: it is cut away.

    In front of the hole bone is cut at `free_um`, from there on by a cone: a funnel to the hole.
    """
    beyond = np.maximum(_about(ring.centre_um, box) - ring.inner_um, 0.0)
    front = np.minimum(free_um + beyond, FRONT_UM) - box.along()[:, None, None]
    return np.minimum(front, depth_in(near.edge_um, points_of(near.whole, box)))


def _near(quanta: NDArray[np.uint8], voxel_um: float, sight: Sight) -> Near:
    """What is around the hole, far enough that spheres over what is drawn are whole."""
    reach = np.sqrt(2.0 * HALF_WIDTH_UM**2 + BACK_UM**2) + THICK_UM
    low = np.maximum(np.floor((sight.place_um - reach) / voxel_um).astype(np.int64), 0)
    high = np.ceil((sight.place_um + reach) / voxel_um).astype(np.int64)
    part = np.ascontiguousarray(quanta[tuple(map(slice, low, high))])
    return Near(
        gaussian_filter(part.astype(np.float32), SMOOTH_VOXEL, mode="nearest"),
        local_thickness(part >= BONE) * np.float32(voxel_um), voxel_um,
        sight._replace(place_um=sight.place_um - low * voxel_um), sight,
        np.array(quanta.shape) * voxel_um,
    )  # fmt: skip


def _surface(
    near: Near, box: Box, left_um: NDArray[np.float64]
) -> tuple[Block, NDArray[np.float64]]:
    """The surface in a box, in mm from its lower left back corner, and the thickness at its points."""
    places, spacing_mm = points_of(near.sight, box), box.spacing_um / 1000.0
    bone = resampled(near.bone, near.voxel_um, places)
    # Half full on the cut itself, so that the contour is there.
    standing = FULL * np.clip(left_um / box.spacing_um + 0.5, 0.0, 1.0)
    block = bone_block(np.rint(np.minimum(bone, standing)).astype(np.uint8), spacing_mm)
    weight, number = _evened(near.thickness_um)
    parts = [resampled(one, near.voxel_um, places) for one in (weight, number)]
    thickness = np.divide(parts[1], parts[0], out=np.zeros_like(bone), where=parts[0] > 1e-3)
    known = parts[0] * (parts[0] > 1e-3)
    return block, under_surface(block.surface, known, thickness, spacing_mm)


def _evened(thickness_um: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For the colours: weight, and weight x thickness, both after a Gaussian of one voxel.

    No sphere but its own covers a voxel that sticks out of a surface: it has its thickest neighbour's.
    """
    bone = thickness_um > 0.0
    most = np.where(bone, maximum_filter(thickness_um, footprint=FACES), np.float32(0.0))
    return gaussian_filter(bone.astype(np.float32), 1.0), gaussian_filter(most, 1.0)


def _at(block: Block, field: NDArray[np.float64], box: Box) -> NDArray[np.float64]:
    """A field of a box at the points of its surface."""
    points = np.asarray(block.surface.points, np.float64)[:, ::-1]
    at = (points * 1000.0 / box.spacing_um - 0.5).T
    return np.asarray(map_coordinates(field, at, order=1, mode="nearest"))


def _thickness_at(plate: Plate, near: Near, hole: NDArray[np.bool_], ring: Ring) -> float:
    """Mean local thickness of the plate's bone around the hole, or in the ring's middle if none, um."""
    grid = plate.box
    if hole.any():
        columns = np.asarray(distance_transform_edt(~hole)) * grid.spacing_um <= RIM_UM
    else:
        columns = _about(ring.centre_um, grid) <= RIM_UM
    along = grid.along()[:, None, None]
    inside = (along >= plate.low_um) & (along <= plate.high_um) & columns
    places = points_of(near.sight, grid)[inside]
    thickness = resampled(near.thickness_um, near.voxel_um, places, order=0)
    known = thickness[thickness > 0.0]
    return float(known.mean()) if known.size else float("nan")


@at_print_size
def draw(close_up: CloseUp, title: str) -> Drawing:
    """The figure, what is measured as CSV, and a description for those who do not see it."""
    count = len(close_up.seen)
    panel = min((TWO_COLUMNS_MM - COLOURS_MM) / count, PANEL_MM)
    figure = print_figure(max(panel * count + COLOURS_MM, 110.0), panel + TEXT_MM)
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    for letter, axis, one in zip("abcdefgh", axes, close_up.seen, strict=False):
        _draw_panel(axis, close_up, one)
        lettered(axis, letter, f"{one.panel.name}\n{day_text(one.panel.day)}\n{_at_hole(one)}")
    scale_bar(axes[0], BAR_UM, f"{BAR_UM:g} um", size=7.0)
    _colour_bar(figure, axes, close_up.scale_um)
    _legend(figure)
    figure.suptitle(title)
    found = table(close_up)
    return Drawing(figure, {".csv": found.to_csv(index=False)}, description(close_up, title))


def single(close_up: CloseUp, title: str, side_inch: float) -> "Figure":
    """The first panel alone in a square, with ring, scales and title."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"font.size": 9.0}):
        figure = Figure((side_inch, side_inch), layout="constrained", facecolor=palette.BACKGROUND)
        FigureCanvasAgg(figure)
        axis, one = figure.subplots(), close_up.seen[0]
        _draw_panel(axis, close_up, one)
        axis.set_title(f"{day_text(one.panel.day)}\n{_at_hole(one)}", fontsize=9.5, loc="left")
        scale_bar(axis, BAR_UM, f"{BAR_UM:g} um")
        _colour_bar(figure, [axis], close_up.scale_um)
        _legend(figure, columns=1)
        figure.suptitle(title, fontsize=9)
    return figure


def table(close_up: CloseUp) -> "pd.DataFrame":
    """What is measured at the hole: one row for each panel."""
    import pandas as pd

    found = pd.DataFrame(
        {
            "panel": letter, "day": one.panel.day, "name": one.panel.name,
            "hole_width_um": one.hole.width_um, "hole_area_um2": one.hole.area_um2,
            "hole_volume_um3": one.hole.volume_um3, "thickness_um": one.thickness_um,
        }
        for letter, one in zip("abcdefgh", close_up.seen, strict=False)
    )  # fmt: skip
    found.attrs["units"] = UNITS
    return found


def description(close_up: CloseUp, title: str) -> str:
    """The picture in words."""
    width = 2.0 * close_up.box.half_width_um / 1000.0
    parts = [
        f"{letter}, {one.panel.name.lower()}, {day_text(one.panel.day)}: {_at_hole(one)}."
        for letter, one in zip("abcdefgh", close_up.seen, strict=False)
    ]
    return (
        f"{' '.join(title.split())}. The same {width:g} mm of bone in {len(parts)} panels, seen along the "
        f"plate's normal, coloured by local thickness from 0 to {close_up.scale_um:g} um; a ring marks the "
        f"place of the hole. {' '.join(parts)}"
    )


def _at_hole(one: Seen) -> str:
    """What is at the hole, for the panel's title."""
    thick = f"{one.thickness_um:.0f} um" if np.isfinite(one.thickness_um) else "not measured"
    if one.hole.width_um > 0.0:
        return f"hole {one.hole.width_um:.0f} um wide, rim {thick}"
    return f"no hole, plate {thick} there"


def _draw_panel(axis: "Axes", close_up: CloseUp, one: Seen) -> None:
    """One photograph with the ring."""
    from matplotlib.patches import Circle

    box = close_up.box
    view = view_of_box(box)
    image = photograph(one.block, view, HEIGHT_PX, OCCLUSION_MM, COLOUR_LOOK)
    half = 1000.0 * view.width_mm / 2.0
    axis.imshow(image, extent=(-half, half, -half, half), interpolation="antialiased")
    open_now = one.hole.width_um > 0.0
    for colour, width in ((palette.BACKGROUND, 3.6), (RING_COLOUR, 1.8)):
        axis.add_patch(
            Circle(
                close_up.ring.centre_um, close_up.ring.radius_um, fill=False, edgecolor=colour,
                linewidth=width, linestyle="-" if open_now else (0, (3, 2)),
            )
        )  # fmt: skip
    axis.set_axis_off()


def view_of_box(box: Box) -> View:
    """The camera straight onto a box whose corner is the origin; the picture ends at its points."""
    sides = np.array([len(box.across()), len(box.across()), len(box.along())]) * box.spacing_um
    width, height, depth = (sides - box.spacing_um) / 1000.0
    axes = np.eye(3)
    return View(axes[0], axes[1], -axes[2], sides / 2000.0, width, height, depth)


def _colour_bar(figure: "Figure", axes: list["Axes"], scale_um: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = figure.colorbar(
        ScalarMappable(Normalize(0.0, scale_um), palette.NUMBER_MAP), ax=axes, shrink=0.8,
        aspect=22, pad=0.01, extend="max",
    )  # fmt: skip
    bar.set_label("local thickness, largest sphere (um)")


def _legend(figure: "Figure", columns: int = 2) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], linestyle="none", marker="o", markersize=9, color=RING_COLOUR,
               markerfacecolor="none", markeredgewidth=1.8, label="the hole (dashed: not open)"),
        Patch(color=palette.CUT_FACE, label="cut face: bone removed for the view, or the block's edge"),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)
