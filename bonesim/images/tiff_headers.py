"""What programs write into a TIFF beside the pixels: voxel size, planes, calibration.

ImageJ has unit and spacing, channels, slices and frames, and a straight line from stored to true
values. OME-XML has PhysicalSizeX, Y and Z with a unit (um if none is given, as its schema has it).
The resolution tags of TIFF itself give x and y only. The distance of slices does not follow from
them, and programs write 72 per inch into any picture, so z is asked for.
"""

import re
from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from bonesim.images.geometry import MAX_VOXEL_UM, MIN_VOXEL_UM
from bonesim.images.lengths import rounded, um_per
from bonesim.images.stored import OWN_BONE, Three

__all__ = ["Header", "Order", "of", "step_of"]

_NAMES = "XYZCT"


class Order(NamedTuple):
    """Which plane of the file belongs to which place, channel and time.

    Attributes:
        written_by: whose header it is, for messages.
        images: for each image in the file, (name, length) of Z, C and T, the fastest first.
        places: (image, z, c, t) -> page, if the header lists them; else they are in order.
    """

    written_by: str
    images: tuple[tuple[tuple[str, int], ...], ...]
    places: Mapping[tuple[int, ...], int] = {}

    @property
    def planes(self) -> int:
        """Planes of all images."""
        return sum(int(np.prod([n for _, n in axes])) for axes in self.images)

    @property
    def many(self) -> tuple[str, ...]:
        """Axes longer than 1, if there is one image."""
        return tuple(name for name, n in self.images[0] if n > 1) if len(self.images) == 1 else ()

    def volumes(self) -> list[list[int]]:
        """Pages of each volume, from the first z to the last."""
        found, start = [], 0
        for image, axes in enumerate(self.images):
            lengths = dict(axes)
            strides, stride = {}, 1
            for name, length in axes:
                strides[name], stride = stride, stride * length
            for t, c in product(range(lengths["T"]), range(lengths["C"])):
                pages = []
                for z in range(lengths["Z"]):
                    plane = start + z * strides["Z"] + c * strides["C"] + t * strides["T"]
                    pages.append(self.places.get((image, z, c, t), plane))
                found.append(pages)
            start += stride
        return found


class Header(NamedTuple):
    """What is beside the pixels.

    Attributes:
        imagej: ImageJ wrote the file.
        planes: how many the header describes, 0 if it does not.
        order: of the planes.
        sizes: (z, y, x) in um as far as the header has them.
        missing: why there are none, as a clause.
        bone: as of `Stored`.
        scale, offset: true value = scale * stored + offset.
        notes: for the user.
    """

    imagej: bool = False
    bone: bool = False
    planes: int = 0
    order: Order | None = None
    sizes: tuple[float | None, float | None, float | None] = (None, None, None)
    missing: str = ""
    scale: float = 1.0
    offset: float = 0.0
    notes: tuple[str, ...] = ()


class BadHeader(ValueError):
    """A header that contradicts itself; the text states how."""


def of(page: Any) -> Header:
    """The header in the first page of a file.

    Raises:
        BadHeader: its calibration or XML cannot be followed.
    """
    text = str(page.description or "")
    if text.startswith("ImageJ="):
        return _imagej(text, page)
    if re.match(r"(\ufeff)?\s*<(\?xml|!--|OME)", text) and "<OME" in text:
        return _ome(text)
    shape = re.match(r'\{"shape": \[([\d, ]+)\]', text)
    if shape:
        return Header(planes=int(np.prod([float(n) for n in shape[1].split(",")][:-2])))
    return Header()


def step_of(header: Header, page: Any) -> tuple[Three | None, str]:
    """Voxel size (z, y, x) in um, or why there is none."""
    z, y, x = header.sizes
    if z is not None and y is not None and x is not None:
        return (z, y, x), ""
    if header.missing:
        return None, header.missing
    unit = {2: 25400.0, 3: 10000.0}.get(_tag(page, "ResolutionUnit") or 2, 0.0)
    steps = [_per_pixel(page, f"{axis}Resolution") for axis in "XY"]
    sizes = [rounded(step[0] * unit) for step in steps if step]
    if len(sizes) == 2 and all(MIN_VOXEL_UM <= one <= MAX_VOXEL_UM for one in sizes):
        return None, (
            f"the file has a pixel size of {sizes[0]:g} x {sizes[1]:g} um in its resolution tags, but no "
            "distance of slices"
        )
    return None, "the file has no voxel size"


def _tag(page: Any, name: str) -> Any:
    tag = page.tags.get(name)
    return None if tag is None else tag.value


def _per_pixel(page: Any, name: str) -> tuple[float, float] | None:
    """Length of a pixel in the unit of the resolution, and the share by which it is rounded."""
    value = _tag(page, name)
    if not isinstance(value, tuple) or len(value) != 2 or not value[0] or not value[1]:
        return None
    return value[1] / value[0], 1.0 / value[0]


def _imagej(text: str, page: Any) -> Header:
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    count = {
        axis: _count(fields.get(name)) for axis, name in (("C", "channels"), ("Z", "slices"), ("T", "frames"))
    }  # fmt: skip
    planes = _count(fields.get("images"))
    if int(np.prod(list(count.values()))) == 1 and planes > 1:
        count["Z"] = planes
    order = Order("ImageJ", (tuple(count.items()),))
    sizes, missing = _imagej_size(fields, page)
    scale, offset, notes = _imagej_values(fields)
    bone = fields.get("content", "").startswith(OWN_BONE)
    return Header(True, bone, planes, order, sizes, missing, scale, offset, notes)


def _count(text: str | None) -> int:
    return max(1, int(text)) if text is not None and re.fullmatch(r"\d{1,7}", text.strip()) else 1


def _imagej_size(
    fields: Mapping[str, str], page: Any
) -> tuple[tuple[float | None, float | None, float | None], str]:
    """Sizes of an ImageJ stack: z by its own field, x and y as pixels per unit."""
    none = (None, None, None)
    unit = fields.get("unit", "").strip()
    factor = um_per(unit)
    if not unit or unit.lower() in ("pixel", "pixels"):
        return none, "the file has no voxel size (ImageJ counts in pixels)"
    if factor is None:
        return none, f"its voxel size is in {unit[:40]!r}, a unit that is not known"
    steps = [_per_pixel(page, f"{axis}Resolution") for axis in "YX"]
    if "spacing" not in fields or steps[0] is None or steps[1] is None:
        return none, "its ImageJ header has no distance of slices or no size of pixels"
    try:
        z = float(fields["spacing"])
    except ValueError:
        z = float("nan")
    # Pixels per unit are fractions of whole numbers: what differs by their rounding only is equal.
    y, x = (
        z if abs(step - z) <= step * (share + 1e-7) else step
        for step, share in (steps[0], steps[1])
    )
    return (z * factor, y * factor, x * factor), ""


def _imagej_values(fields: Mapping[str, str]) -> tuple[float, float, tuple[str, ...]]:
    """Scale and offset of ImageJ's calibration function.

    Raises:
        BadHeader: a function that is no straight line, or no numbers.
    """
    kind = fields.get("cf", "20").strip()
    if kind == "20" or ("c0" not in fields and "c1" not in fields):
        return 1.0, 0.0, ()
    if kind != "0":
        raise BadHeader(
            f"its grey values are calibrated by ImageJ's function {kind[:9]}, which is no straight line; "
            "apply it in ImageJ and save the result"
        )
    try:
        offset, scale = float(fields["c0"]), float(fields["c1"])
    except (KeyError, ValueError):
        offset = scale = float("nan")
    if not np.isfinite([scale, offset]).all() or scale == 0.0:
        raise BadHeader("its calibration of grey values (ImageJ's c0 and c1) is no pair of numbers")
    return scale, offset, ()


def _ome(text: str) -> Header:
    """OME-XML (schema 2016-06; older ones have the same attributes).

    Raises:
        BadHeader: no XML, or one with entities of its own.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadHeader("its OME-XML declares entities, which no writer of OME-XML does")
    try:
        root = ElementTree.fromstring(text.strip("\0 \n\ufeff").encode())
    except (ElementTree.ParseError, ValueError) as error:
        raise BadHeader(f"its OME-XML cannot be read ({error})") from None
    pixels = [one for one in root.iter() if one.tag.rsplit("}", 1)[-1] == "Pixels"]
    if not pixels:
        return Header()
    images: list[tuple[tuple[str, int], ...]] = []
    places: dict[tuple[int, ...], int] = {}
    for number, one in enumerate(pixels):
        axes = _ome_axes(one)
        images.append(axes)
        places.update(_ome_places(number, one, axes))
    order = Order("OME-XML", tuple(images), places)
    sizes, missing = _ome_size(pixels[0])
    return Header(planes=order.planes, order=order, sizes=sizes, missing=missing)


def _ome_axes(pixels: ElementTree.Element) -> tuple[tuple[str, int], ...]:
    names = pixels.get("DimensionOrder", "XYZCT")
    if sorted(names) != sorted(_NAMES) or names[:2] != "XY":
        raise BadHeader(f"its OME-XML has the order of axes {names[:20]!r}")
    lengths = {name: _count(pixels.get(f"Size{name}")) for name in "ZCT"}
    samples = [one.get("SamplesPerPixel") for one in pixels if one.tag.endswith("Channel")]
    colours = max((_count(one) for one in samples), default=1)
    lengths["C"] = max(1, lengths["C"] // colours)
    return tuple((name, lengths[name]) for name in names[2:])


def _ome_places(
    image: int, pixels: ElementTree.Element, axes: tuple[tuple[str, int], ...]
) -> dict[tuple[int, ...], int]:
    """Pages of planes that the XML lists one by one."""
    places: dict[tuple[int, ...], int] = {}
    for data in pixels:
        if data.tag.rsplit("}", 1)[-1] != "TiffData" or data.get("IFD") is None:
            continue
        if data.get("PlaneCount", "1") != "1":
            continue
        z, c, t = (_index(data.get(f"First{name}")) for name in "ZCT")
        places[image, z, c, t] = _index(data.get("IFD"))
    return places


def _index(text: str | None) -> int:
    return int(text) if text is not None and re.fullmatch(r"\d{1,7}", text.strip()) else 0


def _ome_size(
    pixels: ElementTree.Element,
) -> tuple[tuple[float | None, float | None, float | None], str]:
    none = (None, None, None)
    found: list[float] = []
    for axis in "ZYX":
        text, unit = pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")
        if text is None:
            return none, f"its OME-XML has no PhysicalSize{axis}"
        factor = um_per(unit)
        if factor is None:
            return none, f"its voxel size is in {unit[:40]!r}, a unit that is not known"
        try:
            found.append(float(text) * factor)
        except ValueError:
            return none, f"its OME-XML has a PhysicalSize{axis} of {text[:40]!r}"
    return (found[0], found[1], found[2]), ""
