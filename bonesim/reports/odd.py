"""The ODD protocol of the model: prose of guide/model.md, and tables made from the code.

    python -m bonesim.reports.odd        write the tables of guide/model.md again

A test compares the two.
"""

import ast
import inspect
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from bonesim.cells.cavity import RecordColumns
from bonesim.cells.site import SiteColumns
from bonesim.config.citations import GUIDE
from bonesim.config.config import Config
from bonesim.endocrine.drugs import DRUGS
from bonesim.engine.daily_table import COLUMNS
from bonesim.engine.simulation import Simulation
from bonesim.reports import explain
from bonesim.signals.messengers import MESSENGERS
from bonesim.storage.cell_tables import CELL_COLUMNS
from bonesim.storage.layout import FIELDS
from bonesim.units import UNITS, unit_of

if TYPE_CHECKING:
    import pandas as pd

PLACE = GUIDE / "model.md"
ENTITIES, SCHEDULE, INITIAL, INPUTS, PARAMETERS = (
    "entities", "schedule", "initial", "inputs", "parameters",
)  # fmt: skip
#: Columns of the daily table that are states of the person or of the whole specimen.
OF_THE_PERSON = (
    "e2_pg_per_ml", "t_ng_per_dl", "e2_deficit", "setpoint_pg_per_ml", "sclerostin", "load_percent",
)  # fmt: skip
OF_THE_BLOCK = ("precursor_pool",)
#: Bookkeeping of tables, no state of an entity.
BOOKKEEPING = ("alive", "free", "used", "next", "first", "weight", "event")
#: Parameters that set the state on the first day of the burn-in.
INITIAL_PATHS = (
    "specimen", "seed", "schedule.burn_in_day", "schedule.burn_in_seed",
    "tissue.mineral.start_mean_age_day", "cells.osteocyte.start_density_per_mm3",
    "cells.osteocyte.lifespan_year", "hormones.course",
)  # fmt: skip
#: Parameters that bring data from outside: courses of hormones, treatment, diet, load, a scan,
#: a bone of the library.
INPUT_PATHS = ("protocol", "hormones.course", "specimen.path", "specimen.mask",
               "specimen.folder", "specimen.mirror")  # fmt: skip
#: A course of doses is described for the first drug.
_OTHER_DRUGS = re.compile(rf"protocol\.({'|'.join([*DRUGS][1:])})$")
_BLOCK = re.compile(r"(<!-- odd: (\w+) -->\n).*?(<!-- end -->)", re.S)


class Row(NamedTuple):
    """A line of one of the tables."""

    element: str
    part: str
    name: str
    value: str
    unit: str
    meaning: str


def table(config: Config | None = None) -> "pd.DataFrame":
    """All that ODD asks for as tables: one row each.

    Columns: element (entities, schedule, initial, inputs, parameters), part, name, value, unit,
    meaning.

    Args:
        config: whose values; the defaults if not given.
    """
    import pandas as pd

    rows = [*_entities(), *_schedule()]
    everything = explain.rows_of(explain.table("", config))
    for element, paths in ((INITIAL, INITIAL_PATHS), (INPUTS, INPUT_PATHS), (PARAMETERS, ("",))):
        for one in everything:
            if any(not p or one.path == p or one.path.startswith(f"{p}.") for p in paths):
                part = f"{one.group} ({one.kind})" if one.kind else one.group
                meaning = f"{one.meaning}; {one.source}" if element == PARAMETERS else one.meaning
                rows.append(Row(element, part, one.name, one.value, one.unit, meaning))
    return pd.DataFrame(rows, columns=list(Row._fields))


def text(table: "pd.DataFrame") -> str:
    """The protocol: the prose of the guide with these tables in their places."""
    return filled(PLACE.read_text(encoding="utf-8"), table)


def filled(prose: str, table: "pd.DataFrame") -> str:
    """A text with the tables put between its marks `<!-- odd: ... -->` and `<!-- end -->`."""

    rows = [Row(*map(str, row)) for row in table.to_numpy().tolist()]

    def block(match: re.Match[str]) -> str:
        lines = _as_markdown([row for row in rows if row.element == match[2]])
        return "\n".join([match[1], *lines, "", match[3]])

    return _BLOCK.sub(block, prose)


def _as_markdown(rows: list[Row]) -> list[str]:
    """One element's rows as a table."""
    if rows[0].element == PARAMETERS:
        groups: dict[str, list[str]] = {}
        for row in rows:
            groups.setdefault(row.part or "top", []).append(row.name)
        return _lines(["group", "parameters"], [[part, ", ".join(n)] for part, n in groups.items()])
    if rows[0].element == SCHEDULE:
        processes = [[row.part, f"`{row.name}`", row.meaning] for row in rows]
        return _lines(["order", "process", "what it does"], processes)
    if rows[0].element == ENTITIES:
        states = [[row.part, f"`{row.name}`", row.unit, row.meaning] for row in rows]
        return _lines(["of", "variable", "unit", "meaning"], states)
    values = [
        [row.part, f"`{row.name}`", row.value, row.unit, row.meaning]
        for row in rows
        if not _OTHER_DRUGS.match(row.part)
    ]
    return _lines(["of", "variable", "value", "unit", "meaning"], values)


def _lines(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _entities() -> list[Row]:
    columns = {column.name: column for column in COLUMNS}
    rows = [
        Row(ENTITIES, "person", name, "", columns[name].unit, columns[name].meaning)
        for name in OF_THE_PERSON
    ]
    rows += [
        Row(ENTITIES, "marrow block", name, "", columns[name].unit, columns[name].meaning)
        for name in OF_THE_BLOCK
    ]
    rows += [
        Row(ENTITIES, "cube of the fields", name, "", "", "relative to its mean in the burn-in")
        for name in (*MESSENGERS, "strain")
    ]
    rows += [Row(ENTITIES, "voxel", one.name, "", one.unit, one.meaning) for one in FIELDS]
    rows += [
        Row(ENTITIES, population.removesuffix("s"), one.name, "", one.unit, one.meaning)
        for population, many in CELL_COLUMNS.items()
        for one in many
    ]
    for part, kind in (("site", SiteColumns), ("voxel of a site", RecordColumns)):
        rows += [
            Row(ENTITIES, part, name, "", unit_of(name), meaning)
            for name, meaning in _commented(kind)
            if name not in BOOKKEEPING
        ]
    return rows


def _commented(kind: type) -> list[tuple[str, str]]:
    """The columns of a table of kernels, and the comment on each or its name in words."""
    found = []
    for line in inspect.getsource(kind).splitlines():
        match = re.match(r"    (\w+): NDArray\[[^]]*\](?:  # (.+))?$", line)
        if match:
            words = match[1].removesuffix(_unit_suffix(match[1])).replace("_", " ")
            found.append((match[1], match[2] or words))
    return found


def _unit_suffix(name: str) -> str:
    """The suffix of a name that is its unit, or ""."""
    fits = [suffix for suffix in UNITS if name.endswith(suffix)]
    return max(fits, key=len) if fits else ""


def _schedule() -> list[Row]:
    """The calls of one day, in order, each with the first line of its docstring."""
    source = inspect.getsource(Simulation)
    whole = ast.parse(source).body[0]
    assert isinstance(whole, ast.ClassDef)
    methods = {node.name: node for node in whole.body if isinstance(node, ast.FunctionDef)}
    parts = _parts(whole)
    rows: list[Row] = []
    for called in _calls(methods["step"]):
        owner, _, method = called.rpartition(".")
        if not owner and method not in methods:
            continue
        kind = parts.get(owner, Simulation) if owner else Simulation
        doc = inspect.getdoc(getattr(kind, method, None)) or ""
        name = f"{kind.__module__.removeprefix('bonesim.')}.{kind.__name__}.{method}"
        rows.append(Row(SCHEDULE, str(len(rows) + 1), name, "", "", doc.split("\n\n")[0]))
    return [row._replace(meaning=" ".join(row.meaning.split())) for row in rows]


def _parts(whole: ast.ClassDef) -> dict[str, Any]:
    """Attribute of a simulation -> its class, where it is made of one."""
    module = inspect.getmodule(Simulation)
    found = {}
    for node in ast.walk(whole):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            target, maker = ast.unparse(node.targets[0]), ast.unparse(node.value.func)
            if target.startswith("self.") and inspect.isclass(getattr(module, maker, None)):
                found[target.removeprefix("self.")] = getattr(module, maker)
    return found


def _calls(method: ast.FunctionDef) -> list[str]:
    """The calls of methods in a function, in order: "bmus.be_born", "_load"."""
    calls = [node for node in ast.walk(method) if isinstance(node, ast.Call)]
    calls.sort(key=lambda node: (node.lineno, node.col_offset))
    names = [ast.unparse(node.func) for node in calls]
    own = [name.removeprefix("self.") for name in names if name.startswith("self.")]
    return [name for name in own if name.count(".") <= 1]


if __name__ == "__main__":
    PLACE.write_text(text(table()), encoding="utf-8")
