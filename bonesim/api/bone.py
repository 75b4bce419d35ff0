"""The bone to simulate: grown, scanned, or an array that is at hand."""

from numpy.typing import ArrayLike

from bonesim import specimens
from bonesim.api.inputs import as_quanta, as_voxel_um
from bonesim.errors import InputError
from bonesim.specimens import SpecimenParameters
from bonesim.specimens.scan import COARSEST_UM, FINEST_UM
from bonesim.specimens.specimen import Specimen, cleaned

__all__ = ["make_specimen"]


def make_specimen(
    bone: SpecimenParameters | ArrayLike,
    voxel_um: float | None = None,
    *,
    threshold: float | None = None,
    quanta: bool = False,
) -> Specimen:
    """A specimen to simulate: its largest piece of bone, without closed cavities of marrow.

    Args:
        bone: `config.specimen`, or an array (z, y, x): a mask (bool, 0 and 1, 0 and 255), grey values
            with a `threshold`, or uint8 with `quanta=True` (bone of each voxel in 1/255).
        voxel_um: edge of a voxel of the array, um.
        threshold: grey value at and above which a voxel of the array is bone.
        quanta: the array is uint8 quanta.

    Raises:
        InputError: parameters, an image or an array that cannot give a specimen.
        CorruptFileError: the image file is damaged. ResourceError: it cannot be fetched.
    """
    if isinstance(bone, SpecimenParameters):
        if voxel_um is not None or threshold is not None or quanta:
            raise InputError(
                "`voxel_um`, `threshold` and `quanta` are for arrays; put them into the parameters"
            )
        return specimens.make_specimen(bone)
    size = as_voxel_um(voxel_um)
    if not FINEST_UM <= size <= COARSEST_UM:
        raise InputError(
            f"got {size:g}; bone is simulated at {FINEST_UM:g} to {COARSEST_UM:g} um; resample the "
            "array first", parameter="voxel_um",
        )  # fmt: skip
    lattice, notes = cleaned(as_quanta(bone, size, threshold, quanta=quanta))
    voxels = " x ".join(map(str, lattice.shape[::-1]))
    return Specimen(lattice, size, f"array, {voxels} voxels (x, y, z) of {size:g} um", notes)
