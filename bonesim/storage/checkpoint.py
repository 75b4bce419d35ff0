"""Everything a restart needs, in one file that is written completely or not at all.

The nested state is flattened to "a/b/c" names in one compressed archive of NumPy arrays. Before it
stand a first line with the version of the state, and the SHA-256 of line and archive. Nothing is
unpickled.
"""

import hashlib
import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.storage.durable import failures_explained, read_regular, unreadable, write_durably

#: First line of a checkpoint. Its number is the version of the state within: raised when an
#: earlier state can no longer be continued.
MAGIC = b"bonesim checkpoint 4\n"
#: The bonesim that writes such checkpoints.
WRITTEN_BY = "0.2"
#: First line of the checkpoints of released versions that cannot be continued -> that version.
#: Their SHA-256 is of the archive alone.
EARLIER = {b"bonesim checkpoint 3\n": "0.1"}
#: Bytes of the longest checkpoint that is read.
MAX_BYTES = 2**36
#: Bytes that its arrays may take in any case, and beyond that for each byte of the file.
FREE_BYTES, MAX_EXPANSION = 2**25, 60
#: What an archive raises that is none, or not one of ours.
BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, LookupError, TypeError, AttributeError,
          RuntimeError, OSError, EOFError, MemoryError, ArithmeticError)  # fmt: skip
#: The member of the archive that is JSON: meta, plain numbers, names of empty mappings.
INDEX = "__index__"


class EarlierVersionError(InputError):
    """A sound checkpoint of another bonesim, whose state this one cannot continue.

    Attributes:
        reason: what is wrong, without the file's name.
    """

    def __init__(self, path: Path, version: str) -> None:
        self.reason = (
            f"was written by bonesim {version}, which {WRITTEN_BY} cannot continue; "
            "run it again from its config"
        )
        super().__init__(f"{path}: {self.reason}")


def save(path: Path, state: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Write `state` (nested mappings of arrays and numbers) and `meta` (JSON) durably.

    Raises:
        ResourceError, InputError: it cannot be written; the file is as it was before.
        ValueError: the state holds Python objects, or a name has a slash.
    """
    arrays: dict[str, NDArray[Any]] = {}
    index: dict[str, Any] = {"meta": dict(meta), "numbers": {}, "empty": []}
    _flatten(state, "", arrays, index)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _put(archive, INDEX, json.dumps(index).encode())
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, array, allow_pickle=False)
            _put(archive, name, part.getvalue())
    payload = buffer.getvalue()
    with failures_explained(path):
        write_durably(path, MAGIC + _digest(MAGIC, payload) + payload)


def load(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """State and meta bit for bit as they were saved; NumPy scalars come back with shape ().

    What a state must have within is not known here: see `bonesim.engine.state_rules`.

    Raises:
        InputError: no such file, no regular one; EarlierVersionError: of another bonesim.
        ResourceError: the system failed to read it. CorruptFileError: damaged or foreign.
    """
    try:
        data = memoryview(read_regular(path, MAX_BYTES))
    except OSError as error:
        raise unreadable(error, path) from None
    line = bytes(data[: len(MAGIC)])
    size = len(line) + hashlib.sha256().digest_size
    payload = data[size:]
    if line in EARLIER and data[:size] == line + _digest(b"", payload):
        raise EarlierVersionError(path, EARLIER[line])
    if data[:size] != line + _digest(line, payload):
        raise CorruptFileError(f"{path}: is damaged or no checkpoint; run it again from its config")
    if line != MAGIC:
        raise EarlierVersionError(
            path, f"another version ({line.decode(errors='replace').strip()})"
        )
    try:
        return _unpacked(payload)
    except BROKEN as error:
        # The hash is right: the content was made with intent, or by another program.
        raise CorruptFileError(f"{path}: is no checkpoint ({error}); run it again") from None


def _digest(first_line: bytes, payload: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(first_line)
    digest.update(payload)
    return digest.digest()


def _unpacked(payload: memoryview) -> tuple[dict[str, Any], dict[str, Any]]:
    """State and meta from the archive; errors of many kinds (`BROKEN`) if it is no checkpoint's."""
    state: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        members = archive.infolist()
        claimed = sum(member.file_size for member in members)
        if claimed > FREE_BYTES + MAX_EXPANSION * len(payload):
            raise ValueError(f"it claims {claimed} bytes in {len(payload)}")
        index = json.loads(archive.read(INDEX))
        for member in members:
            if member.filename != INDEX:
                _nest(state, member.filename, _array(archive.read(member)))
    for name, number in index["numbers"].items():
        _nest(state, name, number)
    for name in index["empty"]:
        _nest(state, name, {})
    meta: dict[str, Any] = index["meta"]
    return state, meta


def _array(data: bytes) -> NDArray[Any]:
    """An array from the bytes of a .npy file; none is made that the bytes do not fill."""
    part = io.BytesIO(data)
    if np.lib.format.read_magic(part) != (1, 0):  # type: ignore[no-untyped-call]
        raise ValueError("an array is of an unknown format")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(part)  # type: ignore[no-untyped-call]
    rest = memoryview(data)[part.tell() :]
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(rest):
        raise ValueError(f"an array of {dtype} and shape {shape} has {len(rest)} bytes")
    array: NDArray[Any] = np.frombuffer(rest, dtype).reshape(
        shape, order="F" if by_columns else "C"
    )
    return array.copy("K")


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a member, without the time of day: equal states are equal files."""
    archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 1)


def _flatten(
    state: Mapping[str, Any], prefix: str, arrays: dict[str, NDArray[Any]], index: dict[str, Any]
) -> None:
    """Sort the leaves of `state` into `arrays` and the index."""
    for name, value in state.items():
        if "/" in name or prefix + name == INDEX:
            raise ValueError(f"state {prefix}{name}: a name cannot be that")
        if isinstance(value, Mapping):
            if not value:
                index["empty"].append(prefix + name)
            _flatten(value, f"{prefix}{name}/", arrays, index)
        elif type(value) in (int, float, bool):
            # JSON keeps Python's numbers exactly, of any size; nan and inf too.
            index["numbers"][prefix + name] = value
        else:
            arrays[prefix + name] = np.asarray(value)


def _nest(state: dict[str, Any], path: str, value: Any) -> None:
    """Put `value` at the place "a/b/c"."""
    *groups, name = path.split("/")
    for group in groups:
        state = state.setdefault(group, {})
    state[name] = value
