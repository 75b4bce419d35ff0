"""Specimens: synthetic bone grown from a seed, or bone read from a micro-CT image."""

from bonesim.specimens.scan import Grey, ScanParameters, read_grey, read_scan, size_of_scan
from bonesim.specimens.specimen import Specimen
from bonesim.specimens.synthetic import SyntheticParameters, grow

__all__ = [
    "Grey",
    "ScanParameters",
    "Specimen",
    "SyntheticParameters",
    "grow",
    "make_specimen",
    "read_grey",
    "read_scan",
    "size_of_scan",
]


def make_specimen(parameters: SyntheticParameters | ScanParameters) -> Specimen:
    """The bone that the parameters describe.

    Raises:
        InputError: the parameters or the image they name cannot give a specimen.
        CorruptFileError: the image file is damaged.
    """
    if isinstance(parameters, SyntheticParameters):
        return grow(parameters)
    return read_scan(parameters)
