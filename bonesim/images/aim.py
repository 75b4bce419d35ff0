"""Scanco AIM: grey values or masks with a processing log, versions 010 to 030 of the layout.

A pre-header lists the sizes of blocks: header, processing log, voxels, associated data. Numbers are
little-endian, floats are VAX F; version 030 has 64-bit sizes and voxel edges in nm.
"""

import math
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.images.opening import opened, plain_size
from bonesim.images.scanco import (
    checked_size,
    density_equation,
    ends_there,
    mapped,
    text_of,
    vax_float,
    vax_floats,
)
from bonesim.images.stored import Stored

__all__ = ["read", "recognises"]

MAGIC = b"AIMDATA_V030   \0"
_CHAR, _SHORT, _INT, _FLOAT = 0x00010001, 0x00020002, 0x00030004, 0x00040004
_UCHAR, _USHORT, _IEEE = 0x00160001, 0x00170002, 0x001A0004
_BITS, _BINARY_RUNS, _CHAR_RUNS = 0x00060001, 0x00150001, 0x00080002
#: Voxels stored one by one: type -> NumPy's.
_PLAIN = {
    _CHAR: "<i1", _UCHAR: "<u1", _SHORT: "<i2", _USHORT: "<u2", _INT: "<i4", _FLOAT: "<u4",
    _IEEE: "<f4",
}  # fmt: skip
#: Bytes of the header's block -> of the layout: 010, 011, 020, 030.
_LAYOUTS = (92, 96, 140, 224)
#: A processing log is a few kB; more is not read.
_LONGEST_LOG = 2**24
_LONG_RUN = 254


class _Head(NamedTuple):
    """The header's block: type and, along x, y, z, place, size, empty border (voxels), step (um)."""

    kind: int
    position: tuple[int, ...]
    dimensions: tuple[int, ...]
    border: tuple[int, ...]
    step_um: tuple[float, ...]


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file begins as AIM files do.

    Those before version 030 have no word for it, but two sizes that go together.
    """
    if head.startswith(MAGIC) or len(head) < 8:
        return head.startswith(MAGIC)
    first, size = struct.unpack_from("<2i", head)
    return first in (16, 20) and size in _LAYOUTS[:3]


def read(path: Path) -> Stored:
    """Read an AIM file; plain voxels stay on disk until they are used.

    Raises:
        InputError: a kind of voxels that is not known, or too many of them.
        CorruptFileError: a header that contradicts itself or the length of the file.
    """
    length = plain_size(path)
    with opened(path) as file:
        wide, blocks = _blocks(path, file, length)
        (start, size), log_place, voxels_place = blocks[0], blocks[1], blocks[2]
        head = _head(path, _part(file, start, size), wide)
        if not all(math.isfinite(step) and step > 0 for step in head.step_um):
            raise CorruptFileError(
                f"{path}: the header has voxels of {head.step_um} um; the file is damaged, take "
                "another copy"
            )
        raw_log = _part(file, log_place[0], min(log_place[1], _LONGEST_LOG))
        if sum(blocks[-1]) != length and raw_log and not _is_whole(raw_log):
            raise CorruptFileError(
                f"{path}: its processing log does not end where its voxels begin; the header is damaged, "
                "take another copy"
            )
        log = text_of(raw_log)
        values = _voxels(path, file, head, voxels_place, wide=wide)
    density, notes = _density(log, head.kind)
    x, y, z = (float(f"{step:.7g}") for step in head.step_um)
    origin = [place * step for place, step in zip(head.position, (x, y, z), strict=True)]
    return Stored(
        values, (z, y, x), origin_um=(origin[0], origin[1], origin[2]), mg_per_cm3=density,
        notes=notes,
    )  # fmt: skip


def _part(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)


def _is_whole(log: bytes) -> bool:
    """Whether a log is text up to its end: of a padded file the length alone does not show it."""
    text = log.rstrip(b"\0")
    ended = len(text) < len(log) or text.endswith((b"\n", b"\r"))
    return ended and all(byte >= 32 or byte in b"\t\n\r" for byte in text)


def _blocks(path: Path, file: BinaryIO, length: int) -> tuple[bool, list[tuple[int, int]]]:
    """Whether sizes are 64-bit, and start and size of each block; all of them are in the file."""
    head = file.read(64)
    wide = head.startswith(MAGIC)
    before, word, code = (len(MAGIC), 8, "q") if wide else (0, 4, "i")
    first = struct.unpack_from(f"<{code}", head, before)[0] if len(head) >= before + word else 0
    if first not in ((4 * word, 5 * word)) or len(head) < before + first:
        raise CorruptFileError(
            f"{path}: the pre-header of an AIM has {4 * word} or {5 * word} bytes, here {first}; the "
            "file is damaged, take another copy"
        )
    sizes = struct.unpack_from(f"<{first // word - 1}{code}", head, before + word)
    starts = [before + first + sum(sizes[:n]) for n in range(len(sizes))]
    if min(sizes) < 0 or not ends_there(file, starts[-1] + sizes[-1], length):
        raise CorruptFileError(
            f"{path}: its blocks take {starts[-1] + sizes[-1]} bytes, but the file has {length}; it "
            "is cut short or damaged, take another copy"
        )
    return wide, list(zip(starts, sizes, strict=True))


def _head(path: Path, block: bytes, wide: bool) -> _Head:
    """The header's block in any of its four layouts."""
    allowed = _LAYOUTS[3:] if wide else _LAYOUTS[:3]
    if len(block) not in allowed:
        raise CorruptFileError(
            f"{path}: the header of an AIM has {' or '.join(map(str, allowed))} bytes, here "
            f"{len(block)}; the file is damaged, take another copy"
        )
    if len(block) == 224:
        kind = struct.unpack_from("<i", block, 12)[0]
        numbers = struct.unpack_from("<9q", block, 16)
        nm = struct.unpack_from("<3q", block, 184)
        return _Head(kind, numbers[:3], numbers[3:6], numbers[6:], tuple(n / 1e3 for n in nm))
    if len(block) == 140:
        kind = struct.unpack_from("<i", block, 20)[0]
        numbers = struct.unpack_from("<9i", block, 24)
        mm = [vax_float(block[at : at + 4]) for at in (108, 112, 116)]
        return _Head(kind, numbers[:3], numbers[3:6], numbers[6:], tuple(1e3 * s for s in mm))
    kind = struct.unpack_from("<i", block, 16)[0]
    size, border, _, position = (struct.unpack_from("<3i", block, at) for at in (20, 32, 44, 56))
    edge_um = 1e3 * vax_float(block[68:72])
    return _Head(kind, position, size, border, (edge_um, edge_um, edge_um))


def _voxels(
    path: Path, file: BinaryIO, head: _Head, place: tuple[int, int], *, wide: bool
) -> NDArray[Any]:
    """The voxels (z, y, x), packed or run-length coded ones as int8."""
    count = checked_size(head.dimensions, path)
    start, size = place
    shape = head.dimensions[::-1]
    if head.kind in _PLAIN:
        kind = np.dtype(_PLAIN[head.kind])
        _check_block(path, size, count * kind.itemsize)
        values = mapped(path, kind.str, start, head.dimensions)
        return vax_floats(np.asarray(values)) if head.kind == _FLOAT else values
    if head.kind == _BITS:
        return _unpacked(path, _part(file, start, size), shape)
    if head.kind not in (_BINARY_RUNS, _CHAR_RUNS):
        raise InputError(
            f"{path}: AIM voxels of type 0x{head.kind & 0xFFFFFFFF:08x} cannot be read; convert the "
            "file to short, float or char first"
        )
    border = head.border[::-1]
    inner = tuple(n - 2 * b for n, b in zip(shape, border, strict=True))
    if min(border) < 0 or min(inner) < 1:
        raise CorruptFileError(
            f"{path}: a border of {head.border} voxels (x, y, z) leaves none of {head.dimensions}; "
            "the file is damaged, take another copy"
        )
    runs = _part(file, start, size)
    word = 8 if wide else 4
    stated = int.from_bytes(runs[:word], "little")
    _check_block(path, size, stated if size > word + 2 else word + 3)
    coded = np.frombuffer(runs, np.uint8, offset=word)
    each, lengths = (_binary if head.kind == _BINARY_RUNS else _chars)(coded)
    if int(lengths.sum(dtype=np.int64)) != math.prod(inner):
        raise CorruptFileError(
            f"{path}: its runs hold {int(lengths.sum(dtype=np.int64))} voxels instead of "
            f"{math.prod(inner)}; the file is damaged, take another copy"
        )
    found = np.repeat(each, lengths).view(np.int8).reshape(inner)
    return np.pad(found, [(b, b) for b in border]) if any(border) else found


def _check_block(path: Path, size: int, wanted: int) -> None:
    if size != wanted:
        raise CorruptFileError(
            f"{path}: its voxels take {wanted} bytes, but their block has {size}; the file is "
            "damaged, take another copy"
        )


def _binary(coded: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Values and lengths of runs of two values in turn; 255: 254 voxels, and no change after."""
    pair, codes = coded[:2], coded[2:]
    change = codes != 255
    turn = np.cumsum(change) - change
    return pair[turn & 1], np.minimum(codes, np.uint8(_LONG_RUN))


def _chars(coded: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Values and lengths of runs of any value."""
    whole = coded[: coded.size // 2 * 2]
    return whole[::2], whole[1::2]


def _unpacked(path: Path, packed: bytes, shape: tuple[int, ...]) -> NDArray[np.int8]:
    """Voxels of which a byte holds 2 x 2 x 2 (lowest bit first: x, y, z), and last their value."""
    cells = tuple((n + 1) // 2 for n in shape)
    _check_block(path, len(packed), math.prod(cells) + 1)
    bits = np.unpackbits(np.frombuffer(packed, np.uint8)[:-1, None], axis=1, bitorder="little")
    eight = bits.reshape(*cells, 2, 2, 2).transpose(0, 3, 1, 4, 2, 5)
    whole = eight.reshape(tuple(2 * n for n in cells))
    value = np.frombuffer(packed[-1:], np.int8)[0] or np.int8(127)
    return whole[tuple(slice(n) for n in shape)].view(np.int8) * value


def _density(log: str, kind: int) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """The calibration in the processing log; that of 16-bit voxels alone is that of the scan."""
    found: dict[str, str] = {}
    for line in log.splitlines():
        parts = re.split(r"\s{2,}", line.strip(), maxsplit=1)
        if len(parts) == 2 and not line.startswith("!"):
            found[parts[0]] = parts[1].strip()
    if kind not in (_SHORT, _USHORT) or "Density: slope" not in found:
        return None, ()
    slope, intercept, scaling = (
        _number(found.get(key, ""))
        for key in ("Density: slope", "Density: intercept", "Mu_Scaling")
    )
    equation, note = density_equation(slope, intercept, found.get("Density: unit", ""), scaling)
    return equation, (note,)


def _number(text: str) -> float:
    """The first number of a text, NaN if it is none."""
    try:
        return float(text.split()[0])
    except (ValueError, IndexError):
        return math.nan
