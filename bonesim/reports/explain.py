"""One parameter, a group of them, or all: value, unit, range, meaning, source, and who reads it."""

import difflib
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bonesim.config.changes import value_at
from bonesim.config.citations import cited, resolved
from bonesim.config.config import Config, tree_of
from bonesim.config.explain import Place, allowed, groups_in, kinds_of
from bonesim.config.readers import readers_of
from bonesim.config.renamed import SINCE, renamed_to
from bonesim.errors import InputError
from bonesim.histology.biopsy import BiopsyParameters
from bonesim.instruments.visits import ClinicParameters
from bonesim.units import unit_of

if TYPE_CHECKING:
    import pandas as pd

#: Trees of parameters: where their paths begin -> model.
ROOTS: dict[str, type[BaseModel]] = {
    "": Config, "biopsy": BiopsyParameters, "clinic": ClinicParameters,
}  # fmt: skip
#: Words with which the part of a description that is about its source begins.
SOURCE_BEGINS = (
    "assumed", "calibrated", "choice", "fit", "input", "default", "budget", "sign:", "direction",
    "none:", "guide ",
)  # fmt: skip
REQUIRED = "to be given"
NOT_GIVEN = "none"
NOBODY = "no function"


class Declared(NamedTuple):
    """A parameter where it is declared."""

    path: str
    field: FieldInfo
    group: type[BaseModel]
    kind: str  # of the group, if it is one of several
    default: Any  # of this place; a group in it differs from the group's own defaults


class Explained(NamedTuple):
    """A row of the table."""

    path: str
    kind: str
    value: str
    unit: str
    allowed: str
    meaning: str
    source: str
    readers: str

    @property
    def group(self) -> str:
        """The path of the group it is in."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Its name in its group."""
        return self.path.rpartition(".")[2]

    @property
    def quantity(self) -> str:
        """Its value with the unit."""
        return f"{self.value} {self.unit}".strip()


def rows_of(table: "pd.DataFrame") -> list[Explained]:
    """The rows of a table of this report."""
    return [Explained(*map(str, row)) for row in table.to_numpy().tolist()]


def declared() -> Iterator[Declared]:
    """All parameters and groups, in the order of the configuration."""
    for path, model in ROOTS.items():
        yield from _walk(model, path, model())


def _walk(model: type[BaseModel], path: str, instance: BaseModel | None) -> Iterator[Declared]:
    kind = " or ".join(kinds_of(model))
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        default = field.default if instance is None else getattr(instance, name)
        yield Declared(here, field, model, kind, default)
        for group in groups_in(field.annotation):
            yield from _walk(group, here, default if isinstance(default, group) else None)


def table(path: str = "", config: Config | None = None) -> "pd.DataFrame":
    """One row for each parameter at a path: the parameter, or all of a group; "" is everything.

    Columns: path, kind, value, unit, allowed, meaning, source, readers (functions that read it,
    one a line). `attrs["references"]` has the line of the guide for each citation.

    Args:
        path: dotted, as in a configuration file; its last names suffice if no other path has them.
        config: whose values; the defaults if not given.

    Raises:
        InputError: no such parameter or group.
    """
    import pandas as pd

    tree = {} if config is None else tree_of(config)
    path = _whole(path)
    chosen = [one for one in declared() if _below(one.path, path)]
    rows = [_row(one, tree) for one in chosen if not groups_in(one.field.annotation)]
    found = pd.DataFrame(rows, columns=list(Explained._fields))
    found.attrs["path"] = path
    texts = "\n".join(f"{row.meaning}\n{row.source}" for row in rows)
    found.attrs["references"] = {one: resolved(one) or "" for one in sorted(set(cited(texts)))}
    return found


def text(table: "pd.DataFrame") -> str:
    """One parameter in full with its references, or one line for each of a group."""
    rows = rows_of(table)
    if len({row.path for row in rows}) > 1:
        return _listed(rows, table.attrs["path"])
    lines: list[str] = []
    for row in rows:
        lines.append(row.path + (f" (of kind {row.kind})" if row.kind else ""))
        facts = {
            "value": row.quantity, "allowed": row.allowed, "meaning": row.meaning,
            "source": row.source, "read by": row.readers.replace("\n", "\n" + " " * 12),
        }  # fmt: skip
        lines += [f"  {name:<9} {fact}" for name, fact in facts.items() if fact]
    references = table.attrs["references"].items()
    return "\n".join([*lines, *(f"\n{key}: {line}" for key, line in references)])


def _listed(rows: list[Explained], path: str) -> str:
    names = [row.path[len(path) + 1 if path else 0 :] for row in rows]
    first = min(max(map(len, names)), 44)
    second = min(max(len(row.quantity) for row in rows), 44)
    lines = [
        f"  {name:<{first}}  {row.quantity:<{second}}  {row.meaning}"
        for name, row in zip(names, rows, strict=True)
    ]
    return "\n".join([path or "all parameters", *lines])


def described(description: str) -> tuple[str, str]:
    """Meaning and source of a parameter, from its description."""
    parts = description.split("; ")
    for k, part in enumerate(parts):
        sourced = part.startswith(SOURCE_BEGINS) or any(True for _ in cited(part))
        if sourced and k > 0:
            return "; ".join(parts[:k]), "; ".join(parts[k:])
    return description, description if any(word in description for word in SOURCE_BEGINS) else ""


def shown(value: Any) -> str:
    """A value as a configuration file has it."""
    if value is None:
        return NOT_GIVEN
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(shown(one) for one in value) + "]"
    return REQUIRED


def _row(one: Declared, tree: dict[str, Any]) -> Explained:
    name = one.path.rpartition(".")[2]
    given = _value(tree, one.path)
    meaning, source = described(one.field.description or "")
    readers = readers_of(tuple(ROOTS.values()), one.group, name)
    place = Place(one.path, name, one.field, one.group, one.path.rpartition(".")[0])
    return Explained(
        one.path, one.kind, shown(one.default if given is None else given), unit_of(name),
        allowed(place), meaning, source, "\n".join(readers) or NOBODY,
    )  # fmt: skip


def _value(tree: dict[str, Any], path: str) -> Any:
    try:
        return value_at(tree, path)
    except InputError:  # one of several entries of a list
        return None


def _below(path: str, chosen: str) -> bool:
    return not chosen or path == chosen or path.startswith(f"{chosen}.")


@cache
def _paths() -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.path for one in declared()))


def _whole(path: str) -> str:
    """The full path that is meant.

    Raises:
        InputError: none, or several.
    """
    if path in ROOTS or path in _paths():
        return path
    ends = [one for one in _paths() if one.endswith(f".{path}")]
    if len(ends) == 1:
        return ends[0]
    if ends:
        some = ", ".join(ends[:4]) + (", ..." if len(ends) > 4 else "")
        raise InputError(f"got {path}; {len(ends)} have this name: {some}", parameter="path")
    raise InputError(f"got {path}; there is no such parameter. {_advice(path)}", parameter="path")


def _advice(path: str) -> str:
    if new := renamed_to(path, set(_paths())):
        return f"Renamed to {new} in {SINCE}"
    *within, wanted = path.split(".")
    pool = [one for one in _paths() if set(within) <= set(one.split(".")[:-1])] or [*_paths()]
    names: dict[str, str] = {}
    for one in pool:
        names.setdefault(one.rpartition(".")[2], one)
    near = [names[one] for one in difflib.get_close_matches(wanted, names, n=2, cutoff=0.6)]
    word = wanted.partition("_")[0]
    near = near or [one for one in _paths() if len(word) > 2 and word in one.rpartition(".")[2]][:3]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Groups: {', '.join(dict.fromkeys(one.split('.')[0] for one in _paths()))}"
