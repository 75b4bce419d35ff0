"""One run: a simulation, a schedule and a file; when to measure, save, checkpoint and stop.

    burn-in      (or its cached end) with checkpoints too; the file has no day yet
    day 0        first row, first snapshot
    every day    a row of the daily table, kept in memory
    flush        rows and events go to the file every `FLUSH_DAYS` and at each snapshot
    checkpoint   everything a restart needs, beside the file, every `checkpoint_every_day`
    stop         last day, Ctrl-C, SIGTERM or `until_day`: the file is complete up to that day

A resumed run takes up the last checkpoint, and the file is cut back to that day.
"""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bonesim.config.config import Config, to_toml, validated
from bonesim.config.inputs import digests_of
from bonesim.config.renamed import translated
from bonesim.endocrine.course import pinned
from bonesim.engine import compile_ahead
from bonesim.engine.burn_in import equilibrated
from bonesim.engine.cost import cost_of, planned, refuse_what_cannot_fit
from bonesim.engine.daily_table import COLUMNS
from bonesim.engine.days import Observer, Observers, advance
from bonesim.engine.event_table import LOG_COLUMNS, event_table
from bonesim.engine.measures import measures_for
from bonesim.engine.simulation import Simulation
from bonesim.engine.snapshot import SNAPSHOT_COLUMNS, cells_of, fields_of, measures_of
from bonesim.engine.state import State, put_back_from, state_of
from bonesim.errors import InputError
from bonesim.specimens.published import PublishedSpecimen
from bonesim.specimens.specimen import Specimen
from bonesim.storage import checkpoint
from bonesim.storage.durable import failures_explained
from bonesim.storage.layout import (
    BREAK_TRACKS,
    BREAKS,
    COMPLETE,
    EVENTS,
    INTERRUPTED,
    RUNNING,
    SNAPSHOT_TABLE,
)
from bonesim.storage.program import named, program, program_hash
from bonesim.storage.provenance import last_program, provenance, resumption
from bonesim.storage.reader import open_run
from bonesim.storage.writer import RunWriter, check_place

#: Days between writes of table and events.
FLUSH_DAYS = 90


class Stopped(Exception):
    """A signal asked to stop, between two days.

    Attributes:
        number: of the signal.
        day: the last day simulated.
        in_burn_in: the day is before 0, none is on record yet. `resume` goes on from there too.
    """

    def __init__(self, number: int, day: int = 0) -> None:
        super().__init__(signal.Signals(number).name)
        self.number, self.day, self.in_burn_in = number, day, day < 0


def checkpoint_path(output: Path) -> Path:
    """Where the restart point of a run file is."""
    return output.with_name(output.name + ".checkpoint")


def run(
    config: Config,
    output: str | Path,
    *,
    overwrite: bool = False,
    until_day: int | None = None,
    observers: Sequence[Observer] = (),
    specimen: Specimen | None = None,
    burn_ins: dict[str, State] | None = None,
) -> Path:
    """Simulate `config` into the run file `output`; returns its path.

    Args:
        config: what to simulate.
        output: the file to make; refused if it exists, unless `overwrite`.
        until_day: stop after this day instead of the config's last; `resume` goes on from there.
        observers: look at every day; see `bonesim.engine.days.Observer`.
        specimen: the bone, if it is at hand already.
        burn_ins: ends of burn-ins that runs of one process share; see `equilibrated`.

    Raises:
        InputError: bad specimen or output path.
        ResourceError: the machine has not enough memory or disk.
        Stopped: a signal ended the run; the file is complete up to the last simulated day.
    """
    output, observer = Path(output), Observers(observers)
    check_place(output, overwrite, config.files())
    with compile_ahead.in_second_process(observer):
        config = with_pinned_course(config)  # an impossible one is an error before any work
        size, make = planned(config.specimen, specimen, observer.note)
        refuse_what_cannot_fit(cost_of(size, config, until_day=until_day), output)
        return _simulated(config, make(), output, overwrite, until_day, observer, burn_ins)


def with_pinned_course(config: Config) -> Config:
    """The same configuration; a table of hormones that it names may not change any more.

    Raises:
        InputError: a course that is not possible, a table that cannot be read.
    """
    config.course()
    hormones = config.hormones.model_copy(update={"course": pinned(config.hormones.course)})
    return config.model_copy(update={"hormones": hormones})


def _simulated(
    config: Config, bone: Specimen, output: Path, overwrite: bool, until_day: int | None,
    observer: Observer, burn_ins: dict[str, State] | None,
) -> Path:  # fmt: skip
    """`run`, once there is a bone."""
    notes = (bone.origin, *bone.notes, *config.notes())
    for note in notes:
        observer.note(note)
    measures = measures_for(config, [observer], COLUMNS)
    record = provenance(
        config.seed, notes, inputs=digests_of(config),
        bone=bone.published.provenance() if isinstance(bone, PublishedSpecimen) else None,
    )  # fmt: skip
    writer = RunWriter.create(
        output, shape_zyx=bone.quanta.shape, voxel_um=bone.voxel_um, config_text=to_toml(config),
        provenance=record, table_columns=(*COLUMNS, *(one.column for one in measures)),
        snapshot_columns=SNAPSHOT_COLUMNS, log_columns=LOG_COLUMNS, overwrite=overwrite,
    )  # fmt: skip
    with writer, signals_noted() as pending:
        observer.expect(-config.schedule.burn_in_day, last_day_of(config, until_day))
        burn_in = _BurnIn(writer, output, observer, pending)
        observer.begin(-config.schedule.burn_in_day, 0)
        try:
            simulation, cached = equilibrated(
                config, bone, burn_in.on_day, burn_ins, burn_in.on_wait
            )
        finally:
            observer.end()
        if cached:
            observer.note("burn-in taken from the cache")
        simulation.measure_with(measures)
        Recorder(simulation, writer, output, 0).record(until_day, observer, pending)
    return output


def resume(
    path: str | Path, *, until_day: int | None = None, observers: Sequence[Observer] = (),
    anyway: bool = False,
) -> Path:  # fmt: skip
    """Continue an interrupted run from its last checkpoint; returns its path.

    `anyway`: also if another program simulated it so far; its provenance then records both.

    Raises:
        InputError: the run is complete, has no checkpoint that this version can continue, or is of
            another program.
        CorruptFileError: file or checkpoint is damaged.
        Stopped: as `run`.
    """
    # Of a link, what belongs to the file is beside the file.
    path, observer = Path(os.path.realpath(path)), Observers(observers)
    with open_run(path) as old:
        status, tree = old.status, translated(old.config)
        origin, *notes = old.provenance["notes"] or ["unknown"]
        shape, voxel_um, identity = old.shape, old.voxel_um, old.identity()
        before = last_program(old.provenance)
        there = {column.name for column in old.columns("table")}
    if status == COMPLETE:
        raise InputError(f"{path}: the run is complete; there is nothing to resume")
    state = _checkpoint_beside(path, identity)
    foreign = before[1] != program_hash()
    if foreign and not anyway:
        raise InputError(
            f"{path}: was simulated by bonesim {named(*before)}, this is {program()}: days of both "
            "would stand in one file; run it again, or give `anyway` (the file then records both)"
        )
    config = validated(tree, str(path))
    # The state replaces all that is on this lattice.
    bone = Specimen(np.zeros(shape, np.uint8), voxel_um, origin, tuple(notes))
    simulation = Simulation(config, bone)
    simulation.measures = measures_for(config, [observer], COLUMNS)
    _require_todays_columns(path, there, simulation)
    put_back_from(checkpoint_path(path), simulation, state)
    observer.note(f"resuming at day {simulation.day}")
    with RunWriter.reopen(path) as writer, signals_noted() as pending:
        _require_todays_tables(path, writer)
        writer.truncate_to(simulation.day)
        if foreign:
            writer.record_resumption(resumption(simulation.day))
        observer.expect(simulation.day, last_day_of(config, until_day))
        if simulation.day < 0:
            _BurnIn(writer, path, observer, pending).go_on(simulation)
            next_row = 0
        else:
            next_row = simulation.day + 1
        recorder = Recorder(simulation, writer, path, next_row)
        recorder.record(until_day, observer, pending)
    return path


def _require_todays_columns(path: Path, there: set[str], simulation: Simulation) -> None:
    """Raise InputError if the daily table has other columns than those that would be added."""
    measured = {one.name for one in simulation.measures}
    others = sorted(there ^ {*measured, *(column.name for column in COLUMNS)})
    if others:
        raise _other_columns(path, others)


def _require_todays_tables(path: Path, writer: RunWriter) -> None:
    """Raise InputError if the file's other tables have not the columns that would be added."""
    if others := writer.lacks({SNAPSHOT_TABLE: SNAPSHOT_COLUMNS, **LOG_COLUMNS}):
        raise _other_columns(path, others)


def _other_columns(path: Path, others: list[str]) -> InputError:
    return InputError(
        f"{path}: has other columns than this version writes ({', '.join(others[:3])}"
        f"{', ...' if others[3:] else ''}): it can be read, not continued; run it again, or resume it "
        "with the measures that it began with"
    )


def _checkpoint_beside(path: Path, identity: str) -> State:
    """The state in the checkpoint of the run file `path`; `identity` is that of its run."""
    beside = checkpoint_path(path)
    if not beside.exists():
        raise InputError(f"{path}: no checkpoint {beside.name} beside it; run it again")
    try:
        state, meta = checkpoint.load(beside)
    except checkpoint.EarlierVersionError as error:
        raise InputError(
            f"{path}: {beside.name} beside it {error.reason} (bonesim info prints it)"
        ) from None
    if not isinstance(meta, dict) or meta.get("run") != identity:
        raise InputError(f"{path}: {beside.name} beside it is of another run; run it again")
    return state


def _save_checkpoint(simulation: Simulation, writer: RunWriter, output: Path) -> None:
    """Keep everything a restart needs, beside the run file."""
    meta = {"day": simulation.day, "run": writer.identity(), "program": program_hash()}
    checkpoint.save(checkpoint_path(output), state_of(simulation), meta)


class _BurnIn:
    """The days before day 0: checkpoints at the run's cadence, and a stop that can be resumed.

    Args:
        writer: the open run file, without any row.
        output: its path.
        observer: looks at every day.
        pending: signals that ask to stop.
    """

    def __init__(
        self, writer: RunWriter, output: Path, observer: Observer, pending: list[int]
    ) -> None:
        self.writer, self.output, self.observer, self.pending = writer, output, observer, pending
        self.waits = False

    def go_on(self, simulation: Simulation) -> None:
        """Simulate the rest of a burn-in."""
        self.observer.begin(simulation.day, 0)
        try:
            advance(simulation, 0, self.on_day)
        finally:
            self.observer.end()

    def on_day(self, simulation: Simulation) -> None:
        """Save what is due after this day; stop if a signal asks to."""
        self.observer.on_day(simulation)
        if simulation.day < 0:
            every = simulation.config.schedule.checkpoint_every_day
            self._save_or_stop(simulation, due=simulation.day % every == 0)

    def on_wait(self, simulation: Simulation) -> None:
        """Another process simulates the same burn-in; stop if a signal asks to."""
        if not self.waits:
            self.observer.note("waiting: another process simulates this burn-in")
        self.waits = True
        self._save_or_stop(simulation, due=False)

    def _save_or_stop(self, simulation: Simulation, *, due: bool) -> None:
        if self.pending or due:
            # The file first: a checkpoint without its run is of no use.
            self.writer.set_status(INTERRUPTED if self.pending else RUNNING)
            self.writer.commit()
            _save_checkpoint(simulation, self.writer, self.output)
        if self.pending:
            raise Stopped(self.pending[0], simulation.day)


def last_day_of(config: Config, until_day: int | None) -> int:
    """The day a run ends: the schedule's last, or `until_day` if that is earlier."""
    last = config.schedule.duration_day
    return last if until_day is None else min(until_day, last)


class Recorder:
    """Simulates the days of a run and puts them on file.

    Args:
        simulation: at the day before `next_row`, or at day 0 with nothing recorded.
        writer: the open run file.
        output: its path.
        next_row: first row of the daily table that is not on file yet.
    """

    def __init__(
        self, simulation: Simulation, writer: RunWriter, output: Path, next_row: int
    ) -> None:
        self.simulation, self.writer, self.output = simulation, writer, output
        self.next_row = next_row
        self.statuses = np.zeros(0, np.uint8)

    def record(self, until_day: int | None, observer: Observer, pending: list[int]) -> None:
        """Simulate to the end of the schedule or to `until_day`, or until a signal; then close."""
        schedule = self.simulation.config.schedule
        last = last_day_of(self.simulation.config, until_day)
        kept = set(schedule.kept_days())

        def on_day(simulation: Simulation) -> None:
            observer.on_day(simulation)
            self.after_day(kept)
            observer.on_record(simulation)

        observer.begin(self.simulation.day, last)
        try:
            if self.next_row == 0:
                self.after_day(kept)
                observer.on_record(self.simulation)
            advance(self.simulation, last, on_day, done=lambda _: bool(pending))
        finally:
            observer.end()
        self.finish(schedule.duration_day)
        if pending:
            raise Stopped(pending[0], self.simulation.day)

    def after_day(self, kept: set[int]) -> None:
        """Write what is due after this day."""
        day = self.simulation.day
        due = day % self.simulation.config.schedule.checkpoint_every_day == 0
        if day in kept:
            self.snapshot()
        if day in kept or due or day % FLUSH_DAYS == 0:
            self.flush()
        if due:
            self.checkpoint()

    def snapshot(self) -> None:
        """Put the lattice, its measures and all cells on file."""
        fields, values = fields_of(self.simulation), measures_of(self.simulation)
        self.writer.append_snapshot(self.simulation.day, fields, values, cells_of(self.simulation))

    def flush(self) -> None:
        """Put the new rows of the table, and new and changed events, on file."""
        self.writer.append_table(self.simulation.table(self.next_row))
        self.next_row = self.simulation.day + 1
        events = event_table(self.simulation.events)
        now = events["status"]
        changed = np.flatnonzero(now[: self.statuses.size] != self.statuses)
        first = int(changed[0]) if changed.size else self.statuses.size
        self.writer.write_log(EVENTS, {n: c[first:] for n, c in events.items()}, first)
        self.writer.write_log(BREAKS, self.simulation.breaks.rows)
        self.writer.write_log(BREAK_TRACKS, self.simulation.breaks.track)
        self.statuses = now.copy()
        self.writer.commit()

    def checkpoint(self) -> None:
        """Keep everything a restart needs, beside the file."""
        _save_checkpoint(self.simulation, self.writer, self.output)

    def finish(self, last_day: int) -> None:
        """Flush; set whether the run is complete. A complete one needs no checkpoint."""
        self.flush()
        if self.simulation.day >= last_day:
            self.writer.set_status(COMPLETE)
            self.writer.commit()
            with failures_explained(self.output):
                checkpoint_path(self.output).unlink(missing_ok=True)
            return
        self.checkpoint()
        self.writer.set_status(INTERRUPTED)
        self.writer.commit()


@contextmanager
def signals_noted() -> Iterator[list[int]]:
    """SIGINT and SIGTERM are noted in the list yielded, once; a second one acts as usual."""
    pending: list[int] = []
    before: dict[int, Callable[..., Any] | int | None] = {}

    def note(number: int, _frame: Any) -> None:
        pending.append(number)
        signal.signal(number, before[number])

    try:
        for number in (int(signal.SIGINT), int(signal.SIGTERM)):
            before[number] = signal.getsignal(number)
            signal.signal(number, note)
    except ValueError:
        pass  # not the main thread: signals are not ours there
    try:
        yield pending
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is note:
                signal.signal(number, handler)
