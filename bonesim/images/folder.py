"""A folder of slices, one file each: which of its files are slices, their order, holes in it.

Slices are recognised by content. Their names differ in numbers only, by which they are ordered as
people count (2 before 10). Files of other content (logs, tables), hidden files and previews are
passed over, which is reported.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.images import dicom, slices, tiff
from bonesim.images.opening import head_of
from bonesim.images.stored import Stored
from bonesim.images.volumes import check_size

__all__ = ["PAGES", "SERIES", "PageKind", "read"]


class PageKind(NamedTuple):
    """A format of single slices.

    Attributes:
        name: for messages.
        endings: of file names, lower case: a file of such a name and other content is damaged.
        recognises: whether a file's first bytes are of this kind.
        decode: path -> the slice (y, x), and notes that hold for all slices.
    """

    name: str
    endings: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    decode: Callable[[Path], tuple[NDArray[Any], tuple[str, ...]]]


class SeriesKind(NamedTuple):
    """A format whose slices carry their own place, e.g. DICOM: order is not that of the names.

    Attributes:
        name: for messages.
        endings: of file names, lower case; files often have none.
        recognises: whether a file's first bytes are of this kind.
        read: folder, files, index -> Stored.
    """

    name: str
    endings: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    read: Callable[[Path, Sequence[Path], int | None], Stored]


PAGES: tuple[PageKind, ...] = (
    PageKind("TIFF", (".tif", ".tiff"), lambda head: tiff.recognises(head, Path()), tiff.page),
    PageKind("PNG", (".png",), slices.recognises("PNG"), slices.decode_page),
    PageKind("BMP", (".bmp",), slices.recognises("BMP"), slices.decode_page),
    PageKind("JPEG", (".jpg", ".jpeg"), slices.recognises("JPEG"), slices.decode_page),
)
SERIES: tuple[SeriesKind, ...] = (
    SeriesKind("DICOM", (".dcm", ".dicom"), dicom.recognises, dicom.read_series),
)
#: Voxel size from files beside the slices (a scanner's log): folder, other files -> size and a note.
LOGS: tuple[Callable[[Path, Sequence[Path]], tuple[float, str] | None], ...] = (
    slices.skyscan_size,
)

#: Words in the names of pictures that scanners and programs put beside slices.
_PREVIEW = re.compile(r"(_spr|preview|thumb|scout|_mip|overview)", re.IGNORECASE)


class Name(NamedTuple):
    """A file name as its words and its numbers."""

    words: tuple[str, ...]
    numbers: tuple[int, ...]


def read(path: Path, *, index: int | None = None) -> Stored:
    """Read a folder of slices as (z, y, x), z in the order of the names' numbers.

    Args:
        path: the folder.
        index: which of several series, if the slices know theirs.

    Raises:
        InputError: no slices, slices of several kinds, names or sizes.
        CorruptFileError: a damaged slice.
    """
    visible, notes = _visible(path)
    pages, others, kind = _by_content(path, visible)
    if isinstance(kind, SeriesKind):
        stored = kind.read(path, pages, index)
        return replace(stored, notes=(*notes, *_skipped(others, "no slices"), *stored.notes))
    if index not in (None, 0):
        raise InputError(f"{path}: is one volume; got {index}, allowed is 0", parameter="index")
    pages, previews = _without_previews(pages)
    others = [file for file in others if file not in previews]
    ordered, order_notes = in_order(path, pages)
    values, page_notes = _stacked(path, ordered, kind)
    found = next((size for log in LOGS if (size := log(path, others)) is not None), None)
    notes = [
        f"folder of {len(ordered)} {kind.name} slices, {ordered[0].name} to {ordered[-1].name}, "
        "ordered by number; files are z, rows y, columns x",
        *notes, *_skipped(others, "no slices"), *_skipped(previews, "previews"),
        *order_notes, *page_notes,
    ]  # fmt: skip
    if found is None:
        return Stored(values, missing="a folder of slices has no voxel size", notes=tuple(notes))
    return Stored(values, step_um=(found[0],) * 3, notes=(*notes, found[1]))


def _visible(path: Path) -> tuple[list[Path], list[str]]:
    """Files of the folder that are not hidden, by name, and a note on what is passed over."""
    try:
        every = sorted(path.iterdir())
    except OSError as error:
        raise InputError(f"{path}: cannot be listed ({error.strerror}); check its rights") from None
    hidden = [one for one in every if one.name.startswith(".")]
    folders = [one for one in every if one not in hidden and one.is_dir()]
    away = {*hidden, *folders}
    notes = [*_skipped(hidden, "hidden"), *_skipped(folders, "folders")]
    return [one for one in every if one not in away], notes


def _by_content(
    path: Path, files: Sequence[Path]
) -> tuple[list[Path], list[Path], PageKind | SeriesKind]:
    """Slices, other files, and the one kind that the slices have."""
    kinds: tuple[PageKind | SeriesKind, ...] = (*SERIES, *PAGES)
    endings = tuple(ending for kind in kinds for ending in kind.endings)
    found: dict[str, list[Path]] = {}
    others = []
    for file in files:
        head = head_of(file)
        kind = next((kind for kind in kinds if kind.recognises(head)), None)
        if kind is not None:
            found.setdefault(kind.name, []).append(file)
        elif file.name.lower().endswith(endings):
            raise CorruptFileError(
                f"{file}: cannot be read as a slice: its content begins with {head[:8]!r}, which is "
                "no format of slices; the file is damaged, or move it out of the folder"
            )
        else:
            others.append(file)
    real = {
        name: some for name, some in found.items()
        if not all(_PREVIEW.search(file.stem) for file in some)
    }  # fmt: skip
    if not real:
        raise InputError(
            f"{path}: holds no slices; give a folder of files {', '.join(dict.fromkeys(endings))}"
        )
    if len(real) > 1:
        counts = ", ".join(f"{len(some)} {name}" for name, some in real.items())
        raise InputError(f"{path}: holds slices of several formats ({counts}); keep one of them")
    name, slices = next(iter(real.items()))
    others += [file for other, some in found.items() if other != name for file in some]
    return slices, others, next(kind for kind in kinds if kind.name == name)


def _skipped(files: Sequence[Path], what: str) -> list[str]:
    if not files:
        return []
    names = ", ".join(file.name for file in files[:5]) + (", ..." if len(files) > 5 else "")
    return [f"passed over {len(files)} file(s) in the folder ({what}): {names}"]


def _without_previews(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Slices, and pictures that only go with them.

    Pictures have a word for it in their names, or are single, without a number that counts, beside
    slices that are counted.
    """
    series = _series(files)
    longest = max(map(len, series.values()))
    previews = [
        file
        for some in series.values()
        for file in some
        if len(some) < longest
        and (_PREVIEW.search(file.stem) or (len(some) == 1 and not re.search(r"\d$", file.stem)))
    ]
    return [file for file in files if file not in previews], previews


def _name(file: Path) -> Name:
    parts = re.split(r"(\d+)", file.name)
    return Name(tuple(part.lower() for part in parts[::2]), tuple(map(int, parts[1::2])))


def _series(files: Sequence[Path]) -> dict[tuple[str, ...], list[Path]]:
    """Files by the words in their names."""
    series: dict[tuple[str, ...], list[Path]] = {}
    for file in files:
        series.setdefault(_name(file).words, []).append(file)
    return series


def in_order(path: Path, files: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Slices in the order of the numbers in their names, and notes on holes.

    Raises:
        InputError: names of several series, or a number twice.
    """
    series = _series(files)
    if len(series) > 1:
        some = ", ".join(f"{group[0].name} ({len(group)})" for group in list(series.values())[:4])
        raise InputError(
            f"{path}: holds slices of {len(series)} series of names, e.g. {some}; keep one series in "
            "the folder"
        )
    ordered = sorted(files, key=lambda file: _name(file).numbers)
    numbers = [_name(file).numbers for file in ordered]
    for one, two, first, second in zip(numbers, numbers[1:], ordered, ordered[1:], strict=False):
        if one == two:
            raise InputError(f"{path}: {first.name} and {second.name} have one number; keep one")
    columns = [column for column in zip(*numbers, strict=True) if len(set(column)) > 1]
    return ordered, _holes(columns[0]) if len(columns) == 1 else []


def _holes(numbers: Sequence[int]) -> list[str]:
    """A note on numbers that are missing."""
    steps = np.diff(numbers)
    step = int(steps.min())
    note = []
    if step > 1:
        note.append(f"numbers of the slices go by {step} or more; slices are taken as adjacent")
    gaps = [k for k, one in enumerate(steps) if one != step]
    if not gaps:
        return note
    lacking = sum(-(-int(steps[k]) // step) - 1 for k in gaps)
    where = ", ".join(f"between {numbers[k]} and {numbers[k + 1]}" for k in gaps[:5])
    more = ", ..." if len(gaps) > 5 else ""
    return [
        *note,
        f"holes in the numbering: {lacking} slice(s) are missing ({where}{more}); the others are "
        "taken as adjacent, so lengths along z are too short there",
    ]


def _stacked(
    path: Path, files: Sequence[Path], kind: PageKind
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The slices, all alike, one above the other."""
    first, notes = kind.decode(files[0])
    check_size((len(files), *first.shape), path)
    values = np.empty((len(files), *first.shape), dtype=first.dtype)
    for k, file in enumerate(files):
        page, others = (first, notes) if k == 0 else kind.decode(file)
        if page.shape != first.shape or page.dtype != first.dtype or others != notes:
            raise InputError(
                f"{file}: is {_look(page, others)}, but {files[0].name} is {_look(first, notes)}; all "
                "slices must be alike"
            )
        values[k] = page
    return values, notes


def _look(page: NDArray[Any], notes: tuple[str, ...]) -> str:
    size = " x ".join(map(str, page.shape[::-1]))
    return f"{size} of {page.dtype}" + "".join(f" ({note})" for note in notes)
