"""Whether a run file is what was written: everything read, sums, ledger against lattice, links."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bonesim.config.config import Config, validated
from bonesim.config.renamed import translated
from bonesim.engine.run import checkpoint_path
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import put_back_from
from bonesim.engine.twins import twin_path
from bonesim.errors import BonesimError, BusyError, CorruptFileError
from bonesim.specimens.specimen import Specimen
from bonesim.storage import checkpoint, checksums
from bonesim.storage.journaled_file import journal_path
from bonesim.storage.layout import COMPLETE, RUNNING
from bonesim.storage.reader import Run, open_run

if TYPE_CHECKING:
    import pandas as pd

#: State of what is as it should be.
OK = "ok"
#: Cells -> the daily column that counts them.
COUNTED = {
    "bmus": "bmus", "osteoclasts": "osteoclasts", "osteoblasts": "osteoblasts",
    "osteocytes": "osteocyte_lacunae",
}  # fmt: skip


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        file: where it is.
        what: its name.
        state: "ok", "ok: ..." with a remark, or what is wrong.
    """

    file: str
    what: str
    state: str

    @property
    def wrong(self) -> bool:
        """Whether it is not as it should be."""
        return not self.state.startswith(OK)


def table(checks: list[Check]) -> "pd.DataFrame":
    """The checks, one row each; `attrs["wrong"]` is how many found something wrong."""
    import pandas as pd

    found = pd.DataFrame(checks, columns=["file", "what", "state"])
    found.attrs["wrong"] = sum(check.wrong for check in checks)
    return found


def text(table: "pd.DataFrame") -> str:
    """One line for each check."""
    width = [int(table[name].str.len().max()) for name in ("file", "what")]
    return "\n".join(
        f"{row['file']:<{width[0]}}  {row['what']:<{width[1]}}  {row['state']}"
        for row in table.to_dict("records")
    )


def looked_at(file: str, what: str, look: Callable[[], str | None]) -> Check:
    """One check: `look` returns a remark or None, and raises BonesimError if something is wrong.

    Raises:
        BusyError: it is being written; nothing can be known yet.
    """
    try:
        remark = look()
    except BusyError:
        raise
    except BonesimError as error:
        return Check(file, what, str(error))
    except (LookupError, ValueError, TypeError) as error:
        return Check(file, what, f"lacks what a run has ({error})")
    return Check(file, what, OK if remark is None else f"{OK}: {remark}")


def checks_of_run(path: Path, name: str) -> list[Check]:
    """All checks of the run file at `path`; `name` is what it is called in the table."""
    try:
        run = open_run(path)
    except BusyError:
        raise
    except BonesimError as error:
        return [Check(name, "file", str(error))]
    with run:
        return [looked_at(name, what, look) for what, look in _checks(run)]


def _checks(run: Run) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Name and content of each check of a run file."""
    yield "sums of place", lambda: _sums(run)
    yield "config", lambda: _config(run)
    yield "provenance", lambda: _read(run.provenance)
    for name in ("table", "snapshot_table", "events"):
        yield name, lambda name=name: _read(getattr(run, name))  # type: ignore[misc]
    yield "days", lambda: _days(run)
    yield "ledger", lambda: _ledger(run)
    try:
        days = run.snapshot_days
    except CorruptFileError as error:
        yield "snapshots", _raiser(error)
        days = []
    for day in days:
        yield f"lattice of day {day}", lambda day=day: _lattice(run, day)  # type: ignore[misc]
        yield f"cells of day {day}", lambda day=day: _cells(run, day)  # type: ignore[misc]
    yield "checkpoint", lambda: _checkpoint(run)
    yield "journal", lambda: _journal(run)
    if twin_path(run.path).exists():
        yield "twin", lambda: _twin(run)


def _raiser(error: BonesimError) -> Callable[[], str | None]:
    def look() -> str | None:
        raise error

    return look


def _read(_found: object) -> None:
    """What was read is right: reading it checks its sums."""


def _wrong(run: Run, what: str) -> CorruptFileError:
    return CorruptFileError(f"{run.path}: {what}; take another copy or run it again")


def _sums(run: Run) -> str | None:
    if run.has_sums:
        return None
    return f"none: swapped chunks would go unnoticed (no attribute {checksums.MARK}, older bonesim)"


def _config(run: Run) -> str | None:
    _resolved(run)
    return None


def _resolved(run: Run) -> Config:
    return validated(translated(run.config), str(run.path))


def _days(run: Run) -> str | None:
    """Every day from 0 on, once; snapshots are of these; a complete run has all days."""
    days, planned, status = run.table["day"].to_numpy(), run.planned_days, run.status
    if not np.array_equal(days, np.arange(days.size)):
        raise _wrong(run, "its daily table has not every day once")
    last = days.size - 1
    missing = [day for day in run.snapshot_days if day > last]
    if missing or list(run.snapshot_table["day"]) != run.snapshot_days:
        raise _wrong(run, "its snapshots are of days that its tables do not have")
    if planned is not None and (last > planned or (status == COMPLETE) != (last == planned)):
        raise _wrong(run, f"it is {status} on day {last} of {planned}")
    return f"{status}, day {last} of {planned}" if days.size else "no day is on record yet"


def _ledger(run: Run) -> str | None:
    """Bone on each day is that of day 0, plus formed, minus resorbed and freed."""
    t = run.table
    if not len(t):
        return "no day is on record yet"
    bone = t["bone_quanta"][0] + t["formed_quanta"] - t["resorbed_quanta"] - t["fragments_quanta"]
    off = np.flatnonzero(bone != t["bone_quanta"])
    if off.size:
        raise _wrong(run, f"bone of day {off[0]} is not what was formed and resorbed till then")
    return None


def _lattice(run: Run, day: int) -> str | None:
    """All fields; the quanta are those of the daily table."""
    fields = {field.name: run.field(field.name, day) for field in run.fields}
    total, counted = int(fields["quanta"].sum(dtype=np.int64)), _on(run, "bone_quanta", day)
    if total != counted:
        raise _wrong(run, f"the lattice of day {day} has {total} quanta, the table {counted}")
    if np.any(fields["mineral"][fields["quanta"] == 0]):
        raise _wrong(run, f"the lattice of day {day} has mineral where there is no bone")
    for field in run.fields:
        if field.codes and fields[field.name].max() >= len(field.codes):
            raise _wrong(run, f"{field.name} of day {day} has an unknown code")
    return None


def _cells(run: Run, day: int) -> str | None:
    """All cells; there are as many as in the daily table."""
    for population, column in COUNTED.items():
        found, counted = len(run.cells(population, day)), _on(run, column, day)
        if found != counted:
            raise _wrong(run, f"day {day} has {found} {population}, the table {counted}")
    return None


def _on(run: Run, column: str, day: int) -> int:
    return int(run.table[column].to_numpy()[day])


def _checkpoint(run: Run) -> str | None:
    """A run that is not complete has one that can be continued."""
    beside = checkpoint_path(run.path)
    if run.status == COMPLETE:
        return "none is needed"
    if not beside.exists() and run.status == RUNNING:
        return "none yet"
    if not beside.exists():
        raise CorruptFileError(f"{run.path}: is {run.status} and has no checkpoint; run it again")
    state, meta = checkpoint.load(beside)
    if not isinstance(meta, dict) or meta.get("run") != run.identity():
        raise CorruptFileError(f"{beside}: is of another run; take another copy or run it again")
    bone = Specimen(np.zeros(run.shape, np.uint8), run.voxel_um, "", ())
    simulation = Simulation(_resolved(run), bone)
    put_back_from(beside, simulation, state)
    last = -1 if run.last_day is None else run.last_day
    if simulation.day > last >= 0:
        raise CorruptFileError(f"{beside}: is of day {simulation.day}, the run ends at day {last}")
    return f"day {simulation.day}"


def _journal(run: Run) -> str | None:
    if not journal_path(run.path).exists():
        return "none"
    return "of a commit under way, read with the file" if run.uses_journal else "of another file"


def _twin(run: Run) -> str | None:
    """The untreated twin has the same bone on day 0."""
    with open_run(twin_path(run.path)) as twin:
        same = twin.shape == run.shape and twin.config.get("seed") == run.config.get("seed")
        both = 0 in run.snapshot_days and 0 in twin.snapshot_days
        if not same or (both and not np.array_equal(run.quanta(0), twin.quanta(0))):
            raise _wrong(run, f"{twin.path.name} beside it is no twin: another bone or seed")
    return None
