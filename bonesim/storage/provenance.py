"""Where a result comes from: versions, machine, command, seed."""

import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

#: Packages whose version can change a result or a file.
PACKAGES = ("bonesim", "numpy", "numba", "scipy", "h5py", "mesa", "scikit-image")


def provenance(seed: int, notes: Sequence[str]) -> dict[str, Any]:
    """A record for the run file. `notes`: what was done to the specimen, one line each."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "seed": seed,
        "notes": list(notes),
        **{package: _version(package) for package in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
