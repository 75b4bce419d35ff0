"""six_cubes.jpg: three real cubes and three synthetic ones, mixed, seen and drawn alike.

    python picture.py bonebox [out.jpg]

The real ones are segmented images of 50 um. So that the instrument does not give them away, a synthetic
bone is grown at 25 um, averaged to 50 um and cut at half, and then read as the real ones are.
"""

import sys
import tempfile
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pyvista as pv
import tifffile
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from bonesim.specimens import ScanParameters, Specimen, SyntheticParameters, grow, read_scan

HERE = Path(__file__).parent
#: In the order of the picture, row by row: a donor's file, or a preset and its seed.
SIX: tuple[str | tuple[str, int], ...] = (
    "67599_roi_84", ("young_vertebra", 1), "05751_roi_30",
    ("young_vertebra", 2), ("elderly_vertebra", 3), "67816_roi_95",
)  # fmt: skip
EDGE_MM = 3.2
#: Voxels of 50 um: the middle of a donor's cube.
CENTRE = (68, 132) * 3
PIXELS = 420
#: Of the letters, of the strip with the scale bar, pixels; the bar's length.
LETTER_PX, BELOW_PX, BAR_MM = 26, 44, 1.0


def read(path: Path, crop: tuple[int, ...] | None = None) -> Specimen:
    """A segmented image of 50 um, resampled to 20 um."""
    return read_scan(
        ScanParameters(
            path=str(path), voxel_um=50.0, threshold=127.5, crop_voxel=crop, resample_um=20.0
        )
    )


def as_scanned(preset: str, seed: int) -> Specimen:
    """A synthetic bone as a segmented image of 50 um shows it."""
    parameters = SyntheticParameters(
        preset=preset, seed=seed, size_mm=(EDGE_MM, EDGE_MM, EDGE_MM), voxel_um=25.0
    )
    fine = grow(parameters).quanta
    half = fine.shape[0] // 2
    coarse = fine.reshape(half, 2, half, 2, half, 2).mean(axis=(1, 3, 5))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seen.tif"
        tifffile.imwrite(path, np.where(coarse >= 127.5, 255, 0).astype(np.uint8))
        return read(path)


def surface(bone: Specimen) -> pv.PolyData:
    """Its surface, closed at the block's faces."""
    padded = np.pad(bone.quanta, 1).astype(np.float32)
    grid = pv.ImageData(dimensions=padded.shape[::-1], spacing=(bone.voxel_um,) * 3)
    grid["quanta"] = gaussian_filter(padded, 0.8).ravel()
    return grid.contour([127.5], scalars="quanta")


def labelled(six: Image.Image, pixels_per_mm: float) -> Image.Image:
    """The picture with a letter at each cube, and a scale bar below: all are drawn to one scale."""
    bold, plain = (
        ImageFont.truetype(findfont(FontProperties(weight=weight)), LETTER_PX)
        for weight in ("bold", "normal")
    )
    made = Image.new("RGB", (six.width, six.height + BELOW_PX), "white")
    made.paste(six)
    pen = ImageDraw.Draw(made)
    for place, letter in enumerate(ascii_lowercase[: len(SIX)]):
        pen.text((place % 3 * PIXELS + 6, place // 3 * PIXELS + 2), letter, "black", bold)
    middle, end = six.height + BELOW_PX // 2, 8 + round(BAR_MM * pixels_per_mm)
    pen.rectangle((8, middle - 3, end, middle + 3), fill="black")
    edge = f"{BAR_MM:g} mm; edge of each cube {EDGE_MM:g} mm"
    pen.text((end + 10, middle), edge, "black", plain, anchor="lm")
    return made


def main() -> None:
    """Draw the six."""
    folder = Path(sys.argv[1])
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else HERE / "six_cubes.jpg"
    plotter = pv.Plotter(
        shape=(2, 3), off_screen=True, window_size=(3 * PIXELS, 2 * PIXELS), border=False
    )
    for place, one in enumerate(SIX):
        plotter.subplot(place // 3, place % 3)
        bone = read(folder / f"{one}.nrrd", CENTRE) if isinstance(one, str) else as_scanned(*one)
        plotter.add_mesh(surface(bone), color="#e8dcc4", smooth_shading=True, specular=0.1)
        plotter.set_background("white")
        plotter.enable_parallel_projection()
        plotter.camera_position = "xz"
        plotter.camera.azimuth, plotter.camera.elevation = 30, 22
        plotter.reset_camera()
        plotter.camera.zoom(1.25)
    # Of a parallel projection: micrometres in the height of a view.
    height_mm = 2.0 * plotter.camera.parallel_scale / 1000.0
    seen = plotter.screenshot(return_img=True)
    labelled(Image.fromarray(seen), PIXELS / height_mm).save(out, quality=92)


if __name__ == "__main__":
    main()
