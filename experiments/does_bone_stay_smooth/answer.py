"""Reads looks.csv: does bone stay smooth, and what roughens it?

    python answer.py -o smooth.png

Changes are of each bone since its day 0; intervals are 95 %, Student's t over bones. Nothing is
simulated here.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bonesim.analysis import in_markdown, interval, with_interval
from bonesim.viewer import at_print_size, legend_below, lettered, palette, panels

HERE = Path(__file__).parent
DECADE, END, YEAR_BACK, LAST = 3650, 1825, 2190, 2920
LOW, USUAL = 7.0, 25.0
#: R over closed R, less 1, for each unit of open share of BV (second edition of the mechanism).
PER_OPEN = 1.3
WHOLE = "as is"
#: A run: of a kind of bone, its seed.
BONE = ["bone", "seed"]


class Look(NamedTuple):
    """The looks at some bones on two days, a row a bone."""

    first: pd.DataFrame
    last: pd.DataFrame

    def change(self, name: str) -> pd.Series:
        """Change of a measure, %."""
        return 100.0 * (self.last[name] / self.first[name] - 1.0)


class Check(NamedTuple):
    """A figure that is wanted of each bone."""

    name: str
    of: Callable[[Look], pd.Series]
    low: float
    high: float
    form: str = "+.1f"

    @property
    def wanted(self) -> str:
        """Its band as text."""
        if np.isinf(self.low):
            return f"at most {self.high:g}"
        if np.isinf(self.high):
            return f"at least {self.low:g}"
        return f"{self.low:g} to {self.high:g}"


def _excess(look: Look) -> pd.Series:
    """How far R over closed R, less 1, is from what the open share of BV makes of it, %."""
    now = look.last
    seen = now["roughness"] / now["closed_roughness"] - 1.0
    return 100.0 * (seen / (PER_OPEN * now["open_bv_percent"] / 100.0) - 1.0)


def _unfiltered(look: Look) -> pd.Series:
    """Conn.D raw over Conn.D at 15 um, less 1, %."""
    now = look.last
    return 100.0 * (now["conn_d_unfiltered_per_mm3"] / now["conn_d_per_mm3"] - 1.0)


def _thinning(smooth: str) -> Callable[[Look], pd.Series]:
    """Change of closed Tb.Th less that of a Tb.Th after 40 um, points."""
    return lambda look: look.change("closed_tb_th_um") - look.change(smooth)


#: What is wanted of a healthy decade.
HEALTH = (
    Check("closed R, day 0", lambda k: k.first["closed_roughness"], -np.inf, 1.10, ".3f"),
    Check("closed R, ten years", lambda k: k.last["closed_roughness"], -np.inf, 1.12, ".3f"),
    Check("closed R, change, %", lambda k: k.change("closed_roughness"), -2.0, 2.0),
    Check("DA, change, %", lambda k: k.change("da"), -2.0, 2.0),
    Check("closed DA, change, %", lambda k: k.change("closed_da"), -2.0, 2.0),
    Check("closed Tb.Th less Tb.Th after 40 um, points", _thinning("tb_th_smooth_um"), -2.0, 2.0),
    Check("the same, both closed, points", _thinning("closed_tb_th_smooth_um"), -2.0, 2.0),
    Check("Conn.D raw over Conn.D at 15 um, less 1, %", _unfiltered, -15.0, 15.0),
    Check("BV/TV, change, %", lambda k: k.change("bvtv_percent"), -5.0, 5.0),
    Check("closed BV/TV, change, %", lambda k: k.change("closed_bvtv_percent"), -5.0, 5.0),
    Check("Ac.f, /y", lambda k: k.last["ac_f_per_year"], 0.13, np.inf, ".3f"),
)  # fmt: skip
#: What is wanted of five years at 7 pg/mL.
SUPPRESSED = (
    Check("R over closed R, less 1, over 1.3 x open share, less 1, %", _excess, -30.0, 30.0),
    Check("closed Tb.Th less Tb.Th after 40 um, points", _thinning("tb_th_smooth_um"), -2.0, 2.0),
    Check("the same, both closed, points", _thinning("closed_tb_th_smooth_um"), -2.0, 2.0),
)
#: And of the year after it.
BACK = (Check("R, a year back less end", lambda k: k.last["roughness"] - k.first["roughness"],
              -np.inf, 0.0, "+.3f"),)  # fmt: skip


def of(looks: pd.DataFrame, study: str, first: int, last: int) -> Look:
    """The bones of a study on two days."""
    mine = looks[looks["study"] == study].set_index(BONE)
    return Look(mine[mine["day"] == first], mine[mine["day"] == last])


def between(look: Look, checks: tuple[Check, ...]) -> pd.DataFrame:
    """One row per check: every kind of bone, mean of all with its interval, what is wanted."""
    rows = []
    for one in checks:
        values = one.of(look)
        mean = float(values.mean())
        by_kind = {kind: text(mine, one.form) for kind, mine in values.groupby("bone")}
        within = int(values.between(one.low, one.high).sum())
        rows.append({"check": one.name, "wanted": one.wanted, **by_kind,
                     "all": text(values, one.form), "bones within": f"{within} of {len(values)}",
                     "mean": "in" if one.low <= mean <= one.high else "OUT"})  # fmt: skip
    return pd.DataFrame(rows)


def text(values: pd.Series, form: str) -> str:
    """Mean and half its interval; of two bones both, as an interval of two means nothing."""
    if len(values) < 3:
        return ", ".join(format(one, form) for one in values)
    found = interval(values)
    return with_interval(found["mean"], found["high"] - found["mean"], form)


def health(looks: pd.DataFrame) -> pd.DataFrame:
    """A healthy decade beside what is wanted."""
    return between(of(looks, "health", 0, DECADE), HEALTH)


def suppressed(looks: pd.DataFrame) -> pd.DataFrame:
    """Five years at 7 pg/mL and a year back, beside what is wanted."""
    low = looks[looks["e2_pg_per_ml"] == LOW]
    found = [between(of(low, "suppressed", 0, END), SUPPRESSED),
             between(of(low, "suppressed", END, YEAR_BACK), BACK)]  # fmt: skip
    return pd.concat(found, ignore_index=True)


def beyond_twin(looks: pd.DataFrame) -> pd.DataFrame:
    """Suppressed less never suppressed, % of day 0, at five years, a year back and three back."""
    mine = looks[looks["study"] == "suppressed"]
    rows = []
    for name in ("bvtv_percent", "closed_bvtv_percent", "tb_th_um", "closed_tb_th_um",
                 "tb_th_smooth_um", "closed_tb_th_smooth_um", "roughness", "closed_roughness",
                 "da", "closed_da"):  # fmt: skip
        wide = mine.pivot_table(index=BONE, columns=["e2_pg_per_ml", "day"], values=name)
        row = {"measure": name}
        for day, label in ((END, "five years"), (YEAR_BACK, "a year back"), (LAST, "three back")):
            gone = 100.0 * (wide[LOW][day] - wide[USUAL][day]) / wide[LOW][0]
            row[label] = text(gone, "+.1f")
        rows.append(row)
    return pd.DataFrame(rows)


def sources(looks: pd.DataFrame) -> pd.DataFrame:
    """One row per source that is off or up: closed R, its change, and that less the whole's, by bone."""
    mine = looks[looks["study"] == "sources"]
    wide = mine.pivot_table(index=["source", "seed"], columns="day",
                            values=["closed_roughness", "closed_bvtv_percent"], sort=False)  # fmt: skip
    days = sorted(mine["day"].unique())
    first, last = (wide["closed_roughness"][day] for day in (days[0], days[-1]))
    volume = wide["closed_bvtv_percent"]
    found = pd.DataFrame({
        "first": first, "last": last, "change": 100.0 * (last / first - 1.0),
        "volume": 100.0 * (volume[days[-1]] / volume[days[0]] - 1.0),
    })  # fmt: skip
    found["less"] = found["change"] - found["change"].xs(WHOLE, level="source").reindex(
        found.index, level="seed"
    )
    rows = {}
    for source, one in found.groupby(level="source", sort=False):
        rows[source] = {
            "closed R": ", ".join(f"{a:.3f} to {b:.3f}" for a, b in one[["first", "last"]].to_numpy()),
            "change, %": text(one["change"], "+.1f"),
            "less that as is, points": "" if source == WHOLE else text(one["less"], "+.1f"),
            "closed BV/TV, %": text(one["volume"], "+.1f"),
        }  # fmt: skip
    return pd.DataFrame(rows).T.rename_axis("source").reset_index()


def burn_in(looks: pd.DataFrame) -> pd.DataFrame:
    """One row per burn-in: day 0, and the year after it."""
    mine = looks[looks["study"] == "burn_in"]
    rows = []
    for days, some in mine.groupby("burn_in_day"):
        then, later = (some[some["day"] == day].set_index("seed") for day in (0, 365))
        change = 100.0 * (later["bvtv_percent"] / then["bvtv_percent"] - 1.0)
        rows.append({
            "burn-in, d": f"{days:g}", "closed R, day 0": text(then["closed_roughness"], ".3f"),
            "a year later": text(later["closed_roughness"], ".3f"),
            "R, day 0": text(then["roughness"], ".3f"),
            "open, % of BV": text(then["open_bv_percent"], ".1f"),
            "ES/BS, %": text(then["es_bs_percent"], ".1f"), "OS/BS, %": text(then["os_bs_percent"], ".1f"),
            "Ac.f of the year, /y": text(later["ac_f_per_year"], ".2f"),
            "BV/TV, the year's change, %": text(change, "+.1f"),
        })  # fmt: skip
    return pd.DataFrame(rows)


#: Study -> its tables, by their headings.
TABLES = {
    "health": {"A healthy decade": health},
    "sources": {"Sources: eight years, no load, births doubled": sources},
    "burn_in": {"Day 0": burn_in},
    "suppressed": {"Five years at 7 pg/mL": suppressed, "Less the untreated twin": beyond_twin},
}


def words_of(looks: pd.DataFrame) -> str:
    """The tables of all studies that are measured."""
    parts = []
    for study in looks["study"].unique():
        for heading, table in TABLES[study].items():
            rows = table(looks).fillna("")
            parts.append(f"{heading}\n\n{in_markdown(rows.set_index(rows.columns[0]))}")
    return "\n\n".join(parts)


@at_print_size
def draw(looks: pd.DataFrame) -> Figure:
    """Closed R: in a healthy decade, by source, by burn-in."""
    figure, (decade, what, start) = panels(3, 4.0, 3.6)
    for number, (kind, mine) in enumerate(looks[looks["study"] == "health"].groupby("bone")):
        colour = (palette.INK, palette.DRUGS[0])[number]
        for seed, one in mine.groupby("seed"):
            label = kind.replace("_", " ") if seed == mine["seed"].min() else None
            decade.plot(
                one["day"] / 365, one["closed_roughness"], "o-", ms=3, color=colour, label=label
            )
    decade.axhline(1.12, color=palette.INK, lw=0.8, ls=":")
    decade.set(xlabel="years", ylabel="closed R")
    legend_below(decade, "a line: one bone; dotted: the bound")
    mine = looks[looks["study"] == "sources"]
    changes = mine.pivot_table(
        index=["source", "seed"], columns="day", values="closed_roughness", sort=False
    )
    for (source, _), one in changes.iterrows():
        what.plot(100 * (one.iloc[-1] / one.iloc[0] - 1), source, "o", ms=3, color=palette.INK)
    what.invert_yaxis()
    what.set(xlabel="change of closed R in eight years, %")
    mine = looks[(looks["study"] == "burn_in") & (looks["day"] == 0)]
    start.plot(mine["burn_in_day"], mine["closed_roughness"], "o", ms=3, color=palette.INK)
    start.axhline(1.10, color=palette.INK, lw=0.8, ls=":")
    start.set(xlabel="burn-in, days", ylabel="closed R")
    titles = ("health", "no load, births doubled", "day 0")
    for letter, axis, title in zip("abc", (decade, what, start), titles, strict=True):
        axis.spines[["top", "right"]].set_visible(False)
        lettered(axis, letter, title)
    return figure


def main() -> None:
    """Print all tables; draw closed R."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    output = parser.parse_args().output
    looks = pd.read_csv(HERE / "looks.csv")
    print(words_of(looks))
    draw(looks).savefig(output)


if __name__ == "__main__":
    main()
