"""Ablation: processes that end on a day, so that a twin shows what they do.

Until that day a run is the same to the last bit, burn-in included.

    perforation    no crossing that joins two marrows is passed: no hole through a plate
    cuts           no crossing that parts bone is passed: no strut is cut
    mechanics      no solve counts any more: strain energy stays as it is in space, wherever bone goes
    arrest         surface waits for a team as long as it takes; what is arrested by then stays so
    mineral_lag    bone keeps the mean mineralisation of that day: BMD follows BV/TV. Only what is
                   reported; stiffness has the mineral of each voxel as ever

A crossing that opens and parts bone needs both processes. Bone is dug as ever, but for its last layer.
Plates are lost from their edges still, struts from their free ends.

Without mechanics nothing jumps on that day. What ends is the answer of strain to a change of structure.
A load that a protocol changes, set-points that drift and the brake by a cavity's own floor go on. (Strain
that counts nowhere would be another health from that day on, with a year of transients.)
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from bonesim.parameters import Parameters

#: Processes that can end -> their names for the user.
PROCESSES = {
    "perforation": "plate perforation",
    "cuts": "strut cuts",
    "mechanics": "mechanics",
    "arrest": "arrest",
    "mineral_lag": "mineral lag",
}
#: Days a run can have (`schedule.duration_day`).
LAST_DAY = 50000
Day = Annotated[int | None, Field(ge=0, le=LAST_DAY)]


class AblationParameters(Parameters):
    """Processes that end on a day; until then, and if no day is given, they work."""

    perforation_day: Annotated[
        Day, Field(description="last day on which plates are perforated; assumed: an ablation")
    ] = None
    cuts_day: Annotated[
        Day, Field(description="last day on which struts are cut; assumed: an ablation")
    ] = None
    mechanics_day: Annotated[
        Day, Field(description="last day on which a solve of load counts; assumed: an ablation")
    ] = None
    arrest_day: Annotated[
        Day, Field(description="last day on which surface is arrested; assumed: an ablation")
    ] = None
    mineral_lag_day: Annotated[
        Day,
        Field(
            description="day whose mean mineralisation is kept from then on; assumed: an ablation"
        ),
    ] = None

    def last_days(self) -> Mapping[str, int]:
        """The processes that end -> the last day of each."""
        days = {
            "perforation": self.perforation_day,
            "cuts": self.cuts_day,
            "mechanics": self.mechanics_day,
            "arrest": self.arrest_day,
            "mineral_lag": self.mineral_lag_day,
        }
        return {name: day for name, day in days.items() if day is not None}

    def off_on(self, day: int) -> frozenset[str]:
        """The processes that have ended when a day is simulated."""
        return frozenset(name for name, last in self.last_days().items() if day > last)

    def notes(self) -> tuple[str, ...]:
        """What ends when, one line each."""
        return tuple(
            f"without {PROCESSES[name]} after day {day}" for name, day in self.last_days().items()
        )
