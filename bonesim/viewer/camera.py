"""Camera and light: an image of a block of bone, to scale.

Parallel projection, so that one scale bar is valid for near and far. Depth is shown by ambient
occlusion (dark hollows) and by a key light from the upper left, not by hue.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.viewer import palette
from bonesim.viewer.surface import RGB, Block

if TYPE_CHECKING:
    import pyvista as pv

#: The viewer stands in front (y = 0), this far to the right and above, degrees.
AZIMUTH_DEGREES = 24.0
ELEVATION_DEGREES = 16.0
#: Where the viewer stands, by name: azimuth and elevation, degrees.
CAMERAS: dict[str, tuple[float, float]] = {
    "front": (0.0, 0.0), "right": (90.0, 0.0), "back": (180.0, 0.0), "left": (-90.0, 0.0),
    "top": (0.0, 90.0), "bottom": (0.0, -90.0),
}  # fmt: skip
#: Radius of ambient occlusion, mm: about a marrow space.
OCCLUSION_MM = 0.35
#: How bone answers light; and a surface whose colour is to be compared with a colour bar: less shade.
LOOK = {"ambient": 0.25, "diffuse": 0.85, "specular": 0.12, "specular_power": 12.0}
COLOUR_LOOK = {"ambient": 0.5, "diffuse": 0.55, "specular": 0.0, "specular_power": 1.0}
#: Cut faces: nearly flat, so that they have the legend's colour.
CAP_LOOK = {"ambient": 0.8, "diffuse": 0.25, "specular": 0.0, "specular_power": 1.0}
#: Images are drawn this many times too large and averaged down: smooth edges.
OVERSAMPLE = 2
#: White space around the block, as a share of its height.
MARGIN = 0.02


class View(NamedTuple):
    """A parallel camera: directions (x, y, z), the centre of view, and the size covered, mm."""

    right: NDArray[np.float64]
    up: NDArray[np.float64]
    forward: NDArray[np.float64]
    centre_mm: NDArray[np.float64]
    width_mm: float
    height_mm: float
    depth_mm: float


def choose_window() -> None:
    """Make VTK draw off-screen on Linux without a screen, before it fails with a warning."""
    if sys.platform.startswith("linux") and not has_screen():
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")


def has_screen() -> bool:
    """Whether a window can be opened: always outside Linux, on Linux when DISPLAY is set."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY"))


def camera_of(camera: str | Sequence[float] | None) -> tuple[float, float]:
    """Azimuth and elevation, degrees, of a camera: a name, "AZIMUTH,ELEVATION", or None.

    Raises:
        InputError: no such name or numbers.
    """
    if camera is None:
        return AZIMUTH_DEGREES, ELEVATION_DEGREES
    if isinstance(camera, str) and camera in CAMERAS:
        return CAMERAS[camera]
    parts = camera.split(",") if isinstance(camera, str) else list(camera)
    try:
        azimuth, elevation = (float(part) for part in parts)
        if not (abs(azimuth) <= 360.0 and abs(elevation) <= 90.0):
            raise ValueError
    except ValueError:
        raise InputError(
            f'got {camera!r}; give one of {", ".join(CAMERAS)}, or "azimuth,elevation" in degrees, '
            "-360 to 360 and -90 to 90", parameter="camera",
        ) from None  # fmt: skip
    return azimuth, elevation


def view_of(
    bounds_mm: NDArray[np.float64], azimuth_degrees: float = AZIMUTH_DEGREES,
    elevation_degrees: float = ELEVATION_DEGREES,
) -> View:  # fmt: skip
    """The camera that just covers a box.

    Args:
        bounds_mm: rows low, high; columns x, y, z.
        azimuth_degrees: of the viewer to the right of the front (y = 0).
        elevation_degrees: of the viewer above the horizon.
    """
    azimuth, elevation = np.radians([azimuth_degrees, elevation_degrees])
    forward = -np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            -np.cos(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ]
    )
    right = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    up = np.cross(right, forward)
    corners = np.array([[x, y, z] for x in bounds_mm[:, 0] for y in bounds_mm[:, 1]
                        for z in bounds_mm[:, 2]])  # fmt: skip
    centre = bounds_mm.mean(axis=0)
    width = 2.0 * np.abs((corners - centre) @ right).max()
    height = 2.0 * np.abs((corners - centre) @ up).max()
    depth = 2.0 * np.abs((corners - centre) @ forward).max()
    margin = 2.0 * MARGIN * height
    covered = (float(width + margin), float(height + margin), float(depth + margin))
    return View(right, up, forward, centre, *covered)


def on_image_mm(view: View, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where points (rows x, y, z) appear: rows (right, up) in mm from the lower left corner."""
    relative = points_mm - view.centre_mm
    across = np.stack([relative @ view.right, relative @ view.up], axis=1)
    return np.asarray(across + np.array([view.width_mm / 2, view.height_mm / 2]))


def photograph(
    block: Block, view: View, height_px: int, occlusion_mm: float = OCCLUSION_MM,
    look: Mapping[str, float] = LOOK,
) -> NDArray[np.uint8]:  # fmt: skip
    """Image (rows, columns, 3) of `block`, `height_px` rows; columns follow the view's shape.

    Args:
        block: what is drawn.
        view: the camera.
        height_px: rows.
        occlusion_mm: radius of ambient occlusion.
        look: how the surface answers light.
    """
    return next(photographs([(block, view)], height_px, occlusion_mm, look))


def photographs(
    shots: Iterable[tuple[Block, View]], height_px: int, occlusion_mm: float = OCCLUSION_MM,
    look: Mapping[str, float] = LOOK,
) -> Iterator[NDArray[np.uint8]]:  # fmt: skip
    """As `photograph`, of several blocks or from several sides; all views have one width and height."""
    import pyvista as pv

    choose_window()
    plotter, shown = None, None
    try:
        for block, view in shots:
            if plotter is None:
                rows = height_px * OVERSAMPLE
                columns = round(height_px * view.width_mm / view.height_mm) * OVERSAMPLE
                plotter = pv.Plotter(off_screen=True, window_size=[columns, rows], lighting="none")
                plotter.enable_ssao(radius=occlusion_mm, bias=0.01, kernel_size=128, blur=True)
            if block is not shown:
                for name in ("bone", "caps"):
                    plotter.remove_actor(name, render=False)
                add_block(plotter, block, look)
                shown = block
            plotter.remove_all_lights()
            light(plotter, view)
            aim(plotter, view)
            plotter.render()
            fine = np.asarray(plotter.screenshot(return_img=True), dtype=np.float32)
            coarse = fine.reshape(height_px, OVERSAMPLE, -1, OVERSAMPLE, 3).mean(axis=(1, 3))
            yield np.asarray(np.rint(coarse), dtype=np.uint8)
    finally:
        if plotter is not None:
            plotter.close()


def add_block(plotter: "pv.Plotter", block: Block, look: Mapping[str, float] = LOOK) -> None:
    """Put surface and caps on the plotter, as the actors "bone" and "caps"."""
    painted = RGB in block.surface.array_names
    plotter.add_mesh(
        block.surface, name="bone", color=None if painted else palette.BONE,
        scalars=RGB if painted else None, rgb=painted, smooth_shading=True,
        show_scalar_bar=False, reset_camera=False, **look,
    )  # fmt: skip
    if block.caps.n_cells:
        plotter.add_mesh(
            block.caps, name="caps", color=palette.CUT_FACE, reset_camera=False,
            scalars=None, show_scalar_bar=False, **CAP_LOOK,
        )  # fmt: skip
    plotter.set_background(palette.BACKGROUND)


def light(plotter: "pv.Plotter", view: View) -> None:
    """A key light from the upper left and a weaker one beside the viewer's right shoulder."""
    import pyvista as pv

    reach = 10.0 * view.height_mm
    for right, up, strength in ((-0.7, 0.9, 0.75), (0.8, 0.1, 0.35)):
        away = -view.forward + right * view.right + up * view.up
        plotter.add_light(
            pv.Light(
                position=tuple(view.centre_mm + reach * away),
                focal_point=tuple(view.centre_mm),
                intensity=strength,
                light_type="scene light",
            )
        )


def aim(plotter: "pv.Plotter", view: View) -> None:
    """Set the plotter's camera to `view`; call it after the meshes are added.

    The camera is as near as the projection allows: VTK's occlusion pass stores positions as 16-bit
    floats, and from far away their steps appear as stripes on the bone.
    """
    camera = plotter.camera
    camera.parallel_projection = True
    camera.focal_point = tuple(view.centre_mm)
    camera.position = tuple(view.centre_mm - view.depth_mm * view.forward)
    camera.up = tuple(view.up)
    camera.parallel_scale = view.height_mm / 2
    plotter.reset_camera_clipping_range()
