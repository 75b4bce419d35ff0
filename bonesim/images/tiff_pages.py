"""Pages of a TIFF: the chain of them, whether each lies in the file, and its values.

tifffile reports much of what is wrong with a file in its log only, and goes on with what it could
read. So the chain and the places of the data are checked here, before anything is decoded.
"""

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from math import ceil, prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import BonesimError, CorruptFileError, InputError
from bonesim.images.opening import plain_size

__all__ = ["check_whole", "decoded", "pages_of", "quiet_tifffile"]

#: More pages than these are refused.
MAX_PAGES = 100_000
#: The most by which data grow when unpacked: PackBits, LZW, deflate (three numbers).
_GROWS = {32773: 64, 5: 1400, 8: 1040, 32946: 1040}
#: What Pillow can unpack where imagecodecs is missing: CCITT, LZW, JPEG, PackBits.
_PILLOW = {2, 3, 4, 5, 6, 7, 32773}


@contextmanager
def quiet_tifffile(path: Path, handle: BinaryIO) -> Iterator[Any]:
    """The file in tifffile, whose log stays off the terminal meanwhile.

    Raises:
        CorruptFileError: tifffile finds no TIFF in it, or stumbles over it later on.
    """
    import tifffile

    log = logging.getLogger("tifffile")
    before = log.disabled
    log.disabled = True
    try:
        with tifffile.TiffFile(handle, name=path.name) as file:
            yield file
    except (BonesimError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CorruptFileError(
            f"{path}: cannot be read as TIFF ({reason}); the file is damaged; take another copy"
        ) from None
    finally:
        log.disabled = before


def pages_of(path: Path, file: Any, handle: BinaryIO) -> list[Any]:
    """All pages of the chain, each checked to lie in the file.

    Raises:
        CorruptFileError: the chain ends outside the file or runs in a circle; data are missing.
        InputError: more than `MAX_PAGES`; values of a type that is not known.
    """
    size = plain_size(path)
    count = _chain(path, handle, size)
    pages = []
    for number in range(count):
        one = file.pages[number]
        check_whole(path, one, number, size)
        pages.append(one)
    return pages


def _chain(path: Path, handle: BinaryIO, size: int) -> int:
    """Number of pages (IFDs), read after the standard's layout."""
    handle.seek(0)
    head = handle.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    count_code, entry, next_code = ("Q", 20, "Q") if big else ("H", 12, "I")
    if len(head) < (16 if big else 8):
        raise _cut(path, 0)
    offset = struct.unpack(f"{order}{next_code}", head[8:16] if big else head[4:8])[0]
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise CorruptFileError(f"{path}: its pages run in a circle; the file is damaged")
        if len(seen) >= MAX_PAGES:
            raise InputError(f"{path}: has more than {MAX_PAGES} pages; crop the scan")
        seen.add(offset)
        handle.seek(offset)
        raw = handle.read(struct.calcsize(f"{order}{count_code}"))
        if offset >= size or len(raw) < struct.calcsize(f"{order}{count_code}"):
            raise _cut(path, len(seen))
        entries = struct.unpack(f"{order}{count_code}", raw)[0]
        _check_tags(path, handle.read(entry * entries), order, big, size)
        handle.seek(offset + len(raw) + entry * entries)
        raw = handle.read(struct.calcsize(f"{order}{next_code}"))
        if len(raw) < struct.calcsize(f"{order}{next_code}"):
            raise _cut(path, len(seen))
        offset = struct.unpack(f"{order}{next_code}", raw)[0]
    if not seen:
        raise CorruptFileError(f"{path}: has no page; the file is damaged")
    return len(seen)


#: Bytes of a value of each type of tag.
_TAG_BYTES = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8,
}  # fmt: skip


def _check_tags(path: Path, entries: bytes, order: str, big: bool, size: int) -> None:
    """Refuse tags whose values lie outside the file: whatever they mean would be lost."""
    layout = order + ("HHQQ" if big else "HHII")
    whole = len(entries) - len(entries) % struct.calcsize(layout)
    for _, kind, count, place in struct.iter_unpack(layout, entries[:whole]):
        length = _TAG_BYTES.get(kind, 1) * count
        if length > (8 if big else 4) and place + length > size:
            raise CorruptFileError(f"{path}: is cut or damaged: a tag is not in the file")


def _cut(path: Path, page: int) -> CorruptFileError:
    return CorruptFileError(
        f"{path}: is cut or damaged: page {page} is not in the file; take another copy"
    )


def check_whole(path: Path, page: Any, number: int, size: int) -> None:
    """Refuse a page whose data are not all in the file.

    Args:
        path: for messages.
        page: of tifffile.
        number: of the page, from 0.
        size: of the file, bytes.

    Raises:
        CorruptFileError, InputError: see `pages_of`.
    """
    if page.dtype is None:
        raise InputError(
            f"{path}: page {number} holds values of {page.bitspersample} bits in format "
            f"{page.sampleformat}, which cannot be read; save it with 8, 16 or 32 bits"
        )
    offsets, counts = page.dataoffsets, page.databytecounts
    wanted = prod(page.chunked)
    inside = all(
        start > 0 and length > 0 and start + length <= size
        for start, length in zip(offsets, counts, strict=False)
    )
    if page.size == 0 or len(offsets) < wanted or len(counts) < wanted or not inside:
        raise _cut(path, number)
    packed = sum(counts)
    grows = _GROWS.get(int(page.compression))
    if int(page.compression) == 1:
        _check_unpacked(path, page, number, packed)
    elif grows and page.nbytes > grows * packed + 1024:
        raise CorruptFileError(
            f"{path}: page {number} describes {page.nbytes} bytes in {packed} packed ones, which cannot "
            "be; the file is damaged"
        )


def _check_unpacked(path: Path, page: Any, number: int, got: int) -> None:
    """Data that are not packed have the length of the page; tiles and last strips may be padded."""
    bits = page.bitspersample if isinstance(page.bitspersample, int) else max(page.bitspersample)
    if page.is_tiled:
        row = ceil(page.tilewidth * bits * _samples(page) / 8)
        least = prod(page.chunked) * page.tilelength * max(1, page.tiledepth) * row
        most = least
    else:
        row = ceil(page.imagewidth * bits * _samples(page) / 8)
        planes = page.imagedepth * (page.samplesperpixel if page.planarconfig == 2 else 1)
        least = row * page.imagelength * planes
        rows = page.rowsperstrip if 0 < page.rowsperstrip < page.imagelength else page.imagelength
        most = ceil(page.imagelength / rows) * rows * row * planes
    # A byte more in each strip: some writers round up to an even number.
    if not least <= got <= most + len(page.databytecounts):
        raise CorruptFileError(
            f"{path}: page {number} holds {got} bytes, its header describes {least}; the file is cut or "
            "damaged; take another copy"
        )


def _samples(page: Any) -> int:
    return int(page.samplesperpixel) if page.planarconfig == 1 else 1


def decoded(path: Path, page: Any) -> NDArray[Any]:
    """The values of one page.

    Raises:
        CorruptFileError: they cannot be unpacked.
        InputError: the codec is not installed.
    """
    compression = int(page.compression)
    if compression in (1, 8, 32946) or find_spec("imagecodecs") is not None:
        try:
            return np.asarray(page.asarray(maxworkers=1))
        except MemoryError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise CorruptFileError(
                f"{path}: page {page.index} cannot be unpacked ({reason}); the file is damaged or its "
                "compression is not known; take another copy or save it without compression"
            ) from None
    if compression in _PILLOW:
        values = _by_pillow(path, page)
        if values is not None:
            return values
    name = getattr(page.compression, "name", str(compression))
    raise InputError(
        f"{path}: is packed with {name}; install the package imagecodecs (pip install "
        "'bonesim[images]') to read it, or save it without compression"
    )


def _by_pillow(path: Path, page: Any) -> NDArray[Any] | None:
    """The values of one page unpacked by Pillow; None if it has no name for their type.

    Raises:
        CorruptFileError: they cannot be unpacked.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                image.seek(page.index)
                if image.mode not in ("1", "L", "I;16", "I;16B", "I", "F"):
                    return None
                values = np.asarray(image)
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CorruptFileError(
            f"{path}: page {page.index} cannot be unpacked ({reason}); the file is damaged; take "
            "another copy"
        ) from None
    # Pillow inverts pages whose white is 0, where they have up to 8 bits.
    inverted = int(page.photometric) == 0 and values.dtype.kind in "b" + "u" * (
        values.itemsize == 1
    )
    values = (~values if inverted else values).astype(page.dtype, copy=False)
    return values if values.shape == tuple(page.shape) else None
