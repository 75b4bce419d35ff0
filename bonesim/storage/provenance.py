"""Where a result comes from: versions, machine, command, seed. No names of people or folders."""

import json
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath, PureWindowsPath
from typing import Any

from bonesim.storage.program import named, program_hash, version_of

#: Packages whose version can change a result or a file.
PACKAGES = ("bonesim", "numpy", "numba", "scipy", "h5py", "mesa", "scikit-image")
#: The folders of an absolute path within a text: "/home/jo/", "~/data/", "C:\\Users\\jo\\".
FOLDERS = re.compile(r"(?<![\w./\\~-])(?:~|[A-Za-z]:)?[/\\](?:[^/\\\s:;,'\"]+[/\\])+")


def provenance(
    seed: int,
    notes: Sequence[str],
    command_line: Sequence[str] | None = None,
    inputs: Mapping[str, str] | None = None,
    bone: Mapping[str, str] | None = None,
    branches: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A record for the run file.

    `notes`: what was done to the specimen, one line each. `command_line`: of this process,
    unless given. `inputs`: name of each file that was read -> SHA-256. `bone`: of a published one, its
    name, SHA-256, licence, citation and address. `branches`: of a branch, each day from which it goes on
    under another configuration (`engine.branch`), in order. Of absolute paths only the file's name is kept:
    folders can name a person.
    """
    command = sys.argv if command_line is None else command_line
    return {
        "created": _now(),
        "command": [_bare_argument(word) for word in command],
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "seed": seed,
        "notes": [FOLDERS.sub("", note) for note in notes],
        "inputs": dict(inputs or {}),
        **({} if bone is None else {"bone": dict(bone)}),
        **({"branches": [dict(one) for one in branches]} if branches else {}),
        "program": program_hash(),
        **{package: version_of(package) for package in PACKAGES},
    }


def resumption(day: int) -> dict[str, Any]:
    """What is recorded where another program than the one before goes on with a run after `day`."""
    versions = {package: version_of(package) for package in PACKAGES}
    return {"day": day, "created": _now(), "program": program_hash(), **versions}


def last_program(record: Mapping[str, Any]) -> tuple[str, str]:
    """Version and hash of the program that simulated a run's last days; the hash may be ""."""
    last = [record, *record.get("resumed", [])][-1]
    return str(last.get("bonesim", "unknown")), str(last.get("program", ""))


def history(record: Mapping[str, Any]) -> list[str]:
    """Which programs simulated a run, one line each."""
    first = f"bonesim {named(str(record['bonesim']), str(record.get('program', '')))}"
    return [f"{first}, {record['created']}"] + [
        f"from day {one['day'] + 1} on bonesim {named(str(one['bonesim']), str(one['program']))}, "
        f"{one['created']}"
        for one in record.get("resumed", [])
    ]


def branchings(record: Mapping[str, Any]) -> list[str]:
    """From which days on a run is under another configuration, and what changes: one line each."""
    return [_branching(one) for one in record.get("branches", [])]


def parameters_changed(record: Mapping[str, Any]) -> list[str]:
    """Parameters that act every day and changed within a run: its configuration alone is not the run."""
    return [path for one in record.get("branches", []) for path in one["parameters"]]


def _branching(one: Mapping[str, Any]) -> str:
    changes = "; ".join(f"{path} = {_short(value)}" for path, value in one["changes"].items())
    return (
        f"of {one['file']} ({one['parent'][:12]}), from day {one['day']} on: "
        f"{changes or 'nothing changed'}"
    )


def _short(value: Any) -> str:
    """A value in few words; of a path only the file's name."""
    text = _bare_argument(str(value)) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _bare_argument(word: str) -> str:
    """A word of the command line, an absolute path in it (also after "=") cut to its name."""
    option, equals, value = word.rpartition("=")
    path = PureWindowsPath(value) if PureWindowsPath(value).drive else PurePath(value)
    return option + equals + (path.name if path.is_absolute() else FOLDERS.sub("", value))
