"""The story of one remodelling unit, as a table and in words."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.storage.reader import Run
from bonesim.storage.story import BORN, ENDED, SEEN

if TYPE_CHECKING:
    import pandas as pd

#: What became of an event, in words.
STATUSES = {
    "open": "not judged yet",
    "transient": "transient: healed, or cancelled within its cavity",
    "final": "final: open a year after the BMU closed",
    "not_counted": "not counted",
}


def table(run: Run, bmu: int) -> "pd.DataFrame":
    """As `Run.story`.

    Raises:
        InputError: no such unit on file.
    """
    return run.story(bmu)


def text(table: "pd.DataFrame") -> str:
    """One line for each row, and what the file cannot show."""
    lines = [f"BMU {table.attrs['bmu']} of: {table.attrs['title']}"]
    lines += [f"day {row['day']:.0f}: {line(row)}" for row in table.to_dict("records")]
    ends = table["what"].isin([BORN, ENDED]).sum()
    if ends < 2:
        lines.append("birth or end is between snapshots, and not on file")
    lines.append("between snapshots only topological events are on file")
    return "\n".join(lines)


def line(row: dict[Any, Any]) -> str:
    """A row in words."""
    if row["what"] == SEEN:
        return (
            f"{row['status']}, {row['area_um2'] / 1e6:.3g} of {row['quota_um2'] / 1e6:.3g} mm2 "
            f"activated, {row['open_sites']:.0f} sites open{_place(row)}"
        )
    if row["what"] in (BORN, ENDED):
        return str(row["what"])
    kind = str(row["what"]).replace("_", " ")
    status = STATUSES.get(str(row["status"]), str(row["status"]))
    thick, depth = row["thickness_um"], row["depth_um"]
    bone = f", bone {thick:.0f} um thick" if np.isfinite(thick) else ""
    eroded = f", eroded {depth:.0f} um" if np.isfinite(depth) else ""
    return f"{kind} ({status}){bone}{eroded}, Euler number {row['delta_euler']:+.0f}{_place(row)}"


def _place(row: dict[Any, Any]) -> str:
    place = np.array([row[f"{axis}_um"] for axis in "xyz"]) / 1000.0
    return f", at x, y, z = {place[0]:.2f}, {place[1]:.2f}, {place[2]:.2f} mm"
