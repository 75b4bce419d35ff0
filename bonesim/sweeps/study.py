"""A study: a base config, a design, and what is kept of each point.

title = "Dose and duration"
base = "suppression_and_withdrawal.toml"      # relative to this file
[design] ...                                  # see `sweeps.design`
[results]
keep = "tables"                               # or "files": every run file too
decompose = true                              # columns loss_*: what each loss is made of
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Protocol, TypeVar

import tomli_w
from pydantic import Field, ValidationError

from bonesim.config.changes import value_at
from bonesim.config.config import Config, load_config, tree_of
from bonesim.config.explain import explain
from bonesim.config.inputs import digest_of
from bonesim.config.plain_toml import MAX_BYTES, tree_from
from bonesim.errors import InputError
from bonesim.parameters import Parameters
from bonesim.specimens.synthetic import SyntheticParameters
from bonesim.storage.durable import read_text
from bonesim.storage.file_kind import refuse_other_kind
from bonesim.storage.layout import SCHEMA_VERSION
from bonesim.storage.program import outcome_hash
from bonesim.sweeps.design import DesignParameters, rows_of, seeds_of
from bonesim.sweeps.members import member_of, members
from bonesim.sweeps.worker import Simulate, simulate_for

if TYPE_CHECKING:
    import pandas as pd


class ResultParameters(Parameters):
    """What is kept of each run."""

    keep: Annotated[
        Literal["tables", "files"],
        Field(description="only outcomes, or the run file of every point too; choice"),
    ] = "tables"
    decompose: Annotated[
        bool, Field(description="columns of the parts of each loss, at every snapshot; choice")
    ] = False


class StudyParameters(Parameters):
    """One study, as written in TOML."""

    title: Annotated[str, Field(min_length=1, max_length=200, description="its name; input")]
    base: Annotated[str, Field(description="config every point starts from; input")]
    design: DesignParameters
    results: ResultParameters = ResultParameters()


Group = TypeVar("Group", bound=Parameters)


def read_as(path: Path, model: type[Group]) -> tuple[Group, str]:
    """A TOML file as a group of parameters, and its text.

    Raises:
        InputError: it cannot be read, is not TOML, or has a key or value that is not allowed.
    """
    refuse_other_kind(path, "study" if model is StudyParameters else "trial")
    text = read_text(path, MAX_BYTES)
    tree = tree_from(text, str(path))
    try:
        return model.model_validate(tree), text
    except ValidationError as error:
        raise InputError(explain(error, str(path), model)) from None


class Point(NamedTuple):
    """One run of a study."""

    id: str
    row: int
    replicate: int
    seed: int
    columns: dict[str, Any]  # of the design
    config: str  # resolved, TOML
    group: str  # points of one group may share a burn-in
    inputs: str = ""  # hash of the files that the config names


class StudyLike(Protocol):
    """What the engine runs: a study, a trial, or any other source of points."""

    @property
    def title(self) -> str:
        """Its name; a folder belongs to one title."""

    @property
    def text(self) -> str:
        """The TOML it was written in, with its title."""

    @property
    def keep_files(self) -> bool:
        """Whether the run file of every point is kept."""

    @property
    def decompose(self) -> bool:
        """Whether losses are decomposed at every snapshot."""

    @property
    def simulate(self) -> Simulate:
        """The function a worker calls for each point."""

    def points(self) -> list[Point]:
        """Every run, in order; two identical ones may share an id."""


class Study:
    """A study read from a file, with all its points resolved and checked; it is `StudyLike`.

    Args:
        path: the TOML file.
        posterior: replicates are so many members of the posterior, each on a bone of its own; None:
            as the file has it.

    Raises:
        InputError: anything in it that is not allowed, or a path the config does not have.
    """

    def __init__(self, path: Path, posterior: int | None = None) -> None:
        self.parameters, self.text = read_as(path, StudyParameters)
        self.path = path
        self.base = load_config(path.parent / self.parameters.base)
        if posterior is not None:
            self.parameters, self.text = self._over(posterior)
        if self.parameters.design.posterior:
            members(self.parameters.design.posterior)  # which refuses more than there are
        try:
            self.rows = self._filled(rows_of(self.parameters.design, path.parent))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    @property
    def title(self) -> str:
        """Its name."""
        return self.parameters.title

    @property
    def keep_files(self) -> bool:
        """Whether the run file of every point is kept."""
        return self.parameters.results.keep == "files"

    @property
    def decompose(self) -> bool:
        """Whether losses are decomposed at every snapshot."""
        return self.parameters.results.decompose

    @property
    def simulate(self) -> Simulate:
        """The function that returns a point's outcomes at its snapshots."""
        return simulate_for(self.decompose)

    @cache  # noqa: B019 (a study exists as long as its command)
    def points(self) -> list[Point]:
        """Every run, in order of design row and replicate.

        Rows that resolve to the same run share its id (Morris's trajectories cross).
        """
        design = self.parameters.design
        variables = {variable.column: variable for variable in design.variable}
        seeds = seeds_of(design, len(self.rows))
        found, seen = [], dict[tuple[str, ...], str]()
        for number, row in enumerate(self.rows.to_dict("records")):
            changes: dict[str, Any] = {}
            for column, value in row.items():
                one = variables.get(str(column))
                changes |= one.changes(value) if one else {str(column): value}
            columns = {str(name): value for name, value in row.items()}
            for replicate in range(design.seeds):
                if replicate == 0 or design.also or design.posterior:
                    own = member_of(replicate, design.posterior) if design.posterior else {}
                    config = self._config(number, dict(own) | changes | design.changes(replicate))
                    tree, inputs = tree_of(config), digest_of(config, seen)
                tree["seed"] = seed = int(seeds[number, replicate])
                text = tomli_w.dumps(tree)
                point = identity(text, inputs, self.parameters.results.decompose)
                group = burn_in_group(tree)
                found.append(Point(point, number, replicate, seed, columns, text, group, inputs))
        return found

    def _over(self, count: int) -> tuple[StudyParameters, str]:
        """The study over members of the posterior, and its text."""
        design = self.parameters.design
        also = dict(design.also)
        if isinstance(self.base.specimen, SyntheticParameters):
            also = {"specimen.seed": "+1"} | also
        over = design.model_copy(update={"posterior": count, "seeds": count, "also": also})
        study = self.parameters.model_copy(update={"design": over})
        return study, tomli_w.dumps(study.model_dump(mode="json", exclude_none=True))

    def _filled(self, rows: "pd.DataFrame") -> "pd.DataFrame":
        """The rows, empty cells (of `rows_csv`) filled with the base's values."""
        tree = tree_of(self.base)
        variables = {variable.column: variable.path for variable in self.parameters.design.variable}
        for column in rows.columns[rows.isna().any()]:
            path = variables.get(column, column)
            value = value_at(tree, path)
            if value is None or isinstance(value, dict | list):
                raise InputError(
                    f"column {column!r} has an empty cell, and the base has no value of {path} "
                    "to put there; fill it in"
                )
            rows = rows.assign(**{column: rows[column].fillna(value)})
        return rows

    def _config(self, row: int, changes: dict[str, Any]) -> Config:
        """The base with changes; an error names the design's row."""
        try:
            return self.base.with_changes(changes)
        except InputError as error:
            raise InputError(f"{self.path}: row {row + 1} of the design: {error}") from None


def identity(text: str, inputs: str, decompose: bool = False) -> str:
    """Hash of all that a point's outcomes depend on, 20 hex digits.

    Args:
        text: its resolved config (and what else its readings depend on).
        inputs: hash of the files that the config names, see `config.inputs.digest_of`.
        decompose: whether losses are decomposed.
    """
    digest = hashlib.sha256(text.encode())
    if decompose:
        digest.update(b"decomposed")
    digest.update(f"{SCHEMA_VERSION} {outcome_hash()} {inputs}".encode())
    return digest.hexdigest()[:20]


def burn_in_group(tree: dict[str, Any]) -> str:
    """Hash of what a burn-in depends on, as far as the config has it."""
    schedule = tree.get("schedule", {})
    decisive = {
        "seed": schedule.get("burn_in_seed", tree.get("seed")),
        "age_year": tree.get("protocol", {}).get("age_year"),
        "burn_in_day": schedule.get("burn_in_day"),
        **{
            name: tree.get(name) for name in ("specimen", "cells", "tissue", "signals", "mechanics")
        },
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def table_of(points: list[Point]) -> "pd.DataFrame":
    """The points as a table: id, row, replicate, seed and the design's columns."""
    import pandas as pd

    return pd.DataFrame(
        [
            {"point": p.id, "row": p.row, "replicate": p.replicate, "seed": p.seed, **p.columns}
            for p in points
        ]
    )
