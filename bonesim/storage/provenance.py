"""Where a result comes from: versions, machine, command, seed. No names of people or folders."""

import platform
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath, PureWindowsPath
from typing import Any

#: Packages whose version can change a result or a file.
PACKAGES = ("bonesim", "numpy", "numba", "scipy", "h5py", "mesa", "scikit-image")
#: The folders of an absolute path within a text: "/home/jo/", "~/data/", "C:\\Users\\jo\\".
FOLDERS = re.compile(r"(?<![\w./\\~-])(?:~|[A-Za-z]:)?[/\\](?:[^/\\\s:;,'\"]+[/\\])+")


def provenance(
    seed: int, notes: Sequence[str], command_line: Sequence[str] | None = None
) -> dict[str, Any]:
    """A record for the run file.

    `notes`: what was done to the specimen, one line each. `command_line`: of this process,
    unless given. Of absolute paths only the file's name is kept: folders can name a person.
    """
    command = sys.argv if command_line is None else command_line
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [_bare_argument(word) for word in command],
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "seed": seed,
        "notes": [FOLDERS.sub("", note) for note in notes],
        **{package: version_of(package) for package in PACKAGES},
    }


def _bare_argument(word: str) -> str:
    """A word of the command line, an absolute path in it (also after "=") cut to its name."""
    option, equals, value = word.rpartition("=")
    path = PureWindowsPath(value) if PureWindowsPath(value).drive else PurePath(value)
    return option + equals + (path.name if path.is_absolute() else FOLDERS.sub("", value))


def version_of(package: str) -> str:
    """The installed version of a package, or "unknown"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
