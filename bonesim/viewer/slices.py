"""Three slices through a lattice with a scale bar: of a scan in grey, of a run in its colour modes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.viewer import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The place that is the middle of the lattice.
MIDDLE = "middle"
#: Lengths of a scale bar, mm.
BARS_MM = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
#: Longest scale bar, as a share of the narrowest plane.
BAR_SHARE = 0.3


class Plane(NamedTuple):
    """One slice: its pixels, at which voxel of which axis it lies, and how it is turned.

    Attributes:
        pixels: (down, across), for the slice across z y and x, else z and x or y.
        name: the axis that it is across.
        voxel: where along that axis.
        across, down: names of its own axes.
        origin: as of Matplotlib's `imshow`; z is upwards, as the body stands.
        lines: pixels (across, down) where the other two slices lie.
    """

    pixels: NDArray[Any]
    name: str
    voxel: int
    across: str
    down: str
    origin: str
    lines: tuple[int, int]


def planes_at(values: NDArray[Any], place: Sequence[int]) -> list[Plane]:
    """The slices across z, y and x of `values` (nz, ny, nx) through the voxel `place` (z, y, x)."""
    z, y, x = place
    return [
        Plane(values[z], "z", z, "x", "y", "upper", (x, y)),
        Plane(values[:, y], "y", y, "x", "z", "lower", (x, z)),
        Plane(values[:, :, x], "x", x, "y", "z", "lower", (y, z)),
    ]


def name_axes(axis: "Axes", plane: Plane) -> None:
    """No ticks; arrows name the axes."""
    axis.set_xticks([])
    axis.set_yticks([])
    axis.set_xlabel(f"{plane.across} \u2192")
    upwards = plane.origin == "lower"
    axis.set_ylabel(f"{plane.down} \u2192" if upwards else f"\u2190 {plane.down}")


def bar_length_mm(shape: Sequence[int], voxel_um: float) -> float:
    """A round length that fits into every slice of a lattice."""
    narrowest_mm = min(shape[1:]) * voxel_um / 1e3
    return max((bar for bar in BARS_MM if bar <= BAR_SHARE * narrowest_mm), default=BARS_MM[0])


def bar_below(axis: "Axes", pixel_mm: float, length_mm: float, size: float = 9.0) -> None:
    """A bar of a length below the slice on the right, where it covers nothing; text of `size` points."""
    from matplotlib.patches import Rectangle

    right, long = max(axis.get_xlim()), length_mm / pixel_mm
    below = axis.get_xaxis_transform()
    bar = Rectangle(
        (right - long, -0.05), long, 0.016, transform=below, facecolor=palette.INK, linewidth=0.0
    )
    bar.set_clip_on(False)
    axis.add_patch(bar)
    name = f"{length_mm:g} mm" if length_mm >= 0.1 else f"{1e3 * length_mm:g} um"
    axis.text(
        right - long / 2.0, -0.065, name, transform=below, ha="center", va="top", fontsize=size
    )


def place_of(
    text: str | Sequence[float], shape: tuple[int, ...], voxel_um: float
) -> tuple[int, int, int]:
    """The voxel (z, y, x) of a place: "middle", "x,y,z" in mm, or three numbers.

    Raises:
        InputError: no such text, or a place outside the lattice.
    """
    nz, ny, nx = shape
    if text == MIDDLE:
        return nz // 2, ny // 2, nx // 2
    lengths_mm = [n * voxel_um / 1e3 for n in (nx, ny, nz)]
    parts = text.split(",") if isinstance(text, str) else list(text)
    try:
        x, y, z = (float(part) for part in parts)
        if not all(0 <= one < end for one, end in zip((x, y, z), lengths_mm, strict=True)):
            raise ValueError
    except ValueError:
        ends = ", ".join(f"{end:g}" for end in lengths_mm)
        raise InputError(
            f'got {text!r}; give {MIDDLE}, or "x,y,z" in mm, from 0 to below {ends}',
            parameter="slices",
        ) from None
    per_mm = 1e3 / voxel_um
    k, j, i = (
        min(int(np.floor(one * per_mm + 1e-9)), n - 1)
        for one, n in zip((z, y, x), shape, strict=True)
    )
    return k, j, i
