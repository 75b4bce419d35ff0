"""MetaImage: .mha, and .mhd with its data beside it.

Fields follow MetaIO's documentation. Lengths are mm, the format's convention (ITK), if there is an
ElementSpacing or ElementSize; DistanceUnits rules if it is given. Without either there is no voxel
size, though MetaIO assumes 1 mm. The world is LPS.
"""

import re
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.images.data_files import Place, last_bytes, packed_length, values_at
from bonesim.images.lengths import um_per
from bonesim.images.opening import opened, plain_neighbour, plain_size
from bonesim.images.stored import Stored, Three
from bonesim.images.volumes import Layout, layout_of

__all__ = ["read", "recognises"]

#: Bytes within which a header ends.
MAX_HEADER = 1 << 16
_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8", "MET_ASCII_CHAR": "i1",
}  # fmt: skip
_FIRST = re.compile(rb"\s*[A-Za-z]+\s*=")


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file begins as a MetaImage header."""
    return _FIRST.match(head) is not None and b"NDims" in head and b"DimSize" in head


def read(path: Path, *, index: int | None = None) -> Stored:
    """Read a volume.

    Args:
        path: of the header.
        index: which volume of a 4-D file.

    Raises:
        InputError: no 3-D grey volume, data in several files or outside the folder.
        CorruptFileError: cut, damaged, or longer than described.
    """
    fields, end = _header(path)
    shape = _numbers(path, fields, "DimSize", int, None)[::-1]
    count = _numbers(path, fields, "NDims", int, 1)[0]
    if len(shape) != count:
        raise CorruptFileError(
            f"{path}: has a damaged header (NDims {count}, DimSize {shape[::-1]})"
        )
    if _numbers(path, fields, "ElementNumberOfChannels", int, 1, [1])[0] != 1:
        raise InputError(
            f"{path}: is a colour image ({fields['ElementNumberOfChannels']} values per voxel); give "
            "a grey one"
        )
    layout = layout_of(path, shape, index)
    place = _place(path, fields, end)
    values = values_at(place, _dtype(path, fields, place, shape), layout)
    step, missing, directions, origin = _geometry(path, fields, len(shape), layout)
    slope = _numbers(path, fields, "ElementToIntensityFunctionSlope", float, 1, [1.0])[0]
    offset = _numbers(path, fields, "ElementToIntensityFunctionOffset", float, 1, [0.0])[0]
    return Stored(
        values, step_um=step, directions=directions, origin_um=origin, world="LPS",
        scale=slope or 1.0, offset=offset, missing=missing,
        notes=("MetaImage's first (fastest) axis is x, its last z", *last_bytes(place)),
    )  # fmt: skip


def _header(path: Path) -> tuple[dict[str, str], int]:
    """The fields, and the byte behind them."""
    with opened(path) as file:
        raw = file.read(MAX_HEADER)
    fields: dict[str, str] = {}
    place = 0
    while True:
        stop = raw.find(b"\n", place)
        line = raw[place : stop if stop >= 0 else None].decode("utf-8", "replace").strip()
        name, found, value = line.partition("=")
        place = stop + 1 if stop >= 0 else len(raw)
        if found:
            if name.strip() in fields and name.strip() != "Comment":
                raise CorruptFileError(
                    f"{path}: has the field {name.strip()[:40]} twice in its header"
                )
            fields[name.strip()] = value.strip()
        elif line:
            raise CorruptFileError(f"{path}: has a damaged header (line {line[:40]!r})")
        if name.strip() == "ElementDataFile":
            return fields, place
        if stop < 0:
            raise CorruptFileError(
                f"{path}: is cut or damaged: its header has no ElementDataFile; take another copy"
            )


def _numbers(
    path: Path, fields: Mapping[str, str], name: str, kind: type, count: int | None,
    default: list[Any] | None = None,
) -> list[Any]:  # fmt: skip
    """The numbers of a field."""
    if name not in fields and default is not None:
        return default
    words = fields.get(name, "").split()
    try:
        numbers = [kind(word) for word in words]
    except ValueError:
        numbers = []
    if not numbers or (count is not None and len(numbers) != count):
        raise CorruptFileError(
            f"{path}: has a damaged header ({name} = {fields.get(name, '')[:40]!r})"
        )
    return numbers


def _true(path: Path, fields: Mapping[str, str], *names: str) -> bool:
    for name in names:
        if name in fields:
            word = fields[name].lower()
            if word not in ("true", "false", "1", "0", "t", "f", "yes", "no"):
                raise CorruptFileError(f"{path}: has a damaged header ({name} = {word[:40]!r})")
            return word in ("true", "1", "t", "yes")
    return False


def _place(path: Path, fields: Mapping[str, str], end: int) -> Place:
    """Where the voxels are."""
    name = fields["ElementDataFile"]
    packed = _true(path, fields, "CompressedData")
    text = not _true(path, {"BinaryData": "True", **fields}, "BinaryData")
    coding = "zlib" if packed else "ascii" if text else "raw"
    size = None
    if packed and "CompressedDataSize" in fields:
        size = _numbers(path, fields, "CompressedDataSize", int, 1)[0] or None
    skip = _numbers(path, fields, "HeaderSize", int, 1, [0])[0]
    if name.upper() == "LOCAL":
        return Place(path, end, coding, 0, size)
    if name.upper().startswith("LIST") or "%" in name:
        raise InputError(
            f"{path}: its data are in several files ({name[:40]}); give the folder of slices, or save "
            "one file"
        )
    data = plain_neighbour(path, name)
    if skip < -1 or (skip == -1 and coding != "raw"):
        raise CorruptFileError(f"{path}: has a damaged header (HeaderSize = {skip})")
    return Place(data, skip, coding, 0, size)


def _dtype(
    path: Path, fields: Mapping[str, str], place: Place, shape: list[int]
) -> "np.dtype[Any]":
    """Type and byte order of the voxels.

    MET_LONG has four bytes in MetaIO, and had eight where programs of old wrote a C long: the
    length of the data decides.
    """
    name = fields.get("ElementType", "")
    if name not in _TYPES:
        raise InputError(
            f"{path}: holds voxels of type {name[:40] or '(none)'}; allowed are {', '.join(_TYPES)}"
        )
    code = _TYPES[name]
    if name in ("MET_LONG", "MET_ULONG") and place.coding in ("raw", "zlib"):
        if place.coding == "raw":
            length = plain_size(place.path) - max(0, place.start)
        else:
            length = packed_length(place, 8 * prod(shape))
        code = code[0] + ("8" if length == 8 * prod(shape) else "4")
    big = _true(path, fields, "BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    return np.dtype((">" if big else "<") + code)


def _geometry(
    path: Path, fields: Mapping[str, str], count: int, layout: Layout
) -> tuple[Three | None, str, NDArray[np.float64] | None, Three | None]:
    """Step, why there is none, directions and origin, of the volume's axes in memory order."""
    axes = [count - 1 - axis for axis in layout.axes]
    name = next((one for one in ("ElementSpacing", "ElementSize") if one in fields), None)
    unit_name = fields.get("DistanceUnits", "mm")
    unit = 1e3 if unit_name == "?" else um_per(unit_name)
    directions, origin = None, None
    matrix = next((n for n in ("TransformMatrix", "Rotation", "Orientation") if n in fields), None)
    if matrix is not None:
        rows = np.array(_numbers(path, fields, matrix, float, count * count)).reshape(count, count)
        directions = rows[axes][:, :3]
    elif axes == [2, 1, 0]:
        directions = np.eye(3)[::-1]
    start = next((one for one in ("Offset", "Position", "Origin") if one in fields), None)
    if start is not None and unit is not None and axes == [2, 1, 0]:
        x, y, z = (float(v) * unit for v in _numbers(path, fields, start, float, count)[:3])
        origin = (x, y, z)
    if name is None:
        return None, "the file has no voxel size (no ElementSpacing)", directions, None
    steps = _numbers(path, fields, name, float, count)
    if unit is None:
        return (
            None,
            f"its voxel size is in {unit_name[:40]!r}, a unit that is not known",
            directions,
            None,
        )
    z, y, x = (float(steps[axis]) * unit for axis in axes)
    return (z, y, x), "", directions, origin
