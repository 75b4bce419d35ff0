"""NRRD, attached or detached, after its published definition (NRRD0001 to NRRD0005).

Units come from "space units" or "units". A file in a named space of the body (LPS, RAS, LAS) without
units is in mm, as 3D Slicer and ITK write and read it, and a note states it. Any other file without a
unit, or with one that is not known, has no voxel size.
"""

import re
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.images.data_files import Place, last_bytes, values_at
from bonesim.images.lengths import um_per
from bonesim.images.opening import opened, plain_neighbour
from bonesim.images.stored import OWN_BONE, Stored, Three
from bonesim.images.volumes import layout_of

__all__ = ["read", "recognises"]

#: Bytes within which a header ends.
MAX_HEADER = 1 << 20
_TYPES = {
    "i1": "signed char,int8,int8_t", "u1": "uchar,unsigned char,uint8,uint8_t",
    "i2": "short,short int,signed short,signed short int,int16,int16_t",
    "u2": "ushort,unsigned short,unsigned short int,uint16,uint16_t",
    "i4": "int,signed int,int32,int32_t", "u4": "uint,unsigned int,uint32,uint32_t",
    "i8": "longlong,long long,long long int,signed long long,signed long long int,int64,int64_t",
    "u8": "ulonglong,unsigned long long,unsigned long long int,uint64,uint64_t",
    "f4": "float", "f8": "double",
}  # fmt: skip
_CODE = {name: code for code, names in _TYPES.items() for name in names.split(",")}
_CODING = {
    "raw": "raw", "txt": "ascii", "text": "ascii", "ascii": "ascii", "hex": "hex", "gz": "gzip",
    "gzip": "gzip", "bz2": "bzip2", "bzip2": "bzip2",
}  # fmt: skip
_SAME = {"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip"}
#: Named spaces of the body: name in `Stored`, and signs that turn x, y, z into it.
_SPACES = {
    "left-posterior-superior": ("LPS", (1, 1, 1)), "lps": ("LPS", (1, 1, 1)),
    "right-anterior-superior": ("RAS", (1, 1, 1)), "ras": ("RAS", (1, 1, 1)),
    "left-anterior-superior": ("LPS", (1, -1, 1)), "las": ("LPS", (1, -1, 1)),
}  # fmt: skip


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file begins as NRRD."""
    return head.startswith(b"NRRD0")


def read(path: Path, *, index: int | None = None) -> Stored:
    """Read a volume.

    Args:
        path: of the header.
        index: which volume of a 4-D file, whose slowest axis counts them.

    Raises:
        InputError: no 3-D grey volume, data in several files or outside the folder.
        CorruptFileError: cut, damaged, or longer than described.
    """
    fields, end = _header(path)
    sizes = _whole(path, fields, "sizes")
    if _whole(path, fields, "dimension") != [len(sizes)]:
        raise CorruptFileError(f"{path}: has a damaged header (dimension and sizes)")
    _check_kinds(path, fields)
    layout = layout_of(path, sizes[::-1], index)
    place = _place(path, fields, end)
    values = values_at(place, _dtype(path, fields), layout)
    axes = [len(sizes) - 1 - axis for axis in layout.axes]
    space = fields.get("space", "").lower().removesuffix("-time").removesuffix("t")
    world, signs = _SPACES.get(space, ("", (1, 1, 1)))
    vectors, origin = _vectors(path, fields, axes, np.array(signs, dtype=np.float64))
    step, missing, notes = _steps(path, fields, axes, vectors, world)
    directions = None
    if vectors is not None:
        directions = np.array(vectors)
    unit = _units(fields, axes, world)[0]
    start = None
    if origin is not None and unit is not None and directions is not None:
        x, y, z = (float(value) * unit for value in origin)
        start = (x, y, z)
    return Stored(
        values, step_um=step, directions=directions, origin_um=start, world=world, missing=missing,
        bone=fields.get("content", "").startswith(OWN_BONE),
        notes=("NRRD's first (fastest) axis is x, its last z", *notes, *last_bytes(place)),
    )  # fmt: skip


def _header(path: Path) -> tuple[dict[str, str], int]:
    """The fields, and the byte behind the blank line that ends them."""
    with opened(path) as file:
        raw = file.read(MAX_HEADER)
    fields: dict[str, str] = {}
    place = raw.find(b"\n") + 1
    while True:
        stop = raw.find(b"\n", place)
        last = stop < 0
        line = raw[place : len(raw) if last else stop].rstrip(b"\r")
        place = len(raw) if last else stop + 1
        if not line.strip() and not last:
            return fields, place
        text = line.decode("utf-8", "replace").strip()
        if text and not text.startswith("#") and ":=" not in text:
            name, found, value = text.partition(":")
            name = _SAME.get(name.strip().lower(), name.strip().lower())
            if not found or name in fields:
                raise CorruptFileError(f"{path}: has a damaged header (line {text[:40]!r})")
            fields[name] = value.strip()
            if name == "data file" and value.strip().upper().startswith("LIST"):
                return fields, place
        if last:
            if "data file" not in fields:
                raise CorruptFileError(f"{path}: is cut within its header; take another copy")
            return fields, place


def _whole(path: Path, fields: Mapping[str, str], name: str, default: str = "") -> list[int]:
    words = fields.get(name, default).split()
    if not words or not all(re.fullmatch(r"-?\d{1,12}", word) for word in words):
        raise CorruptFileError(
            f"{path}: has a damaged header ({name}: {fields.get(name, '')[:40]!r})"
        )
    return [int(word) for word in words]


def _check_kinds(path: Path, fields: Mapping[str, str]) -> None:
    """Refuse axes that are no places."""
    for kind in fields.get("kinds", "").lower().split():
        if "color" in kind:
            raise InputError(f"{path}: is a colour image; give a grey one with one value per voxel")
        if kind == "complex":
            raise InputError(f"{path}: holds complex values; allowed are real numbers")
        if (
            "vector" in kind
            or "matrix" in kind
            or "quaternion" in kind
            or kind == "covariant-vector"
        ):
            raise InputError(f"{path}: holds a {kind} per voxel; give a grey image with one value")


def _dtype(path: Path, fields: Mapping[str, str]) -> "np.dtype[Any]":
    name = " ".join(fields.get("type", "").lower().split())
    if name == "block":
        raise InputError(f"{path}: holds blocks of bytes; allowed are real numbers")
    if name not in _CODE:
        raise CorruptFileError(f"{path}: has a damaged header (type: {name[:40]!r})")
    dtype = np.dtype(_CODE[name])
    endian = fields.get("endian", "").lower()
    text = _CODING.get(fields.get("encoding", "").lower()) == "ascii"
    if dtype.itemsize == 1 or text:
        return dtype
    if endian not in ("little", "big"):
        raise CorruptFileError(f"{path}: has a damaged header (endian: {endian[:40]!r})")
    return dtype.newbyteorder("<" if endian == "little" else ">")


def _place(path: Path, fields: Mapping[str, str], end: int) -> Place:
    """Where the voxels are."""
    coding = _CODING.get(fields.get("encoding", "").lower())
    if coding is None:
        raise CorruptFileError(
            f"{path}: has a damaged header (encoding: {fields.get('encoding', '')[:40]!r})"
        )
    lines = _whole(path, fields, "line skip", "0")[0]
    skip = _whole(path, fields, "byte skip", "0")[0]
    if lines < 0 or skip < (-1 if coding == "raw" else 0):
        raise CorruptFileError(f"{path}: has a damaged header (line skip, byte skip)")
    data, start = path, end
    if "data file" in fields:
        name = fields["data file"]
        if name.upper().startswith("LIST") or "%" in name:
            raise InputError(
                f"{path}: its data are in several files ({name[:40]}); give the folder of slices, or "
                "save one file"
            )
        data, start = plain_neighbour(path, name.removeprefix("./")), 0
    if lines:
        start = _after_lines(data, start, lines)
    return Place(data, -1, coding) if skip == -1 else Place(data, start, coding, skip)


def _after_lines(path: Path, start: int, lines: int) -> int:
    with opened(path) as file:
        file.seek(start)
        for _ in range(lines):
            if not file.readline():
                raise CorruptFileError(f"{path}: has fewer lines than its header passes over")
        return file.tell()


def _vectors(
    path: Path, fields: Mapping[str, str], axes: list[int], signs: NDArray[np.float64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Steps of the axes in the world (rows) and the origin, in the file's unit; None: not given."""
    text = fields.get("space directions")
    if text is None:
        return None, None
    found = re.findall(r"none|\([^)]*\)", text, re.IGNORECASE)
    wanted = _whole(path, fields, "dimension")[0]
    if len(found) != wanted:
        raise CorruptFileError(f"{path}: has a damaged header (space directions: {text[:60]!r})")
    if any(found[axis].lower() == "none" for axis in axes):
        raise InputError(
            f"{path}: an axis of the volume has no direction in space; choose three axes of space"
        )
    rows = np.array([_vector(path, found[axis]) for axis in axes]) * signs
    origin = fields.get("space origin")
    return rows, None if origin is None else np.array(_vector(path, origin)) * signs


def _vector(path: Path, text: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.strip().strip("()").split(",")]
    except ValueError:
        numbers = []
    if len(numbers) < 3:
        raise CorruptFileError(f"{path}: has a damaged header (vector {text[:40]!r})")
    return numbers[:3]


def _units(
    fields: Mapping[str, str], axes: list[int], world: str
) -> tuple[float | None, str, list[str]]:
    """um of a unit, why there is none, and notes."""
    text = fields.get("space units") if "space directions" in fields else None
    places: list[int] = [0, 1, 2]
    if text is None:
        text, places = fields.get("units"), axes
    if text is None:
        if world and "space directions" in fields:
            return 1e3, "", ["no unit in the header; mm, the convention of its space of the body"]
        return None, "its voxel size has no unit", []
    words = re.findall(r'"[^"]*"|[^\s"]+', text)
    words = [words[place] for place in places] if len(words) > max(places) else words
    units = {um_per(word) for word in words}
    if len(units) != 1 or None in units:
        names = ", ".join(dict.fromkeys(word.strip('"') or "(none)" for word in words)) or "(none)"
        return None, f"its voxel size is in {names[:60]}, which is no unit that is known", []
    return units.pop(), "", []


def _steps(
    path: Path, fields: Mapping[str, str], axes: list[int], vectors: NDArray[np.float64] | None,
    world: str,
) -> tuple[Three | None, str, list[str]]:  # fmt: skip
    """Voxel size along the axes in um, why there is none, and notes."""
    if vectors is not None:
        steps = [sqrt(sum(float(v) ** 2 for v in row)) for row in vectors]
    elif "spacings" in fields:
        words = fields["spacings"].split()
        try:
            every = [float(word) for word in words]
        except ValueError:
            every = []
        if len(every) <= max(axes):
            raise CorruptFileError(
                f"{path}: has a damaged header (spacings: {fields['spacings'][:60]!r})"
            )
        steps = [every[axis] for axis in axes]
    else:
        return None, "the file has no voxel size", []
    unit, missing, notes = _units(fields, axes, world)
    if unit is None:
        size = " x ".join(f"{step:g}" for step in steps[::-1])
        return None, f"{missing} ({size})", []
    z, y, x = (step * unit for step in steps)
    return (z, y, x), "", notes
