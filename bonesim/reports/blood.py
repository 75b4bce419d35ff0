"""What a prescription does to the blood: day by day, and phase by phase."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from bonesim.config.config import Config
from bonesim.endocrine.assay import bioavailable, immunoassay, mass_spectrometry
from bonesim.endocrine.axis import SAMPLES_PER_DAY
from bonesim.endocrine.blood import Blood, cohort, simulate_blood
from bonesim.endocrine.regimen import Regimen
from bonesim.endocrine.response import Response
from bonesim.errors import InputError
from bonesim.units import unit_of

if TYPE_CHECKING:
    import pandas as pd

#: Column -> (what it is, unit), in the order of the tables.
QUANTITIES = {
    "t_ng_per_dl": ("testosterone", "ng/dL"),
    "e2_pg_per_ml": ("estradiol, true", "pg/mL"),
    "e2_immunoassay_pg_per_ml": ("estradiol, immunoassay", "pg/mL"),
    "e2_spectrometry_pg_per_ml": ("estradiol, mass spectrometry", "pg/mL"),
    "bio_e2_pg_per_ml": ("estradiol, bioavailable", "pg/mL"),
    "bio_t_ng_per_dl": ("testosterone, bioavailable", "ng/dL"),
    "lh_iu_per_l": ("LH", "IU/L"),
    "shbg_nmol_per_l": ("SHBG", "nmol/L"),
}
#: Those of the text; the tables have more.
REPORTED = ("t_ng_per_dl", "e2_pg_per_ml", "e2_immunoassay_pg_per_ml", "lh_iu_per_l")
#: No laboratory would find less of a drug, ng/mL.
LOWEST_LEVEL = 1e-6
#: A phase is described by its last days: one dosing interval, but at least a week.
LAST_DAYS = 7.0


class Prescribed:
    """A configuration's protocol taken by the typical person, and by a cohort if wanted.

    Args:
        config: must have a protocol.
        people: size of the cohort whose 5th and 95th percentiles are reported; 0 for none.

    Raises:
        InputError: the config has no protocol.
    """

    def __init__(self, config: Config, people: int = 0) -> None:
        if config.protocol is None:
            raise InputError(
                "the config has no protocol; add [protocol] with sex, age_year and drugs "
                "(example: configs/trt_anastrozole.toml)"
            )
        self.config, self.protocol = config, config.protocol
        hormones = config.hormones
        until = config.schedule.duration_day
        self.blood = simulate_blood(
            self.protocol, hormones.drugs, hormones.axis, until, config.seed
        )
        self.levels = self._levels(self.blood)
        self.people = people
        self.range: dict[str, NDArray[np.float64]] = {}
        if people:
            self.range = self._cohort_range(people)

    def start(self) -> dict[str, float]:
        """Where the person starts: deficit of births, set-point, and level in youth (guide M2.2)."""
        response = Response(self.config.hormones.response, self.config.course())
        return {
            "e2_deficit": response.births_deficit,
            "setpoint_pg_per_ml": response.setpoint_pg_per_ml,
            "youth_e2_pg_per_ml": response.course.youth_e2_pg_per_ml,
        }

    def _levels(self, blood: Blood) -> dict[str, NDArray[np.float64]]:
        """Every quantity at every sample."""
        assay = self.config.hormones.assay
        t, e2 = blood.t_ng_per_dl, blood.e2_pg_per_ml
        t_share, e2_share = bioavailable(t, blood.shbg_nmol_per_l)
        levels = {
            "t_ng_per_dl": t,
            "e2_pg_per_ml": e2,
            "e2_immunoassay_pg_per_ml": immunoassay(e2, assay),
            "e2_spectrometry_pg_per_ml": mass_spectrometry(e2, assay),
            "bio_e2_pg_per_ml": e2 * e2_share,
            "bio_t_ng_per_dl": t * t_share,
            "lh_iu_per_l": blood.lh_iu_per_l,
            "shbg_nmol_per_l": blood.shbg_nmol_per_l,
        }
        for drug in self.drugs():
            found = blood.drug_ng_per_ml.get(drug, np.zeros(t.size))
            levels[f"{drug}_ng_per_ml"] = np.where(found > LOWEST_LEVEL, found, 0.0)
        return levels

    def drugs(self) -> list[str]:
        """The drugs of the protocol."""
        return list(dict.fromkeys(drug for drug, _ in self.protocol.courses()))

    def _cohort_range(self, people: int) -> dict[str, NDArray[np.float64]]:
        """5th and 95th percentile of each person's daily means, shape (2, days)."""
        hormones = self.config.hormones
        daily: dict[str, list[NDArray[np.float64]]] = {"t_ng_per_dl": [], "e2_pg_per_ml": [],
                                                       "lh_iu_per_l": []}  # fmt: skip
        for blood in cohort(
            self.protocol, hormones.drugs, hormones.axis, hormones.variation,
            self.config.schedule.duration_day, self.config.seed, people,
        ):  # fmt: skip
            for name, rows in daily.items():
                rows.append(by_day(getattr(blood, name)).mean(axis=1))
        return {name: np.percentile(rows, [5, 95], axis=0) for name, rows in daily.items()}

    def daily(self) -> "pd.DataFrame":
        """One row a day: trough, mean and peak of every quantity."""
        import pandas as pd

        columns: dict[str, Any] = {"day": self.days()}
        for name, levels in self.levels.items():
            one = by_day(levels)
            for word, value in (
                ("trough", one.min(1)),
                ("mean", one.mean(1)),
                ("peak", one.max(1)),
            ):
                columns[f"{name}_{word}"] = value
        for name, (low, high) in self.range.items():
            columns[f"{name}_p05"], columns[f"{name}_p95"] = low, high
        return pd.DataFrame(columns)

    def days(self) -> NDArray[np.int64]:
        """The days of the daily table; the first ones are before day 0."""
        first = int(self.blood.day[0])
        return first + np.arange(by_day(self.blood.day).shape[0])

    def phases(self) -> "pd.DataFrame":
        """Before treatment, and the end of every stretch between two changes of the protocol."""
        import pandas as pd

        rows = []
        for begin, end, words in self._stretches():
            widest = max([LAST_DAYS, *(r.interval_day for _, r in self._under(end - 1e-6))])
            last = (self.blood.day >= max(begin, end - widest)) & (self.blood.day < end)
            for name, levels in self.levels.items():
                what, unit = QUANTITIES.get(
                    name, (name.removesuffix("_ng_per_ml").replace("_", " "), "ng/mL")
                )
                values = levels[last]
                row: dict[str, Any] = {
                    "until_day": end, "treatment": words, "quantity": what, "unit": unit,
                    "trough": values.min(), "mean": values.mean(), "peak": values.max(),
                }  # fmt: skip
                if self.range:
                    row["people_p05"] = row["people_p95"] = np.nan
                if name in self.range:
                    days = np.isin(self.days(), np.unique(np.floor(self.blood.day[last])))
                    row["people_p05"], row["people_p95"] = self.range[name][:, days].mean(axis=1)
                rows.append(row)
        return pd.DataFrame(rows)

    def _under(self, day: float) -> list[tuple[str, Regimen]]:
        """The courses under way on a day."""
        return [
            (drug, one)
            for drug, one in self.protocol.courses()
            if one.start_day <= day and (one.stop_day is None or day < one.stop_day)
        ]

    def _stretches(self) -> list[tuple[float, float, str]]:
        """(begin, end, treatment in words) between changes of the protocol."""
        last = float(self.config.schedule.duration_day)
        marks = {float(self.blood.day[0]), last}
        for _, one in self.protocol.courses():
            marks |= {d for d in (one.start_day, one.stop_day) if d is not None and d < last}
        return [
            (begin, end, self._words(begin) or "no drug") for begin, end in pairwise(sorted(marks))
        ]

    def _words(self, day: float) -> str:
        return " + ".join(
            f"{drug.replace('_', ' ')} {one.described()}" for drug, one in self._under(day)
        )


def table(prescribed: Prescribed, every: Literal["day", "phase"] = "phase") -> "pd.DataFrame":
    """The blood as a table.

    Args:
        prescribed: what is taken.
        every: "phase": before treatment and at the end of each stretch between two changes of the
            protocol, one row per quantity; "day": one row a day, trough, mean and peak of each
            quantity as columns.

    Raises:
        InputError: `every` is something else.
    """
    if every not in ("day", "phase"):
        raise InputError(f"got {every!r}; give 'day' or 'phase'", parameter="every")
    if every == "day":
        daily = prescribed.daily()
        # The name of a column is a quantity's, with its unit, and how the day is summarised.
        daily.attrs["units"] = {
            name: unit_of(f"_{name}" if name == "day" else name.rpartition("_")[0])
            for name in map(str, daily)
        }
        return daily
    found = prescribed.phases()
    drugs = [name.replace("_", " ") for name in prescribed.drugs()]
    found.attrs["reported"] = [QUANTITIES[name][0] for name in REPORTED] + drugs
    found.attrs["start"] = prescribed.start()
    found.attrs["notes"] = list(prescribed.config.notes())
    return found


def text(table: "pd.DataFrame") -> str:
    """The phases as text: what is taken, and trough, mean and peak of the main levels."""
    lines = []
    for (end, treatment), rows in table.groupby(["until_day", "treatment"], sort=False):
        lines.append(f"\nbefore day {end:g}: {treatment}")
        for row in rows[rows["quantity"].isin(table.attrs["reported"])].to_dict("records"):
            levels = "".join(f" {row[word]:8.3g}" for word in ("trough", "mean", "peak"))
            line = f"  {row['quantity']:30s}{levels} {row['unit']}"
            if np.isfinite(row.get("people_p05", np.nan)):
                line += f"   90 % of people {row['people_p05']:.3g} to {row['people_p95']:.3g}"
            lines.append(line)
    levels = f"{'':32s} {'trough':>8s} {'mean':>8s} {'peak':>8s}" + "\n".join(lines)
    start = table.attrs["start"]
    first = (
        f"on day 0 births sense a deficit of {start['e2_deficit']:.2f} (logarithm; 0 in youth, at "
        f"{start['youth_e2_pg_per_ml']:.3g} pg/mL); they would sense none at "
        f"{start['setpoint_pg_per_ml']:.3g} pg/mL"
    )
    return "\n".join([*table.attrs["notes"], levels, "", first])


def by_day(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Samples of whole days, shape (days, samples a day)."""
    whole = levels.size // SAMPLES_PER_DAY
    return levels[: whole * SAMPLES_PER_DAY].reshape(whole, SAMPLES_PER_DAY)
