"""Simulates experiments again, and rewrites their tables and status from what came out.

    python experiments/resimulate.py --list
    python experiments/resimulate.py lowest_effective_dose what_is_lost --cores 2

`resimulate.toml` has the steps of each experiment, as its README gives them. Sweeps and trials resume
where they stopped; a step that is done is not done again. `--hours` stops in time: call again to go on.
What the steps print replaces what stands between marks in README files, and the experiment's status line
gets the date, the cost and two hashes: of the mechanism, and of the experiment's own files. If either
differs later, the experiment is stale; `--mark` writes so into the status lines (a test demands it).
"""

import argparse
import datetime
import json
import re
import resource
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import stamps
import tomli_w
from stamps import HERE, ROOT, Experiment, Failure, Step

from bonesim.storage import mechanism_hash

#: Files that may show what a step prints.
SHOWING = (ROOT / "README.md", HERE / "README.md")
MARK = re.compile(
    r"(?P<head><!-- printed by (?P<step>[\w/]+)(?:, table (?P<table>\d+))? -->\n)"
    r"(?P<body>.*?)(?P<end><!-- end -->)",
    re.DOTALL,
)
#: Exit code if the time is over; the same call goes on.
TIME_IS_OVER = 3
#: Seconds that a step has to stop in after it was interrupted.
GRACE = 120


# -- steps -----------------------------------------------------------------------------------------


class Work:
    """Where an experiment is simulated, and what it has cost so far.

    The folder is named after both hashes: results of another mechanism never mix with these.

    Args:
        folder: of all work.
        experiment: which one.
        seeds: bones of each study or people of each trial, fewer than it has; None: all.
    """

    def __init__(self, folder: Path, experiment: Experiment, seeds: int | None = None) -> None:
        bounded = "" if seeds is None else f"-{seeds}"
        name = f"{mechanism_hash()[:8]}-{stamps.study_hash(experiment)[:8]}{bounded}"
        self.experiment, self.seeds = experiment, seeds
        self.folder = folder.resolve() / experiment.name / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.record = self.folder / "steps.json"
        #: Step -> core-hours; those in `done` are over.
        self.spent: dict[str, float] = {}
        self.done: list[str] = []
        if self.record.is_file():
            kept = json.loads(self.record.read_text())
            self.spent, self.done = kept["spent"], kept["done"]

    def do(self, step: Step, cores: int, deadline: float) -> bool:
        """Do a step, or go on with it; returns whether it is over.

        Raises:
            Failure: it failed.
        """
        before = _children_hours()
        printed = self.printed(step)
        half = printed.with_suffix(".half")
        with half.open("w") as output:
            code = _finished(self.command(step, cores), output, deadline)
        self.spent[step.output] = self.spent.get(step.output, 0.0) + _children_hours() - before
        over = code == 0
        if over:
            half.replace(printed)
            self.done.append(step.output)
        self.record.write_text(json.dumps({"spent": self.spent, "done": self.done}))
        if code not in (0, None):
            raise Failure(
                f"{self.experiment.name}: step {step.output} ended with exit code {code}; see above"
            )
        return over

    def printed(self, step: Step) -> Path:
        """The file with what a step has printed."""
        return self.folder / f"{step.output}.md"

    def command(self, step: Step, cores: int) -> list[str]:
        """The command line of a step."""
        to = self.folder / step.output
        places = {
            "work": self.folder,
            "here": self.experiment.readme.parent,
            "out": self.where_pictures_go(),
            "cores": cores,
        }
        arguments = [one.format(**places) for one in step.arguments]
        bonesim = [sys.executable, "-m", "bonesim"]
        if step.kind == "script":
            return [sys.executable, str(step.source), *arguments]
        if step.kind == "run":
            again = ["--resume"] if Path(f"{to}.checkpoint").is_file() else ["--overwrite"]
            return [*bonesim, "run", str(step.source), "-o", str(to), *again, "--quiet", *arguments]
        what = ["sweep", "run"] if step.kind == "sweep" else ["trial"]
        source = step.source if self.seeds is None else self._smaller(step)
        return [*bonesim, *what, str(source), "-o", str(to), "--workers", str(cores), "--quiet"]

    def where_pictures_go(self) -> Path:
        """The experiment's folder; that of work if only a part of it is simulated."""
        return self.experiment.readme.parent if self.seeds is None else self.folder

    def _smaller(self, step: Step) -> Path:
        """A copy of a study with fewer bones, or of a trial with fewer people."""
        tree = tomllib.loads(step.source.read_text(encoding="utf-8"))
        tree["base"] = str((step.source.parent / tree["base"]).resolve())
        if step.kind == "sweep":
            design = tree["design"]
            design["seeds"] = min(design["seeds"], self.seeds)
            if "rows_csv" in design:
                design["rows_csv"] = str((step.source.parent / design["rows_csv"]).resolve())
        else:
            cohort = tree["cohort"]
            cohort["people"] = min(cohort["people"], self.seeds)
            cohort["bones"] = min(cohort.get("bones", 1), self.seeds)
        place = self.folder / step.source.name
        place.write_text(tomli_w.dumps(tree))
        return place


def _children_hours() -> float:
    """Processor time of all ended children, h."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) / 3600.0


def _finished(command: Sequence[str], output: Any, deadline: float) -> int | None:
    """Exit code of a command; None if it was stopped because the time is over."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=output)
    try:
        return process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return None
    except KeyboardInterrupt:
        process.wait(GRACE)
        raise


# -- README files ----------------------------------------------------------------------------------


def tables_of(printed: str) -> list[str]:
    """The Markdown tables in a text."""
    return re.findall(r"(?:^\|.*\|\n?)+", printed, re.MULTILINE)


def rewritten(text: str, printed: dict[str, str], prefix: str = "") -> str:
    """A README's text with what steps printed between its marks.

    Args:
        text: of the README.
        printed: name of a step -> what it printed.
        prefix: of the names of steps in the marks.

    Raises:
        Failure: a step that printed fewer tables than a mark asks for.
    """

    def new(found: re.Match[str]) -> str:
        name = found.group("step").removeprefix(prefix)
        if not found.group("step").startswith(prefix) or name not in printed:
            return found.group(0)
        body = printed[name]
        if found.group("table"):
            tables, number = tables_of(body), int(found.group("table"))
            if number > len(tables):
                raise Failure(f"step {name} printed {len(tables)} tables; a mark asks for {number}")
            body = tables[number - 1]
        elif not tables_of(body):
            body = f"```text\n{body.strip()}\n```"
        return f"{found.group('head')}\n{body.strip()}\n\n{found.group('end')}"

    return MARK.sub(new, text)


def publish(work: Work) -> None:
    """Put what the steps printed into README files, and stamp the experiment."""
    experiment = work.experiment
    printed = {
        step.output: work.printed(step).read_text(encoding="utf-8") for step in experiment.steps
    }
    for place, prefix in (
        (experiment.readme, ""),
        *((one, f"{experiment.name}/") for one in SHOWING),
    ):
        text = place.read_text(encoding="utf-8")
        new = rewritten(text, printed, prefix)
        if new != text:
            place.write_text(new, encoding="utf-8")
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    stamps.write_status(
        experiment, "fresh",
        f"Simulated on {today} with mechanism {mechanism_hash()}, study {stamps.study_hash(experiment)}, "
        f"{sum(work.spent.values()):.2g} core-hours; text outside the marks not yet compared with it.",
    )  # fmt: skip


# -- command line ----------------------------------------------------------------------------------


def estimated_hours(step: Step, folder: Path) -> float | None:
    """Core-hours of a step: as measured before, else of what is left, by the study's own estimate."""
    if step.core_hours is not None or step.kind not in ("sweep", "trial"):
        return step.core_hours
    from bonesim import BonesimError, sweep_cost, trial_cost

    cost = sweep_cost if step.kind == "sweep" else trial_cost
    try:
        return float(cost(step.source, folder / step.output, workers=1).hours)
    except BonesimError:
        return None


def listed(all_of_them: Sequence[Experiment], folder: Path) -> Iterator[str]:
    """A line for each experiment and each of its steps: fresh or stale, done or to do, core-hours."""
    total = 0.0
    for one in all_of_them:
        yield f"{one.name}: {'fresh' if stamps.is_fresh(one) else 'stale'}"
        if one.by_hand:
            yield f"  by hand: {one.by_hand}"
        work = Work(folder, one)
        for step in one.steps:
            hours = 0.0 if step.output in work.done else estimated_hours(step, work.folder)
            state = "done" if step.output in work.done else "to do"
            cost = "no estimate" if hours is None else f"{hours:.2g} core-hours"
            resumes = ", resumes" if step.kind != "script" else ""
            yield f"  {step.kind:7s}{step.output:24s}{state:6s} {cost}{resumes}"
            total += 0.0 if stamps.is_fresh(one) else hours or 0.0
    yield f"all that is stale: {total:.3g} core-hours, without steps that have no estimate"


def simulated(work: Work, cores: int, deadline: float) -> bool:
    """Do what is missing of an experiment; returns whether all is done.

    Raises:
        Failure: a step failed, or needs data that are not there.
    """
    for step in work.experiment.steps:
        if step.output in work.done:
            continue
        if step.data and not (ROOT.parent / "shared" / "data").is_dir():
            raise Failure(
                f"{work.experiment.name}: step {step.output} needs the folder shared/data beside the "
                "repository (experiments/README.md)"
            )
        print(f"{work.experiment.name}: {step.output}", file=sys.stderr, flush=True)
        if not work.do(step, cores, deadline):
            return False
    return True


def chosen(names: Sequence[str]) -> list[Experiment]:
    """Experiments by name; all if none is given.

    Raises:
        Failure: an unknown name.
    """
    known = stamps.experiments()
    for name in names:
        if name not in known:
            raise Failure(f"no experiment {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names or known]


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="experiments; all if none is given"
    )
    parser.add_argument("--cores", type=int, default=1, help="processes of a sweep or trial")
    parser.add_argument("--hours", type=float, default=2.0, help="stop then; call again to go on")
    parser.add_argument(
        "--work", type=Path, default=Path("resimulated"), help="folder of run files"
    )
    parser.add_argument("--list", action="store_true", help="what is stale, and what it costs")
    parser.add_argument(
        "--mark", action="store_true", help="only write fresh or stale into status lines"
    )
    parser.add_argument("--again", action="store_true", help="also what is fresh")
    parser.add_argument(
        "--seeds",
        type=int,
        help="at most so many bones or people: prints, stamps and rewrites nothing",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; returns the exit code."""
    given = options().parse_args(arguments)
    deadline = time.monotonic() + 3600.0 * given.hours
    try:
        these = chosen(given.names)
        if given.list:
            for line in listed(these, given.work):
                print(line, flush=True)
            return 0
        if given.mark:
            print("\n".join(stamps.mark(these)) or "nothing to mark")
            return 0
        for one in these:
            if one.by_hand or not one.steps:
                print(f"{one.name}: by hand: {one.by_hand}", file=sys.stderr)
                continue
            if stamps.is_fresh(one) and not given.again and given.seeds is None:
                print(f"{one.name}: fresh", file=sys.stderr)
                continue
            if given.seeds is not None and not {"sweep", "trial"} & {
                step.kind for step in one.steps
            }:
                raise Failure(
                    f"{one.name}: has no study whose bones could be fewer; give no --seeds"
                )
            work = Work(given.work, one, given.seeds)
            if not simulated(work, given.cores, deadline):
                print(f"{one.name}: the time is over; the same call goes on", file=sys.stderr)
                return TIME_IS_OVER
            if given.seeds is None:
                publish(work)
            else:
                print("\n".join(work.printed(step).read_text() for step in one.steps))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
