"""VTK's XML image data (.vti): appended or inline, raw, base64 or text, zlib or LZMA or not packed.

The file has no unit, so its spacing is not a voxel size: `voxel_um` is needed. Pictures that bonesim
exports carry the field `um_per_unit`, which is the unit.
"""

import base64
import binascii
import lzma
import re
import struct
import zlib
from math import prod
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.images.opening import MAX_DEFLATE, opened, plain_size
from bonesim.images.stored import Stored, Three
from bonesim.images.volumes import check_size, native

__all__ = ["UNIT_FIELD", "read", "recognises"]

#: Name of the field that states how many um a unit of length is.
UNIT_FIELD = "um_per_unit"
#: The array of an own export with several that is taken if none is chosen.
BONE_ARRAY = "quanta"
#: A file longer than this is refused: it is read as one piece.
MAX_BYTES = 1 << 33
_TYPES = {
    "Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2", "Int32": "i4", "UInt32": "u4",
    "Int64": "i8", "UInt64": "u8", "Float32": "f4", "Float64": "f8",
}  # fmt: skip


class _File(NamedTuple):
    """A file taken apart: its XML, what is appended, and how numbers are written."""

    path: Path
    root: ElementTree.Element
    appended: bytes | None
    base64: bool
    order: str
    head: str
    unpack: str


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file begins as VTK's XML."""
    return (
        re.match(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<VTKFile", head, re.S)
        is not None
    )


def read(path: Path, *, array: str | None = None) -> Stored:
    """Read one array of an image.

    Args:
        path: of the file.
        array: its name, if there are several.

    Raises:
        InputError: no image, several arrays and none chosen, colour, a codec that is not known.
        CorruptFileError: cut or damaged.
    """
    file = _taken_apart(path)
    image = file.root.find("ImageData")
    if image is None:
        raise InputError(f"{path}: is VTK's {file.root.get('type', '')[:40]}, no image (ImageData)")
    pieces = image.findall("Piece")
    whole = _numbers(path, image, "WholeExtent", 6)
    if len(pieces) != 1 or _numbers(path, pieces[0], "Extent", 6) != whole:
        raise InputError(f"{path}: holds its image in {len(pieces)} pieces; save it as one")
    points = tuple(int(whole[2 * n + 1] - whole[2 * n]) + 1 for n in (2, 1, 0))
    unit = _unit(file, image)
    element, cells = _chosen(path, pieces[0], array, own=unit is not None)
    shape = (points[0] - cells, points[1] - cells, points[2] - cells)
    check_size(shape, path)
    values = _values(file, element, prod(shape)).reshape(shape)
    spacing = _numbers(path, image, "Spacing", 3, "1 1 1")
    matrix = np.array(_numbers(path, image, "Direction", 9, "1 0 0 0 1 0 0 0 1")).reshape(3, 3)
    directions = matrix.T[::-1] if "Direction" in image.attrib else None
    notes = ("VTI's first (fastest) axis is x, its last z", f"array {element.get('Name', '')!r}")
    if unit is None:
        size = " x ".join(f"{step:g}" for step in spacing)
        missing = f"a VTI file has no unit for its spacing ({size})"
        return Stored(native(values), directions=directions, missing=missing, notes=notes)
    step = (spacing[2] * unit, spacing[1] * unit, spacing[0] * unit)
    first = np.array(whole[::2]) + 0.5 * cells
    origin = np.array(_numbers(path, image, "Origin", 3, "0 0 0")) + matrix @ (first * spacing)
    place: Three = (origin[0] * unit, origin[1] * unit, origin[2] * unit)
    bone = element.get("Name") == BONE_ARRAY
    return Stored(native(values), step, directions, place, bone=bone, notes=notes)


def _taken_apart(path: Path) -> _File:
    """The XML and what is appended to it.

    Raises:
        CorruptFileError, InputError: see `read`.
    """
    if plain_size(path) > MAX_BYTES:
        raise InputError(f"{path}: has more than {MAX_BYTES} bytes; crop the scan")
    with opened(path) as handle:
        raw = handle.read()
    found = re.search(rb"<AppendedData\b([^>]*)>\s*_", raw)
    appended, coding = None, b""
    xml = raw
    if found:
        stop = raw.rfind(b"</AppendedData>")
        if stop < found.end():
            raise CorruptFileError(f"{path}: is cut (no end of its data); take another copy")
        appended, coding = raw[found.end() : stop], found[1]
        xml = raw[: found.start()] + raw[stop + len(b"</AppendedData>") :]
    if re.search(rb"<!(DOCTYPE|ENTITY)", xml):
        raise InputError(f"{path}: declares entities of XML, which are not followed; remove them")
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise CorruptFileError(
            f"{path}: is cut or damaged: its XML cannot be read ({error}); take another copy"
        ) from None
    order = {"LittleEndian": "<", "BigEndian": ">"}.get(root.get("byte_order", ""))
    head = {"UInt32": "I", "UInt64": "Q"}.get(root.get("header_type", "UInt32"))
    if order is None or head is None:
        raise CorruptFileError(f"{path}: has a damaged header (byte_order, header_type)")
    return _File(path, root, appended, b"base64" in coding, order, head, root.get("compressor", ""))


def _numbers(
    path: Path, element: ElementTree.Element, name: str, count: int, default: str = ""
) -> list[float]:
    try:
        numbers = [float(word) for word in element.get(name, default).split()]
    except ValueError:
        numbers = []
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise CorruptFileError(
            f"{path}: has a damaged header ({name} = {element.get(name, '')[:60]!r})"
        )
    return numbers


def _chosen(
    path: Path, piece: ElementTree.Element, array: str | None, *, own: bool
) -> tuple[ElementTree.Element, int]:
    """The array, and 1 if it belongs to cells, else 0; of an own export, its bone."""
    every = [
        (one, cells)
        for cells, place in ((0, "PointData"), (1, "CellData"))
        for one in piece.findall(f"{place}/DataArray")
    ]
    names = ", ".join(str(one.get("Name", ""))[:60] for one, _ in every)
    if not every:
        raise CorruptFileError(f"{path}: holds no image data; check the file")
    if array is None and own and any(one.get("Name") == BONE_ARRAY for one, _ in every):
        array = BONE_ARRAY
    if array is None and len(every) > 1:
        raise InputError(f"{path}: holds {len(every)} arrays ({names}); choose one with `array`")
    found = [one for one in every if array is None or one[0].get("Name") == array]
    if not found:
        raise InputError(f"{path}: has no array {array!r}; there are {names}", parameter="array")
    if len(found) > 1:
        raise InputError(f"{path}: has two arrays {array!r}, of points and of cells; rename one")
    values = found[0][0].get("NumberOfComponents", "1")
    if values != "1":
        raise InputError(
            f"{path}: has {values} values per voxel in {found[0][0].get('Name', '')!r} (colour or "
            "vectors); give a grey image with one"
        )
    return found[0]


def _unit(file: _File, image: ElementTree.Element) -> float | None:
    """um of a unit, if the file is an export of bonesim's."""
    for one in image.findall("FieldData/DataArray"):
        if one.get("Name") == UNIT_FIELD:
            unit = float(_values(file, one, 1)[0])
            if not np.isfinite(unit) or unit <= 0:
                raise InputError(
                    f"{file.path}: its field {UNIT_FIELD} is {unit}; it is um, above 0"
                )
            return unit
    return None


def _values(file: _File, element: ElementTree.Element, count: int) -> NDArray[Any]:
    """The numbers of an array, exactly `count`."""
    code = _TYPES.get(element.get("type", ""))
    if code is None:
        raise InputError(
            f"{file.path}: holds values of type {element.get('type', '')[:40]}; allowed are "
            f"{', '.join(_TYPES)}"
        )
    dtype = np.dtype(file.order + code)
    form = element.get("format", "ascii")
    if form == "ascii":
        return _written(file.path, element.text or "", dtype, count)
    wanted = count * dtype.itemsize
    if form == "binary":
        text = "".join((element.text or "").split()).encode()
        data = _block(file, text, True, wanted)
    elif form == "appended" and file.appended is not None:
        try:
            start = int(element.get("offset", ""))
        except ValueError:
            start = -1
        if not 0 <= start < len(file.appended):
            raise CorruptFileError(f"{file.path}: has a damaged header (offset of an array)")
        data = _block(file, memoryview(file.appended)[start:], file.base64, wanted)
    else:
        raise CorruptFileError(f"{file.path}: has a damaged header (format = {form[:40]!r})")
    if len(data) != wanted:
        raise _short(file.path, len(data), wanted)
    return np.frombuffer(data, dtype)


def _written(path: Path, text: str, dtype: "np.dtype[Any]", count: int) -> NDArray[Any]:
    words = text.split()
    kind = float if dtype.kind == "f" else int
    if len(words) != count:
        raise _short(path, len(words), count)
    try:
        return np.array([kind(word) for word in words], dtype.newbyteorder("="))
    except (ValueError, OverflowError):
        raise CorruptFileError(
            f"{path}: has text or numbers out of range among its values"
        ) from None


def _short(path: Path, got: int, wanted: int) -> CorruptFileError:
    return CorruptFileError(
        f"{path}: holds {got} of an array, its header describes {wanted}; the file is cut or damaged; "
        "take another copy"
    )


def _block(file: _File, data: "bytes | memoryview", coded: bool, wanted: int) -> bytes:
    """The bytes of one array: its length in front, packed in blocks or not."""
    size = struct.calcsize(file.head)
    if not file.unpack:
        plain = _plain(file.path, data, coded, size + wanted)
        (length,) = struct.unpack_from(file.order + file.head, plain + bytes(size))
        if length != wanted or len(plain) < size + wanted:
            raise _short(file.path, min(length, len(plain) - size), wanted)
        return plain[size : size + wanted]
    counts = struct.unpack_from(
        f"{file.order}3{file.head}", _plain(file.path, data, coded, 3 * size) + bytes(3 * size)
    )
    blocks, each, last = counts
    if blocks > 1 + wanted or blocks * size > len(data):
        raise CorruptFileError(f"{file.path}: has a damaged array ({blocks} blocks)")
    every = (blocks - 1) * each + (last or each) if blocks else 0
    if every != wanted:
        raise _short(file.path, every, wanted)
    head = (3 + blocks) * size
    sizes = struct.unpack_from(
        f"{file.order}{blocks}{file.head}",
        _plain(file.path, data, coded, head) + bytes(head), 3 * size,
    )  # fmt: skip
    rest = data[_coded_length(head) if coded else head :]
    packed = _plain(file.path, rest, coded, sum(sizes))
    return _unpacked(file, packed, sizes, [each] * (blocks - 1) + [last or each])


def _unpacked(file: _File, packed: bytes, sizes: tuple[int, ...], lengths: list[int]) -> bytes:
    if len(packed) < sum(sizes) or sum(lengths) > MAX_DEFLATE * max(1, len(packed)) * 10:
        raise _short(file.path, len(packed), sum(sizes))
    if file.unpack not in ("vtkZLibDataCompressor", "vtkLZMADataCompressor"):
        raise InputError(
            f"{file.path}: is packed with {file.unpack[:40]}, which cannot be unpacked; save it with "
            "zlib or without packing"
        )
    parts, place = [], 0
    for size, length in zip(sizes, lengths, strict=True):
        piece = packed[place : place + size]
        place += size
        try:
            if file.unpack == "vtkZLibDataCompressor":
                stream = zlib.decompressobj()
                part = stream.decompress(piece, length + 1)
                whole = stream.eof and not stream.unused_data
            else:
                unpacker = lzma.LZMADecompressor(memlimit=1 << 28)
                part = unpacker.decompress(piece, length + 1)
                whole = unpacker.eof
        except (zlib.error, lzma.LZMAError) as error:
            raise CorruptFileError(f"{file.path}: has a damaged array ({error})") from None
        if len(part) != length or not whole:
            raise _short(file.path, len(part), length)
        parts.append(part)
    return b"".join(parts)


def _coded_length(size: int) -> int:
    """Characters of base64 for so many bytes."""
    return 4 * -(-size // 3)


def _plain(path: Path, data: "bytes | memoryview", coded: bool, size: int) -> bytes:
    """The first bytes, decoded if they are base64; fewer at the end of the data."""
    if not coded:
        return bytes(data[:size])
    try:
        return base64.b64decode(bytes(data[: _coded_length(size)]), validate=True)[:size]
    except (binascii.Error, ValueError):
        raise CorruptFileError(f"{path}: has a damaged array (base64)") from None
