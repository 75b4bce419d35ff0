"""What a page states in words of a run: where it is from, and how it was configured."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bonesim.reports.explain import REQUIRED, declared, described, shown
from bonesim.storage.provenance import history
from bonesim.storage.reader import Run
from bonesim.units import unit_of

#: Characters of a value in the page; a longer one is cut.
LONGEST = 400
#: The end of a specimen's own note, after its name.
OF_VOXELS = re.compile(r", \d+ x \d+ x \d+ voxels.*", re.DOTALL)


def bone_text(run: Run) -> str:
    """Which bone a run is of: the file of a scan, or what a synthetic one is made of."""
    notes = run.provenance.get("notes", [])
    return OF_VOXELS.sub("", str(notes[0]))[:LONGEST] if notes else "bone"


def days_text(run: Run) -> str:
    """How many days are simulated; of how many, if some are to come."""
    last, planned = run.last_day, run.planned_days
    if planned is None or last == planned:
        return f"{last} days simulated"
    return f"{0 if last is None else last} of {planned} days simulated"


def provenance_rows(run: Run) -> list[list[str]]:
    """Name and value of what is recorded of how a run was made."""
    made, (nz, ny, nx) = run.provenance, run.shape
    reached = "none" if run.last_day is None else f"{run.last_day}"
    rows = [
        ["file", run.path.name],
        ["title", run.title],
        ["status", f"{run.status}; day {reached} of {run.planned_days}"],
        ["lattice", f"{nx} x {ny} x {nz} voxels (x, y, z) of {run.voxel_um:g} um"],
        ["seed", str(run.config.get("seed", "unknown"))],
        *(["made by", line] for line in history(made)),
        ["command", " ".join(map(str, made.get("command", [])))],
        *(["note", note] for note in made.get("notes", [])),
        *(["input", f"{name}  SHA-256 {sha}"] for name, sha in made.get("inputs", {}).items()),
    ]
    known = {"created", "command", "seed", "notes", "inputs", "bonesim", "program", "resumed"}
    rows += [[name, str(value)] for name, value in made.items() if name not in known]
    return [*rows, ["content", f"SHA-256 {run.content_hash()}"]]


def configuration_rows(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each value of a configuration: path, value, default, unit, meaning, differs.

    The default is empty where there is none: what has to be given, or an entry of a list.
    """
    known = _declared()
    rows = []
    for path, value in _leaves(config):
        field, default = known.get(path, ("", ""))
        text = value if isinstance(value, str) else _text(value)
        plain = "" if default == REQUIRED else default
        rows.append(
            {
                "path": path, "value": text[:LONGEST], "default": plain, "unit": _unit(path),
                "meaning": described(field)[0] if field else "", "differs": text != plain,
            }
        )  # fmt: skip
    return rows


def _declared() -> dict[str, tuple[str, str]]:
    """Path of each parameter of a run -> its description and default."""
    found: dict[str, tuple[str, str]] = {}
    for one in declared():
        found.setdefault(one.path, (one.field.description or "", shown(one.default)))
    return found


def _leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        here = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from _leaves(value, here)
        else:
            yield here, value


def _text(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return json.dumps(value, ensure_ascii=False)
    return shown(value)


def _unit(path: str) -> str:
    return unit_of(path.rpartition(".")[2])
