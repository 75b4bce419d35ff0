"""The guide's table of all parameters, made from the code.

    python -m bonesim.reports.parameters        write guide/parameters.md again

A test compares the two.
"""

from typing import TYPE_CHECKING

from bonesim.config.citations import GUIDE
from bonesim.reports import explain

if TYPE_CHECKING:
    import pandas as pd

PLACE = GUIDE / "parameters.md"
#: So many readers of a parameter are named.
MAX_READERS = 3
HEAD = """# Parameters

Made by `python -m bonesim.reports.parameters`; do not edit. `bonesim explain PATH` prints one of
them with the lines of its references, `bonesim explain GROUP` a group. Citations are lines of
`references.md`; "guide M4" is a section of `mechanisms.md`. "Read by" names the functions that use
a value, derived from the sources.

"""


def table() -> "pd.DataFrame":
    """Every parameter with its default: the columns of `explain.table`."""
    return explain.table()


def text(table: "pd.DataFrame") -> str:
    """The table as the guide has it: a section for each group, equal groups once."""
    lines: list[str] = []
    earlier: dict[tuple[str, ...], str] = {}
    for (group, kind), rows in _grouped(explain.rows_of(table)).items():
        lines += [f"## {group or 'top'}" + (f" ({kind})" if kind else ""), ""]
        # What a group is, whatever its values: kinetics of a drug, a course of doses.
        same = tuple(f"{row.name} {row.meaning} {row.source}" for row in rows)
        if same in earlier:
            values = ", ".join(f"{row.name} {row.value}" for row in rows)
            lines += [f"As {earlier[same]}, with {values}.", ""]
            continue
        earlier[same] = group
        lines += ["| parameter | default | unit | allowed | meaning | source | read by |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [
            f"| `{row.name}` | {row.value} | {row.unit} | {row.allowed} | {row.meaning} "
            f"| {row.source} | {_readers(row.readers)} |"
            for row in rows
        ]
        lines.append("")
    return HEAD + "\n".join(lines).rstrip() + "\n"


def _grouped(rows: list[explain.Explained]) -> dict[tuple[str, str], list[explain.Explained]]:
    found: dict[tuple[str, str], list[explain.Explained]] = {}
    for row in rows:
        found.setdefault((row.group, row.kind), []).append(row)
    return found


def _readers(readers: str) -> str:
    names = readers.split("\n")
    more = len(names) - MAX_READERS
    shown = ", ".join(f"`{name}`" if "." in name else name for name in names[:MAX_READERS])
    return shown + (f" and {more} more" if more > 0 else "")


if __name__ == "__main__":
    PLACE.write_text(text(table()), encoding="utf-8")
