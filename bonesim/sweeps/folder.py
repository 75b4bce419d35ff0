"""The folder of a study: a journal that only grows, and the tables made from it.

DIR/study.toml       the study as it was last run
DIR/points.csv       the design: one row per run, with its id
DIR/journal*.jsonl   one line per attempt that ended; an incomplete last line is ignored
DIR/results.csv, results.parquet    one row per run and snapshot
DIR/failed.csv       points without a result, with their last error
DIR/logs/            notes of each run, and when and where it ran
DIR/runs/            run files, if they are kept
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from bonesim.errors import BusyError, InputError
from bonesim.storage.durable import failures_explained, write_durably
from bonesim.storage.lock import WriteLock
from bonesim.storage.program import outcome_hash
from bonesim.sweeps.journal import (
    FAILED,
    LOGS,
    POINTS,
    RESULTS,
    RUNS,
    STUDY,
    Entry,
    ended,
    records_of,
    require_regular,
)
from bonesim.sweeps.status import notes, status_of
from bonesim.sweeps.study import Point, StudyLike, table_of
from bonesim.sweeps.worker import Task

if TYPE_CHECKING:
    import pandas as pd

#: Held while study and design are written; hidden, as the folder may hold nothing else by then.
CLAIM = ".claim"
#: Seconds that a share waits for the others that start with it, and between two tries.
CLAIM_PATIENCE, CLAIM_PAUSE = 120.0, 0.05


class Folder:
    """A study's folder.

    Args:
        path: the folder; made if it is not there.
        study: the study to run in it; a folder of a study with another title is refused.

    Raises:
        InputError: it cannot be made, holds something else, or belongs to another study.
    """

    def __init__(self, path: Path, study: StudyLike | None = None) -> None:
        self.path = path
        if study is None:
            if not (path / STUDY).is_file():
                raise InputError(f"{path}: is no folder of a sweep; run one: bonesim sweep run")
            return
        self._claim(study)

    @classmethod
    def shared(cls, path: Path, study: StudyLike, points: list[Point]) -> "Folder":
        """The folder with its design, for shares that start at the same time: one after the other.

        Raises:
            InputError: as the class. BusyError: another share has not let go of it for minutes.
        """
        _require_folder(path)
        with failures_explained(path):
            path.mkdir(parents=True, exist_ok=True)
        lock = _claimed(path)
        try:
            folder = cls(path, study)
            folder.write_points(points)
            return folder
        finally:
            lock.release()

    def _claim(self, study: StudyLike) -> None:
        import tomllib

        place = self.path / STUDY
        _require_folder(self.path)
        with failures_explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            if place.exists():
                try:
                    title = tomllib.loads(place.read_text(encoding="utf-8")).get("title")
                except (tomllib.TOMLDecodeError, UnicodeDecodeError):
                    title = None
                if title != study.title:
                    raise InputError(
                        f"{self.path}: holds another study ({title!r}); choose another folder"
                    )
            elif any(name for name in self.path.iterdir() if not name.name.startswith(".")):
                raise InputError(f"{self.path}: is not empty and no sweep's; choose another folder")
            write_durably(place, study.text.encode())

    def write_points(self, points: list[Point]) -> None:
        """Put the design on file."""
        with failures_explained(self.path):
            write_durably(self.path / POINTS, table_of(points).to_csv(index=False).encode())

    def points(self) -> "pd.DataFrame":
        """The design, one row per run."""
        import pandas as pd

        require_regular(self.path / POINTS)
        try:
            return pd.read_csv(self.path / POINTS, dtype={"point": str})
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path / POINTS}: cannot be read ({error})") from None

    def status(self) -> tuple[dict[str, Entry], dict[str, list[Entry]]]:
        """Finished points with their first finished entry, and the failures of the other points."""
        return ended(records_of(self.path).entries)

    def results(self) -> "pd.DataFrame":
        """One row per run and snapshot: design, seed, seconds, outcomes; in order of the design."""
        import pandas as pd

        done, _ = self.status()
        rows = []
        for design in self.points().to_dict("records"):
            entry = done.get(str(design["point"]))
            if entry is not None:
                point = {**design, "status": "done", "seconds": entry["seconds"]}
                rows += [{**point, **outcome} for outcome in entry["rows"]]
        return pd.DataFrame(rows)

    def write_tables(self) -> None:
        """Rewrite results.csv, results.parquet (if pyarrow is installed) and failed.csv."""
        import pandas as pd

        table = self.results()
        _, failed = self.status()
        known = set(self.points()["point"])
        errors = [
            {"point": point, "attempts": len(tries), "status": tries[-1]["status"],
             "error": tries[-1]["error"], "traceback": tries[-1].get("traceback", "")}
            for point, tries in failed.items() if point in known
        ]  # fmt: skip
        columns = ["point", "attempts", "status", "error", "traceback"]
        with failures_explained(self.path):
            write_durably(self.path / f"{RESULTS}.csv", table.to_csv(index=False).encode())
            lost = pd.DataFrame(errors, columns=columns).to_csv(index=False)
            write_durably(self.path / FAILED, lost.encode())
            try:
                data = table.to_parquet(None, index=False)
            except ImportError:
                return
            write_durably(self.path / f"{RESULTS}.parquet", data)

    def notes(self) -> list[str]:
        """What a user must know of the results, one line each; see `sweeps.status.notes`."""
        return notes(status_of(self.path))

    def task(self, point: Point, keep_file: bool) -> Task:
        """A worker's task for a point, with its paths in this folder (created here)."""
        for name in (LOGS, RUNS):
            _require_folder(self.path / name)
        with failures_explained(self.path):
            for name in (LOGS, RUNS) if keep_file else (LOGS,):
                (self.path / name).mkdir(exist_ok=True)
        place = self.path.absolute()
        keep = str(place / RUNS / f"{point.id}.vtkhdf") if keep_file else None
        log = str(place / LOGS / f"{point.id}.log")
        return Task(point.id, point.config, keep, log, outcome_hash(), point.inputs)


def _claimed(path: Path) -> WriteLock:
    """The right to write study and design, once no other share has it."""
    until = time.monotonic() + CLAIM_PATIENCE
    while True:
        try:
            return WriteLock(path / CLAIM)
        except BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(CLAIM_PAUSE)


def _require_folder(path: Path) -> None:
    """Raise InputError if a path that is to be a folder, or one above it, is a file."""
    for place in (path, *path.parents):
        if place.is_dir():
            return
        # Another share may have made it since.
        if (place.exists() or place.is_symlink()) and not place.is_dir():
            raise InputError(f"{path}: {place} is a file, and a folder is needed; choose another")
