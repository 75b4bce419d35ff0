"""A run as a patient's record: the reading of each instrument at each visit."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.instruments.density import DensityParameters, qct_vbmd, spine_abmd
from bonesim.instruments.hip import HipParameters, hip_abmd
from bonesim.instruments.markers import MarkerParameters, from_level, from_total
from bonesim.instruments.reading import least_significant_change, noisy
from bonesim.parameters import Parameters

if TYPE_CHECKING:
    import pandas as pd

#: Columns needed from the daily table.
NEEDED = (
    "day", "bmd_mg_per_cm3", "bvtv_percent", "resorbed_quanta", "formed_quanta", "os_bs_percent",
    "bstv_per_mm", "activation_multiplier",
)  # fmt: skip
#: Column that files of earlier versions lack: depth then counts as that of health.
DEPTH = "depth_multiplier"


class ClinicParameters(Parameters):
    """Parameters of all clinical instruments."""

    density: DensityParameters = DensityParameters()
    hip: HipParameters = HipParameters()
    markers: MarkerParameters = MarkerParameters()


class Course(NamedTuple):
    """One quantity day by day, without noise."""

    name: str
    what: str
    unit: str
    cv: float
    method: str
    value: NDArray[np.float64]


def courses(table: "pd.DataFrame", p: ClinicParameters) -> list[Course]:
    """Every quantity of a run, day by day, noise-free.

    Raises:
        InputError: the table lacks days, columns or mineral.
    """
    _check(table)
    column = {name: table[name].to_numpy(np.float64) for name in NEEDED}
    mineral, bvtv = column["bmd_mg_per_cm3"], column["bvtv_percent"] / 100.0
    d, h, m = p.density, p.hip, p.markers
    depth, known = _depth(table)
    forming = column["os_bs_percent"] * column["bstv_per_mm"]
    window = f"mean of {m.window_day} d, {m.trabecular_share:g} of the skeleton follows the block"
    return [
        Course(
            "ls_abmd", "spine aBMD, DXA", "g/cm2", d.dxa_cv,
            f"1 + k (mineral/mineral(0) - 1), k = {d.k_dxa:.2f}", spine_abmd(mineral, d),
        ),
        Course(
            "th_abmd", "total hip aBMD, DXA", "g/cm2", h.dxa_cv,
            f"cortex that remodels for itself, share {h.cortical_share:.2f}, and the block's mineral{known}",
            hip_abmd(mineral, column["activation_multiplier"], depth, h),
        ),
        Course(
            "qct_vbmd", "trabecular vBMD, QCT", "mgHA/cm3", d.qct_cv,
            f"mineral with marrow of {100 * d.fat_share:g} % fat, more as bone goes",
            qct_vbmd(mineral, bvtv, d),
        ),
        Course(
            "hr_pqct_vbmd", "trabecular vBMD, HR-pQCT", "mgHA/cm3", d.hr_pqct_cv,
            "mineral per tissue volume", mineral,
        ),
        Course("ctx", "CTX", "% of baseline", m.marker_cv, f"bone resorbed, {window}",
               from_total(column["resorbed_quanta"], m)),
        Course("p1np", "P1NP", "% of baseline", m.marker_cv, f"matrix formed, {window}",
               from_total(column["formed_quanta"], m)),
        Course("bsap", "BSAP", "% of baseline", m.marker_cv, f"forming surface, {window}",
               from_level(forming, m)),
        Course("osteocalcin", "osteocalcin", "% of baseline", m.marker_cv,
               f"matrix formed {m.osteocalcin_lag_day} d before, {window}",
               from_total(column["formed_quanta"], m, m.osteocalcin_lag_day)),
    ]  # fmt: skip


def _depth(table: "pd.DataFrame") -> tuple[NDArray[np.float64], str]:
    """Depth of cavities relative to health day by day, and a remark if the table has none."""
    if DEPTH in table:
        return table[DEPTH].to_numpy(np.float64), ""
    return np.ones(len(table)), "; no depth of cavities in this file: that of health"


def visits(
    table: "pd.DataFrame", p: ClinicParameters, seed: int, days: Iterable[int] | None = None,
    repeat: int = 0,
) -> "pd.DataFrame":  # fmt: skip
    """A tidy record: one row for each visit and quantity.

    Changes are since the table's first day; the read ones compare two noisy readings, as a clinic
    does. `beyond_lsc`: whether such a change exceeds the least significant change (ISCD).

    Args:
        table: the daily table of a run.
        p: parameters.
        seed: of the noise.
        days: the visits; every day if None.
        repeat: another number, another reading of the same visit.

    Raises:
        InputError: no such day, or the table lacks days, columns or mineral.
    """
    import pandas as pd

    found = courses(table, p)
    every = table["day"].to_numpy(np.int64)
    rows = _rows_of(every, days)
    parts = []
    for one in found:
        read = noisy(one.value, every, one.cv, seed, one.name, repeat)
        lsc = 100.0 * least_significant_change(one.cv)
        read_change = _change_percent(read)
        parts.append(
            pd.DataFrame(
                {
                    "day": every, "quantity": one.name, "what": one.what, "unit": one.unit,
                    "value": one.value, "read": read,
                    "change_percent": _change_percent(one.value),
                    "read_change_percent": read_change, "lsc_percent": lsc,
                    "beyond_lsc": np.abs(read_change) >= lsc, "method": one.method,
                }
            ).iloc[rows]
        )  # fmt: skip
    record = pd.concat(parts, ignore_index=True)
    return record.sort_values("day", kind="stable", ignore_index=True)


def _change_percent(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 100.0 * (values / values[0] - 1.0)


def _rows_of(every: NDArray[np.int64], days: Iterable[int] | None) -> NDArray[np.int64]:
    """The rows of the table that are visits."""
    if days is None:
        return np.arange(every.size)
    place = {int(day): row for row, day in enumerate(every)}
    for day in days:
        if day not in place:
            raise InputError(f"no day {day} in the run; it has days {every[0]} to {every[-1]}")
    return np.array([place[day] for day in days], np.int64)


def _check(table: "pd.DataFrame") -> None:
    missing = [name for name in NEEDED if name not in table]
    if missing:
        raise InputError(f"the daily table has no column {missing[0]}; is this a run of bonesim?")
    if not len(table):
        raise InputError("the daily table has no day yet; let the run go on")
