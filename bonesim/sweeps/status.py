"""How far a sweep or trial is. Nothing heavy is imported before a table is asked for."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bonesim.errors import InputError
from bonesim.sweeps.journal import POINTS, STUDY, Entry, ended

if TYPE_CHECKING:
    import pandas as pd

#: Errors that the text shows.
SHOWN_ERRORS = 10


class Status(NamedTuple):
    """The points of a folder and what became of them.

    Attributes:
        points: all, each once, in order of the design.
        done: the entry of each finished one.
        failed: the entries of each that was tried without success.
    """

    points: tuple[str, ...]
    done: dict[str, Entry]
    failed: dict[str, list[Entry]]

    @property
    def missing(self) -> int:
        """Points without a result."""
        return len([point for point in self.points if point not in self.done])


def status_of(folder: Path) -> Status:
    """How far the points of a folder are.

    Raises:
        InputError: no folder of a sweep, or its design cannot be read.
    """
    if not (folder / STUDY).is_file():
        raise InputError(f"{folder}: is no folder of a sweep; run one: bonesim sweep run")
    try:
        with (folder / POINTS).open(encoding="utf-8", newline="") as file:
            points = tuple(dict.fromkeys(row["point"] for row in csv.DictReader(file)))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise InputError(
            f"{folder / POINTS}: cannot be read ({error}); run the sweep again"
        ) from None
    done, failed = ended(folder)
    return Status(points, done, failed)


def table(status: Status) -> "pd.DataFrame":
    """One row per point: "done", "failed" or "waiting", attempts without success, seconds, error."""
    import pandas as pd

    rows = []
    for point in status.points:
        failures = status.failed.get(point, [])
        state = "done" if point in status.done else "failed" if failures else "waiting"
        rows.append(
            {"point": point, "state": state, "failed_attempts": len(failures),
             "seconds": status.done.get(point, {}).get("seconds", float("nan")),
             "error": failures[-1]["error"] if failures else ""}
        )  # fmt: skip
    return pd.DataFrame(rows, columns=["point", "state", "failed_attempts", "seconds", "error"])


def text(status: Status) -> str:
    """The counts, the time a point takes, and the last errors."""
    lines = [
        f"{len(status.points) - status.missing} of {len(status.points)} points done, "
        f"{len(status.failed)} without success so far"
    ]
    seconds = [entry["seconds"] for entry in status.done.values()]
    if seconds:
        mean = sum(seconds) / len(seconds)
        lines.append(f"{mean:.1f} s a point, {sum(seconds) / 3600:.2f} h in all")
    for point, errors in list(status.failed.items())[:SHOWN_ERRORS]:
        lines.append(f"  {point}: {errors[-1]['error']}")
    return "\n".join(lines)
