"""One hash for the content of nested arrays: whether two states, tables or files say the same."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes, whatever the order of the names.

    `content`: nested mappings of arrays, numbers and texts.
    """
    digest = hashlib.sha256()
    for name in sorted(content):
        value = content[name]
        digest.update(f"{name}\0".encode())
        if isinstance(value, Mapping):
            digest.update(content_hash(value).encode())
            continue
        array = np.ascontiguousarray(value)
        digest.update(f"{array.dtype.str}{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
