"""TIFF: a stack of pages, or one page of a folder of slices.

tifffile reads the pages; which pages make the volume, and whether the file is whole, is decided here.
Pages are taken in runs of pages that are alike (size, type, meaning of 0). One run is the volume;
a single smaller or coloured page beside it is a thumbnail and passed over. Several runs are several
volumes: none is ever taken for the whole.

White is zero (MinIsWhite): such pages are inverted, as the TIFF standard has it, so that bright is
dense. Not those that ImageJ wrote: its inverting look-up table marks masks whose bone is 255, and
ImageJ and BoneJ themselves measure the numbers as stored. A note states which was done.
"""

from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.images import tiff_headers
from bonesim.images.opening import opened, plain_size
from bonesim.images.stored import Stored
from bonesim.images.tiff_pages import decoded, pages_of, quiet_tifffile
from bonesim.images.volumes import check_size, chosen, native

__all__ = ["page", "read", "recognises"]

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
#: A thumbnail has at most this share of a page's pixels.
MAX_THUMBNAIL = 0.5


def recognises(head: bytes, path: Path) -> bool:
    """Whether a file begins as TIFF or BigTIFF."""
    return head[:4] in _MAGIC


class Alike(NamedTuple):
    """What pages of one volume have in common."""

    shape: tuple[int, ...]
    dtype: str
    bits: Any
    photometric: int
    samples: int

    def __str__(self) -> str:
        colour = f", {self.samples} values per pixel" if self.samples > 1 else ""
        white = ", white is 0" if self.photometric == 0 else ""
        return f"{' x '.join(map(str, self.shape[::-1]))} of {self.dtype}{colour}{white}"


def read(path: Path, *, index: int | None = None) -> Stored:
    """Read a stack.

    Args:
        path: of the file.
        index: which volume, if the file holds several (other sizes, channels, times).

    Raises:
        InputError: no grey volume, or several and none chosen; a codec that is not installed.
        CorruptFileError: damaged or cut.
    """
    with opened(path) as handle, quiet_tifffile(path, handle) as file:
        pages = pages_of(path, file, handle)
        runs, notes = _without_thumbnails(_runs(pages))
        run, place = _one_run(path, runs, index)
        first = run[0]
        header = _header(path, pages[0] if len(runs) == 1 and not notes else first)
        _check_grey(path, _alike(first))
        if len(runs) == 1:
            run, depth, more = _planes(path, run, header, index)
            notes += more
        else:
            depth = 1
        notes += place
        values = _values(path, file, handle, run, depth)
        values, more = _upright(values, first, header)
        step, missing = tiff_headers.step_of(header, first)
        return Stored(
            values, step_um=step, scale=header.scale, offset=header.offset, missing=missing,
            bone=header.bone,
            notes=(*notes, *more, *header.notes),
        )  # fmt: skip


def page(path: Path) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The one page of a slice (y, x), and notes that hold for all slices of its kind.

    Raises:
        InputError, CorruptFileError: as for `read`; more than one page.
    """
    with opened(path) as handle, quiet_tifffile(path, handle) as file:
        pages = pages_of(path, file, handle)
        if len(pages) > 1:
            raise InputError(f"{path}: has {len(pages)} pages; a slice has one; give one per file")
        first = pages[0]
        _check_grey(path, _alike(first))
        if len(first.shape) != 2:
            raise InputError(f"{path}: is no 2-D slice (shape {first.shape}); give one per file")
        header = _header(path, pages[0])
        values, notes = _upright(decoded(path, first), first, header)
        if (header.scale, header.offset) != (1.0, 0.0):
            values = values * header.scale + header.offset
        return native(values), (*notes, *header.notes)


def _header(path: Path, first: Any) -> tiff_headers.Header:
    try:
        return tiff_headers.of(first)
    except tiff_headers.BadHeader as error:
        raise InputError(f"{path}: {error}") from None


def _alike(one: Any) -> Alike:
    return Alike(
        tuple(one.shape), str(one.dtype), one.bitspersample, int(one.photometric),
        int(one.samplesperpixel),
    )  # fmt: skip


def _runs(pages: list[Any]) -> list[list[Any]]:
    """Pages in runs of pages that are alike, in the file's order."""
    runs: list[list[Any]] = []
    for one in pages:
        if runs and _alike(runs[-1][-1]) == _alike(one):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _without_thumbnails(runs: list[list[Any]]) -> tuple[list[list[Any]], list[str]]:
    """The runs without small pictures beside them."""
    if len(runs) == 1:
        return runs, []
    largest = max(run[0].imagewidth * run[0].imagelength for run in runs)
    reduced = [
        run for run in runs
        if (len(run) == 1
        and run[0].imagewidth * run[0].imagelength <= MAX_THUMBNAIL * largest)
        or all(one.subfiletype & 1 for one in run)
    ]  # fmt: skip
    kept = [run for run in runs if run not in reduced]
    if not kept or not reduced:
        return runs, []
    looks = "; ".join(str(_alike(run[0])) for run in reduced[:3])
    return kept, [f"passed over {len(reduced)} smaller picture(s) beside the stack: {looks}"]


def _one_run(path: Path, runs: list[list[Any]], index: int | None) -> tuple[list[Any], list[str]]:
    """The run that is the volume; a note if there are several."""
    if len(runs) == 1:
        return runs[0], []
    if index is None:
        looks = "; ".join(f"{len(run)} of {_alike(run[0])}" for run in runs[:4])
        raise InputError(
            f"{path}: its pages are not alike ({looks}{'; ...' if len(runs) > 4 else ''}), so they are "
            f"{len(runs)} volumes; choose one with `index` (0 to {len(runs) - 1}), or give a file with "
            "one"
        )
    which = chosen(path, len(runs), index)
    return runs[which], [f"volume {which} of {len(runs)} in the file was chosen"]


def _check_grey(path: Path, look: Alike) -> None:
    if look.samples > 1 or look.photometric in (2, 5, 6, 8):
        raise InputError(
            f"{path}: is a colour image ({look.samples} values per pixel); give a grey one"
        )
    if look.photometric == 3:
        raise InputError(f"{path}: holds colours of a palette, not grey values; give a grey image")
    if look.dtype.startswith("complex"):
        raise InputError(f"{path}: holds complex values; allowed are real numbers")


def _planes(
    path: Path, run: list[Any], header: tiff_headers.Header, index: int | None
) -> tuple[list[Any], int, list[str]]:
    """The pages of the one volume; planes that follow the first page without pages of their own."""
    total, depth = len(run), 1
    if header.planes and total == 1 and header.planes > 1 and run[0].is_contiguous:
        depth = total = header.planes
    order = header.order
    if order is None:
        chosen(path, 1, index)
        return run, depth, []
    if order.planes != total:
        if order.written_by == "OME-XML":
            raise InputError(
                f"{path}: its OME-XML describes {order.planes} planes but the file has {total}; it is "
                "part of a set of files or damaged; write one file with all planes"
            )
        return run, depth, [f"its {order.written_by} header describes {order.planes} planes, the "
                            f"file has {total}, which are taken as z"]  # fmt: skip
    if order.many in (("C",), ("T",)) and total > 4:
        chosen(path, 1, index)
        name = {"C": "channels", "T": "times"}[order.many[0]]
        return run, depth, [f"its pages are marked as {name}; they are taken as z"]
    volumes = order.volumes()
    which = chosen(path, len(volumes), index, "volumes (channels or times)")
    if len(volumes) == 1 and depth > 1:
        return run, depth, []
    if depth > 1:
        raise InputError(
            f"{path}: holds {len(volumes)} volumes without pages; save one of them alone"
        )
    if any(not 0 <= k < total for k in volumes[which]):
        raise CorruptFileError(f"{path}: its {order.written_by} names pages that the file has not")
    many = f"volume {which} of {len(volumes)} in the file was chosen"
    return [run[k] for k in volumes[which]], depth, [many] if len(volumes) > 1 else []


def _values(path: Path, file: Any, handle: BinaryIO, run: list[Any], depth: int) -> NDArray[Any]:
    """The volume (z, y, x)."""
    first = run[0]
    if depth > 1:
        check_size((depth, *first.shape), path)
        return _contiguous(path, file, handle, first, depth)
    if len(first.shape) == 3 and len(run) == 1:
        check_size(first.shape, path)
        return native(decoded(path, first))
    if len(first.shape) != 2:
        raise InputError(f"{path}: has pages of {len(first.shape)} dimensions; give 2-D pages")
    if len(run) == 1:
        y, x = first.shape
        raise InputError(f"{path}: has 2 dimension(s) ({y} x {x}); give a 3-D image, (z, y, x)")
    check_size((len(run), *first.shape), path)
    values: NDArray[Any] | None = None
    for k, one in enumerate(run):
        plane = decoded(path, one)
        if values is None:
            values = np.empty((len(run), *plane.shape), plane.dtype.newbyteorder("="))
        values[k] = plane
    assert values is not None
    return values


def _contiguous(path: Path, file: Any, handle: BinaryIO, first: Any, depth: int) -> NDArray[Any]:
    """Planes that lie one behind the other from the first page on, as ImageJ writes large stacks."""
    dtype = np.dtype(first.dtype).newbyteorder(file.byteorder)
    count = depth * first.imagelength * first.imagewidth
    start = first.dataoffsets[0]
    if start + count * dtype.itemsize > plain_size(path):
        raise CorruptFileError(
            f"{path}: is cut: its header describes {depth} planes, which do not fit in the file; take "
            "another copy"
        )
    handle.seek(start)
    values = np.fromfile(handle, dtype, count)
    return native(values.reshape(depth, first.imagelength, first.imagewidth))


def _upright(
    values: NDArray[Any], first: Any, header: tiff_headers.Header
) -> tuple[NDArray[Any], list[str]]:
    """Values of which the larger is the brighter, and a note where white was 0."""
    if int(first.photometric) != 0:
        return values, []
    if header.imagej:
        return values, [
            "its pages are marked as white is 0 (an inverting look-up table of ImageJ); the numbers "
            "are taken as stored, as ImageJ measures them; check that bone is the larger"
        ]
    if values.dtype.kind == "f":
        return values, ["its pages are marked as white is 0; numbers are taken as stored"]
    if values.dtype.kind == "b":
        turned = ~values
    elif values.dtype.kind == "u":
        bits = first.bitspersample if isinstance(first.bitspersample, int) else 8
        turned = values.dtype.type(2**bits - 1) - values
    else:
        turned = ~values
    return turned, [
        "its pages are marked as white is 0, so grey values were inverted (bright is dense)"
    ]
