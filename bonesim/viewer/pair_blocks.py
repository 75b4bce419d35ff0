"""The blocks of two arms: how they stand, and the surface of one coloured where the other has no bone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bonesim.storage.reader import Run
from bonesim.units import BONE
from bonesim.viewer.camera import photograph
from bonesim.viewer.markers import marked_breaks, richest_slab
from bonesim.viewer.print_size import TWO_COLUMNS_MM
from bonesim.viewer.scene import view_of_part
from bonesim.viewer.surface import RGB, Block, Box, bone_block, paint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Rows of a photograph; thickness of the slab drawn, mm.
HEIGHT_PX = 560
SLAB_MM = 1.6
#: Blocks in a row.
MAX_DAYS = 4
#: A line of text; of a row of blocks, what is printed above it and beside it; a block's highest, mm.
LINE_MM, ABOVE_MM, BESIDE_MM, MAX_BLOCK_MM = 3.6, 11.0, 8.0, 66.0
#: The share of a column that a block fills.
OF_COLUMN = 0.95
#: Under the surface of one bone, voxels: where the other is looked for. Less than a scalloped depth.
UNDER_VOXEL = 1.5
#: Bone in both: neither the cut faces' colour nor one of a side.
IN_BOTH = "#DADADA"


def shown_days(days: Sequence[int]) -> list[int]:
    """At most `MAX_DAYS`: the first, the last, and some between."""
    chosen = np.unique(np.rint(np.linspace(0, len(days) - 1, min(MAX_DAYS, len(days)))).astype(int))
    return [days[k] for k in chosen]


def grid_of(days: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of the blocks: A above B, or beside it if the days are few."""
    return (1, 2 * len(days)) if 2 * len(days) <= MAX_DAYS else (2, len(days))


def slab_of_pair(run: Run, days: Sequence[int]) -> Box:
    """The part of the lattice that is drawn: the slab with most breaks at the end."""
    last = shown_days(days)[-1]
    return richest_slab(marked_breaks(run, last), run.shape, run.voxel_um / 1000.0, SLAB_MM)


def blocks_height_mm(run: Run, days: Sequence[int]) -> float:
    """Of all rows of blocks with their text: as high as blocks are that fill their columns."""
    rows, columns = grid_of(shown_days(days))
    view = view_of_part(run, slab_of_pair(run, days))
    across = OF_COLUMN * (TWO_COLUMNS_MM - BESIDE_MM) / columns
    return rows * (min(across * view.height_mm / view.width_mm, MAX_BLOCK_MM) + ABOVE_MM) + LINE_MM


def painted(run: Run, other: Run, day: int, box: Box, colour: str, only: str) -> Block:
    """The bone of a day, coloured."""
    voxel_mm = run.voxel_um / 1000.0
    block = bone_block(run.quanta(day), voxel_mm, box)
    if colour == "surface_state":
        paint(block, run.image(day), "surface_state")
    elif colour == "difference":
        alone = lacking(block, run.quanta(day), other.quanta(day), voxel_mm)
        block.surface.point_data[RGB] = two_colours(alone, IN_BOTH, only)
    return block


def lacking(
    block: Block, own: NDArray[np.uint8], other: NDArray[np.uint8], voxel_mm: float
) -> NDArray[np.bool_]:
    """Points of a surface under which this bone is and another is not, `UNDER_VOXEL` deep.

    Where the bone is thinner than that, half a voxel under the surface.

    Args:
        block: of the one bone, in mm.
        own: its quanta, (nz, ny, nx).
        other: those of the other, in the same lattice.
        voxel_mm: edge of a voxel.
    """
    from scipy.ndimage import map_coordinates

    places = np.asarray(block.surface.points) / voxel_mm
    normals = np.asarray(block.surface.point_normals)

    def bone(quanta: NDArray[np.uint8], depth: float) -> NDArray[np.bool_]:
        # VTK's normals of a contour point to lower values: out of the bone.
        voxel = (places - depth * normals)[:, ::-1].T - 0.5
        found = map_coordinates(quanta.astype(np.float32), voxel, order=1, mode="nearest")
        return np.asarray(found >= BONE)

    deep, thin = (bone(own, depth) & ~bone(other, depth) for depth in (UNDER_VOXEL, 0.5))
    return np.asarray(np.where(bone(own, UNDER_VOXEL), deep, thin))


def two_colours(chosen: NDArray[np.bool_], rest: str, colour: str) -> NDArray[np.uint8]:
    """Red, green, blue of points: those chosen in `colour`."""
    from matplotlib.colors import to_rgb

    table = np.rint(255 * np.array([to_rgb(rest), to_rgb(colour)])).astype(np.uint8)
    return np.asarray(table[chosen.astype(int)])


def put_block(axis: "Axes", run: Run, block: Block, box: Box) -> None:
    """Draw a block; the axes are in mm from the lower left corner."""
    view = view_of_part(run, box)
    image = photograph(block, view, HEIGHT_PX)
    axis.imshow(image, extent=(0.0, view.width_mm, 0.0, view.height_mm), interpolation="bilinear")
    axis.set_axis_off()
