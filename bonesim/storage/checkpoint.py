"""Everything a restart needs, in one file that is either whole or not there.

The nested state is flattened to "a/b/c" names in one compressed NumPy archive, behind a magic
line and the SHA-256 of what follows. Nothing is unpickled.
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

MAGIC = b"bonesim checkpoint 1\n"
META = "__meta__"


def save(path: Path, state: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Write `state` (nested mappings of arrays and numbers) and `meta` (JSON) durably.

    Raises:
        ResourceError, InputError: it cannot be written; the file is as it was before.
    """
    buffer = io.BytesIO()
    arrays = _flattened(state)
    arrays[META] = np.frombuffer(json.dumps(dict(meta)).encode(), np.uint8)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name), part.getvalue(), zipfile.ZIP_DEFLATED, 1)
    payload = buffer.getvalue()
    with failures_explained(path):
        write_durably(path, MAGIC + hashlib.sha256(payload).digest() + payload)


def load(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """State and meta as they were saved; numbers come back as arrays of shape ().

    Raises:
        InputError: no such file. CorruptFileError: damaged or foreign.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    start = len(MAGIC) + hashlib.sha256().digest_size
    payload = data[start:]
    if data[:start] != MAGIC + hashlib.sha256(payload).digest():
        raise CorruptFileError(f"{path}: is damaged or no checkpoint; run anew from the config")
    arrays: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        for name in archive.namelist():
            part = io.BytesIO(archive.read(name))
            arrays[name] = np.lib.format.read_array(part, allow_pickle=False)
    meta: dict[str, Any] = json.loads(arrays.pop(META).tobytes())
    return _nested(arrays), meta


def _flattened(state: Mapping[str, Any], prefix: str = "") -> dict[str, NDArray[Any]]:
    flat: dict[str, NDArray[Any]] = {}
    for name, value in state.items():
        if isinstance(value, Mapping):
            flat |= _flattened(value, f"{prefix}{name}/")
        else:
            flat[prefix + name] = np.asarray(value)
    return flat


def _nested(flat: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for path, array in flat.items():
        *groups, name = path.split("/")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = array
    return nested
