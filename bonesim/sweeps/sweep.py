"""Running a study: missing points are simulated once each, in an order that shares burn-ins."""

import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from bonesim.engine import compile_ahead
from bonesim.specimens.fetching import located
from bonesim.specimens.published import LibraryParameters, bone_named
from bonesim.storage.lock import WriteLock
from bonesim.sweeps import batch
from bonesim.sweeps import worker as work
from bonesim.sweeps.alone import work_through_alone
from bonesim.sweeps.cost import Plan, plan_of, refuse_what_cannot_fit
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.journal import JOURNAL, MAX_ATTEMPTS, STUDY, Journal
from bonesim.sweeps.spent import SPENT, mean_of
from bonesim.sweeps.study import Point, StudyLike

#: Seconds between two writings of the tables; writing takes longer as they grow.
TABLES_EVERY_SECONDS = 60.0
#: Burn-ins in use at a time: few enough for the cache, enough for the workers of a machine.
TOGETHER = 16
#: What the resolved config of a point on a bone of the library has in it.
LIBRARY = 'kind = "library"'


#: Runs tasks somewhere and yields their entries as they end.
WorkThrough = Callable[[Iterable[work.Task], work.Simulate], Iterator[dict[str, Any]]]


class Progress(Protocol):
    """Progress observer of a sweep."""

    def note(self, text: str) -> None:
        """Show one note."""

    def begin(self, done: int, total: int) -> None:
        """Work begins; `done` of `total` points have a result."""

    def ended(self, entry: dict[str, Any], done: int, total: int) -> None:
        """One attempt ended; `done` of `total` points are finished or given up."""

    def end(self) -> None:
        """Work has ended or was stopped."""


def missing(folder: Folder, points: list[Point], *, retry: bool = True) -> list[Point]:
    """Points without a result; those given up are included only with `retry`."""
    done, failed = folder.status()
    given_up = {
        point for point, errors in failed.items()
        if len(errors) >= MAX_ATTEMPTS or errors[-1]["status"] == "refused"
    }  # fmt: skip
    wanted = {p.id: p for p in points if p.id not in done and (retry or p.id not in given_up)}
    return list(wanted.values())


def plan(
    study: StudyLike, path: Path, workers: int | None, scheduler: str | None = None,
    cluster: str | None = None,
) -> Plan:  # fmt: skip
    """The points to do, and an estimate of their cost; nothing is written.

    Raises:
        InputError: as `run_study`; a library that these workers need is not installed.
    """
    number = workers or batch.default_workers()
    points = study.points()
    to_do, measured = points, None
    if (path / STUDY).is_file():
        folder = Folder(path)
        to_do = missing(folder, points)
        done, known = folder.status()[0], {point.id for point in points}
        measured = mean_of(entry for name, entry in done.items() if name in known)
    batch.require_for(min(number, len({point.id for point in to_do})), scheduler, cluster)
    return plan_of(study.keep_files, points, to_do, number, study.decompose, measured)


def run_study(
    study: StudyLike, path: Path, *, workers: int | None = None, scheduler: str | None = None,
    cluster: str | None = None, progress: Progress | None = None,
    simulate: work.Simulate | None = None,
) -> int:  # fmt: skip
    """Simulate the missing points of a study; returns how many points have no result.

    Args:
        study: a study, a trial, or another source of points.
        path: its folder.
        workers: processes; as many as cores if not given.
        scheduler, cluster: see `batch.dask_client`.
        progress: progress observer.
        simulate: called for each point instead of the study's own function.

    Raises:
        InputError: a folder of another study, no Dask, no scheduler.
        BusyError: another sweep runs in the folder. ResourceError: memory or disk do not suffice, or
            a bone of the library cannot be fetched.
    """
    points = study.points()
    number = workers or batch.default_workers()
    estimate = plan(study, path, number, scheduler, cluster)
    if scheduler is None and cluster is None:
        refuse_what_cannot_fit(estimate, path)
    folder = Folder(path, study)
    lock = WriteLock(path / "sweep")
    try:
        folder.write_points(points)
        to_do = missing(folder, points)
        if progress:
            for line in (estimate.text(), *folder.notes()):
                progress.note(line)
        if simulate is None:
            _fetch_bones(to_do, progress.note if progress else None)
        if to_do and simulate is None and not compile_ahead.all_cached():
            if progress:
                progress.note(compile_ahead.NOTE)
            compile_ahead.compile_everything(quick=True)
        number = min(number, len(to_do))
        if to_do and number == 1 and scheduler is None and cluster is None:
            _work(study, folder, points, to_do, work_through_alone, progress, simulate)
        elif to_do:
            with batch.dask_client(number, estimate.bytes_per_run, scheduler, cluster) as client:
                if progress:
                    progress.note(f"dashboard: {client.dashboard_link}")
                through = partial(batch.work_through, client)
                _work(study, folder, points, to_do, through, progress, simulate)
        folder.write_tables()
        return len(missing(folder, points))
    finally:
        lock.release()


def _fetch_bones(points: list[Point], note: Callable[[str], None] | None) -> None:
    """Fetch the bones of the library that points need, each once, before workers ask for them.

    Raises:
        InputError, ResourceError, CorruptFileError: one cannot be had: no point would have a result.
    """
    needed: dict[str, LibraryParameters] = {}
    for point in points:
        if LIBRARY in point.config:
            specimen = tomllib.loads(point.config).get("specimen", {})
            if specimen.get("kind") == "library":
                place = (specimen["name"], specimen.get("folder"), specimen.get("mirror"))
                needed.setdefault(str(place), LibraryParameters.model_validate(specimen))
    for one in needed.values():
        located(bone_named(one.name), folder=one.folder, mirror=one.mirror, note=note)


def _work(
    study: StudyLike, folder: Folder, points: list[Point], to_do: list[Point], through: WorkThrough,
    progress: Progress | None, simulate: work.Simulate | None,
) -> None:  # fmt: skip
    """Simulate all points to do, each with up to three attempts."""
    journal = Journal(folder.path / f"{JOURNAL}.jsonl")
    total = len({point.id for point in points})
    finished, spent = total - len(to_do), list[dict[str, Any]]()
    tries = {point.id: 0 for point in to_do}
    now, written = in_order(to_do), time.monotonic()
    if progress:
        progress.begin(finished, total)
    try:
        while now:
            again = []
            by_id = {point.id: point for point in now}
            for entry in through(_tasks(study, folder, now), simulate or study.simulate):
                journal.add(entry)
                spent.append({name: entry.get(name) for name in ("status", SPENT)})
                tries[entry["point"]] += 1
                ended = entry["status"] != "failed" or tries[entry["point"]] >= MAX_ATTEMPTS
                finished += ended
                if not ended:
                    again.append(by_id[entry["point"]])
                if progress:
                    progress.ended(entry, finished, total)
                if time.monotonic() - written > TABLES_EVERY_SECONDS:
                    journal.sync()
                    folder.write_tables()
                    written = time.monotonic()
            now = again
    finally:
        if progress:
            progress.end()
            if (mean := mean_of(spent)) is not None:
                progress.note(mean.text())
        journal.close()


def run_share(study: StudyLike, path: Path, index: int, count: int) -> int:
    """Simulate one share of a study in this process, without a scheduler: for job arrays.

    Point k belongs to share k mod `count`; each share has a journal of its own. Returns how many
    of its points have no result.
    """
    points = study.points()
    folder = Folder.shared(path, study, points)
    mine = in_order(points)[index::count]
    lock = WriteLock(path / f"{JOURNAL}_{index}")
    try:
        journal = Journal(path / f"{JOURNAL}_{index}.jsonl")
        for task in _tasks(study, folder, missing(folder, mine)):
            journal.add(work.attempt(task, study.simulate))
            journal.sync()
        journal.close()
        return len(missing(folder, mine))
    finally:
        lock.release()


def _tasks(study: StudyLike, folder: Folder, points: list[Point]) -> Iterator[work.Task]:
    return (folder.task(point, study.keep_files) for point in points)


def in_order(points: list[Point]) -> list[Point]:
    """The points, those with a common burn-in close together, so that it is still in the cache.

    Groups are taken TOGETHER at a time: first one point of each, which simulates the burn-in, then
    the others. So two workers rarely simulate the same burn-in at once.
    """
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.group, []).append(point)
    every = list(groups.values())
    ordered = []
    for first in range(0, len(every), TOGETHER):
        some = every[first : first + TOGETHER]
        ordered += [group[0] for group in some]
        ordered += [point for group in some for point in group[1:]]
    return ordered
