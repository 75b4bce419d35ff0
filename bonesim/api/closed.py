"""The closed lattice of each snapshot of a run: every open cavity's stock put back in a copy."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.closed import closed_lattice
from bonesim.specimens.bones import Bone, bones_of_run
from bonesim.storage.reader import Run


def closed_bones_of_run(run: Run) -> Iterator[Bone]:
    """The snapshots of a run as `bones_of_run` gives them, closed.

    Bone put back where none is left is as mineralised as the nearest that is there; in a voxel
    partly eroded, as the rest of it.

    Raises:
        InputError: no snapshot yet, or a file that does not have the stock of its cavities.
    """
    for bone in bones_of_run(run):
        if bone.stock is None:
            raise InputError(
                f"{run.path}: does not have the stock of its cavities (it is of an earlier version); "
                "run it again",
                parameter="closed",
            )
        closed = closed_lattice(bone.quanta, bone.stock)
        mineral = bone.mineral
        if mineral is not None:
            mineral = _mineral_put_back(bone.quanta, closed, mineral)
        yield bone._replace(quanta=closed, mineral=mineral, stock=None)


def _mineral_put_back(
    quanta: NDArray[np.uint8], closed: NDArray[np.uint8], mineral: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Mineral of the closed lattice: where no bone was left, that of the nearest bone."""
    from scipy.ndimage import distance_transform_edt

    new = (quanta == 0) & (closed > 0)
    if not new.any() or not quanta.any():
        return mineral
    nearest = distance_transform_edt(quanta == 0, return_distances=False, return_indices=True)
    filled = mineral.copy()
    filled[new] = mineral[tuple(place[new] for place in nearest)]
    return filled
