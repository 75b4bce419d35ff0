"""Everything a restart needs, in one file that is written completely or not at all.

The nested state is flattened to "a/b/c" names in one compressed archive of NumPy arrays. Before it
stand a first line with the version of the state, and the SHA-256 of line and archive. Nothing is
unpickled.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError
from bonesim.storage.durable import failures_explained, write_durably

#: First line of a checkpoint. Its number is the version of the state within: raised when an
#: earlier state can no longer be continued.
MAGIC = b"bonesim checkpoint 4\n"
#: The bonesim that writes such checkpoints.
WRITTEN_BY = "0.2"
#: First line of the checkpoints of released versions that cannot be continued -> that version.
#: Their SHA-256 is of the archive alone.
EARLIER = {b"bonesim checkpoint 3\n": "0.1"}
#: The member of the archive that is JSON: meta, plain numbers, names of empty mappings.
INDEX = "__index__"


class EarlierVersionError(InputError):
    """A sound checkpoint of an earlier bonesim, whose state this one cannot continue.

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

    Raises:
        InputError: no such file; EarlierVersionError: of an earlier bonesim.
        CorruptFileError: damaged or foreign.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    start = len(MAGIC) + hashlib.sha256().digest_size
    payload = data[start:]
    for magic, version in EARLIER.items():
        if data[:start] == magic + _digest(b"", payload):
            raise EarlierVersionError(path, version)
    if data[:start] != MAGIC + _digest(MAGIC, payload):
        raise CorruptFileError(
            f"{path}: is damaged, no checkpoint, or of another version; run it again from its config"
        )
    try:
        return _unpacked(payload)
    except (zipfile.BadZipFile, ValueError, LookupError, TypeError, OSError) as error:
        # The hash is right: the content was made with intent, or by another program.
        raise CorruptFileError(f"{path}: is no checkpoint ({error}); run it again") from None


def _digest(first_line: bytes, payload: bytes) -> bytes:
    return hashlib.sha256(first_line + payload).digest()


def _unpacked(payload: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """State and meta from the archive; errors of many kinds if it is no checkpoint's."""
    state: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        index = json.loads(archive.read(INDEX))
        for name in archive.namelist():
            if name != INDEX:
                part = io.BytesIO(archive.read(name))
                _nest(state, name, np.lib.format.read_array(part, allow_pickle=False))
    for name, number in index["numbers"].items():
        _nest(state, name, number)
    for name in index["empty"]:
        _nest(state, name, {})
    meta: dict[str, Any] = index["meta"]
    return state, meta


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
