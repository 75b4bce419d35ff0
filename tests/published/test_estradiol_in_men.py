"""What was measured in men under aromatase inhibitors, against the axis; guide M7.2.

An immunoassay reads other steroids as estradiol (`hormones.assay`), so a published baseline by
immunoassay is the true level and that constant, and the simulated level is read the same way.
A row is met if the simulated value lies within the published mean and its SD; where no SD is
published, within 25 % (assumed: assays differ by up to 1.7 times between papers, targets "Read
first" 5). Rows that are not met are listed with the reason, and must stay unmet: a listed miss
that is met is an error too.
"""

from typing import Any, NamedTuple

import numpy as np
import pytest

from bonesim.endocrine.assay import AssayParameters
from bonesim.endocrine.axis import AxisParameters
from bonesim.endocrine.blood import Blood, simulate_blood
from bonesim.endocrine.formulary import DrugParameters
from bonesim.endocrine.protocol import ProtocolParameters

CROSS = AssayParameters().cross_reacting_pg_per_ml
DAILY, TWICE = {"dose_mg": 1.0}, {"dose_mg": 1.0, "times_per_week": 2}


class Row(NamedTuple):
    """One finding: `quantity` is t, e2 (read by immunoassay), lh, shbg, or one of these "/0"."""

    study: str
    protocol: dict[str, Any]
    weeks: float
    quantity: str
    published: float
    sd: float | None = None
    miss: str = ""


def man(t: float, e2_by_immunoassay: float, **drugs: Any) -> dict[str, Any]:
    return {"t_ng_per_dl": t, "e2_pg_per_ml": e2_by_immunoassay - CROSS, **drugs}


LEDER_D = man(343, 26, anastrozole=DAILY)
LEDER_W = man(397, 27, anastrozole=TWICE)
BURNETT = man(319, 15, anastrozole=DAILY)
YOUNG = man(600, 30, age_year=20, anastrozole=DAILY)
VELDHUIS = man(500, 28, anastrozole=DAILY)
TAXEL = man(450, 26, age_year=70, anastrozole={"dose_mg": 2.0})
TSJOEN = man(550, 26, letrozole={"dose_mg": 2.5})
RAVEN_LOW = man(550, 31, age_year=30, letrozole={"dose_mg": 2.5})
RAVEN_HIGH = {**RAVEN_LOW, "estradiol_patch": {"dose_ug_per_day": 90.0}}
#: Dose and own estradiol chosen so that replacement alone gives the published 616 and 65.
TRT = man(250, 37, testosterone_cypionate={"dose_mg": 72.0, "start_day": -200})
TRT_AI = {**TRT, "anastrozole": {"dose_mg": 0.5, "times_per_week": 3}}
CASTRATE = man(500, 31, gnrh_agonist={"dose_mg": 3.6}, testosterone_gel={"dose_mg": 50.0},
               anastrozole=DAILY)  # fmt: skip
YOUNG_EXEMESTANE = man(600, 30, age_year=20, exemestane={"dose_mg": 25.0})
LETROZOLE = (
    "under letrozole T and LH rose more than under anastrozole, to which the feedback is fit"
)

ROWS = [
    Row("Leder 2004, 1 mg/d", LEDER_D, 12, "t", 572, 139),
    Row("Leder 2004, 1 mg/d", LEDER_D, 12, "e2", 17, 6),
    Row("Leder 2004, 1 mg/d", LEDER_D, 12, "lh/0", 7.9 / 5.1, 6.5 / 5.1),
    Row("Leder 2004, 1 mg 2x/week", LEDER_W, 12, "t", 520, 91),
    Row("Leder 2004, 1 mg 2x/week", LEDER_W, 12, "e2", 17, 5),
    Row("Leder 2004, 1 mg 2x/week", LEDER_W, 12, "lh/0", 7.2 / 4.1, 2.8 / 4.1),
    Row("Burnett-Bowie 2009, month 3", BURNETT, 13, "t", 524, 139),
    Row("Burnett-Bowie 2009, month 3", BURNETT, 13, "e2", 12, 4),
    Row("Burnett-Bowie 2009, 1 year", BURNETT, 52, "t", 474, 145),
    Row("Burnett-Bowie 2009, 1 year", BURNETT, 52, "e2", 12, 4),
    Row("Mauras 2000, 10 weeks", YOUNG, 10, "t/0", 1.58),
    Row("Mauras 2000, 10 days", YOUNG, 10 / 7, "e2/0", 0.50),
    Row("Veldhuis 2005", VELDHUIS, 1, "e2/0", 0.50),
    Row("Veldhuis 2005", VELDHUIS, 2, "lh/0", 2.1),
    Row("Taxel 2001, 2 mg/d", TAXEL, 9, "t/0", 1.56),
    Row("Taxel 2001, 2 mg/d", TAXEL, 9, "e2/0", 0.71),
    Row("Taxel 2001, 2 mg/d", TAXEL, 9, "shbg/0", 0.84),
    Row("T'Sjoen 2005, young", TSJOEN, 4, "t/0", 2.46, miss=LETROZOLE),
    Row("T'Sjoen 2005, old", TSJOEN, 4, "t/0", 1.99),
    Row("T'Sjoen 2005, young", TSJOEN, 4, "e2/0", 0.54),
    Row("T'Sjoen 2005, old", TSJOEN, 4, "e2/0", 0.38),
    Row("T'Sjoen 2005, young", TSJOEN, 4, "lh/0", 4.39, miss=LETROZOLE),
    Row("T'Sjoen 2005, old", TSJOEN, 4, "lh/0", 4.23, miss=LETROZOLE),
    Row("Raven 2006, letrozole", RAVEN_LOW, 12, "t", 955),
    Row("Raven 2006, letrozole", RAVEN_LOW, 12, "e2", 12.6),
    Row("Raven 2006, letrozole and patches", RAVEN_HIGH, 12, "e2", 68.6),
    Row("Raven 2006, letrozole and patches", RAVEN_HIGH, 12, "t", 179),
    Row("TRT alone", TRT, 12, "t", 616),
    Row("TRT alone", TRT, 12, "e2", 65),
    Row("TRT and 0.5 mg 3x/week", TRT_AI, 12, "t", 596),
    Row("TRT and 0.5 mg 3x/week", TRT_AI, 12, "e2", 22,
        miss="what no inhibitor reaches, set by women, is a little too much on replacement"),
    Row("goserelin, T gel and 1 mg/d", CASTRATE, 12, "true e2", 2.0, 1.0),
    Row("Mauras 2003", YOUNG_EXEMESTANE, 10 / 7, "e2/0", 0.62, 0.24),
    Row("Mauras 2003", YOUNG_EXEMESTANE, 10 / 7, "t/0", 1.60, 0.58),
]  # fmt: skip


def simulated(row: Row) -> float:
    """The mean of the last week (a laboratory draws blood on any day of it)."""
    until = row.weeks * 7.0
    blood: Blood = simulate_blood(
        ProtocolParameters.model_validate(row.protocol),
        DrugParameters(),
        AxisParameters(),
        until,
        1,
    )
    name, _, ratio = row.quantity.partition("/")
    levels = {
        "t": blood.t_ng_per_dl, "e2": blood.e2_pg_per_ml + CROSS, "lh": blood.lh_iu_per_l,
        "shbg": blood.shbg_nmol_per_l, "true e2": np.maximum(blood.e2_pg_per_ml, 1.0),
    }[name]  # fmt: skip
    last = float(levels[blood.day > until - min(7.0, until / 2)].mean())
    return last / float(levels[0]) if ratio else last


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.study}: {r.quantity}")
def test_published(row: Row) -> None:
    room = row.sd if row.sd is not None else 0.25 * row.published
    found = simulated(row)
    met = abs(found - row.published) <= room
    if row.miss:
        assert not met, f"{found:.3g} is within {row.published:.3g} +/- {room:.3g}: strike the miss"
        pytest.xfail(f"{found:.3g} against {row.published:.3g} +/- {room:.3g}: {row.miss}")
    assert met, f"simulated {found:.3g}, published {row.published:.3g} +/- {room:.3g}"


@pytest.mark.parametrize(
    ("protocol", "direction"),
    [(LEDER_D, 1), (LEDER_W, 1), (BURNETT, 1), (YOUNG, 1), (VELDHUIS, 1), (TAXEL, 1),
     (TSJOEN, 1), (RAVEN_LOW, 1), (RAVEN_HIGH, -1), (TRT, -1), (TRT_AI, -1), (CASTRATE, -1)],
)  # fmt: skip
def test_lh_goes_the_right_way(protocol: dict[str, Any], direction: int) -> None:
    """Up when an inhibitor lowers estradiol, down under testosterone, estradiol or an agonist."""
    found = simulated(Row("", protocol, 12, "lh/0", 0))
    assert direction * (found - 1.0) > 0.2
