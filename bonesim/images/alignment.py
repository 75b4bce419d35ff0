"""A mask or region brought onto the grid of the image it belongs to, by what both headers state.

Places are compared in the body (LPS). If they do not agree there but do when each is read with its
numbers as they are, one of the two programs mixed up RAS and LPS, which is common and noted. What one
of the two headers has not (an NPY file has nothing but its size) cannot be compared, and is noted.
"""

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.images.geometry import Geometry, Grid
from bonesim.images.reading import Image

__all__ = ["onto_grid"]

#: Spacing and direction (sine of the angle) may differ by this share, the origin by this share of
#: the image's edge or half a voxel, whichever is less.
SAME_SHARE, SAME_VOXELS = 0.01, 0.5


def onto_grid(mask: Image, grid: Grid, what: str = "mask") -> tuple[NDArray[Any], list[str]]:
    """The values of a mask, axes and directions as the image's, and notes.

    Args:
        mask: as read.
        grid: of the image it belongs to.
        what: the mask is, for messages: "mask" or "region".

    Raises:
        InputError: another size, spacing, origin or direction; the message has both values. Values
            that are no numbers: whether they are inside is not known.
    """
    if mask.values.dtype.kind == "f" and not np.isfinite(mask.values).all():
        bad = mask.values.size - int(np.count_nonzero(np.isfinite(mask.values)))
        raise InputError(
            f"{mask.path}: {bad} of {mask.values.size} voxels of the {what} are NaN or infinite; give 0 "
            "outside and another number inside"
        )
    first = ""
    for place in grid.places:
        turn, problem = _match(mask.in_file, place)
        if turn is not None:
            return _turned(mask.values, turn), _not_compared(mask, place, what)
        turn, _ = _match(mask.in_file.in_own_frame(), place.in_own_frame())
        if turn is not None:
            note = (
                f"the {what} {mask.path.name} fits {grid.name} only with the numbers of both headers as "
                "they are, RAS and LPS mixed up; so it was taken"
            )
            return _turned(mask.values, turn), [note]
        first = first or problem
    raise InputError(f"{mask.path}: the {what} does not fit {grid.name}: {first}")


Turn = tuple[tuple[int, ...], tuple[bool, ...]]


def _turned(values: NDArray[Any], turn: Turn) -> NDArray[Any]:
    order, reverse = turn
    steps = tuple(slice(None, None, -1 if one else 1) for one in reverse)
    return values.transpose(order)[steps]


def _match(mask: Geometry, grid: Geometry) -> tuple[Turn | None, str]:
    """How the mask's axes are turned into the grid's, or what differs."""
    turn: Turn = ((0, 1, 2), (False, False, False))
    if mask.directions is not None and grid.directions is not None:
        turn, sine = _nearest_turn(mask.directions, grid.directions)
        if sine > SAME_SHARE:
            return (
                None,
                f"direction: axes differ by {np.degrees(np.arcsin(min(1.0, sine))):.1f} degrees",
            )
    new = mask.reordered(*turn)
    if new.shape != grid.shape:
        return (
            None,
            f"it has {_size(new.shape)} voxels (x, y, z), the image {_size(grid.shape)}; they must match",
        )
    if new.spacing_um is not None and grid.spacing_um is not None:
        for mine, other in zip(new.spacing_um, grid.spacing_um, strict=True):
            if not abs(mine - other) <= SAME_SHARE * abs(other):
                return None, (
                    f"spacing {_size(new.spacing_um)} um (x, y, z), the image {_size(grid.spacing_um)} um"
                )
    return _same_origin(new, grid, turn)


def _same_origin(new: Geometry, grid: Geometry, turn: Turn) -> tuple[Turn | None, str]:
    known = new.origin_um is not None and grid.origin_um is not None
    if not known or new.spacing_um is None or grid.spacing_um is None:
        return turn, ""
    axes = grid.directions if grid.directions is not None else np.eye(3)[::-1]
    away = np.abs(axes @ (np.array(new.origin_um) - np.array(grid.origin_um)))
    steps = np.array(grid.spacing_um)
    allowed = np.minimum(SAME_SHARE * steps * np.array(grid.shape), SAME_VOXELS * steps)
    if (away <= allowed).all():
        return turn, ""
    mine, other = (
        ", ".join(f"{value / 1000.0:g}" for value in place)
        for place in (new.origin_um or (), grid.origin_um or ())
    )
    return None, f"origin ({mine}) mm, the image ({other}) mm"


def _nearest_turn(mine: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[Turn, float]:
    """Order and reversal of my axes that bring them nearest to others, and the sine that is left."""
    cosines = other @ mine.T
    best = max(
        permutations(range(3)), key=lambda order: sum(abs(cosines[k, order[k]]) for k in range(3))
    )
    near = [float(cosines[k, best[k]]) for k in range(3)]
    sine = max(float(np.sqrt(max(0.0, 1.0 - value**2))) for value in near)
    return (best, (near[0] < 0, near[1] < 0, near[2] < 0)), sine


def _not_compared(mask: Image, grid: Geometry, what: str) -> list[str]:
    lacking = [
        name
        for name, one, two in (
            ("spacing", mask.in_file.spacing_um, grid.spacing_um),
            ("origin", mask.in_file.origin_um, grid.origin_um),
            ("direction", mask.in_file.directions, grid.directions),
        )
        if (one is None) != (two is None)
    ]
    if not lacking:
        return []
    return [
        f"{', '.join(lacking)} of the {what} {mask.path.name} could not be compared with the image's: one "
        "of the two has none"
    ]


def _size(values: tuple[float, ...]) -> str:
    return " x ".join(f"{value:g}" for value in values[::-1])
