"""How far a sweep or trial is. Nothing heavy is imported before a table is asked for."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bonesim.errors import InputError
from bonesim.storage.program import named, outcome_hash, version_of
from bonesim.sweeps.journal import POINTS, STUDY, Damaged, Entry, ended, records_of, require_regular
from bonesim.sweeps.spent import mean_of

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
        damaged: lines of the journals that are not what was written.
        unprotected: entries of the journals that have no checksum.
    """

    points: tuple[str, ...]
    done: dict[str, Entry]
    failed: dict[str, list[Entry]]
    damaged: tuple[Damaged, ...] = ()
    unprotected: int = 0

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
    require_regular(folder / POINTS)
    try:
        with (folder / POINTS).open(encoding="utf-8", newline="") as file:
            points = tuple(dict.fromkeys(row["point"] for row in csv.DictReader(file)))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise InputError(
            f"{folder / POINTS}: cannot be read ({error}); run the sweep again"
        ) from None
    records = records_of(folder)
    done, failed = ended(records.entries)
    return Status(points, done, failed, tuple(records.damaged), records.unprotected)


def notes(status: Status) -> list[str]:
    """What a user must know of the results, one line each: damage, other programs, other inputs."""
    lines = [one.text() for one in status.damaged[:SHOWN_ERRORS]]
    if len(status.damaged) > SHOWN_ERRORS:
        lines.append(f"{len(status.damaged) - SHOWN_ERRORS} more lines are damaged")
    if status.unprotected:
        lines.append(
            f"{status.unprotected} entries of the journal have no checksum (an earlier bonesim "
            "wrote them): damage to them would not be noticed"
        )
    now, listed = named(version_of("bonesim"), outcome_hash()), set(status.points)
    others: dict[str, int] = {}
    for point, entry in status.done.items():
        made_by = str(entry.get("program", named("unknown", "")))
        if point in listed and made_by != now:
            others[made_by] = others.get(made_by, 0) + 1
    lines += [
        f"{number} of {len(status.points)} results are of bonesim {made_by}, this is {now}: "
        "bonesim sweep run does their points again"
        for made_by, number in others.items()
    ]
    if left := len(set(status.done) - listed):
        lines.append(
            f"{left} results in the journal are of another program, input or design: they are not "
            "in the tables"
        )
    return lines


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
    listed = set(status.points)
    lines = [
        f"{len(status.points) - status.missing} of {len(status.points)} points done, "
        f"{len(listed & set(status.failed))} without success so far"
    ]
    lines += notes(status)
    seconds = [entry["seconds"] for point, entry in status.done.items() if point in listed]
    if seconds:
        mean = sum(seconds) / len(seconds)
        lines.append(f"{mean:.1f} s a point, {sum(seconds) / 3600:.2f} h in all")
    spent = mean_of(entry for point, entry in status.done.items() if point in listed)
    if spent is not None:
        lines.append(spent.text())
    failures = [(p, errors) for p, errors in status.failed.items() if p in listed]
    lines += [f"  {point}: {errors[-1]['error']}" for point, errors in failures[:SHOWN_ERRORS]]
    return "\n".join(lines)
