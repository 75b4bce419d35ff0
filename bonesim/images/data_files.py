"""Voxels of a text header: in the header's own file or in one beside it, raw, packed or as text."""

import bz2
import gzip
from math import prod
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError
from bonesim.images.opening import Deflated, as_stream, expanded, opened, plain_size, too_short
from bonesim.images.volumes import Layout, check_length, native

__all__ = ["Place", "last_bytes", "packed_length", "values_at"]


class Place(NamedTuple):
    """Where and how voxels are stored.

    Attributes:
        path: of the file that has them.
        start: byte at which they begin; -1: they are the end of the file.
        coding: "raw", "zlib", "gzip", "bzip2", "ascii" or "hex".
        skip: bytes to pass over, after unpacking.
        size: bytes of the packed stream, None: up to the end of the file.
    """

    path: Path
    start: int
    coding: str
    skip: int = 0
    size: int | None = None


def values_at(place: Place, dtype: "np.dtype[Any]", layout: Layout) -> NDArray[Any]:
    """One volume of the voxels, in this machine's byte order.

    Raises:
        CorruptFileError: more or fewer voxels than described, damaged data.
    """
    count = prod(layout.shape)
    every = layout.before + count + layout.behind
    with opened(place.path) as file:
        length = plain_size(place.path)
        if place.coding == "raw":
            start = length - every * dtype.itemsize if place.start < 0 else place.start + place.skip
            check_length(place.path, length - max(start, 0), every * dtype.itemsize)
            file.seek(start + layout.before * dtype.itemsize)
            flat = np.fromfile(file, dtype, count)
        else:
            left = length - place.start
            if place.size is not None and place.size != left:
                raise too_short(place.path, left, place.size)
            file.seek(place.start)
            if place.coding in ("ascii", "hex"):
                read = _text if place.coding == "ascii" else _hex
                flat = read(place, file, dtype, every)
                flat = flat[layout.before : layout.before + count]
            else:
                flat = _packed(place, file, left, dtype, layout)
    return native(flat.reshape(layout.shape))


def last_bytes(place: Place) -> list[str]:
    """A note on voxels whose place follows from the file's end, so that a cut cannot be noticed."""
    if place.start >= 0:
        return []
    return [
        f"voxels are the last bytes of {place.path.name}, as the header has it; check that it is whole"
    ]


def packed_length(place: Place, limit: int) -> int:
    """Bytes that a zlib stream unpacks to, counted without keeping them, at most `limit` + 1.

    Raises:
        CorruptFileError: damaged.
    """
    with opened(place.path) as file:
        file.seek(place.start)
        stream = Deflated(file, plain_size(place.path) - place.start)
        try:
            while stream.read(1 << 20):
                if stream.tell() > limit:
                    return limit + 1
        except Exception as error:
            reason = " ".join(str(error).split())
            raise CorruptFileError(
                f"{place.path}: its packed data are damaged ({reason}); take another copy"
            ) from None
        return stream.tell()


def _packed(
    place: Place, file: BinaryIO, left: int, dtype: "np.dtype[Any]", layout: Layout
) -> NDArray[Any]:
    size = dtype.itemsize
    skip = place.skip + layout.before * size
    count, behind = prod(layout.shape), layout.behind * size
    if place.coding == "zlib":
        stream = as_stream(Deflated(file, left))
        return expanded(place.path, stream, count, dtype, left, skip, behind)
    part = cast("IO[bytes]", _Part(file, place.start))
    if place.coding == "bzip2":
        with bz2.BZ2File(part) as unpacked:
            stream = cast("IO[bytes]", unpacked)
            return expanded(place.path, stream, count, dtype, left, skip, behind, grows=0)
    with gzip.GzipFile(fileobj=part) as zipped:
        stream = cast("IO[bytes]", zipped)
        return expanded(place.path, stream, count, dtype, left, skip, behind)


class _Part:
    """The rest of a file, from a byte on, as a file of its own: going back goes to that byte."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self.file, self.start = file, start

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        return self.file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        """As a file's."""
        return self.file.seek(place + self.start if whence == 0 else place, whence) - self.start

    def tell(self) -> int:
        """As a file's."""
        return self.file.tell() - self.start

    def readable(self) -> bool:
        """As a file's."""
        return True

    def seekable(self) -> bool:
        """As a file's."""
        return True


#: Characters of text taken at a time.
_PIECE = 1 << 20


def _text(place: Place, file: BinaryIO, dtype: "np.dtype[Any]", count: int) -> NDArray[Any]:
    """Numbers written out, parted by blanks or commas."""
    if place.path.stat().st_size - file.tell() < 2 * count - 1:
        raise too_short(place.path, place.path.stat().st_size - file.tell(), 2 * count - 1)
    values = np.empty(count, dtype.newbyteorder("="))
    done, rest = 0, b""
    while piece := file.read(_PIECE):
        words = (rest + piece.replace(b",", b" ")).split()
        whole = piece[-1:].isspace() or piece[-1:] == b","
        rest = b"" if whole or not words else words.pop()
        done = _put(place.path, values, done, words)
    done = _put(place.path, values, done, rest.split())
    if done != count:
        raise CorruptFileError(
            f"{place.path}: holds {done} numbers, its header describes {count}; the file is cut"
        )
    return values


def _put(path: Path, values: NDArray[Any], done: int, words: list[bytes]) -> int:
    """Numbers of a piece of text in their place; how many there are now."""
    if done + len(words) > len(values):
        raise CorruptFileError(f"{path}: holds more numbers than the {len(values)} of its header")
    try:
        kind = float if values.dtype.kind == "f" else int
        numbers = [kind(word) for word in words]
        values[done : done + len(words)] = np.array(numbers, values.dtype)
    except (ValueError, OverflowError):
        raise CorruptFileError(
            f"{path}: has text among its numbers, or numbers out of the range of {values.dtype}"
        ) from None
    return done + len(words)


def _hex(place: Place, file: BinaryIO, dtype: "np.dtype[Any]", count: int) -> NDArray[Any]:
    """Bytes written as two hexadecimal digits each."""
    wanted = count * dtype.itemsize
    found = plain_size(place.path) - file.tell()
    if found < 2 * wanted:
        raise too_short(place.path, found // 2, wanted)
    try:
        data = bytes.fromhex(file.read().decode("ascii"))
    except ValueError:
        raise CorruptFileError(
            f"{place.path}: has other text among its hexadecimal digits"
        ) from None
    check_length(place.path, len(data), wanted)
    return np.frombuffer(data, dtype)
