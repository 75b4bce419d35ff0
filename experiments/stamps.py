"""Which experiments there are, what they are made of, and whether their figures are of today's mechanism.

Each README has one status line below its title:

    *Status: fresh. Simulated on 2026-11-29 with mechanism 0123456789abcdef, study 0123456789abcdef, ...*

Fresh are figures whose two hashes are today's: of bonesim's mechanism, and of the experiment's own files.
A mechanism counts as today's too if `same_results.toml` lists it beside today's: another form of the code
whose results are the same, bit for bit.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bonesim.storage import mechanism_hash

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
STATUS = re.compile(r"^\*Status: (?P<word>fresh|stale)\. (?P<rest>.+)\*$", re.MULTILINE)
STAMP = re.compile(r"mechanism (?P<mechanism>[0-9a-f]{16}), study (?P<study>[0-9a-f]{16})")
KINDS = ("sweep", "trial", "run", "script")


class Failure(Exception):
    """What is wrong, in one line."""


class Step(NamedTuple):
    """A command.

    Attributes:
        kind: sweep, trial, run or script.
        source: study, trial, configuration or script, beside the README or from the root.
        output: folder or file that it makes in the folder of work; for `printed`, its name.
        arguments: of the command; {work} is the folder of work, {here} the experiment's, {cores} the cores.
        core_hours: as measured before; None if it can be estimated.
        data: whether it needs the folder of scanned bones.
    """

    kind: str
    source: Path
    output: str
    arguments: tuple[str, ...] = ()
    core_hours: float | None = None
    data: bool = False


class Experiment(NamedTuple):
    """A folder with a README, and what its figures are made by.

    Attributes:
        name: of the folder.
        steps: commands, in order.
        by_hand: why there are none.
        reads: configurations that its scripts read, from the root.
    """

    name: str
    steps: tuple[Step, ...]
    by_hand: str = ""
    reads: tuple[Path, ...] = ()

    @property
    def readme(self) -> Path:
        """Its README."""
        return HERE / self.name / "README.md"


def experiments() -> dict[str, Experiment]:
    """All experiments, by name, as `resimulate.toml` describes them."""
    given = tomllib.loads((HERE / "resimulate.toml").read_text(encoding="utf-8"))
    return {
        name: Experiment(
            name,
            tuple(_step(name, one) for one in entry.get("steps", [])),
            entry.get("by_hand", ""),
            tuple(ROOT / one for one in entry.get("reads", ())),
        )
        for name, entry in given.items()
    }


def _step(name: str, entry: dict[str, Any]) -> Step:
    kind = next(one for one in KINDS if one in entry)
    beside = HERE / name / entry[kind]
    source = beside if beside.is_file() else ROOT / entry[kind]
    return Step(
        kind, source, entry.get("output", source.stem), tuple(entry.get("arguments", ())),
        entry.get("core_hours"), entry.get("data", False),
    )  # fmt: skip


def study_hash(experiment: Experiment) -> str:
    """SHA-256 (first 16 hex digits) of an experiment's scripts, studies, configurations and steps."""
    folder = experiment.readme.parent
    waiting = [*folder.glob("*.py"), *folder.glob("*.toml"), *experiment.reads]
    waiting += [one.source for one in experiment.steps]
    files = set[Path]()
    while waiting:
        file = waiting.pop()
        if file not in files:
            files.add(file)
            waiting += _named_in(file)
    steps = [(one.kind, one.output, one.arguments) for one in experiment.steps]
    digest = hashlib.sha256(json.dumps(steps).encode())
    for file in sorted(files):
        digest.update(f"\0{file.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]


def _named_in(file: Path) -> Iterator[Path]:
    """The base and the rows of a study or trial; of another file nothing."""
    if file.suffix != ".toml":
        return
    tree = tomllib.loads(file.read_text(encoding="utf-8"))
    for name in (tree.get("base"), tree.get("design", {}).get("rows_csv")):
        if name:
            yield (file.parent / name).resolve()


def same_results() -> frozenset[str]:
    """The hash of today's mechanism, and of those that are known to give the same results."""
    today = mechanism_hash()
    file = HERE / "same_results.toml"
    groups = tomllib.loads(file.read_text(encoding="utf-8"))["group"] if file.exists() else []
    return frozenset({today}.union(*(g["mechanisms"] for g in groups if today in g["mechanisms"])))


def is_fresh(experiment: Experiment) -> bool:
    """Whether its figures are of today's mechanism and of its files as they are."""
    found = STAMP.search(status_of(experiment).group("rest"))
    if found is None or found.group("study") != study_hash(experiment):
        return False
    return found.group("mechanism") in same_results()


def status_of(experiment: Experiment) -> re.Match[str]:
    """The status line of its README.

    Raises:
        Failure: there is none, or more than one.
    """
    found = list(STATUS.finditer(experiment.readme.read_text(encoding="utf-8")))
    if len(found) != 1:
        raise Failure(
            f"{experiment.readme}: has {len(found)} status lines; write one below its title"
        )
    return found[0]


def write_status(experiment: Experiment, word: str, rest: str) -> None:
    """Replace the status line of its README."""
    line = status_of(experiment)
    text = experiment.readme.read_text(encoding="utf-8")
    new = f"*Status: {word}. {rest}*"
    experiment.readme.write_text(text[: line.start()] + new + text[line.end() :], encoding="utf-8")


def mark(all_of_them: Sequence[Experiment]) -> list[str]:
    """Write fresh or stale into each status line as it is; returns the names that changed."""
    changed = []
    for one in all_of_them:
        line, word = status_of(one), "fresh" if is_fresh(one) else "stale"
        if line.group("word") != word:
            write_status(one, word, line.group("rest"))
            changed.append(one.name)
    return changed
