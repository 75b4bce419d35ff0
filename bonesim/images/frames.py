"""What DICOM states of one frame: its kind of pixels, its place, its scale."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError

__all__ = ["Frame", "Kind", "frames_of"]

_BITS = {8: "i1", 16: "i2", 32: "i4"}
#: Rescale types that are no quantity: "unspecified", or none given.
_NO_QUANTITY = ("", "US")
#: More frames than this are refused before their headers are walked.
_MAX_FRAMES = 2**16


class Kind(NamedTuple):
    """Size and type of a frame's pixels; all slices of a volume share it."""

    rows: int
    columns: int
    bits: int
    stored_bits: int
    high_bit: int
    signed: bool

    def __str__(self) -> str:
        sign = "signed" if self.signed else "unsigned"
        return f"{self.columns} x {self.rows} pixels of {self.stored_bits} bits, {sign}"

    @property
    def dtype(self) -> "np.dtype[Any]":
        """NumPy's type of the stored values."""
        name = _BITS[self.bits]
        return np.dtype(name if self.signed else name.replace("i", "u"))

    def pixels(self, data: Any, path: Path) -> NDArray[Any]:
        """The stored values of all frames of a data set, shape (frames, rows, columns).

        Raises:
            InputError: a compression no installed package reads. CorruptFileError: too few pixels.
        """
        from pydicom.pixels.utils import pixel_array

        frames = int(data.get("NumberOfFrames") or 1)
        syntax = getattr(data, "file_meta", {}).get("TransferSyntaxUID")
        if "PixelData" not in data:
            raise CorruptFileError(f"{path}: holds no pixels; it is cut short, take another copy")
        if syntax is not None and not syntax.is_transfer_syntax:
            raise CorruptFileError(
                f"{path}: its transfer syntax {syntax} is none of DICOM; the file is damaged, take "
                "another copy"
            )
        if syntax is not None and syntax.is_compressed:
            _check_codec(syntax, path)
        else:
            wanted = frames * self.rows * self.columns * self.bits // 8
            found = len(data.PixelData)
            if not wanted <= found <= wanted + 1:
                raise CorruptFileError(
                    f"{path}: {frames} frame(s) of {self.columns} x {self.rows} pixels take {wanted} "
                    f"bytes, but the file has {found}; it is cut short or damaged, take another copy"
                )
        try:
            if syntax is None:
                data.file_meta.TransferSyntaxUID = _plain_syntax(data)
            found_pixels = np.asarray(pixel_array(data, raw=True))
        except Exception as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise CorruptFileError(
                f"{path}: its pixels cannot be read ({reason}); the file is damaged, take another copy"
            ) from None
        stack = found_pixels.reshape(frames, self.rows, self.columns)
        up, down = self.bits - 1 - self.high_bit, self.bits - self.stored_bits
        values = stack.astype(self.dtype, copy=False)
        return (values << up) >> down if up or down else values


class Frame(NamedTuple):
    """One slice as the header describes it; None where it states nothing.

    Attributes:
        kind: of its pixels.
        number: InstanceNumber, or the frame's number in its file.
        position: of the first pixel's centre, mm, LPS.
        orientation: (2, 3) unit vectors along a row and along a column.
        pixel_mm: distance of rows and of columns.
        between_mm: distance of slices.
        slope, intercept: from stored value to what `rescale_type` names.
        monochrome1: the lowest value is displayed white.
    """

    kind: Kind
    number: int
    position: NDArray[np.float64] | None
    orientation: NDArray[np.float64] | None
    pixel_mm: tuple[float, float] | None
    between_mm: float | None
    slope: float
    intercept: float
    rescale_type: str
    monochrome1: bool

    @property
    def look(self) -> str:
        """Kind of pixels and of their values: what all slices of a volume share."""
        shade = "MONOCHROME1" if self.monochrome1 else "MONOCHROME2"
        return f"{self.kind}, {shade}, {self.rescale_type or 'no quantity'}"

    @property
    def inverted(self) -> bool:
        """Whether stored values are turned round: MONOCHROME1 that is no quantity such as HU."""
        return self.monochrome1 and self.rescale_type.upper() in _NO_QUANTITY

    def upright(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Stored values with dense high: MONOCHROME1 within the range of its stored bits."""
        if not self.inverted:
            return stored
        sum_of_ends = -1 if self.kind.signed else 2**self.kind.stored_bits - 1
        return (sum_of_ends - stored.astype(np.int64)).astype(stored.dtype)


def frames_of(data: Any, path: Path) -> list[Frame]:
    """The frames of a data set, in its order.

    Raises:
        InputError: colour, or values of a kind that cannot be read.
        CorruptFileError: numbers that contradict each other.
    """
    kind = _kind(data, path)
    count = int(data.get("NumberOfFrames") or 1)
    own = list(data.get("PerFrameFunctionalGroupsSequence") or [])
    if not 1 <= count <= _MAX_FRAMES or (own and len(own) != count):
        raise CorruptFileError(
            f"{path}: states {count} frames and describes {len(own)}; allowed are 1 to {_MAX_FRAMES}, "
            "all described or none"
        )
    shared = next(iter(data.get("SharedFunctionalGroupsSequence") or [None]))
    monochrome1 = data.get("PhotometricInterpretation") == "MONOCHROME1"
    frames = []
    for n in range(count):
        places = [own[n] if own else None, shared, data]
        many = count > 1 and not own
        position = (
            None if many else _vector(places, "PlanePositionSequence", "ImagePositionPatient", 3)
        )
        axes = _vector(places, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
        pixel = _vector(places, "PixelMeasuresSequence", "PixelSpacing", 2)
        between = _vector(places, "PixelMeasuresSequence", "SpacingBetweenSlices", 1)
        values = "PixelValueTransformationSequence"
        slope, intercept = (
            _vector(places, values, f"Rescale{x}", 1) for x in ("Slope", "Intercept")
        )
        kind_of_value = _found(places, values, "RescaleType")
        frames.append(
            Frame(
                kind, n if count > 1 else int(data.get("InstanceNumber") or 0), position,
                None if axes is None else _checked_axes(axes.reshape(2, 3), path),
                None if pixel is None else _checked_pixel(pixel, path),
                None if between is None else abs(float(between[0])),
                1.0 if slope is None else float(slope[0]),
                0.0 if intercept is None else float(intercept[0]),
                str(kind_of_value or ""), monochrome1,
            )
        )  # fmt: skip
    return frames


def _kind(data: Any, path: Path) -> Kind:
    """The kind of pixels, checked."""
    samples = int(data.get("SamplesPerPixel") or 1)
    colours = str(data.get("PhotometricInterpretation") or "MONOCHROME2")
    if samples != 1 or not colours.startswith("MONOCHROME"):
        raise InputError(
            f"{path}: is a colour image ({colours}, {samples} value(s) per pixel); give a grey one"
        )
    bits = int(data.get("BitsAllocated") or 0)
    stored = int(data.get("BitsStored") or bits)
    high = int(data.get("HighBit") if data.get("HighBit") is not None else stored - 1)
    if bits not in _BITS:
        raise InputError(f"{path}: has {bits} bits per pixel; allowed are 8, 16 and 32")
    rows, columns = int(data.Rows), int(data.Columns)
    if not (0 < stored <= bits and stored - 1 <= high < bits and rows > 0 and columns > 0):
        raise CorruptFileError(
            f"{path}: has {columns} x {rows} pixels with {stored} of {bits} bits up to bit {high}; "
            "the header contradicts itself, take another copy"
        )
    return Kind(rows, columns, bits, stored, high, bool(int(data.get("PixelRepresentation") or 0)))


def _found(places: list[Any], group: str, name: str) -> Any:
    """An attribute of the frame, of all frames, or of the data set itself; None if nowhere."""
    for place in places:
        if place is None:
            continue
        groups = list(place.get(group) or [])
        for one in (*groups[:1], place):
            value = one.get(name)
            if value is not None and value != "":
                return value
    return None


def _vector(places: list[Any], group: str, name: str, length: int) -> NDArray[np.float64] | None:
    """Finite numbers of an attribute; None if it is nowhere.

    Raises:
        ValueError: another number of them, or one that is not finite.
    """
    value = _found(places, group, name)
    if value is None:
        return None
    numbers = np.atleast_1d(np.asarray(value, np.float64))
    if numbers.shape != (length,) or not np.isfinite(numbers).all():
        raise ValueError(f"{name} is {value}; allowed are {length} finite numbers")
    return numbers


def _checked_axes(axes: NDArray[np.float64], path: Path) -> NDArray[np.float64]:
    """The directions of rows and columns: unit vectors at right angles."""
    if not np.allclose(axes @ axes.T, np.eye(2), atol=1e-2):
        raise CorruptFileError(
            f"{path}: its rows and columns have the directions {axes.tolist()}; allowed are unit "
            "vectors at right angles"
        )
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _checked_pixel(pixel: NDArray[np.float64], path: Path) -> tuple[float, float]:
    if pixel.min() <= 0:
        raise InputError(
            f"{path}: its pixels are {pixel[0]:g} x {pixel[1]:g} mm; allowed is more than 0; give "
            "`voxel_um` and remove PixelSpacing"
        )
    return float(pixel[0]), float(pixel[1])


def _check_codec(syntax: Any, path: Path) -> None:
    """Refuse a compression that no installed package reads."""
    from pydicom.pixels.decoders.base import get_decoder

    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        decoder = None
    if decoder is None:
        raise InputError(
            f"{path}: its compression ({syntax.name}) cannot be read; save the series uncompressed"
        )
    if not decoder.is_available:
        raise InputError(
            f"{path}: is compressed as {syntax.name}; install a package that reads it (pip install "
            "pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg) or save the series uncompressed"
        )


def _plain_syntax(data: Any) -> Any:
    """The transfer syntax of a file without meta information, from how it was read."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    implicit, little = data.original_encoding
    if not little:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
