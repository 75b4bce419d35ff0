"""The bone surface as triangles, from the quanta of one snapshot.

The surface is the 127.5-quanta contour between voxel centres (flying edges), after a Gaussian of less
than one voxel. It removes the voxel steps and does not move trabeculae. Cut faces are closed by flat
caps, a separate mesh, so that a picture can shade them differently.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.units import FULL
from bonesim.viewer import palette

if TYPE_CHECKING:
    import pyvista as pv

#: What the surface is coloured by. "events": pale bone, so that the marks carry the colour;
#: "none": bone without marks; "sed": strain energy density, see `strain_energy`.
ColourBy = Literal["bone", "mineral", "surface_state", "events", "sed", "none"]
COLOURS: tuple[ColourBy, ...] = ("bone", "mineral", "surface_state", "events", "sed", "none")
#: Between 127 (marrow) and 128 (bone).
CONTOUR_QUANTA = 127.5
#: Standard deviation of the Gaussian before contouring, voxels (a choice for the eye).
SMOOTH_VOXEL = 0.7
#: The same for exports: less, so that the volume within is the voxels' within 2 %.
EXPORT_SMOOTH_VOXEL = 0.4
#: Name of the red, green, blue array that carries the colours.
RGB = "rgb"

#: Voxel ranges [start, stop) along z, y, x.
Box = tuple[slice, slice, slice]


class Block(NamedTuple):
    """Triangles of one snapshot in mm: the bone surface, and the caps of its cut faces."""

    surface: "pv.PolyData"
    caps: "pv.PolyData"


def whole(shape: tuple[int, ...]) -> Box:
    """The box of an entire lattice of `shape` (nz, ny, nx)."""
    nz, ny, nx = shape
    return slice(0, nz), slice(0, ny), slice(0, nx)


def bone_block(
    quanta: NDArray[np.uint8], voxel_mm: float, box: Box | None = None, coarsen: int = 1
) -> Block:
    """Surface and caps of the bone within `box`.

    `quanta`: (nz, ny, nx), 0..255; `voxel_mm`: side of a voxel; `coarsen`: mean over cubes of
    so many voxels first (an overview of a large lattice). Places are mm in the whole lattice,
    voxel centre = (index + 0.5) voxel_mm.
    Raises InputError if the box holds no bone surface.
    """
    from scipy.ndimage import gaussian_filter

    box = box or whole(quanta.shape)
    field = np.asarray(quanta[box], dtype=np.float32)
    if coarsen > 1:
        field = _block_means(field, coarsen)
    smooth = gaussian_filter(field, SMOOTH_VOXEL, mode="nearest")
    start = [side.start * voxel_mm for side in box]
    grid = _centre_grid(smooth, voxel_mm * coarsen, start)
    surface = grid.contour(
        [CONTOUR_QUANTA], scalars="quanta", method="flying_edges", compute_normals=True
    )
    if surface.n_cells == 0:
        raise InputError(_no_surface(field))
    return Block(surface, _caps(grid))


def closed_surface(
    quanta: NDArray[np.uint8], voxel_mm: float, box: Box | None = None
) -> "pv.PolyData":
    """The bone within `box` as one surface without holes, closed at the cut faces; normals outward.

    `quanta`, `voxel_mm`, `box`: as for `bone_block`, as are places. The cut faces lie on the faces of
    the outermost voxels; their edges are bevelled by up to half a voxel.

    Raises:
        InputError: the box holds no bone surface.
    """
    from scipy.ndimage import gaussian_filter

    box = box or whole(quanta.shape)
    field = np.asarray(quanta[box], dtype=np.float32)
    smooth = np.pad(gaussian_filter(field, EXPORT_SMOOTH_VOXEL, mode="nearest"), 1)
    # Beyond a cut face as far below the contour as the bone is above: the surface is on the face.
    edge = np.ones(smooth.shape, bool)
    edge[1:-1, 1:-1, 1:-1] = False
    inside = np.pad(smooth[1:-1, 1:-1, 1:-1], 1, mode="edge")
    smooth = np.where(edge, np.minimum(2.0 * CONTOUR_QUANTA - inside, inside), smooth)
    start = [(side.start - 1) * voxel_mm for side in box]
    grid = _centre_grid(smooth.astype(np.float32), voxel_mm, start)
    surface = grid.contour(
        [CONTOUR_QUANTA], scalars="quanta", method="flying_edges", compute_normals=True
    )
    if surface.n_cells == 0:
        raise InputError(_no_surface(field))
    surface.clear_cell_data()
    surface.point_data.clear()
    return surface.compute_normals(auto_orient_normals=True, split_vertices=False)


def _no_surface(field: NDArray[np.float32]) -> str:
    return (
        f"no bone surface to draw: quanta {field.min():.0f} to {field.max():.0f}, "
        f"a surface lies at {CONTOUR_QUANTA}; is this lattice empty or all bone?"
    )


def _block_means(field: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """Means over n x n x n cubes; an incomplete last layer is left out."""
    nz, ny, nx = (size // n for size in field.shape)
    cubes = field[: nz * n, : ny * n, : nx * n].reshape(nz, n, ny, n, nx, n)
    return cubes.mean(axis=(1, 3, 5), dtype=np.float32)


def _centre_grid(
    field: NDArray[np.float32], voxel_mm: float, start_mm: list[float]
) -> "pv.ImageData":
    """VTK points at voxel centres carrying `field` (nz, ny, nx) as "quanta"."""
    import pyvista as pv

    origin = [start + voxel_mm / 2 for start in reversed(start_mm)]
    grid = pv.ImageData(dimensions=field.shape[::-1], spacing=(voxel_mm,) * 3, origin=origin)
    grid.point_data["quanta"] = field.ravel()
    return grid


def _caps(grid: "pv.ImageData") -> "pv.PolyData":
    """Flat polygons where bone meets the six faces of the grid; they share the contour's edge."""
    import pyvista as pv

    nx, ny, nz = (size - 1 for size in grid.dimensions)
    extents = [
        (0, 0, 0, ny, 0, nz), (nx, nx, 0, ny, 0, nz), (0, nx, 0, 0, 0, nz),
        (0, nx, ny, ny, 0, nz), (0, nx, 0, ny, 0, 0), (0, nx, 0, ny, nz, nz),
    ]  # fmt: skip
    caps = pv.PolyData()
    for extent in extents:
        face = grid.extract_subset(extent).extract_surface(algorithm="geometry")
        bone = face.clip_scalar(scalars="quanta", value=CONTOUR_QUANTA, invert=False)
        if bone.n_cells:
            caps = bone if caps.n_cells == 0 else caps.append_polydata(bone)
    return caps


def paint(block: Block, image: "pv.ImageData", colour: ColourBy) -> None:
    """Colour the surface by the voxels of `image`; adds the array `RGB` (uint8).

    Mineral is coloured per point, by the mean of the bone around the point just under the
    surface; surface states per triangle, by the state of the voxel it lies in. Plain colours
    add nothing. `image`: cell data over (nz, ny, nx) voxels, as `Run.image` gives it.
    """
    if colour == "mineral":
        paint_number(block, mineral_at(block.surface, image))
    elif colour == "surface_state":
        block.surface.cell_data[RGB] = _state_rgb(block.surface, image)


def cells_of(image: "pv.ImageData", name: str) -> NDArray[np.uint8]:
    """Cell array `name` of `image` as (nz, ny, nx). Raises InputError if it is not there."""
    if name not in image.cell_data:
        has = ", ".join(image.cell_data.keys())
        raise InputError(f"snapshot has no array {name!r}; it has: {has}")
    nx, ny, nz = (size - 1 for size in image.dimensions)
    return np.asarray(image.cell_data[name]).reshape(nz, ny, nx)


def _sample(array: NDArray[np.float32], place_voxel: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.ndimage import map_coordinates

    sampled: NDArray[np.float64] = map_coordinates(array, place_voxel, order=1, mode="nearest")
    return sampled


def _under_surface(
    points: NDArray[np.float64], outward: NDArray[np.float64], voxel_mm: float, depth: float
) -> NDArray[np.float64]:
    """Voxel coordinates (z, y, x rows; centre of voxel 0 = 0) `depth` voxels into bone."""
    inward = points - depth * voxel_mm * outward
    return np.asarray((inward / voxel_mm - 0.5).T[::-1])


def mineral_at(surface: "pv.PolyData", image: "pv.ImageData") -> NDArray[np.float64]:
    """Mineral as a share of full at each point, by `under_surface`."""
    bone = cells_of(image, "quanta").astype(np.float32)
    mineral = cells_of(image, "mineral").astype(np.float32) / np.float32(FULL)
    return under_surface(surface, bone, mineral, image.spacing[0])


def under_surface(
    surface: "pv.PolyData", bone: NDArray[np.float32], values: NDArray[np.float32], voxel_mm: float
) -> NDArray[np.float64]:
    """A number of bone at each point, half a voxel under the surface; 0 where there is no bone.

    Number x bone over bone: partial voxels and marrow do not dilute it.

    Args:
        surface: with normals; places as of `bone_block`.
        bone: bone of each voxel, (nz, ny, nx).
        values: the number in each voxel's bone.
        voxel_mm: edge of a voxel.
    """
    places = _under_surface(surface.points, surface.point_normals, voxel_mm, 0.5)
    weight = _sample(bone, places)
    return np.divide(
        _sample(values * bone, places), weight, out=np.zeros_like(weight), where=weight > 0
    )


def paint_number(
    block: Block, share: NDArray[np.float64], cut: NDArray[np.bool_] | None = None
) -> None:
    """Colour the surface by a number, as a share of the colour bar; cut points as cut faces.

    Args:
        block: what is coloured; adds the array `RGB` (uint8).
        share: of each point, 0..1; what is beyond has the end's colour.
        cut: points that lie on no biological surface.
    """
    from matplotlib.colors import to_rgb

    rgb = _rgb(share)
    if cut is not None:
        rgb[cut] = np.rint(255 * np.array(to_rgb(palette.CUT_FACE)))
    block.surface.point_data[RGB] = rgb


def _rgb(share: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Colours of `palette.NUMBER_MAP`."""
    from matplotlib import colormaps

    return np.asarray(255 * colormaps[palette.NUMBER_MAP](share)[:, :3], dtype=np.uint8)


def _state_rgb(surface: "pv.PolyData", image: "pv.ImageData") -> NDArray[np.uint8]:
    """State of the voxel just inside or, failing that, just outside; else quiescent."""
    from matplotlib.colors import to_rgb

    state = cells_of(image, "surface_state")
    centres = np.asarray(surface.cell_centers().points)
    normals = np.asarray(surface.cell_normals)
    code = np.full(len(centres), palette.SURFACE_STATES[0])
    for depth in (-0.5, 0.5):
        voxel = np.rint(_under_surface(centres, normals, image.spacing[0], depth)).astype(np.int64)
        voxel = np.clip(voxel, 0, np.array(state.shape)[:, None] - 1)
        found = state[tuple(voxel)]
        code = np.where(found > palette.SURFACE_STATES[0], found, code)
    table = np.array([to_rgb(colour) for _, colour in palette.STATES.values()])
    return np.asarray(255 * table[code], dtype=np.uint8)
