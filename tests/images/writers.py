"""Writers of image files after the published layouts, byte by byte, for tests of the readers.

Each takes a folder and a volume (z, y, x) and gives the path of what it wrote. `step` is the voxel
edge along (z, y, x) in the unit named.
"""

import base64
import bz2
import gzip
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Writer = Callable[[Path, Array], Path]
NIFTI_TYPES = {
    "u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280,
}  # fmt: skip
NIFTI_UNITS = {"m": 1, "mm": 2, "um": 3, "": 0}
NRRD_TYPES = {
    "u1": "uint8", "i1": "int8", "i2": "short", "u2": "unsigned short", "i4": "int", "u4": "uint32",
    "i8": "long long int", "u8": "uint64_t", "f4": "float", "f8": "double",
}  # fmt: skip
MHA_TYPES = {
    "u1": "MET_UCHAR", "i1": "MET_CHAR", "i2": "MET_SHORT", "u2": "MET_USHORT", "i4": "MET_INT",
    "u4": "MET_UINT", "i8": "MET_LONG_LONG", "u8": "MET_ULONG_LONG", "f4": "MET_FLOAT", "f8": "MET_DOUBLE",
}  # fmt: skip
VTI_TYPES = {
    "u1": "UInt8", "i1": "Int8", "i2": "Int16", "u2": "UInt16", "i4": "Int32", "u4": "UInt32",
    "i8": "Int64", "u8": "UInt64", "f4": "Float32", "f8": "Float64",
}  # fmt: skip


def code(values: Array) -> str:
    """ "u1", "f4" ... of an array."""
    return values.dtype.str[1:]


def in_order(values: Array, order: str) -> bytes:
    """Bytes, x fastest, in a byte order "<" or ">"."""
    return np.ascontiguousarray(values).astype(values.dtype.newbyteorder(order)).tobytes()


def nifti(
    folder: Path, values: Array, *, name: str = "a.nii", step: Sequence[float] = (0.02,) * 3,
    unit: str = "mm", order: str = "<", version: int = 1, slope: float = 0.0, inter: float = 0.0,
    affine: Any = "identity", dims: Sequence[int] | None = None, pixdim: Sequence[float] | None = None,
    data: bytes | None = None,
) -> Path:  # fmt: skip
    """NIfTI-1 or -2; packed if the name ends in .gz, a pair if it ends in .hdr.

    Args:
        affine: rows of the sform, None for neither sform nor qform, or "identity": a positive diagonal.
    """
    shape = list(dims or values.shape[::-1])
    dim = [len(shape), *shape, *[1] * (7 - len(shape))]
    sizes = [1.0, *(pixdim or step[::-1]), *[1.0] * 4][:8]
    if isinstance(affine, str):
        affine = np.diag([*step[::-1], 1.0])[:3]
    rows = np.zeros((3, 4)) if affine is None else np.asarray(affine, float)[:3]
    sform = 0 if affine is None else 1
    pair = name.endswith(".hdr")
    raw = bytearray(352 if version == 1 else 544)

    def put(place: int, kind: str, *numbers: float) -> None:
        struct.pack_into(order + kind, raw, place, *numbers)

    if version == 1:
        put(0, "i", 348)
        put(40, "8h", *dim)
        put(70, "2h", NIFTI_TYPES[code(values)], 8 * values.itemsize)
        put(76, "8f", *sizes)
        put(108, "3f", 0.0 if pair else 352.0, slope, inter)
        raw[123] = NIFTI_UNITS[unit]
        put(252, "2h", 0, sform)
        put(280, "12f", *rows.ravel())
        raw[344:348] = b"ni1\0" if pair else b"n+1\0"
    else:
        put(0, "i", 540)
        raw[4:12] = (b"ni2\0" if pair else b"n+2\0") + b"\r\n\x1a\n"
        put(12, "2h", NIFTI_TYPES[code(values)], 8 * values.itemsize)
        put(16, "8q", *dim)
        put(104, "8d", *sizes)
        put(168, "q", 0 if pair else 544)
        put(176, "2d", slope, inter)
        put(344, "2i", 0, sform)
        put(400, "12d", *rows.ravel())
        put(500, "i", NIFTI_UNITS[unit])
    voxels = in_order(values, order) if data is None else data
    path = folder / name
    if pair:
        path.write_bytes(bytes(raw))
        path.with_suffix(".img").write_bytes(voxels)
        return path
    everything = bytes(raw) + voxels
    path.write_bytes(gzip.compress(everything, 1, mtime=0) if name.endswith(".gz") else everything)
    return path


def nrrd(
    folder: Path, values: Array, *, name: str = "a.nrrd", step: Sequence[float] = (0.02,) * 3,
    unit: str | None = "mm", order: str = "<", encoding: str = "raw", space: str = "space dimension: 3",
    directions: Any = "identity", origin: Sequence[float] | None = None, extra: str = "",
    data_file: str | None = None, line_skip: int = 0, byte_skip: int = 0,
) -> Path:  # fmt: skip
    """NRRD; detached if there is a `data_file`; "spacings" if `directions` is None."""
    lines = ["NRRD0005", "# written by a test", f"type: {NRRD_TYPES[code(values)]}"]
    lines += [f"dimension: {values.ndim}", f"sizes: {' '.join(map(str, values.shape[::-1]))}"]
    if directions is None:
        lines.append("spacings: " + " ".join(repr(float(one)) for one in step[::-1]))
        lines += [] if unit is None else ["units: " + " ".join([f'"{unit}"'] * 3)]
    else:
        rows = np.diag(step[::-1]) if isinstance(directions, str) else np.asarray(directions, float)
        lines.append(space)
        lines.append(
            "space directions: "
            + " ".join(f"({','.join(repr(float(v)) for v in r)})" for r in rows)
        )
        lines += [] if unit is None else ["space units: " + " ".join([f'"{unit}"'] * 3)]
        if origin is not None:
            lines.append(f"space origin: ({','.join(repr(float(v)) for v in origin)})")
    lines += [f"encoding: {encoding}", f"endian: {'little' if order == '<' else 'big'}"]
    lines += [extra] if extra else []
    lines += [f"line skip: {line_skip}"] if line_skip else []
    lines += [f"byte skip: {byte_skip}"] if byte_skip else []
    raw = b"x" * byte_skip + in_order(values, order)
    if encoding == "gzip":
        raw = gzip.compress(raw, 1, mtime=0)
    elif encoding == "bzip2":
        raw = bz2.compress(raw)
    elif encoding == "ascii":
        kind = float if values.dtype.kind == "f" else int
        raw = " ".join(repr(kind(one)) for one in values.ravel()).encode() + b"\n"
    elif encoding == "hex":
        raw = raw.hex().encode()
    raw = b"a line\n" * line_skip + raw
    path = folder / name
    if data_file is None:
        path.write_bytes("\n".join(lines).encode() + b"\n\n" + raw)
    else:
        path.write_bytes("\n".join([*lines, f"data file: {data_file}"]).encode() + b"\n")
        (folder / data_file).write_bytes(raw)
    return path


def mha(
    folder: Path, values: Array, *, name: str = "a.mha", step: Sequence[float] | None = (0.02,) * 3,
    unit: str | None = None, order: str = "<", packed: bool = False, text: bool = False,
    matrix: Any = None, offset: Sequence[float] | None = (0.0, 0.0, 0.0), kind: str | None = None,
    size_field: str = "ElementSpacing", data_file: str | None = None, header: int = 0,
    extra: Sequence[str] = (),
) -> Path:  # fmt: skip
    """MetaImage; detached if there is a `data_file`; `matrix`: rows are axes x, y, z of the file."""
    lines = [
        "ObjectType = Image", f"NDims = {values.ndim}", f"BinaryData = {not text}",
        f"BinaryDataByteOrderMSB = {order == '>'}", f"CompressedData = {packed}", *extra,
    ]  # fmt: skip
    if matrix is not None:
        lines.append("TransformMatrix = " + " ".join(repr(float(v)) for v in np.ravel(matrix)))
    lines += [] if offset is None else ["Offset = " + " ".join(repr(float(v)) for v in offset)]
    lines += [] if unit is None else [f"DistanceUnits = {unit}"]
    if step is not None:
        lines.append(f"{size_field} = " + " ".join(repr(float(one)) for one in step[::-1]))
    lines += [f"HeaderSize = {header}"] if header else []
    lines.append("DimSize = " + " ".join(map(str, values.shape[::-1])))
    lines.append(f"ElementType = {kind or MHA_TYPES[code(values)]}")
    lines.append(f"ElementDataFile = {data_file or 'LOCAL'}")
    raw = in_order(values, order)
    if text:
        raw = " ".join(map(str, values.ravel().tolist())).encode()
    raw = zlib.compress(raw, 1) if packed else raw
    path = folder / name
    head = "\n".join(lines).encode() + b"\n"
    if data_file is None:
        path.write_bytes(head + raw)
    else:
        path.write_bytes(head)
        (folder / data_file).write_bytes(b"h" * max(header, 7 if header == -1 else 0) + raw)
    return path


def vti(
    folder: Path, values: Array, *, name: str = "a.vti", step: Sequence[float] = (0.02,) * 3,
    form: str = "appended", coded: bool = False, packed: bool = False, head: str = "UInt32",
    order: str = "<", cells: bool = False, first: int = 0, um: float | None = None,
    others: Sequence[str] = (), block: int = 1000,
) -> Path:  # fmt: skip
    """VTK's XML image data; `um`: with the field that states the unit; `others`: names of more arrays."""
    word = order + {"UInt32": "I", "UInt64": "Q"}[head]
    counts = [n - 1 + cells for n in values.shape[::-1]]
    extent = " ".join(f"{first} {first + n}" for n in counts)
    raw = in_order(values, order)
    data = _vti_block(raw, word, packed, coded or form == "binary", block)
    kind = VTI_TYPES[code(values)]
    inside, tail = "", b""
    if form == "ascii":
        inside = " ".join(map(str, values.ravel().tolist()))
    elif form == "binary":
        inside = data.decode()
    names = ["grey", *others]
    arrays = ""
    for number, one in enumerate(names):
        at = f' offset="{number * len(data)}"' if form == "appended" else ""
        arrays += f'<DataArray type="{kind}" Name="{one}" format="{form}"{at}>{inside}</DataArray>'
    if form == "appended":
        coding = "base64" if coded else "raw"
        tail = (
            f'<AppendedData encoding="{coding}">_'.encode() + data * len(names) + b"</AppendedData>"
        )
    place = "CellData" if cells else "PointData"
    field = ""
    if um is not None:
        field = (
            '<FieldData><DataArray type="Float64" Name="um_per_unit" NumberOfTuples="1" format="ascii">'
            f"{um}</DataArray></FieldData>"
        )
    unpack = ' compressor="vtkZLibDataCompressor"' if packed else ""
    endian = "LittleEndian" if order == "<" else "BigEndian"
    text = (
        f'<?xml version="1.0"?>\n<VTKFile type="ImageData" version="1.0" byte_order="{endian}" '
        f'header_type="{head}"{unpack}><ImageData WholeExtent="{extent}" Origin="0 0 0" '
        f'Spacing="{" ".join(repr(float(v)) for v in step[::-1])}">{field}<Piece Extent="{extent}">'
        f"<{place}>{arrays}</{place}></Piece></ImageData>"
    )
    path = folder / name
    path.write_bytes(text.encode() + tail + b"</VTKFile>")
    return path


def _vti_block(raw: bytes, word: str, packed: bool, coded: bool, block: int) -> bytes:
    if not packed:
        data = struct.pack(word, len(raw)) + raw
        return base64.b64encode(data) if coded else data
    parts = [raw[k : k + block] for k in range(0, len(raw), block)]
    pieces = [zlib.compress(part, 1) for part in parts]
    last = len(parts[-1]) if len(parts[-1]) != block else 0
    numbers = [len(parts), block, last, *map(len, pieces)]
    head = b"".join(struct.pack(word, one) for one in numbers)
    if coded:
        return base64.b64encode(head) + base64.b64encode(b"".join(pieces))
    return head + b"".join(pieces)


def npy(
    folder: Path, values: Array, *, name: str = "a.npy", order: str = "<", fortran: bool = False
) -> Path:
    stored = values.astype(values.dtype.newbyteorder(order))
    np.save(folder / name, np.asfortranarray(stored) if fortran else np.ascontiguousarray(stored))
    return folder / name


def tiff(
    folder: Path, values: Array, *, name: str = "a.tif", order: str = "<", photometric: int = 1,
    description: str = "", resolution: tuple[int, int, int] | None = None, big: bool = False,
    packed: bool = False, bits: int | None = None,
) -> Path:  # fmt: skip
    """A baseline TIFF, one strip per page; `resolution`: pixels, per so many units, code of the unit."""
    kind = {"u": 1, "i": 2, "f": 3, "b": 1}[values.dtype.kind]
    word, offset = (order + "Q", 8) if big else (order + "I", 4)
    out = bytearray(
        (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    )
    if big:
        out += struct.pack(order + "HH", 8, 0)
    link = len(out)
    out += bytes(offset)

    def put(data: bytes) -> int:
        out.extend(bytes(-len(out) % 8))
        out.extend(data)
        return len(out) - len(data)

    for number, page in enumerate(values):
        data = np.packbits(page, axis=1).tobytes() if bits == 1 else in_order(page, order)
        data = zlib.compress(data, 1) if packed else data
        start = put(data)
        tags: list[tuple[int, int, int, Any]] = [
            (256, 4, 1, page.shape[1]), (257, 4, 1, page.shape[0]), (258, 3, 1, bits or 8 * values.itemsize),
            (259, 3, 1, 8 if packed else 1), (262, 3, 1, photometric), (273, 4, 1, start),
            (277, 3, 1, 1), (278, 4, 1, page.shape[0]), (279, 4, 1, len(data)), (339, 3, 1, kind),
        ]  # fmt: skip
        if description and number == 0:
            text = description.encode() + b"\0"
            tags.append((270, 2, len(text), text))
        if resolution is not None:
            fraction = struct.pack(order + "II", *resolution[:2])
            tags += [(282, 5, 1, fraction), (283, 5, 1, fraction), (296, 3, 1, resolution[2])]
        entries = b""
        for tag, type_, count, value in sorted(tags):
            if isinstance(value, bytes):
                inline = (
                    value.ljust(offset, b"\0")
                    if len(value) <= offset
                    else struct.pack(word, put(value))
                )
            else:
                inline = struct.pack(order + ("H" if type_ == 3 else "I"), value).ljust(
                    offset, b"\0"
                )
            entries += struct.pack(order + "HH", tag, type_) + struct.pack(word, count) + inline
        count_code = order + ("Q" if big else "H")
        here = put(struct.pack(count_code, len(tags)) + entries + bytes(offset))
        struct.pack_into(word, out, link, here)
        link = len(out) - offset
    (folder / name).write_bytes(bytes(out))
    return folder / name


def imagej(step: float, count: int, unit: str = "um", extra: str = "") -> str:
    """The description that ImageJ writes for a stack."""
    return f"ImageJ=1.54f\nimages={count}\nslices={count}\nunit={unit}\nspacing={step}\nloop=false\n{extra}"


def ome(
    shape: Sequence[int], step: Sequence[float], unit: str | None = None, order: str = "XYZCT"
) -> str:
    """OME-XML for a stack of pages."""
    z, y, x = shape
    sizes = "".join(
        f' PhysicalSize{axis}="{one}"'
        + ("" if unit is None else f' PhysicalSize{axis}Unit="{unit}"')
        for axis, one in zip("ZYX", step, strict=True)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint8" SizeX="{x}" '
        f'SizeY="{y}" SizeZ="{z}" SizeC="1" SizeT="1"{sizes}><TiffData/></Pixels></Image></OME>'
    )


def slices(folder: Path, values: Array, *, name: str = "slices", pattern: str = "s_{}.tif") -> Path:
    """A folder of TIFF slices."""
    place = folder / name
    place.mkdir()
    for k, page in enumerate(values):
        tiff(place, page[None], name=pattern.format(k))
    return place
