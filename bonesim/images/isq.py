"""Scanco ISQ: a reconstructed micro-CT volume, 16-bit, behind blocks of 512 bytes of header.

Voxels are kept as stored (attenuation times `mu_scaling`), as other programs show them; the file's
calibration leads from them to mgHA/cm3.
"""

import struct
from pathlib import Path
from typing import BinaryIO

from bonesim.errors import CorruptFileError, InputError
from bonesim.images.opening import opened, plain_size
from bonesim.images.scanco import (
    checked_size,
    density_equation,
    ends_there,
    mapped,
    text_of,
    vax_double,
)
from bonesim.images.stored import Stored

__all__ = ["read", "recognises"]

MAGIC = b"CTDATA-HEADER_V1"
_BLOCK = 512
#: `data_type` of a reconstructed volume; others are raw projections or radiographs.
_VOLUME = 3
#: Slice increments are whole um in the header, so they may differ from the true step by one.
_ROUNDED_UM = 1.1


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file begins as ISQ files do."""
    return head.startswith(MAGIC)


def read(path: Path) -> Stored:
    """Read an ISQ file; its voxels stay on disk until they are used.

    Raises:
        InputError: projections, a radiograph, or too many voxels.
        CorruptFileError: a header that contradicts itself or the length of the file.
    """
    length = plain_size(path)
    with opened(path) as file:
        head = file.read(_BLOCK)
        if len(head) < _BLOCK or not head.startswith(MAGIC):
            raise CorruptFileError(
                f"{path}: is no whole ISQ header ({len(head)} of {_BLOCK} bytes); the file is "
                "damaged, take another copy"
            )
        kind = struct.unpack_from("<i", head, 16)[0]
        dimensions = struct.unpack_from("<3i", head, 44)
        size_um = struct.unpack_from("<3i", head, 56)
        increment_um = struct.unpack_from("<i", head, 72)[0]
        mu_scaling = struct.unpack_from("<i", head, 88)[0]
        blocks = struct.unpack_from("<i", head, 508)[0]
        if kind != _VOLUME:
            raise InputError(
                f"{path}: holds Scanco data of type {kind}, not a reconstructed volume (type "
                f"{_VOLUME}); give the ISQ file of the reconstruction"
            )
        start = _checked_start(path, file, blocks, dimensions, length)
        file.seek(_BLOCK)
        head += file.read(start - _BLOCK)
    step_um = _step_um(path, dimensions, size_um, increment_um)
    density, note = _density(head, float(mu_scaling))
    values = mapped(path, "<i2", start, dimensions)
    return Stored(
        values,
        step_um,
        origin_um=(0.0, 0.0, 0.0),
        mg_per_cm3=density,
        notes=(note,) if note else (),
    )


def _checked_start(
    path: Path, file: BinaryIO, blocks: int, dimensions: tuple[int, ...], length: int
) -> int:
    """Where the voxels begin, bytes; the file has room for the header and for all of them."""
    voxels = checked_size(dimensions, path)
    start = _BLOCK * (blocks + 1)
    if blocks < 0 or not ends_there(file, start + 2 * voxels, length):
        size = " x ".join(map(str, dimensions))
        raise CorruptFileError(
            f"{path}: {size} voxels behind {blocks + 1} blocks of header take "
            f"{start + 2 * voxels} bytes, but the file has {length}; it is cut short or damaged, "
            "take another copy"
        )
    return start


def _step_um(
    path: Path, dimensions: tuple[int, ...], size_um: tuple[int, ...], increment_um: int
) -> tuple[float, float, float]:
    """Edges of a voxel along z, y, x, um: of the volume's edges, as the increment is rounded."""
    if min(size_um) < 1:
        raise CorruptFileError(
            f"{path}: the header has a volume of {size_um[0]} x {size_um[1]} x {size_um[2]} um; "
            "allowed are 1 um or more; the file is damaged, take another copy"
        )
    x, y, z = (
        float(f"{edge / count:.7g}") for edge, count in zip(size_um, dimensions, strict=True)
    )
    if increment_um > 0 and abs(increment_um - z) > max(_ROUNDED_UM, 0.01 * z):
        raise CorruptFileError(
            f"{path}: the header has slices of {increment_um} um, but {dimensions[2]} of them in "
            f"{size_um[2]} um; it contradicts itself, take another copy"
        )
    return z, y, x


def _density(head: bytes, mu_scaling: float) -> tuple[tuple[float, float] | None, str]:
    """The calibration in the extended header, if there is one.

    From block 1 on there is a table of four sections (name at byte 8, number of blocks at byte 24 of
    each 128); a first block "MultiHeader" comes before it. The section "Calibration" has the unit at
    byte 648, slope at 664 and intercept at 672.
    """
    if len(head) < 4 * _BLOCK:
        return None, ""
    table, block = _BLOCK, 2
    if head[table + 8 : table + 24].rstrip() == b"MultiHeader":
        table, block = 2 * _BLOCK, 3
    for entry in range(table, table + _BLOCK, 128):
        name = head[entry + 8 : entry + 24].rstrip()
        blocks = struct.unpack_from("<i", head, entry + 24)[0]
        section = head[block * _BLOCK : (block + blocks) * _BLOCK]
        if blocks < 0 or len(section) < blocks * _BLOCK:
            break
        if name == b"Calibration" and blocks >= 2:
            unit = text_of(section[648:664])
            slope, intercept = vax_double(section[664:672]), vax_double(section[672:680])
            return density_equation(slope, intercept, unit, mu_scaling)
        block += blocks
    return None, ""
