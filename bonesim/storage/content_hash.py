"""One hash for the content of nested arrays: whether two states, tables or files are equal."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes, whatever the order of the names.

    `content`: nested mappings of arrays, numbers and texts. Equal means equal bit for bit: 0.0
    and -0.0 differ, and so do 1, 1.0 and [1].

    Raises:
        TypeError: an array of Python objects, whose bytes are addresses, not content.
    """
    digest = hashlib.sha256()
    for name in sorted(content):
        value = content[name]
        # Lengths go first, so that no name or content can pass for another.
        digest.update(f"{len(name.encode())} {name} ".encode())
        if isinstance(value, Mapping):
            digest.update(f"mapping {content_hash(value)} ".encode())
            continue
        array = np.asarray(value)
        if array.dtype.hasobject:
            raise TypeError(f"{name}: an array of Python objects has no content hash")
        digest.update(f"array {array.dtype.descr} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
