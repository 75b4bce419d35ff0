"""Specimens: synthetic bone grown from a seed, read from a micro-CT image, or published by others."""

from collections.abc import Callable

from bonesim.specimens.published import LibraryParameters, read_published, size_of_published
from bonesim.specimens.scan import (
    Grey,
    ScanParameters,
    ScanSize,
    read_grey,
    read_scan,
    size_of_scan,
)
from bonesim.specimens.specimen import Specimen
from bonesim.specimens.synthetic import SyntheticParameters, grow

__all__ = [
    "Grey",
    "LibraryParameters",
    "ScanParameters",
    "ScanSize",
    "Specimen",
    "SpecimenParameters",
    "SyntheticParameters",
    "grow",
    "make_specimen",
    "read_grey",
    "read_published",
    "read_scan",
    "size_of_published",
    "size_of_scan",
]

#: What a configuration has of its bone.
SpecimenParameters = SyntheticParameters | ScanParameters | LibraryParameters


def make_specimen(
    parameters: SpecimenParameters, note: Callable[[str], None] | None = None
) -> Specimen:
    """The bone that the parameters describe.

    Args:
        parameters: which.
        note: receives a line before a file is fetched.

    Raises:
        InputError: the parameters or the image they name cannot give a specimen.
        CorruptFileError: the image file is damaged. ResourceError: it cannot be fetched.
    """
    if isinstance(parameters, SyntheticParameters):
        return grow(parameters)
    if isinstance(parameters, LibraryParameters):
        return read_published(parameters, note)
    return read_scan(parameters)
