"""NIfTI-1 and NIfTI-2, one file or a pair, packed with gzip or not, in both byte orders.

The header is read after its published layout (348 or 540 bytes). nibabel would read it too, at 15 MB
more, but leaves it to its user to compare lengths, units and the two affines, which is the work.
"""

import gzip
import struct
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.images.lengths import meant
from bonesim.images.opening import expanded, head_of, opened, plain_size
from bonesim.images.stored import Stored, Three
from bonesim.images.volumes import check_length, layout_of, native

__all__ = ["read", "recognises"]

_SINGLE, _PAIR = (b"n+1\0", b"n+2\0"), (b"ni1\0", b"ni2\0")
_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
    1280: "u8",
}  # fmt: skip
_REFUSED = {
    32: "complex numbers", 1792: "complex numbers", 2048: "complex numbers", 128: "colours (RGB)",
    2304: "colours (RGBA)", 1: "single bits", 1536: "numbers of 128 bits",
}  # fmt: skip
_UNITS = {1: 1e6, 2: 1e3, 3: 1.0}
#: Spacings in pixdim and in the affine may differ by this share.
SAME_SHARE = 0.01


class Header(NamedTuple):
    """The fields that are used; see the standard for their names."""

    order: str
    magic: bytes
    dim: tuple[int, ...]
    datatype: int
    bitpix: int
    pixdim: tuple[float, ...]
    vox_offset: int
    slope: float
    inter: float
    units: int
    qform_code: int
    sform_code: int
    quatern: tuple[float, ...]
    srow: tuple[float, ...]


def recognises(head: bytes, path: Path) -> bool:
    """Whether this is a NIfTI or Analyze header, or the data file beside one (.img)."""
    if _order_of(head) is not None:
        return True
    twin = _header_beside(path)
    return twin is not None and _order_of(head_of(twin)) is not None


def read(path: Path, *, index: int | None = None) -> Stored:
    """Read a volume.

    Args:
        path: of the file; of a pair, either.
        index: which volume of a 4-D file.

    Raises:
        InputError: no 3-D grey volume, an Analyze header, units or affines that contradict.
        CorruptFileError: cut, damaged, or longer than described.
    """
    if _order_of(head_of(path)) is None:
        path = _header_beside(path) or path
    raw = head_of(path)
    header = _header(path, raw)
    dtype = _dtype(path, header)
    shape = _shape(path, header)
    layout = layout_of(path, shape, index)
    size = dtype.itemsize
    before, behind = layout.before * size, layout.behind * size
    data, start = _data_file(path, header)
    flat = _numbers(data, dtype, prod(layout.shape), start + before, behind)
    values = native(flat.reshape(layout.shape))
    axes = [len(shape) - 1 - axis for axis in layout.axes]
    scale, offset = _scale(path, header)
    step, missing, directions, origin = _place(path, header, axes)
    return Stored(
        values, step_um=step, directions=directions, origin_um=origin,
        world="" if directions is None else "RAS", scale=scale, offset=offset, missing=missing,
        notes=("NIfTI's first (fastest) axis is x, its third z",),
    )  # fmt: skip


def _order_of(head: bytes) -> str | None:
    """Byte order of a header, by its size field; None if it is none."""
    for order in "<>":
        if len(head) >= 4 and struct.unpack(order + "i", head[:4])[0] in (348, 540):
            return order
    return None


def _header_beside(path: Path) -> Path | None:
    """The .hdr of an .img."""
    name = path.name
    for data, header in ((".img.gz", ".hdr.gz"), (".img", ".hdr"), (".IMG", ".HDR")):
        if name.endswith(data):
            twin = path.with_name(name.removesuffix(data) + header)
            return twin if twin.is_file() else None
    return None


def _header(path: Path, raw: bytes) -> Header:
    """The header, checked field by field.

    Raises:
        InputError: Analyze 7.5. CorruptFileError: no header that can be.
    """
    order = _order_of(raw)
    if order is None:
        raise CorruptFileError(f"{path}: has no NIfTI header; the file is damaged")
    first = struct.unpack(order + "i", raw[:4])[0]
    magic = raw[344:348] if first == 348 else raw[4:8]
    if first == 348 and magic not in (b"n+1\0", b"ni1\0"):
        if magic.strip(b"\0") or len(raw) < 348:
            raise CorruptFileError(f"{path}: has a damaged NIfTI header (magic {magic!r})")
        raise InputError(
            f"{path}: is Analyze 7.5, which has no directions and no unit; convert it to NIfTI"
        )
    if first == 540 and (magic not in (b"n+2\0", b"ni2\0") or raw[8:12] != b"\r\n\x1a\n"):
        raise CorruptFileError(f"{path}: has a damaged NIfTI-2 header (magic {raw[4:12]!r})")
    if len(raw) < first:
        raise CorruptFileError(f"{path}: is cut within its header; take another copy")
    return _nifti1(order, magic, raw) if first == 348 else _nifti2(order, magic, raw)


def _nifti1(order: str, magic: bytes, raw: bytes) -> Header:
    def get(place: int, kind: str) -> tuple[Any, ...]:
        return struct.unpack_from(order + kind, raw, place)

    datatype, bitpix = get(70, "2h")
    offset, slope, inter = get(108, "3f")
    qform, sform = get(252, "2h")
    return Header(
        order, magic, get(40, "8h"), datatype, bitpix, get(76, "8f"), _whole(offset), slope, inter,
        raw[123], qform, sform, get(256, "6f"), get(280, "12f"),
    )  # fmt: skip


def _nifti2(order: str, magic: bytes, raw: bytes) -> Header:
    def get(place: int, kind: str) -> tuple[Any, ...]:
        return struct.unpack_from(order + kind, raw, place)

    datatype, bitpix = get(12, "2h")
    (offset,) = get(168, "q")
    slope, inter = get(176, "2d")
    qform, sform, (units,) = *get(344, "2i"), get(500, "i")
    return Header(
        order, magic, get(16, "8q"), datatype, bitpix, get(104, "8d"), offset, slope, inter,
        units, qform, sform, get(352, "6d"), get(400, "12d"),
    )  # fmt: skip


def _whole(value: float) -> int:
    return int(value) if np.isfinite(value) and value == int(value) else -1


def _dtype(path: Path, header: Header) -> "np.dtype[Any]":
    if header.datatype in _REFUSED:
        raise InputError(
            f"{path}: holds {_REFUSED[header.datatype]}; give a grey image of real numbers"
        )
    if header.datatype not in _TYPES:
        raise CorruptFileError(f"{path}: has a damaged header (data type {header.datatype})")
    dtype = np.dtype(header.order + _TYPES[header.datatype])
    if header.bitpix != 8 * dtype.itemsize:
        raise CorruptFileError(
            f"{path}: has a damaged header ({header.bitpix} bits for values of {dtype.name})"
        )
    return dtype


def _shape(path: Path, header: Header) -> list[int]:
    """Lengths in memory order, the last fastest."""
    count = header.dim[0]
    if not 1 <= count <= 7 or any(n < 1 for n in header.dim[1 : count + 1]):
        raise CorruptFileError(f"{path}: has a damaged header (dimensions {list(header.dim)})")
    return list(header.dim[count:0:-1])


def _data_file(path: Path, header: Header) -> tuple[Path, int]:
    """Where the voxels are: file and offset."""
    if header.magic in _SINGLE:
        least = 352 if header.magic == b"n+1\0" else 544
        start = header.vox_offset or least
        if start < least:
            raise CorruptFileError(
                f"{path}: has a damaged header (voxels begin at byte {header.vox_offset})"
            )
        return path, start
    name = path.name
    for ending, data in ((".hdr.gz", ".img.gz"), (".hdr", ".img"), (".HDR", ".IMG")):
        if name.endswith(ending):
            found = path.with_name(name.removesuffix(ending) + data)
            if not found.exists():
                raise CorruptFileError(
                    f"{path}: its data file {found.name} is missing; put it beside"
                )
            if header.vox_offset < 0:
                raise CorruptFileError(f"{path}: has a damaged header (vox_offset)")
            return found, header.vox_offset
    raise InputError(f"{path}: is the header of a pair; name it .hdr, and its data .img")


def _numbers(
    path: Path, dtype: "np.dtype[Any]", count: int, before: int, behind: int
) -> NDArray[Any]:
    with opened(path) as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        size = plain_size(path)
        if packed:
            with gzip.GzipFile(fileobj=file) as stream:
                return expanded(path, cast("IO[bytes]", stream), count, dtype, size, before, behind)
        check_length(path, size, before + count * dtype.itemsize + behind)
        file.seek(before)
        return np.fromfile(file, dtype, count)


def _scale(path: Path, header: Header) -> tuple[float, float]:
    """scl_slope and scl_inter; a slope of 0 or NaN is none."""
    slope, inter = header.slope, header.inter
    if slope == 0.0 or np.isnan(slope):
        return 1.0, 0.0
    if not np.isfinite([slope, inter]).all():
        raise CorruptFileError(
            f"{path}: has a damaged header (scl_slope {slope}, scl_inter {inter})"
        )
    if header.magic in (b"n+1\0", b"ni1\0"):
        return meant(slope), meant(inter)
    return slope, inter


def _place(
    path: Path, header: Header, axes: list[int]
) -> tuple[Three | None, str, NDArray[np.float64] | None, Three | None]:
    """Step, why there is none, directions and origin, of the axes (0: the file's first) given."""
    exact = header.magic in (b"n+1\0", b"ni1\0")
    pixdim = [meant(step) if exact and np.isfinite(step) else step for step in header.pixdim[1:8]]
    steps = [pixdim[axis] for axis in axes]
    unit = _UNITS.get(header.units & 7)
    missing = ""
    if unit is None:
        what = "no unit" if header.units & 7 == 0 else f"an unknown unit (code {header.units & 7})"
        missing = (
            f"its voxel size {'x'.join(f'{s:g}' for s in steps[::-1])} has {what} (xyzt_units)"
        )
    columns, origin = _affine(header)
    directions = None
    if columns is not None and sorted(axes) == [0, 1, 2]:
        lengths = np.sqrt((columns**2).sum(axis=1))
        for axis in axes:
            _check_same(path, pixdim[axis], float(lengths[axis]))
        directions = columns[axes]
    if unit is None:
        return None, missing, directions, None
    z, y, x = (step * unit for step in steps)
    place = None if origin is None or directions is None else origin * unit
    start = None if place is None else (float(place[0]), float(place[1]), float(place[2]))
    return (z, y, x), "", directions, start


def _affine(
    header: Header,
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Steps of the file's axes in the world (rows) and the origin: sform, else qform, else none."""
    if header.sform_code > 0:
        rows = np.array(header.srow, dtype=np.float64).reshape(3, 4)
        return np.ascontiguousarray(rows[:, :3].T), rows[:, 3].copy()
    if header.qform_code <= 0:
        return None, None
    b, c, d, *origin = header.quatern
    a = np.sqrt(max(0.0, 1.0 - b * b - c * c - d * d))
    turn = np.array([
        [a*a + b*b - c*c - d*d, 2*b*c - 2*a*d, 2*b*d + 2*a*c],
        [2*b*c + 2*a*d, a*a + c*c - b*b - d*d, 2*c*d - 2*a*b],
        [2*b*d - 2*a*c, 2*c*d + 2*a*b, a*a + d*d - c*c - b*b],
    ])  # fmt: skip
    turn[:, 2] *= -1.0 if header.pixdim[0] < 0 else 1.0
    return turn.T * np.array(header.pixdim[1:4])[:, None], np.array(origin, dtype=np.float64)


def _check_same(path: Path, pixdim: float, affine: float) -> None:
    """Refuse an affine whose steps are not those of pixdim; no number is left to `step_um`."""
    if not np.isfinite(affine):
        raise InputError(f"{path}: its affine has values that are no numbers; correct the header")
    if np.isfinite(pixdim) and pixdim > 0 and abs(affine - pixdim) > SAME_SHARE * pixdim:
        raise InputError(
            f"{path}: the voxel size in pixdim is {pixdim:g} but that of the affine (sform) "
            f"{affine:g}; the header contradicts itself, correct it"
        )
