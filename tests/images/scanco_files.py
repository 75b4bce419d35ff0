"""Scanco ISQ and AIM files written from the published header layout; none is of a scanner."""

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOG = """!
! Processing Log
!
!-------------------------------------------------------------------------------
Created by                    ISQ_TO_AIM (IPL)
Orig-ISQ-Dim-p                     {nx}     {ny}     {nz}
!-------------------------------------------------------------------------------
Patient Name                  phantom
Mu_Scaling                    {mu_scaling}
Calib. default unit type      2 (Density)
Density: unit                 {unit}
Density: slope                {slope:.8e}
Density: intercept            {intercept:.8e}
HU: mu water                  0.24090
"""


def vax_f(value: float) -> bytes:
    """A VAX F float, from its definition: value = 0.1mmm... * 2^(exponent - 128)."""
    if value == 0:
        return bytes(4)
    fraction, exponent = math.frexp(abs(value))
    bits = round(fraction * 2**24)
    if bits == 2**24:
        bits, exponent = bits // 2, exponent + 1
    bits -= 2**23
    high = (0x8000 if value < 0 else 0) | ((exponent + 128) << 7) | (bits >> 16)
    return struct.pack("<HH", high, bits & 0xFFFF)


def vax_g(value: float) -> bytes:
    """A VAX G double, from its definition: 11 bits of exponent, biased by 1024."""
    if value == 0:
        return bytes(8)
    fraction, exponent = math.frexp(abs(value))
    bits = int(fraction * 2**53) - 2**52
    high = (0x8000 if value < 0 else 0) | ((exponent + 1024) << 4) | (bits >> 48)
    return struct.pack("<4H", high, *((bits >> shift) & 0xFFFF for shift in (32, 16, 0)))


def isq(
    values: NDArray[Any], um: tuple[float, float, float] = (20, 20, 20), *, mu_scaling: int = 4096,
    density: tuple[float, float, str] | None = (1603.55, -391.209, "mg HA/ccm"),
    multi: bool = False, kind: int = 3, pad: bool = False,
) -> bytes:  # fmt: skip
    """An ISQ file of values (z, y, x), 16-bit; um: edges of a voxel along x, y, z."""
    dimensions = values.shape[::-1]
    head = bytearray(512)
    head[:16] = b"CTDATA-HEADER_V1"
    blocks = 0 if density is None else 3 + 2 * multi
    data = values.astype("<i2").tobytes()
    length = 512 * (blocks + 1) + len(data)
    fields = [kind, length, -(-length // 512), 7, 4258, 0, 0, *dimensions]
    fields += [round(step * n) for step, n in zip(um, dimensions, strict=True)]
    fields += [int(um[2]), int(um[2]), 0, int(values.min()), int(values.max()), mu_scaling]
    struct.pack_into(f"<{len(fields)}i", head, 16, *fields)
    head[128:168] = b"phantom".ljust(40)
    struct.pack_into("<i", head, 508, blocks)
    extended = b"" if density is None else _extended(density, multi)
    assert len(extended) == 512 * blocks
    file = bytes(head) + extended + data
    return file + bytes(-len(file) % 512) if pad else file


def _extended(density: tuple[float, float, str], multi: bool) -> bytes:
    """The extended header: a table of sections, two blocks of the calibration.

    `multi`: behind a block of its own, and with one block of another section before it.
    """
    table = bytearray(512)
    sections = [(b"Mechanics", 1)] * multi + [(b"Calibration", 2)]
    for place, (name, blocks) in enumerate(sections):
        table[128 * place + 8 : 128 * place + 24] = name.ljust(16)
        struct.pack_into("<i", table, 128 * place + 24, blocks)
    section = bytearray(1024)
    section[28:92] = b"HR-pQCT phantom".ljust(64)
    section[648:664] = density[2].encode().ljust(16)
    section[664:672], section[672:680] = vax_g(density[0]), vax_g(density[1])
    section[688:696] = vax_g(0.2409)
    first = bytearray(512)
    first[8:24] = b"MultiHeader".ljust(16)
    return bytes(first if multi else b"") + bytes(table) + bytes(512 * multi) + bytes(section)


TYPES = {
    "char": 0x00010001, "short": 0x00020002, "float": 0x00040004, "ieee": 0x001A0004,
    "bits": 0x00060001, "binary": 0x00150001, "runs": 0x00080002,
}  # fmt: skip


def aim(
    values: NDArray[Any], um: tuple[float, float, float] = (20, 20, 20), *, version: int = 20,
    kind: str = "short", position: tuple[int, int, int] = (0, 0, 0), border: int = 0,
    mu_scaling: int = 4096, density: tuple[float, float, str] = (1603.55, -391.209, "mg HA/ccm"),
    pad: bool = False,
) -> bytes:  # fmt: skip
    """An AIM file of values (z, y, x); version 10, 11, 20 or 30; um: edges along x, y, z."""
    nx, ny, nz = values.shape[::-1]
    slope, intercept, unit = density
    log = LOG.format(
        nx=nx, ny=ny, nz=nz, mu_scaling=mu_scaling, slope=slope, intercept=intercept, unit=unit
    ).encode() + b"\0"  # fmt: skip
    wide = version == 30
    data = _coded(values, kind, border, 8 if wide else 4)
    size, edge, zero = (nx, ny, nz), (border,) * 3, (0, 0, 0)
    code = TYPES[kind]
    if wide:
        head = struct.pack("<4i", 0o30, 0, 0, code)
        for three in (position, size, edge, zero, zero, zero, zero):
            head += struct.pack("<3q", *three)
        head += struct.pack("<3q", *(round(step * 1e3) for step in um)) + struct.pack(
            "<4i", 0, 0, 0, 1
        )
        first = b"AIMDATA_V030   \0" + struct.pack("<5q", 40, len(head), len(log), len(data), 0)
    else:
        assoc = struct.pack("<5i", 0, 0, 0, 0, 1)
        steps = b"".join(vax_f(step / 1e3) for step in um)
        if version == 20:
            head = struct.pack("<6i", 0o20, 0, 0, 0, 0, code)
            for three in (position, size, edge, zero, zero, zero, zero):
                head += struct.pack("<3i", *three)
            head += steps + assoc
        else:
            head = struct.pack("<5i", 0, 0, 0, 0, code)
            for three in (size, edge, zero, position):
                head += struct.pack("<3i", *three)
            head += steps[:4] + assoc + (struct.pack("<i", 0o11) if version == 11 else b"")
        first = struct.pack("<5i", 20, len(head), len(log), len(data), 0)
    file = first + head + log + data
    return file + bytes(-len(file) % 512) if pad else file


def _coded(values: NDArray[Any], kind: str, border: int, word: int) -> bytes:
    """The voxels as they are stored; coded kinds leave the border out."""
    if kind in ("binary", "runs"):
        inner = values[tuple(slice(border, n - border) for n in values.shape)]
        flat = inner.ravel().astype(np.int8)
        coded = bytes(_binary(flat) if kind == "binary" else _runs(flat))
        return (len(coded) + word).to_bytes(word, "little") + coded
    if kind == "bits":
        return _packed(values)
    if kind == "float":
        return b"".join(vax_f(float(value)) for value in values.ravel())
    return values.astype({"char": "<i1", "short": "<i2", "ieee": "<f4"}[kind]).tobytes()


def _lengths(flat: NDArray[np.int8]) -> Iterator[tuple[int, int]]:
    start = 0
    for n in range(1, flat.size + 1):
        if n == flat.size or flat[n] != flat[start]:
            yield int(flat[start]), n - start
            start = n


def _binary(flat: NDArray[np.int8]) -> Iterator[int]:
    other = flat[flat != flat[0]]
    yield int(flat[0]) & 0xFF
    yield int(other[0]) & 0xFF if other.size else 0
    for _, length in _lengths(flat):
        while length > 254:
            yield 255
            length -= 254
        yield length


def _runs(flat: NDArray[np.int8]) -> Iterator[int]:
    for value, length in _lengths(flat):
        while length:
            part = min(length, 255)
            yield value & 0xFF
            yield part
            length -= part


def _packed(values: NDArray[Any]) -> bytes:
    nz, ny, nx = values.shape
    cx, cy, cz = (-(-n // 2) for n in (nx, ny, nz))
    packed = bytearray(cx * cy * cz + 1)
    for k, j, i in np.argwhere(values):
        packed[i // 2 + cx * (j // 2 + cy * (k // 2))] |= 1 << (k % 2 * 4 + j % 2 * 2 + i % 2)
    packed[-1] = int(values.max()) & 0xFF
    return bytes(packed)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
