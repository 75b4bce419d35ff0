"""What runs cost: processor seconds of their workers by part, and the one line that states them.

Measured where a point is simulated and kept in the journal beside its outcomes, so that a sweep, its
status and its next estimate state what its own runs took on its own machines.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from bonesim.engine.days import Observer
from bonesim.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    from bonesim.engine.simulation import Simulation

#: Key of an entry of the journal.
SPENT = "spent"
#: Parts of a run's processor seconds, in order: the worker's start (imports), making the bone, its
#: burn-in or reading it, days, what is measured and written at snapshots, and all else.
PARTS = ("start", "bone", "burn_in", "days", "files", "other")
NAMES = {"burn_in": "burn-in"}


class Spending(Observer):
    """Processor seconds of this process by part, and how much bone was simulated how long.

    Give it to a run before the observers that compute something themselves.

    Attributes:
        seconds: part -> processor seconds.
        mm3_years: volume times time on record.
        burn_in_mm3_years: the same of a burn-in that was simulated here, 0 if it was there already.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self.mm3_years = self.burn_in_mm3_years = 0.0
        self._stretch, self._begun, self._day_over = "", 0.0, 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what is done meanwhile as one part."""
        begun = time.process_time()
        try:
            yield
        finally:
            self.seconds[name] += time.process_time() - begun

    def begin(self, first_day: int, last_day: int) -> None:
        """A burn-in or the days on record begin."""
        self._stretch, self._begun = "burn_in" if first_day < 0 else "days", time.process_time()
        self._day_over = self._begun if first_day >= 0 else 0.0

    def on_day(self, simulation: "Simulation") -> None:
        """Count a day."""
        self._day_over = time.process_time()
        specimen = simulation.specimen
        mm3 = specimen.quanta.size * (specimen.voxel_um / 1000.0) ** 3
        if simulation.day > 0:
            self.mm3_years += mm3 / DAYS_PER_YEAR
        else:
            self.burn_in_mm3_years += mm3 / DAYS_PER_YEAR

    def on_record(self, simulation: "Simulation") -> None:
        """What was done since the day's end is measuring and writing."""
        if self._day_over:
            took = time.process_time() - self._day_over
            self.seconds["files"] += took
            self.seconds["days"] -= took
            self._day_over = 0.0

    def end(self) -> None:
        """A stretch of days is over."""
        if self._stretch:
            self.seconds[self._stretch] += time.process_time() - self._begun
        self._stretch, self._day_over = "", 0.0

    def entry(self) -> dict[str, float]:
        """For the journal."""
        found = {name: round(self.seconds[name], 3) for name in PARTS}
        return found | {
            "mm3_years": round(self.mm3_years, 6),
            "burn_in_mm3_years": round(self.burn_in_mm3_years, 6),
        }


#: The attempt under way in this process, and whether there was one before.
_under_way: list[Spending] = []
_started: list[bool] = []


def spending() -> Spending:
    """Of the attempt under way in this process; outside of one, a meter that nobody reads."""
    return _under_way[-1] if _under_way else Spending()


@contextmanager
def measured() -> Iterator[Spending]:
    """Measure an attempt; the first one of a process has the process's start too."""
    one, begun = Spending(), time.process_time()
    if not _started:
        _started.append(True)
        one.seconds["start"] = begun
    _under_way.append(one)
    try:
        yield one
    finally:
        _under_way.pop()
        known = sum(one.seconds.values()) - one.seconds["start"]
        one.seconds["other"] += time.process_time() - begun - known


class Mean(NamedTuple):
    """Of measured runs.

    Attributes:
        runs: their number.
        seconds: part -> processor seconds of a run.
        mm3_years: of a run, its days on record.
        burn_ins: how many burn-ins were simulated.
        burn_in_seconds: of one that was simulated; 0 if none was.
    """

    runs: int
    seconds: dict[str, float]
    mm3_years: float
    burn_ins: int
    burn_in_seconds: float

    @property
    def core_seconds(self) -> float:
        """Of a run, its share of all burn-ins and starts included."""
        return sum(self.seconds.values())

    def text(self) -> str:
        """As one line for the user."""
        parts = ", ".join(
            f"{NAMES.get(name, name)} {value:.2g}"
            for name, value in self.seconds.items() if value >= 0.005 * self.core_seconds
        )  # fmt: skip
        volume = f", {self.core_seconds / self.mm3_years:.2g} a mm3-year" if self.mm3_years else ""
        return (
            f"{self.core_seconds:.3g} core-seconds a run ({parts}){volume}; measured on {self.runs} "
            f"run{'' if self.runs == 1 else 's'}, {self.burn_ins} simulated a burn-in"
        )


def mean_of(entries: Iterable[dict[str, Any]]) -> Mean | None:
    """The mean of finished attempts; None if none was measured (an earlier bonesim wrote them)."""
    found = [one[SPENT] for one in entries if one.get("status") == "done" and one.get(SPENT)]
    if not found:
        return None
    seconds = {name: sum(one[name] for one in found) / len(found) for name in PARTS}
    simulated = [one["burn_in"] for one in found if one["burn_in_mm3_years"] > 0.0]
    return Mean(
        len(found), seconds, sum(one["mm3_years"] for one in found) / len(found), len(simulated),
        sum(simulated) / len(simulated) if simulated else 0.0,
    )  # fmt: skip
