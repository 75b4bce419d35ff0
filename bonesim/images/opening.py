"""Files opened so that nothing but a plain file is read, and no more of it than was promised."""

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError, ResourceError
from bonesim.storage.durable import KINDS, open_regular

__all__ = ["expanded", "head_of", "is_packed", "opened", "plain_neighbour", "plain_size"]

#: Bytes handled at a time.
PIECE = 1 << 22
#: Bytes of a file from which its kind is recognised.
HEAD = 4096
_GZIP = b"\x1f\x8b\x08"
#: No deflate stream grows by more (RFC 1951: 258 bytes from two bits).
MAX_DEFLATE = 1040
#: Above so many bytes, growing by more than this, the stream is counted before memory is taken.
COUNTED_BYTES, COUNTED_RATIO = 1 << 27, 50


def plain_size(path: Path) -> int:
    """Length of a plain file in bytes; links are followed.

    Raises:
        InputError: there is none, or it is a pipe, a device or a folder. Nothing was opened.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError:
        raise InputError(f"{str(path)!r}: is no path; check it") from None
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        raise InputError(f"{path}: is {KINDS.get(kind, 'no regular file')}; give an image file")
    return found.st_size


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A plain file, open for reading; a pipe or device is never waited for.

    Raises:
        InputError: as for `plain_size`.
        ResourceError: no memory for its content.
    """
    plain_size(path)
    try:
        number = open_regular(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    with os.fdopen(number, "rb") as file:
        try:
            yield file
        except MemoryError:
            raise ResourceError(f"{path}: does not fit in memory; crop the scan first") from None


def head_of(path: Path) -> bytes:
    """The first bytes of a plain file; of a gzip file, the first bytes of its content.

    Raises:
        InputError: as for `plain_size`.
    """
    with opened(path) as file:
        head = file.read(HEAD)
    if head[:3] == _GZIP:
        try:
            return zlib.decompressobj(31).decompress(head, HEAD) or head
        except zlib.error:
            return head
    return head


def is_packed(path: Path) -> bool:
    """Whether a plain file is packed with gzip as a whole."""
    with opened(path) as file:
        return file.read(3) == _GZIP


def plain_neighbour(header: Path, name: str) -> Path:
    """The data file that a header names: in the header's own folder, no link, no way out.

    Raises:
        InputError: any other place; CorruptFileError: there is no such file.
    """
    plain = name not in ("", ".", "..") and not set(name) & set("/\\\0:")
    if not plain:
        raise InputError(
            f"{header}: its data file is {name[:80]!r}; allowed is a plain name in the header's own "
            "folder; move the file there and correct the header"
        )
    path = header.parent / name
    if path.is_symlink() and path.resolve().parent != header.parent.resolve():
        raise InputError(
            f"{header}: its data file {name} is a link out of the folder; put a copy in its place"
        )
    if not path.exists():
        raise CorruptFileError(
            f"{header}: its data file {name} is missing; put it beside the header"
        )
    plain_size(path)
    return path


def expanded(
    path: Path, stream: IO[bytes], count: int, dtype: "np.dtype[Any]", packed: int, skip: int = 0,
    behind: int = 0, grows: int = MAX_DEFLATE,
) -> NDArray[Any]:  # fmt: skip
    """Exactly so many numbers from a compressed stream, which must end with them.

    Args:
        path: for messages.
        stream: gives the bytes unpacked, at the place where it starts.
        count: numbers of `dtype` that the header promises.
        packed: length of the packed data, bytes.
        skip: bytes to pass over first.
        behind: bytes that follow the numbers, to pass over as well.
        grows: the most by which packed data can grow; 0: without bounds.

    Raises:
        CorruptFileError: too few, too many, or a wrong checksum.
    """
    wanted = count * dtype.itemsize
    everything = skip + wanted + behind
    if grows and everything > grows * packed:
        raise too_short(path, packed, everything)
    if everything > COUNTED_BYTES and everything > COUNTED_RATIO * packed:
        start = stream.tell()
        _pass_over(path, stream, everything)
        _check_end(path, stream, everything)
        stream.seek(start)
    _pass_over(path, stream, skip)
    values = np.empty(count, dtype)
    _fill(path, stream, values.view(np.uint8).data)
    _pass_over(path, stream, behind)
    _check_end(path, stream, everything)
    return values


#: What damaged packed data raise.
DAMAGE = (zlib.error, EOFError, OSError, ValueError)


def _read(path: Path, stream: IO[bytes], size: int) -> bytes:
    try:
        return stream.read(size)
    except DAMAGE as error:
        raise CorruptFileError(
            f"{path}: its packed data are damaged ({' '.join(str(error).split())}); take another copy"
        ) from None


def _pass_over(path: Path, stream: IO[bytes], size: int) -> None:
    left = size
    while left:
        got = len(_read(path, stream, min(left, PIECE)))
        if not got:
            raise too_short(path, size - left, size)
        left -= got


def _fill(path: Path, stream: IO[bytes], room: memoryview) -> None:
    done = 0
    while done < len(room):
        piece = _read(path, stream, min(PIECE, len(room) - done))
        if not piece:
            raise too_short(path, done, len(room))
        room[done : done + len(piece)] = piece
        done += len(piece)


def _check_end(path: Path, stream: IO[bytes], wanted: int) -> None:
    if _read(path, stream, 1):
        raise CorruptFileError(
            f"{path}: holds more than the {wanted} bytes of voxels that its header describes; the "
            "header or the file is damaged"
        )


def too_short(path: Path, got: int, wanted: int) -> CorruptFileError:
    """The failure of a file that ends before its voxels do."""
    return CorruptFileError(
        f"{path}: holds {got} bytes of voxels, its header describes {wanted}; the file is cut or "
        "damaged; take another copy"
    )


class Deflated:
    """A zlib or gzip stream of one member as a file to read from; its checksum is checked.

    Args:
        file: open where the stream starts.
        size: bytes of the stream.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size, self.start = file, size, file.tell()
        self.seek(0)

    def tell(self) -> int:
        """Bytes given so far."""
        return self.given

    def seek(self, place: int) -> None:
        """Back to the start: the only place there is."""
        assert place == 0
        self.file.seek(self.start)
        self.left, self.given = self.size, 0
        self.stream = zlib.decompressobj(47)

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end.

        Raises:
            EOFError, zlib.error, ValueError: cut, damaged, followed by other data.
        """
        while not self.stream.eof:
            packed = self.stream.unconsumed_tail or self.file.read(min(self.left, PIECE))
            self.left -= 0 if self.stream.unconsumed_tail else len(packed)
            if not packed:
                raise EOFError("the packed data end too early")
            piece = self.stream.decompress(packed, size)
            if piece:
                self.given += len(piece)
                return piece
        if self.left or self.stream.unused_data:
            raise ValueError("the packed data are followed by others")
        return b""


def as_stream(one: Deflated) -> IO[bytes]:
    """`Deflated` where a file is wanted."""
    return cast("IO[bytes]", one)


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(f"{path}: no such file; check the path of the scan")
    return InputError(f"{path}: cannot be opened ({error.strerror}); check the path and its rights")
