"""The journals of a study's folder: every attempt that ended, safe on the disk; nothing else is read.

A line is one attempt, JSON, with the SHA-256 of itself at its end. A damaged line costs its own point
and no other: that point is simulated again. A last line that a kill cut off is ignored. Lines of
bonesim 0.2 before checksums are read too, and reported.

This module imports nothing heavy, so that `bonesim sweep status` answers at once.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from bonesim.errors import InputError
from bonesim.storage.durable import failures_explained, write_at

STUDY, POINTS, JOURNAL = "study.toml", "points.csv", "journal"
RESULTS, FAILED, LOGS, RUNS = "results", "failed.csv", "logs", "runs"
#: Attempts at a point before it counts as failed.
MAX_ATTEMPTS = 3
#: A longer line is no attempt's.
MAX_LINE_BYTES = 2**26
#: Read at once where the last line is looked for.
BLOCK_BYTES = 2**16
#: The end of a line: hash of all before it.
ENDING = re.compile(rb', "sha256": "([0-9a-f]{64})"\}\Z')
#: Where two lines may have become one, if the byte between them was damaged.
SEAM = re.compile(rb'(?<="\}).(?=\{"point": ")', re.DOTALL)
#: Keys of a line without a checksum; newer lines have at least one more.
KEYS_BEFORE = {"point", "status", "rows", "seconds", "error", "traceback"}
STATUSES = ("done", "failed", "refused")
#: Larger whole numbers are no outcome.
MAX_WHOLE = 2**63

Entry = dict[str, Any]


class Damaged(NamedTuple):
    """A line of a journal that is not what was written."""

    journal: str
    line: int
    point: str  # as far as it can be read; "" if not

    def text(self) -> str:
        """As one line for the user."""
        point = f"point {self.point}" if self.point else "its point"
        return f"{self.journal}, line {self.line}: damaged; {point} is done again"


class Records(NamedTuple):
    """What the journals of a folder hold.

    Attributes:
        entries: every attempt that ended, in order of the journals.
        damaged: lines that are not what was written.
        unprotected: number of entries without a checksum (of bonesim 0.2 before it had them).
    """

    entries: list[Entry]
    damaged: list[Damaged]
    unprotected: int


def records_of(folder: Path) -> Records:
    """Read all journals of a folder.

    Raises:
        InputError: a journal is no regular file or cannot be read.
    """
    found = Records([], [], 0)
    for place in sorted(folder.glob(f"{JOURNAL}*.jsonl")):
        entries, damaged, unprotected = _read(place)
        found = Records(
            found.entries + entries, found.damaged + damaged, found.unprotected + unprotected
        )
    return found


def ended(entries: list[Entry]) -> tuple[dict[str, Entry], dict[str, list[Entry]]]:
    """Finished points with their first finished entry, and the failures of the other points."""
    done: dict[str, Entry] = {}
    failed: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry["status"] == "done":
            done.setdefault(entry["point"], entry)
        else:
            failed.setdefault(entry["point"], []).append(entry)
    return done, {point: errors for point, errors in failed.items() if point not in done}


def require_regular(path: Path) -> None:
    """Raise InputError if there is something at `path` that is no regular file."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is no regular file; remove it and run the sweep again")


def _read(place: Path) -> Records:
    """One journal."""
    found, unprotected = Records([], [], 0), 0
    for number, line in enumerate(_lines(place), 1):
        whole = line.endswith(b"\n")
        pieces = [line.rstrip(b"\n")]
        if _entry(pieces[0]) is None:
            pieces = SEAM.split(pieces[0]) if whole else [pieces[0][:-1]]
        for piece in pieces:
            entry = _entry(piece)
            if entry is not None:
                found.entries.append(entry)
                unprotected += ENDING.search(piece) is None
            elif whole:
                name = re.search(rb'"point": "([0-9a-f]{20})"', piece)
                point = name[1].decode() if name else ""
                found.damaged.append(Damaged(place.name, number, point))
    return found._replace(unprotected=unprotected)


def _lines(place: Path) -> Iterator[bytes]:
    """The lines of a journal, each with its end."""
    try:
        require_regular(place)
        with place.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                yield line
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror}); check it") from None


def _entry(line: bytes) -> Entry | None:
    """The attempt in a line; None if it is not what was written."""
    ending = ENDING.search(line)
    body = line
    if ending is not None:
        body = line[: ending.start()] + b"}"
        if _checksum(body) != ending[1]:
            return None
    try:
        entry = json.loads(body.decode(), parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    if ending is None and not (isinstance(entry, dict) and set(entry) <= KEYS_BEFORE):
        return None
    return entry if _is_attempt(entry) else None


def _refused(constant: str) -> Any:
    """NaN and infinities are never written."""
    raise ValueError(constant)


def _is_attempt(entry: Any) -> bool:
    """Whether an object has what an attempt has, with numbers that can be."""
    if not isinstance(entry, dict) or not isinstance(entry.get("point"), str):
        return False
    seconds, status = entry.get("seconds"), entry.get("status")
    if status not in STATUSES or not (_is_number(seconds) and seconds >= 0):
        return False
    if status != "done":
        return isinstance(entry.get("error"), str)
    rows = entry.get("rows")
    return isinstance(rows, list) and all(
        isinstance(row, dict) and all(_is_value(value) for value in row.values()) for row in rows
    )


def _is_value(value: Any) -> bool:
    return value is None or isinstance(value, str | bool) or _is_number(value)


def _is_number(value: Any) -> TypeGuard[int | float]:
    if isinstance(value, int):
        return abs(value) <= MAX_WHOLE
    return isinstance(value, float) and math.isfinite(value)


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def line_of(entry: Entry) -> bytes:
    """An attempt as a line of a journal; numbers that are not finite become null."""
    body = json.dumps(_plain(entry)).encode()
    return body[:-1] + b', "sha256": "' + _checksum(body) + b'"}\n'


class Journal:
    """The growing record of attempts; safe on the disk within a second or so.

    Args:
        path: the file to add to.

    Raises:
        InputError: it is no regular file or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        require_regular(path)
        with failures_explained(path):
            _end_line(path)
            self._file = path.open("ab", buffering=0)

    def add(self, entry: dict[str, Any]) -> None:
        """Write one attempt completely or not at all."""
        data = line_of(entry)
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
    """Let the next entry begin a line of its own: a last line that was cut off is removed."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        start = _after_last_line(file, size)
        if start == size:
            return
        file.seek(start)
        rest = file.read(MAX_LINE_BYTES)
        for kept in (rest, rest[:-1]):
            if _entry(kept) is not None:  # only its end was lost
                file.seek(start + len(kept))
                file.write(b"\n")
                file.truncate()
                return
        file.truncate(start)


def _after_last_line(file: Any, size: int) -> int:
    """Where the last line that has an end ends."""
    place = size
    while place:
        first = max(0, place - BLOCK_BYTES)
        file.seek(first)
        found = file.read(place - first).rfind(b"\n")
        if found >= 0:
            return first + int(found) + 1
        place = first
    return 0


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
