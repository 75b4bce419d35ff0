"""The journals of a study's folder: every attempt that ended, safe on the disk; nothing else is read.

This module imports nothing heavy, so that `bonesim sweep status` answers at once.
"""

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bonesim.storage.durable import failures_explained, write_at

STUDY, POINTS, JOURNAL = "study.toml", "points.csv", "journal"
RESULTS, FAILED, LOGS, RUNS = "results", "failed.csv", "logs", "runs"
#: Attempts at a point before it counts as failed.
MAX_ATTEMPTS = 3

Entry = dict[str, Any]


def attempts(folder: Path) -> Iterator[Entry]:
    """Every attempt that ended, in order of the journals of a folder."""
    for place in sorted(folder.glob(f"{JOURNAL}*.jsonl")):
        with place.open(encoding="utf-8") as file:
            for line in file:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue  # cut off by a kill
                if isinstance(entry, dict) and "point" in entry:
                    yield entry


def ended(folder: Path) -> tuple[dict[str, Entry], dict[str, list[Entry]]]:
    """Finished points with their first finished entry, and the failures of the other points."""
    done: dict[str, Entry] = {}
    failed: dict[str, list[Entry]] = {}
    for entry in attempts(folder):
        if entry["status"] == "done":
            done.setdefault(entry["point"], entry)
        else:
            failed.setdefault(entry["point"], []).append(entry)
    return done, {point: errors for point, errors in failed.items() if point not in done}


class Journal:
    """The growing record of attempts; safe on the disk within a second or so.

    Args:
        path: the file to add to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with failures_explained(path):
            _end_line(path)
            self._file = path.open("ab", buffering=0)

    def add(self, entry: dict[str, Any]) -> None:
        """Write one attempt completely or not at all; numbers that are not finite become null."""
        data = json.dumps(_plain(entry)).encode() + b"\n"
        with failures_explained(self.path):
            end = self._file.seek(0, os.SEEK_END)
            try:
                write_at(self._file.fileno(), data, end)
            except OSError:
                self._file.truncate(end)
                raise

    def sync(self) -> None:
        """Force it to the disk, so that it survives a power cut."""
        with failures_explained(self.path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Sync and close."""
        self.sync()
        self._file.close()


def _end_line(path: Path) -> None:
    """Complete an incomplete last line, so that the next entry begins a line of its own."""
    if path.exists() and path.stat().st_size:
        with path.open("rb+") as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")


def _plain(value: Any) -> Any:
    """The value in types of JSON; NumPy's numbers become Python's."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
