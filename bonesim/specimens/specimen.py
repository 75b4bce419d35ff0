"""A piece of trabecular bone as a lattice of quanta, and the cleaning every specimen gets."""

from dataclasses import dataclass
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.kernel import kernel
from bonesim.lattice.sealed import sealed_marrow
from bonesim.units import BONE, FULL


@dataclass(frozen=True, repr=False)
class Specimen:
    """A starting bone.

    Attributes:
        quanta: uint8, shape (nz, ny, nx); the bone fraction of each voxel in 1/255; bone at 128
            or more; exactly one 26-connected component of bone.
        voxel_um: edge of the cubic voxels.
        origin: where it comes from, one line.
        notes: what was done to it, one line each, to be shown to the user.
    """

    quanta: NDArray[np.uint8]
    voxel_um: float
    origin: str
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse an array that is not quanta.

        Raises:
            InputError: another type or dimension, or a mask of 0 and 1.
        """
        quanta: Any = self.quanta
        if getattr(quanta, "dtype", None) != np.uint8 or quanta.ndim != 3:
            kind = f"{getattr(quanta, 'dtype', type(quanta).__name__)}"
            raise InputError(
                f"must be uint8 of shape (nz, ny, nx), 255 where all of a voxel is bone; got {kind}; "
                "make_specimen takes masks and grey values", parameter="quanta",
            )  # fmt: skip
        if quanta.size and quanta.max() == 1:
            raise InputError(
                "holds 0 and 1 alone: a mask; make_specimen takes it", parameter="quanta"
            )

    def __repr__(self) -> str:
        """One line: lattice, voxel size, BV/TV (partial volume included), origin."""
        nz, ny, nx = self.quanta.shape
        bvtv = 100.0 * self.quanta.mean(dtype=np.float64) / FULL if self.quanta.size else np.nan
        return (
            f"Specimen({nx} x {ny} x {nz} voxels of {self.voxel_um:g} um, "
            f"BV/TV {bvtv:.1f} %, {self.origin!r})"
        )


def cleaned(quanta: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The largest connected piece of bone alone, without closed marrow cavities inside it.

    Loose pieces (26-connected components of bone other than the largest) are dropped together
    with the partial voxels around them; partial voxels that touch the kept piece stay. Cavities
    of marrow that reach no face of the block (6-connected) do not exist in trabeculae in vivo at
    this scale (they are noise, or osteocyte lacunae and canals) and are filled.

    Args:
        quanta: uint8, shape (nz, ny, nx).

    Returns:
        A new array of the same shape, and one note for each kind of thing done (none if the
        bone was one piece already).

    Raises:
        InputError: no voxel is bone, or all are.
    """
    bone = quanta >= BONE
    if not bone.any():
        raise InputError(
            "specimen: no voxel is bone (0 of "
            f"{bone.size} have 128 quanta or more); lower the threshold or check the image"
        )
    if bone.all():
        raise InputError(
            f"specimen: all {bone.size} voxels are bone, so there is no marrow surface to "
            "remodel; raise the threshold or check the image"
        )
    kept, dropped_note = _largest_piece(bone)
    result: NDArray[np.uint8] = with_skin(quanta, kept)
    filled_note = _fill_cavities(result)
    return result, dropped_note + filled_note


@kernel
def with_skin(quanta: NDArray[np.uint8], kept: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Quanta of the kept voxels and of voxels below 128 quanta that touch them (26), else 0."""
    nz, ny, nx = quanta.shape
    result = np.where(kept, quanta, np.uint8(0))
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                if kept[k, j, i] or quanta[k, j, i] == 0 or quanta[k, j, i] >= BONE:
                    continue
                block = kept[max(k - 1, 0) : k + 2, max(j - 1, 0) : j + 2, max(i - 1, 0) : i + 2]
                if block.any():
                    result[k, j, i] = quanta[k, j, i]
    return result


def _largest_piece(bone: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """The largest 26-connected component (the first in memory order if equal), and a note."""
    labels, count = cc3d.connected_components(bone, connectivity=26, return_N=True)
    if count == 1:
        return bone, ()
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = labels == int(sizes.argmax())
    total = int(sizes.sum())
    loose = total - int(sizes.max())
    note = (
        f"dropped {count - 1} loose piece(s) of bone, {loose} voxels, "
        f"{100.0 * loose / total:.2g} % of the bone; kept the largest"
    )
    return kept, (note,)


def _fill_cavities(quanta: NDArray[np.uint8]) -> tuple[str, ...]:
    """Fill, in place, marrow that is sealed off from every face of the block; a note if any."""
    bone = quanta >= BONE
    closed, count = sealed_marrow(bone)
    if not count:
        return ()
    quanta[closed] = FULL
    share = 100.0 * np.count_nonzero(closed) / np.count_nonzero(bone)
    note = (
        f"filled {count} sealed marrow cavities, {np.count_nonzero(closed)} "
        f"voxels, {share:.2g} % of the bone"
    )
    return (note,)
