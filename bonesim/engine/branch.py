"""A branch: a run goes on from one of its days under another course, load or parameter, in a new file.

What is written against time (course, prescription, diet, load, ablation) may change from that day on
and not before: then the branch is what its configuration gives from the start, to the last bit. A
parameter that acts every day has its new value from the day after; the file's provenance keeps the
configuration before. What shapes bone or state (`AT_THE_START`) cannot change within a run.

The days before are those of the parent: from the checkpoint beside it if that is of use, else simulated
again and compared with the file. The new file has all days from day 0 on.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bonesim.config.changes import changed
from bonesim.config.config import Config, to_toml, tree_of, validated
from bonesim.config.inputs import digests_of
from bonesim.config.modules import named_by_user
from bonesim.endocrine.response import Response
from bonesim.engine import compile_ahead
from bonesim.engine.cost import cost_of, planned, refuse_what_cannot_fit
from bonesim.engine.daily_table import COLUMNS
from bonesim.engine.days import Observer, Observers
from bonesim.engine.event_table import LOG_COLUMNS
from bonesim.engine.measures import measures_for
from bonesim.engine.phases import Phase, advance_through, continued, phases_of
from bonesim.engine.replay import (
    from_burn_in,
    from_checkpoint,
    other_than_on_file,
    require_same,
    require_same_events,
)
from bonesim.engine.run import Recorder, last_day_of, signals_noted, with_pinned_course
from bonesim.engine.simulation import Simulation
from bonesim.engine.snapshot import SNAPSHOT_COLUMNS
from bonesim.errors import InputError
from bonesim.specimens.specimen import Specimen
from bonesim.storage.provenance import provenance
from bonesim.storage.reader import Run
from bonesim.storage.writer import RunWriter, check_place

#: Groups written against time: they may change what comes after the day, and nothing before.
DATED = ("protocol", "hormones.course", "hormones.axis", "hormones.drugs", "ablation")
#: Groups of parameters that act every day.
PARAMETERS = ("hormones.response", "cells", "signals", "mechanics", "tissue.fragment",
              "schedule.breaks_every_day")  # fmt: skip
#: What decides no bone.
NEUTRAL = ("title", "schedule.duration_day", "schedule.snapshots_day",
           "schedule.checkpoint_every_day")  # fmt: skip
#: What makes the start or shapes the state, within groups that may change.
AT_THE_START = (
    "cells.osteocyte.start_density_per_mm3",
    "cells.osteocyte.settled_day", "cells.precursor.block_um", "signals.grid_um",
    "mechanics.voxels_per_element",
)  # fmt: skip


class Plan(NamedTuple):
    """What a branch is.

    Attributes:
        phases: of its parent, in order.
        config: of the days to come.
        day: the day asked for.
        shared: the last day of the parent that the branch has: `day`, or the day before if what
            changes acts on `day` itself.
        changes: path -> new value, None where there is none any more.
    """

    phases: list[Phase]
    config: Config
    day: int
    shared: int
    changes: dict[str, Any]


def branch(
    run: Run, day: int, changes: Mapping[str, Any], output: Path, *, overwrite: bool = False,
    until_day: int | None = None, observers: Sequence[Observer] = (),
) -> Path:  # fmt: skip
    """Simulate a branch of an open run file into the run file `output`; returns its path.

    Args:
        run: the parent.
        day: the branch goes on from its end.
        changes: dotted path -> value, from that day on.
        output: the file to make; refused if it exists, unless `overwrite`.
        until_day: stop after this day; `resume` goes on from there.
        observers: look at every day simulated; a note states from where.

    Raises:
        InputError: no such day, what cannot change, or the parent's days simulated again differ.
        ResourceError, CorruptFileError: as `run`.
        Stopped: a signal ended the run after `day`; the file is complete up to the last simulated day.
    """
    observer, plan = Observers(observers), planned_branch(run, day, changes)
    check_place(output, overwrite, (run.path, *plan.config.files()))
    with compile_ahead.in_second_process(observer):
        return _Branch(run, plan, observer).simulate(output, overwrite, until_day)


def planned_branch(run: Run, day: int, changes: Mapping[str, Any]) -> Plan:
    """What a branch would be; nothing is simulated.

    Raises:
        InputError: no such day, or what cannot change.
    """
    phases, last = phases_of(run), run.last_day
    first = phases[-2].last_day if len(phases) > 1 else 0
    if last is None or not first <= day <= last:
        days = "no day yet" if last is None else f"days {first} to {last}"
        of = " of its own (it is a branch; for earlier days take its parent)" if first else ""
        raise InputError(f"got {day}; {run.path} has {days}{of}", parameter="day")
    before = phases[-1].config
    after = _changed(before, changes)
    paths = _different(tree_of(before), tree_of(after))
    _refuse_what_cannot_change(list(paths), day)
    if after.schedule.duration_day < day:
        raise InputError(
            f"schedule.duration_day is {after.schedule.duration_day}; the branch begins on day {day}: "
            "give a later day", parameter="changes",
        )  # fmt: skip
    dated = any(_within(path, DATED) or path == "schedule.duration_day" for path in paths)
    shared = _shared_until(before, after, day) if dated else day
    if shared < max(day - 1, 0):
        raise InputError(
            f"would change day {shared + 1} of the parent; a branch of day {day} may change what comes "
            f"after it: give steps, courses of drugs and loads that begin on day {max(day, 1)} or later",
            parameter="changes",
        )
    return Plan(phases, after, day, shared, paths)


def _changed(before: Config, changes: Mapping[str, Any]) -> Config:
    new = dict(changes)
    if "hormones.course.path" in new:
        new.setdefault("hormones.course.sha256", None)
    if not new:
        return before
    return with_pinned_course(validated(named_by_user(changed(tree_of(before), new)), "changes"))


def _different(before: Any, after: Any, place: str = "") -> dict[str, Any]:
    """Paths at which two trees differ -> the second one's value."""
    if isinstance(before, dict) and isinstance(after, dict):
        found: dict[str, Any] = {}
        for name in sorted(before.keys() | after.keys()):
            found |= _different(before.get(name), after.get(name), f"{place}.{name}".lstrip("."))
        return found
    return {} if before == after else {place: after}


def _within(path: str, groups: Sequence[str]) -> bool:
    return any(path == group or path.startswith(f"{group}.") for group in groups)


def _refuse_what_cannot_change(paths: Sequence[str], day: int) -> None:
    allowed = (*DATED, *PARAMETERS, *NEUTRAL)
    for path in paths:
        if _within(path, AT_THE_START) or not _within(path, allowed):
            raise InputError(
                f"{path} acts at the start of a run and cannot change on day {day}; allowed "
                f"{', '.join(allowed)} (but for {', '.join(AT_THE_START)}); for another start make a run",
                parameter="changes",
            )


def _shared_until(before: Config, after: Config, day: int) -> int:
    """The last day, up to `day`, until which all that is written against time is the same; -1: none."""
    p = before.hormones.response
    one, two = Response(p, before.course()), Response(p, after.course())
    same = one.state() == two.state() and one.reference_t_ng_per_dl == two.reference_t_ng_per_dl
    same = same and _held(one) == _held(two) and before.age_year == after.age_year
    for today in range(day + 1):
        same = same and before.load_percent(today) == after.load_percent(today)
        same = same and before.ablation.off_on(today) == after.ablation.off_on(today)
        if not same or (today and one.next_day(today) != two.next_day(today)):
            return today - 1
    return day


def _held(response: Response) -> Any:
    """The multipliers before day 0."""
    course = response.course
    return response.drive(
        course.e2_pg_per_ml(-1), course.t_ng_per_dl(-1), response.pth(course.diet(-1)),
        course.bone_targets(-1),
    )  # fmt: skip


class _Branch:
    """Simulates a branch into its file.

    Args:
        run: the parent, open.
        plan: what to simulate.
        observer: looks at every day.
    """

    def __init__(self, run: Run, plan: Plan, observer: Observer) -> None:
        self.run, self.plan, self.observer = run, plan, observer
        self.before = plan.phases[-1].config
        self.measures = measures_for(self.before, [observer], COLUMNS)
        self.kept = set(plan.config.schedule.kept_days())

    def simulate(self, output: Path, overwrite: bool, until_day: int | None) -> Path:
        """Make the file; raises as `branch`."""
        run, plan, observer = self.run, self.plan, self.observer
        at, make = self._at_checkpoint(), None
        first, phases = f"the checkpoint of day {at.day}" if at else "the burn-in", plan.phases
        if at is None:
            size, make = planned(plan.config.specimen, None, observer.note)
            refuse_what_cannot_fit(cost_of(size, plan.config, until_day=until_day), output)
        observer.note(f"{run.path}: days up to {plan.shared} are simulated from {first}")
        with self._new_file(output, overwrite, first) as writer:
            start = at.day if at else -plan.config.schedule.burn_in_day
            observer.expect(start, last_day_of(plan.config, until_day))
            if at is not None:
                self._copy_snapshots(writer, at.day)
                simulation, phases = at, phases[-1:]
            elif make is not None:
                simulation = self._at_day_0(make)
            recorder = Recorder(simulation, writer, output, 0)
            simulation = self._simulate_shared(simulation, phases, recorder)
            recorder.simulation = continued(simulation, plan.config)
            del simulation, at
            with signals_noted() as pending:
                recorder.record(until_day, observer, pending)
        return output

    def _at_checkpoint(self) -> Simulation | None:
        """The parent at the checkpoint beside it, if that is of use.

        It must not be too late, have the columns wanted, and the file all snapshots before it.
        """
        columns = {one.name for one in self.run.columns("table")}
        if columns != {c.name for c in (*COLUMNS, *(one.column for one in self.measures))}:
            return None
        at = from_checkpoint(self.run, self.before, self.plan.shared, self.measures)
        if at is None or not self._due_before(at.day + 1) <= set(self.run.snapshot_days):
            return None
        return at

    def _due_before(self, day: int) -> set[int]:
        """Snapshots before a day that are the parent's: that of the last shared day is the branch's."""
        return {one for one in self.kept if one < min(day, self.plan.shared)}

    def _new_file(self, output: Path, overwrite: bool, first: str) -> RunWriter:
        """The file, empty; it appears with its first commit, after the shared days."""
        run, config, record = self.run, self.plan.config, self.run.provenance
        notes = [*record["notes"], *config.ablation.notes()]
        mine = {
            "file": Path(run.path).name, "parent": run.identity(), "day": self.plan.day,
            "last_shared_day": self.plan.shared, "simulated_from": first,
            "changes": self.plan.changes,
            "parameters": [path for path in self.plan.changes if _within(path, PARAMETERS)],
            "config": run.config_text,
        }  # fmt: skip
        return RunWriter.create(
            output, shape_zyx=run.shape, voxel_um=run.voxel_um, config_text=to_toml(config),
            provenance=provenance(
                config.seed, list(dict.fromkeys(notes)), inputs=digests_of(config),
                bone=record.get("bone"), branches=[*record.get("branches", []), mine],
            ),
            table_columns=(*COLUMNS, *(one.column for one in self.measures)),
            snapshot_columns=SNAPSHOT_COLUMNS, log_columns=LOG_COLUMNS, overwrite=overwrite,
        )  # fmt: skip

    def _copy_snapshots(self, writer: RunWriter, last: int) -> None:
        """Take over the parent's snapshots up to a day."""
        run = self.run
        measured = run.snapshot_table.set_index("day")
        names = [str(name) for name in measured.columns]
        populations = [str(name) for name in run.cells() if name != "day"]
        for day in sorted(self._due_before(last + 1)):
            row = measured.loc[[day]].to_numpy(np.float64)[0].tolist()
            writer.append_snapshot(
                day, {one.name: run.field(one.name, day) for one in run.fields},
                dict(zip(names, row, strict=True)),
                {name: run.cell_columns(name, day) for name in populations},
            )  # fmt: skip

    def _at_day_0(self, make: Callable[[], Specimen]) -> Simulation:
        """The parent at the end of its burn-in."""
        bone = make()
        if bone.quanta.shape != self.run.shape:
            raise other_than_on_file(self.run, "the size of its bone")
        simulation = from_burn_in(self.plan.phases[0].config, bone, self.observer)
        simulation.measure_with(self.measures)
        return simulation

    def _simulate_shared(
        self, simulation: Simulation, phases: Sequence[Phase], recorder: Recorder
    ) -> Simulation:
        """Simulate the parent's days up to the last shared one, compared with its file."""

        def record(one: Simulation) -> None:
            require_same(self.run, one)
            if one.day < self.plan.shared:
                recorder.simulation = one
                if one.day in self.kept:
                    recorder.snapshot()
                self.observer.on_record(one)

        def on_day(one: Simulation) -> None:
            self.observer.on_day(one)
            record(one)

        self.observer.begin(simulation.day, self.plan.shared)
        try:
            if simulation.day == 0:
                record(simulation)
            simulation = advance_through(simulation, phases, self.plan.shared, on_day)
        finally:
            self.observer.end()
        require_same_events(self.run, simulation)
        return simulation
