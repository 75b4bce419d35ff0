"""Reads breaks.csv and looks.csv: do plates perforate under suppression, and does it come back?

    python answer.py -o plates.png

Each bone is its own control: suppressed less never suppressed, same bone and random numbers. Intervals
are 95 %: of counts by the exact binomial, of means by Student's t over bones. Nothing is simulated here.
"""

import argparse
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from bonesim.analysis import in_markdown, interval, ratio_and_ci, with_interval
from bonesim.viewer import at_print_size, legend_below, lettered, palette, panels

HERE = Path(__file__).parent
#: Kinds of bone, as the tables name them.
KINDS = ("elderly_vertebra", "young_vertebra", "library")
END, LAST, YEARS = 1825.0, 2920.0, 5.0
LOW, USUAL = 7.0, 25.0
#: What is compared -> its name.
MEASURES = {
    "bvtv_percent": "BV/TV", "tb_th_um": "Tb.Th", "tb_n_per_mm": "Tb.N, spheres",
    "tb_n_volume_per_mm": "Tb.N, BV/TV over Tb.Th", "tb_n_sections_per_mm": "Tb.N, sections",
    "conn_d_per_mm3": "Conn.D", "windows_under_300_um_per_mm3": "windows < 300 um",
    "plate_share_percent": "plates, % of BV", "nodes_per_mm3": "nodes", "smi": "SMI",
    "seen_bvtv_percent": "BV/TV, HR-pQCT", "seen_tb_n_per_mm": "Tb.N, spheres, HR-pQCT",
    "seen_tb_n_volume_per_mm": "Tb.N, BV/TV over Tb.Th, HR-pQCT",
    "seen_tb_n_ridges_per_mm": "Tb.N, ridges, HR-pQCT",
    "apparent_modulus_z_mpa": "stiffness", "failure_load_n": "strength",
}  # fmt: skip
#: Classes of what was there before a break: column -> edges, unit.
CLASSES = {"thickness_um": ((0, 50, 80, 120, 1e9), "um"), "load": ((0, 0.7, 1.0, 1.4, 1e9), "u")}


def kind_of(bone: str) -> str:
    """The kind that a bone belongs to."""
    return bone if bone in KINDS else "library"


def read() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Looks and breaks, with their kind of bone."""
    looks, breaks = (pd.read_csv(HERE / f"{name}.csv") for name in ("looks", "breaks"))
    return tuple(one.assign(group=one["bone"].map(kind_of)) for one in (looks, breaks))


def rates(looks: pd.DataFrame, breaks: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of bone: holes and cuts of five years, in both arms, and their ratio."""
    rows = {}
    for kind, mine in looks[looks["day"] == END].groupby("group"):
        row: dict[str, object] = {"bones": int(len(mine) / 2)}
        for e2, arm in ((USUAL, "health"), (LOW, "suppressed")):
            there = mine[mine["e2_pg_per_ml"] == e2]
            new = breaks[(breaks["group"] == kind) & (breaks["e2_pg_per_ml"] == e2)
                         & (breaks["found_day"] <= END) & (breaks["state"] != "merged")]  # fmt: skip
            for what in ("hole", "cut"):
                row[f"{what}s, {arm}"] = int((new["kind"] == what).sum())
            bmus, volume = there["bmus_born"].sum(), there["volume_mm3"].sum()
            both = row[f"holes, {arm}"] + row[f"cuts, {arm}"]  # type: ignore[operator]
            row[f"% of BMUs, {arm}"] = f"{100 * both / bmus:.2f}"
            row[f"holes /mm3 in five years, {arm}"] = f"{row[f'holes, {arm}'] / volume:.2f}"
        row["ratio of holes"] = ratio(row["holes, suppressed"], row["holes, health"])  # type: ignore[arg-type]
        rows[kind] = row
    return pd.DataFrame(rows).reindex(columns=[k for k in KINDS if k in rows])


def ratio(more: int, fewer: int) -> str:
    """Ratio of two counts of equal exposure, with its exact interval."""
    if more + fewer == 0:
        return "none"
    share = stats.binomtest(more, more + fewer).proportion_ci(0.95)
    low, high = (one / (1 - one) if one < 1 else np.inf for one in share)
    middle = more / fewer if fewer else np.inf
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def agreement(looks: pd.DataFrame, breaks: pd.DataFrame) -> pd.DataFrame:
    """Change of Conn.D in five years (closed, interior) beside what the breaks made of it, per mm3."""
    keys = ["group", "bone", "seed", "e2_pg_per_ml"]
    at = looks.set_index([*keys, "day"])[["conn_d_per_mm3", "volume_mm3"]].unstack("day")
    change = at["conn_d_per_mm3"][END] - at["conn_d_per_mm3"][0.0]
    made = breaks[breaks["found_day"] <= END].groupby(keys)["connections"].sum()
    made = made.reindex(change.index).fillna(0.0) / at["volume_mm3"][END]
    both = pd.DataFrame({"change": change, "breaks": made})
    return both.groupby(["group", "e2_pg_per_ml"]).mean()


def effects(looks: pd.DataFrame) -> pd.DataFrame:
    """One row per kind and measure: effect of suppression in five years, and what of it is back."""
    keys = ["group", "bone", "seed"]
    rows = []
    for name, label in MEASURES.items():
        wide = looks.pivot_table(index=keys, columns=["e2_pg_per_ml", "day"], values=name)
        for kind, mine in wide.groupby("group"):
            start = mine[LOW][0.0]
            lost = 100 * (mine[LOW][END] - mine[USUAL][END]) / start
            still = 100 * (mine[LOW][LAST] - mine[USUAL][LAST]) / start
            health = 100 * (mine[USUAL][END] - mine[USUAL][0.0]) / start
            back = ratio_and_ci(lost - still, lost)
            rows.append({"kind": kind, "measure": label, "n": len(lost),
                         "health": words(health), "effect": words(lost),
                         "after": words(still), "back": share(lost, back)})  # fmt: skip
    return pd.DataFrame(rows)


def words(values: pd.Series) -> str:
    """Mean and half its interval."""
    found = interval(values)
    if found["n"] < 2:
        return f"{found.get('mean', np.nan):+.1f}"
    return with_interval(found["mean"], found["high"] - found["mean"], "+.1f")


def share(lost: pd.Series, back: pd.Series) -> str:
    """Share that is back, %, where the effect is distinguishable from none."""
    found = interval(lost)
    if found["n"] < 2 or found["low"] < 0 < found["high"]:
        return "-"
    return with_interval(100 * back["mean"], 100 * back["ci"], ".0f")


def classes(breaks: pd.DataFrame, column: str) -> pd.DataFrame:
    """Holes and cuts of five years by what was there before, both arms; a column for each class."""
    edges, unit = CLASSES[column]
    names = [f"{a:g} to {b:g} {unit}" for a, b in pairwise(edges[:-1])]
    within = pd.cut(breaks[column], edges, labels=[*names, f"over {edges[-2]:g} {unit}"])
    of_five_years = (breaks["found_day"] <= END) & (breaks["state"] != "merged")
    counted = breaks[breaks["kind"].isin(["hole", "cut"]) & of_five_years]
    rows = counted.assign(within=within[counted.index].cat.add_categories("unknown"))
    rows["within"] = rows["within"].fillna("unknown")
    keys = [rows["group"], rows["e2_pg_per_ml"], rows["kind"]]
    return pd.crosstab(keys, rows["within"]).reset_index()


@at_print_size
def draw(table: pd.DataFrame) -> Figure:
    """Effect of five years and what is left of it three years later, by measure and kind of bone."""
    figure, axes = panels(len(KINDS), 4.0, 5.0)
    for letter, axis, kind in zip(ascii_lowercase, axes, KINDS, strict=False):
        mine = table[table["kind"] == kind].reset_index(drop=True)
        for column, label, shift, colour in (
            ("effect", "five years", -0.15, palette.INK),
            ("after", "three years later", 0.15, palette.DRUGS[0]),
        ):
            number = mine[column].str.extract(r"([+-][\d.]+)(?: \+/- ([\d.]+))?").astype(float)
            axis.errorbar(number[0], mine.index + shift, xerr=number[1], fmt="o", ms=3,
                          color=colour, capsize=2, label=label)  # fmt: skip
        axis.axvline(0, color=palette.INK, lw=0.8)
        axis.set_yticks(mine.index, mine["measure"] if axis is axes[0] else [""] * len(mine))
        axis.invert_yaxis()
        n = f"n = {mine['n'].max():g}" if len(mine) else "no bone"
        lettered(axis, letter, f"{kind.replace('_', ' ')}, {n}")
        axis.set_xlabel("suppressed less never\nsuppressed, % of day 0")
        axis.spines[["top", "right"]].set_visible(False)
    legend_below(axes[0], "mean, 95 % CI")
    return figure


def words_of(table: pd.DataFrame) -> str:
    """The effects, a row for each measure."""
    return in_markdown(table.set_index("kind"))


def main() -> None:
    """Print all tables; draw the effects."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    output = parser.parse_args().output
    looks, breaks = read()
    table = effects(looks)
    found = (rates(looks, breaks), agreement(looks, breaks))
    found += tuple(classes(breaks, column) for column in CLASSES)
    for one in found:
        print(f"{in_markdown(one)}\n")
    print(words_of(table))
    draw(table).savefig(output)


if __name__ == "__main__":
    main()
