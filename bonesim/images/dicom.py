"""DICOM: a series of slices in files of their own, or one file with many frames.

Slices are ordered by their position along the normal of the slice (ImagePositionPatient), never by
name; directions and positions are the patient's (LPS). DICOM PS3.3, C.7.6.2, C.7.6.3, C.11.1.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.images.frames import Frame, frames_of
from bonesim.images.opening import opened
from bonesim.images.stored import Stored
from bonesim.images.volumes import check_size

__all__ = ["read", "read_series", "recognises"]

#: Slices may be apart by this share more or less than others; more: one is missing.
UNEVEN_SHARE = 0.01
_DEFLATED = "1.2.840.10008.1.2.1.99"
#: Bytes from a file's start that are enough to recognise DICOM.
HEAD_BYTES = 132


class _Slice(NamedTuple):
    """One frame of one file: where it is from, and what describes it."""

    path: Path
    number: int
    frame: Frame


def recognises(head: bytes) -> bool:
    """Whether a file's first `HEAD_BYTES` bytes are those of DICOM.

    Files without the preamble begin with a data element of group 2 or 8, in either byte order.
    """
    if head[128:132] == b"DICM":
        return True
    if len(head) < 12 or head[:4].count(0) < 1:
        return False
    little = head[1] == 0 and head[0] in (2, 8) and head[3] == 0
    big = head[0] == 0 and head[1] in (2, 8) and head[2] == 0
    explicit = head[4:6] in (b"UL", b"UI", b"CS", b"SH", b"LO", b"OB", b"DA", b"TM")
    length = int.from_bytes(head[4:8], "little")
    text = head[8 : min(8 + length, len(head))].rstrip(b"\0")
    implicit = (
        little and 0 < length <= 64 and length % 2 == 0 and text.decode("latin-1").isprintable()
    )
    return (explicit and (little or big)) or implicit


def read(path: Path, index: int | None = None) -> Stored:
    """Read one file with many frames.

    Raises:
        InputError: it holds one slice; and, with CorruptFileError, see `read_series`.
    """
    found = read_series(path, [path], index)
    if len(found.values) == 1:
        raise InputError(f"{path}: is one slice (DICOM); give the folder of all slices")
    return found


def read_series(place: Path, paths: Sequence[Path], index: int | None = None) -> Stored:
    """Read files of one series, in any order.

    Args:
        place: their folder, for messages.
        paths: the files; those without an image are passed over.
        index: which series, from 0, if there are several; the message lists them.

    Raises:
        InputError: several series, colour, kinds of values or compression that cannot be read,
            missing slices, slices that do not lie on one straight stack.
        CorruptFileError: damaged, or fewer pixels than the header states.
    """
    with _quiet():
        slices, notes = _chosen(place, paths, index)
        first = slices[0]
        _check_alike(slices)
        slices, step_um, directions, origin_um = _placed(slices)
        values, scale, offset = _values(slices)
    if first.frame.inverted:
        notes += ("MONOCHROME1: stored values were inverted, so that dense is high",)
    if first.frame.monochrome1 and not first.frame.inverted:
        notes += (f"MONOCHROME1, but values are {first.frame.rescale_type}: not inverted",)
    per_volume = first.frame.rescale_type.upper() == "MGML"
    return Stored(
        values, step_um, directions, origin_um, "LPS" if directions is not None else "",
        scale, offset, (1.0, 0.0) if per_volume else None,
        "" if step_um else "its headers state no distance of pixels, or none of slices", notes,
    )  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """Without pydicom's own warnings: what matters is checked here."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _header(path: Path) -> Any:
    """A file's data set without its pixels; None if it holds no image."""
    from pydicom import dcmread
    from pydicom.filereader import read_preamble

    try:
        with opened(path) as file:
            bare = read_preamble(file, force=True) is None
            file.seek(0)
            # The pixels of a deflated file cannot be skipped: it would be unpacked in memory.
            if not bare and _DEFLATED.encode() in file.read(2048):
                raise InputError(f"{path}: is deflated DICOM; save it without compression first")
        data = dcmread(path, stop_before_pixels=True, force=bare)
        if bare and not ("SOPClassUID" in data and "Rows" in data):
            raise CorruptFileError(f"{path}: is no DICOM file; it has neither preamble nor image")
        if "Rows" not in data:
            return _no_image(data, path)
    except (InputError, CorruptFileError):
        raise
    except Exception as error:
        raise _damaged(path, error) from None
    return data


def _no_image(data: Any, path: Path) -> None:
    """Pass over a report or a list of files; an image without its rows is damaged."""
    from pydicom.uid import UID

    meta = getattr(data, "file_meta", {})
    kind = UID(str(meta.get("MediaStorageSOPClassUID") or data.get("SOPClassUID") or ""))
    if kind.type != "SOP Class" or "Image" in kind.name:
        raise CorruptFileError(
            f"{path}: states no size of an image; the file is cut short or damaged, take another copy"
        )


def _damaged(path: Path, error: Exception) -> CorruptFileError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return CorruptFileError(
        f"{path}: cannot be read as DICOM ({reason}); the file is damaged, take another copy"
    )


def _chosen(
    place: Path, paths: Sequence[Path], index: int | None
) -> tuple[list[_Slice], tuple[str, ...]]:
    """The frames of the one series, or of the one that `index` chooses."""
    series: dict[tuple[int, str, str], list[_Slice]] = {}
    passed_over = []
    for path in paths:
        data = _header(path)
        if data is None:
            passed_over.append(path.name)
            continue
        try:
            frames = frames_of(data, path)
            number = int(data.get("SeriesNumber") or 0)
            text = str(data.get("SeriesDescription") or "")
            uid = str(data.get("SeriesInstanceUID") or "")
        except (InputError, CorruptFileError):
            raise
        except Exception as error:
            raise _damaged(path, error) from None
        some = series.setdefault((number, uid, text), [])
        some.extend(_Slice(path, n, frame) for n, frame in enumerate(frames))
    notes = (f"without an image, passed over: {', '.join(passed_over)}",) if passed_over else ()
    if not series:
        raise InputError(f"{place}: no DICOM file here holds an image")
    names = sorted(series)
    if (index is None and len(names) > 1) or (index is not None and not 0 <= index < len(names)):
        listed = "; ".join(
            f"{n}: {text or 'no description'}, series {number}, {len(series[key])} slices"
            for n, key in enumerate(names)
            for number, _, text in (key,)
        )
        raise InputError(f"{place}: holds {len(names)} series ({listed}); choose one with `index`")
    return series[names[index or 0]], notes


def _check_alike(slices: Sequence[_Slice]) -> None:
    """Refuse slices of different kinds, before anything is allocated."""
    first = slices[0]
    for one in slices:
        if one.frame.look != first.frame.look:
            raise InputError(
                f"{one.path}: is {one.frame.look}, but {first.path.name} is {first.frame.look}; all "
                "slices must be alike"
            )
    check_size((len(slices), first.frame.kind.rows, first.frame.kind.columns), first.path)


_Placed = tuple[
    list[_Slice], tuple[float, float, float] | None, NDArray[np.float64] | None,
    tuple[float, float, float] | None,
]  # fmt: skip


def _placed(slices: list[_Slice]) -> _Placed:
    """Slices in order, steps (z, y, x) um, directions of the axes, and the first one's place."""
    first = slices[0].frame
    placed = [one for one in slices if one.frame.position is not None]
    if len(placed) < len(slices) or first.orientation is None:
        return _numbered(slices)
    across, down = first.orientation
    normal = np.cross(across, down)
    for one in slices:
        if one.frame.orientation is None or not np.allclose(
            one.frame.orientation, first.orientation, atol=1e-3
        ):
            raise InputError(
                f"{one.path}: its slice is turned against that of {slices[0].path.name}; keep the "
                "slices of one stack alone"
            )
    points = np.array([one.frame.position for one in slices])
    order = np.argsort(points @ normal, kind="stable")
    slices, points = [slices[n] for n in order], points[order]
    step = _even_step(slices, points @ normal) if len(slices) > 1 else first.between_mm
    sideways = points - points[0] - np.outer((points - points[0]) @ normal, normal)
    if step is not None and np.abs(sideways).max() > UNEVEN_SHARE * step * len(slices):
        raise InputError(
            f"{slices[-1].path}: slices are shifted sideways by {1e3 * np.abs(sideways).max():.4g} um "
            "(tilted gantry); resample the scan to an upright stack first"
        )
    directions = np.array([normal, down, across])
    x, y, z = (1e3 * float(number) for number in points[0])
    return slices, _steps_um(first, step), directions, (x, y, z)


def _numbered(slices: list[_Slice]) -> _Placed:
    """Slices without a place in the patient, in the order of their numbers."""
    numbers = [one.frame.number for one in slices]
    if len(set(numbers)) < len(numbers) or max(numbers) - min(numbers) >= len(numbers):
        raise InputError(
            f"{slices[0].path}: slices have neither a position nor numbers without gaps, so their "
            "order is unknown; export the series with ImagePositionPatient"
        )
    slices = sorted(slices, key=lambda one: one.frame.number)
    first = slices[0].frame
    return slices, _steps_um(first, first.between_mm), None, None


def _even_step(slices: Sequence[_Slice], places: NDArray[np.float64]) -> float:
    """The distance of slices, mm; refused if it is not the same between all."""
    steps = np.diff(places)
    usual = float(np.median(steps))
    if usual <= 0 or steps.min() <= 1e-3 * usual:
        n = int(steps.argmin())
        raise InputError(
            f"{slices[n + 1].path}: lies where {slices[n].path.name} does; the series holds more than "
            "one volume, keep the files of one"
        )
    n = int(np.abs(steps - usual).argmax())
    if abs(steps[n] - usual) > UNEVEN_SHARE * usual:
        raise InputError(
            f"{slices[n + 1].path}: lies {1e3 * steps[n]:.5g} um above {slices[n].path.name}, but "
            f"slices are {1e3 * usual:.5g} um apart; slices are missing, export the series again"
        )
    return float((places[-1] - places[0]) / (len(places) - 1))


def _steps_um(frame: Frame, between_mm: float | None) -> tuple[float, float, float] | None:
    """Steps along z, y, x; None if one of them is unknown."""
    if frame.pixel_mm is None or not between_mm:
        return None
    z, y, x = (float(f"{1e3 * mm:.7g}") for mm in (between_mm, *frame.pixel_mm))
    return z, y, x


def _values(slices: Sequence[_Slice]) -> tuple[NDArray[Any], float, float]:
    """The voxels and one scale and offset for them; slices of different scales are scaled here."""
    from pydicom import dcmread

    equations = {(one.frame.slope, one.frame.intercept) for one in slices}
    first = slices[0].frame
    shape = (len(slices), first.kind.rows, first.kind.columns)
    one_scale = len(equations) == 1
    values: NDArray[Any] = np.empty(shape, first.kind.dtype if one_scale else np.float64)
    data, pixels, opened = None, None, None
    for n, one in enumerate(slices):
        if one.path != opened:
            try:
                data = dcmread(one.path, force=True)
            except Exception as error:
                raise _damaged(one.path, error) from None
            pixels, opened = one.frame.kind.pixels(data, one.path), one.path
        assert pixels is not None
        stored = one.frame.upright(pixels[one.number])
        values[n] = stored if one_scale else one.frame.slope * stored + one.frame.intercept
    return (values, first.slope, first.intercept) if one_scale else (values, 1.0, 0.0)
