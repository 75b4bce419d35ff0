"""Answers as bands: medians and 90 % bands over members of the posterior, and what the spread is of.

    total    variance over members, each on a bone and with random numbers of its own
    bones    variance over bones with the point defaults, less that of chance
    chance   variance over random numbers on one bone with the point defaults

What is left of the total is the parameters'. The shares are estimates from a few runs each; one that
comes out below 0 is 0.
"""

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bonesim.analysis.statistics import Numbers, finite

if TYPE_CHECKING:
    import pandas as pd

#: What a run is for: a member on a bone of its own; point defaults on another bone; the same bone with
#: other random numbers. And its arm.
MEMBER, BONE, CHANCE = "member", "bone", "chance"
TREATED, TWIN = "treated", "untreated twin"
#: The band's ends, as shares.
LOW, HIGH = 0.05, 0.95
#: Quantities of the table, if the results have them: column -> name.
QUANTITIES = {
    "bmd_mg_per_cm3": "BMD", "bvtv_percent": "BV/TV", "tb_th_um": "Tb.Th", "tb_n_per_mm": "Tb.N",
    "conn_d_per_mm3": "Conn.D", "plate_share_percent": "plate share",
    "apparent_modulus_z_mpa": "stiffness", "failure_load_n": "strength",
}  # fmt: skip


def differences(results: "pd.DataFrame") -> "pd.DataFrame":
    """Each run's difference from its untreated twin, percent of the twin; without twin: since day 0.

    Args:
        results: of an ensemble: columns role, number, arm, day and the quantities.

    Returns:
        role, number, day, quantity, value.
    """
    known = [name for name in QUANTITIES if name in results]
    keys = ["role", "number", "day"]
    treated = results[results["arm"] == TREATED].set_index(keys)[known]
    other = results[results["arm"] == TWIN].set_index(keys)[known]
    if other.empty:
        first = treated[treated.index.get_level_values("day") == results["day"].min()]
        per_run = first.groupby(level=["role", "number"]).first()
        other = treated.copy()
        runs = [key[:2] for key in treated.index]
        other[:] = per_run.loc[runs].to_numpy()
    found = 100.0 * (treated.astype(float) / other.astype(float) - 1.0)
    long = found.reset_index().melt(id_vars=keys, var_name="quantity", value_name="value")
    return long[np.isfinite(long["value"])].reset_index(drop=True)


def bands(results: "pd.DataFrame") -> "pd.DataFrame":
    """Median and 90 % band over members, for every quantity and day, and the split of the spread.

    Args:
        results: see `differences`.

    Returns:
        quantity, day, n, median, low, high (%, against the twin), and share_parameters, share_bones,
        share_chance of the variance (NaN without runs for the split).
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    found = differences(results)
    for key, some in found.groupby(["quantity", "day"], sort=False):
        quantity, day = cast("tuple[str, int]", key)
        of = {str(role): finite(one["value"]) for role, one in some.groupby("role")}
        values = of.get(MEMBER, np.zeros(0))
        if values.size:
            low, median, high = np.quantile(values, [LOW, 0.5, HIGH])
            rows.append(
                {"quantity": quantity, "day": int(day), "n": values.size, "median": median,
                 "low": low, "high": high, **split(values, of)}
            )  # fmt: skip
    return pd.DataFrame(rows)


def split(values: Numbers, of: dict[str, Numbers]) -> dict[str, float]:
    """Shares of the variance over members: parameters, bones, chance."""
    names = ("share_parameters", "share_bones", "share_chance")
    bones, chance = (of.get(role, np.zeros(0)) for role in (BONE, CHANCE))
    total = float(np.var(values, ddof=1)) if values.size > 1 else 0.0
    if min(bones.size, chance.size) < 2 or total <= 0.0:
        return dict.fromkeys(names, np.nan)
    by_chance = min(float(np.var(chance, ddof=1)), total)
    by_both = min(max(float(np.var(bones, ddof=1)), by_chance), total)
    parts = (total - by_both, by_both - by_chance, by_chance)
    return {name: part / total for name, part in zip(names, parts, strict=True)}


def regained(results: "pd.DataFrame", stop_day: int, end_day: int) -> "pd.DataFrame":
    """Share of what was missing on `stop_day` that is back on `end_day`, %, over members.

    A share has a meaning in members that lost something; how many did is in the table.

    Args:
        results: see `differences`.
        stop_day, end_day: two days with a snapshot.

    Returns:
        quantity, n, lost (members with a loss), median, low, high of the share, and loss_median.
    """
    import pandas as pd

    rows = []
    found = differences(results)
    of_members = found[found["role"] == MEMBER]
    for quantity, some in of_members.groupby("quantity", sort=False):
        wide = some.pivot_table(index="number", columns="day", values="value")
        if not {stop_day, end_day} <= set(wide.columns):
            continue
        lost = -wide[stop_day]
        share = 100.0 * (wide[end_day] - wide[stop_day]) / lost
        kept = share[lost > 0.0].to_numpy()
        if kept.size:
            low, median, high = np.quantile(kept, [LOW, 0.5, HIGH])
            rows.append({"quantity": quantity, "n": len(wide), "lost": kept.size, "median": median,
                         "low": low, "high": high, "loss_median": float(lost.median())})  # fmt: skip
    return pd.DataFrame(rows)


def text(table: "pd.DataFrame") -> str:
    """The bands as text: the last day, or every day of a short table."""
    last = table[table["day"] == table["day"].max()]
    lines = [
        f"day {int(last['day'].iloc[0])}, difference from the untreated twin, median [90 % band]"
    ]
    for row in last.to_dict("records"):
        line = (
            f"  {QUANTITIES[row['quantity']]:12s} {row['median'] + 0.0:+7.1f} % "
            f"[{row['low']:+.1f}, {row['high']:+.1f}], n = {row['n']}"
        )
        if np.isfinite(row["share_parameters"]):
            line += (
                f"; spread: parameters {100 * row['share_parameters']:.0f} %, bones "
                f"{100 * row['share_bones']:.0f} %, chance {100 * row['share_chance']:.0f} %"
            )
        lines.append(line)
    return "\n".join(lines)
