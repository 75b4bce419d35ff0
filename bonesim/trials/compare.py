"""The statistics of a trial.

    twin         every person in every arm, without noise: a difference within each person (paired t)
    independent  as in the real trial: each person in one arm by chance, dropout, noise of the
                 instruments, change from the own baseline; arms compared by Welch's t
    repeated     the same, repeated with other people of this cohort (see `replicates.repeated`)

Every number of spine DXA is given with the k by which it follows bone mineral, and for other k.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.analysis.statistics import Numbers, finite, interval, paired, welch
from bonesim.chance import ARM, DROPOUT, Day, uniforms
from bonesim.instruments.density import K_HIGHEST, K_LOWEST
from bonesim.trials.cohort import seed_of_trial
from bonesim.trials.outcomes import BY_K, TrialOutcomes, as_reported
from bonesim.trials.parameters import Published, TrialParameters
from bonesim.trials.replicates import Repeats, repeated
from bonesim.units import DAYS_PER_YEAR

if TYPE_CHECKING:
    import pandas as pd

#: k of bone mineral itself.
K_OF_BONE = 1.0


class Comparison(NamedTuple):
    """A trial's tables."""

    estimates: "pd.DataFrame"  # one row per quantity, day, estimate and arm or difference
    curves: "pd.DataFrame"  # means against day by arm, with the published values
    repeats: "pd.DataFrame"  # the primary outcome of each repeated trial
    parameters: TrialParameters
    people: int  # with results in every arm


def assigned(p: TrialParameters, people: int) -> NDArray[np.int64]:
    """The arm of each person, by chance; -1 for those in none.

    Arms have the sizes of the real trial. If the cohort has fewer people, sizes are in proportion.
    """
    sizes = np.array([arm.people for arm in p.arm])
    if sizes.sum() > people:
        exact = sizes * people / sizes.sum()
        sizes = np.floor(exact).astype(np.int64)
        sizes[np.argsort(sizes - exact, kind="stable")[: people - sizes.sum()]] += 1
    seed = seed_of_trial(p.cohort)
    entity = np.arange(people, dtype=np.uint64)
    numbers = uniforms(seed, Day(0), entity, ARM)
    arm = np.full(people, -1, np.int64)
    arm[np.argsort(numbers, kind="stable")[: sizes.sum()]] = np.repeat(np.arange(len(sizes)), sizes)
    return arm


def stays_until(p: TrialParameters, people: int) -> Numbers:
    """The day each person leaves the trial; infinite without dropout."""
    rate = p.cohort.dropout_per_year
    if rate == 0.0:
        return np.full(people, np.inf)
    seed, entity = seed_of_trial(p.cohort), np.arange(people, dtype=np.uint64)
    numbers = uniforms(seed, Day(0), entity, DROPOUT)
    return DAYS_PER_YEAR * np.log1p(-numbers) / np.log1p(-rate)


def compared(p: TrialParameters, outcomes: TrialOutcomes) -> Comparison:
    """All tables of a trial."""
    import pandas as pd

    own = p.clinic.density.k_dxa
    rows: list[dict[str, Any]] = []
    for name in (*p.changes, *p.levels):
        found = _estimates(p, outcomes, name)
        _add_published(p, name, found)
        rows += [row | {"k_dxa": own if name == BY_K else np.nan} for row in found]
        if name != BY_K:
            continue
        for k in sorted({K_LOWEST, K_HIGHEST, K_OF_BONE} - {own}):
            rows += [row | {"k_dxa": k} for row in _estimates(p, outcomes.with_k(own, k), name)]
    estimates = pd.DataFrame(rows)
    repeats = _repeats_table(p, outcomes)
    return Comparison(estimates, curves(p, estimates), repeats, p, int(outcomes.person.size))


def _estimates(p: TrialParameters, outcomes: TrialOutcomes, name: str) -> list[dict[str, Any]]:
    """All rows of one quantity."""
    as_change = name in p.changes
    true = as_reported(outcomes.true[name], as_change=as_change)
    read = as_reported(outcomes.read(name), as_change=as_change)
    arm_of, until = assigned(p, outcomes.person.size), stays_until(p, outcomes.person.size)
    arms, reference = list(outcomes.arms), outcomes.arms.index(p.reference.name)
    again = repeated(p, outcomes, name)
    one = outcomes.quantity[name]
    rows: list[dict[str, Any]] = []
    for place, day in enumerate(outcomes.day):
        if as_change and place == 0:
            continue
        head = {"quantity": name, "what": one.what,
                "reported_as": "change_percent" if as_change else "level",
                "unit": "%" if as_change else one.unit, "day": int(day)}  # fmt: skip
        in_arm = [read[a, (arm_of == a) & (until >= day), place] for a in range(len(arms))]
        for a, arm in enumerate(arms):
            rows.append(head | {"estimate": "twin", "arm": arm} | interval(true[a, :, place]))
            rows.append(head | {"estimate": "independent", "arm": arm} | interval(in_arm[a]))
        for a, arm in enumerate(arms):
            if a == reference:
                continue
            both = head | {"arm": f"{arm} - {p.reference.name}"}
            twin = paired(true[a, :, place], true[reference, :, place])
            spread = again.spread(a, place)
            rows += [
                both | {"estimate": "twin"} | twin | _ratios(
                    twin, true[a, :, place], true[reference, :, place],
                    again.difference[a][:, place],
                ),
                both | {"estimate": "independent"} | welch(in_arm[a], in_arm[reference]),
                both | {"estimate": "repeated"} | spread,
            ]  # fmt: skip
    return rows


def _ratios(
    twin: dict[str, float], treated: Numbers, reference: Numbers, differences: Numbers
) -> dict[str, float]:
    """The variance of other estimates of the difference, over that of the twin estimate.

    `variance_ratio`: of the real trial's design (its people, noise and dropout).
    `variance_ratio_runs`: of two independent groups without noise, per simulated run.
    """
    if not twin.get("sd", np.nan) > 0.0:
        return {}
    own = twin["sd"] ** 2
    groups = np.var(finite(treated), ddof=1) + np.var(finite(reference), ddof=1)
    return {
        "variance_ratio": float(np.var(finite(differences), ddof=1)) / (own / twin["n"]),
        "variance_ratio_runs": float(groups) / own,
    }


def _add_published(p: TrialParameters, name: str, rows: list[dict[str, Any]]) -> None:
    """Add the published values to the rows, and whether the simulated one is in their interval."""
    for one in p.published:
        if one.quantity != name:
            continue
        for row in rows:
            if (row["arm"], row["day"]) == (p.compared(one.arm), one.visit_day):
                row |= _beside(one, row)


def _beside(one: Published, row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "published": one.value, "published_statistic": one.statistic, "source": one.source,
    }  # fmt: skip
    found |= {f"published_{n}": v for n, v in (("low", one.low), ("high", one.high), ("p", one.p))
              if v is not None}  # fmt: skip
    simulated = row.get(one.statistic)
    if one.low is not None and one.high is not None and simulated is not None:
        found["within"] = bool(one.low <= simulated <= one.high)
    if one.p is not None and "p_low" in row:
        found["p_covered"] = bool(row["p_low"] <= one.p <= row["p_high"])
    return found


def curves(p: TrialParameters, estimates: "pd.DataFrame") -> "pd.DataFrame":
    """Data of the figure's time courses: means and 95 % intervals by arm, and published values.

    Columns quantity, unit, arm, source ("twin", "independent", "published"), day, mean, low, high, n.
    """
    import pandas as pd

    own = estimates["k_dxa"].isna() | (estimates["k_dxa"] == p.clinic.density.k_dxa)
    arms = [arm.name for arm in p.arm]
    kept = estimates[own & estimates["arm"].isin(arms)].assign(source=estimates["estimate"])
    columns = ["quantity", "unit", "arm", "source", "day", "mean", "low", "high", "n"]
    found = [kept[columns]]
    begin = kept[(kept["reported_as"] == "change_percent")].drop_duplicates(
        ["quantity", "arm", "source"]
    )
    found.append(begin[columns].assign(day=0, mean=0.0, low=0.0, high=0.0))
    units = dict(zip(estimates["quantity"], estimates["unit"], strict=True))
    found.append(
        pd.DataFrame(
            [
                {"quantity": one.quantity, "unit": units[one.quantity], "arm": one.arm,
                 "source": "published", "day": one.visit_day, "mean": one.value, "low": one.low,
                 "high": one.high}
                for one in p.published if one.arm in arms
            ],
            columns=columns,
        )
    )  # fmt: skip
    table = pd.concat([part for part in found if len(part)], ignore_index=True)
    return table.sort_values(["quantity", "arm", "source", "day"], kind="stable", ignore_index=True)


def _repeats_table(p: TrialParameters, outcomes: TrialOutcomes) -> "pd.DataFrame":
    """The primary outcome of every repeated trial: difference and P of each comparison."""
    import pandas as pd

    name, day = p.primary
    again: Repeats = repeated(p, outcomes, name)
    place = int(np.flatnonzero(outcomes.day == day)[0])
    parts = [
        pd.DataFrame(
            {"repeat": np.arange(p.repeats), "comparison": f"{arm} - {p.reference.name}",
             "difference": again.difference[a][:, place], "p": again.p[a][:, place]}
        )
        for a, arm in enumerate(outcomes.arms) if arm != p.reference.name
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)
