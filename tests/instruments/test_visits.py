"""The record: one row per visit and quantity, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from bonesim.errors import InputError
from bonesim.instruments.visits import ClinicParameters, visits

QUANTITIES = [
    "ls_abmd",
    "th_abmd",
    "qct_vbmd",
    "hr_pqct_vbmd",
    "ctx",
    "p1np",
    "bsap",
    "osteocalcin",
]


@pytest.fixture
def table() -> pd.DataFrame:
    """A year in which mineral falls by a tenth, and resorption doubles on day 100."""
    day = np.arange(366)
    share = 1 - 0.1 * day / 365
    return pd.DataFrame(
        {
            "day": day, "bmd_mg_per_cm3": 85 * share, "bvtv_percent": 7.7 * share,
            "resorbed_quanta": 100 * day + 100 * np.maximum(day - 100, 0),
            "formed_quanta": 100 * day, "os_bs_percent": 6.0, "bstv_per_mm": 1.8,
            "activation_multiplier": np.where(day < 100, 1.0, 2.0), "depth_multiplier": 1.0,
        }
    )  # fmt: skip


def test_a_tidy_record(table: pd.DataFrame) -> None:
    record = visits(table, ClinicParameters(), 1, [0, 100, 365])
    assert record["day"].tolist() == [0] * 8 + [100] * 8 + [365] * 8
    assert record["quantity"].tolist() == QUANTITIES * 3
    last = record[record["day"] == 365].set_index("quantity")
    assert last.loc["ls_abmd", "change_percent"] == pytest.approx(-5.0)
    assert last.loc["ls_abmd", "lsc_percent"] == pytest.approx(
        277 * ClinicParameters().density.dxa_cv
    )
    assert "k = 0.50" in last.loc["ls_abmd", "method"]
    assert last.loc["hr_pqct_vbmd", "value"] == pytest.approx(76.5)
    assert last.loc["qct_vbmd", "change_percent"] < -11
    assert last.loc["ctx", "value"] == pytest.approx(155)
    assert last.loc["p1np", "value"] == pytest.approx(100)
    assert last.loc["bsap", "unit"] == "% of baseline"
    assert not record.isna().any(axis=None)


def test_visits_are_rows_of_every_day(table: pd.DataFrame) -> None:
    """What is read on a day does not depend on the other visits."""
    every = visits(table, ClinicParameters(), 1)
    assert len(every) == 8 * 366
    some = visits(table, ClinicParameters(), 1, [0, 100, 365])
    picked = every[every["day"].isin([0, 100, 365])].reset_index(drop=True)
    pd.testing.assert_frame_equal(picked, some)


@pytest.mark.long
def test_beyond_the_least_significant_change(table: pd.DataFrame) -> None:
    """Where nothing changes, two visits differ that much in 5 % of pairs; CTX doubled, mostly."""
    flat = table.assign(bmd_mg_per_cm3=85.0, bvtv_percent=7.7)
    found = pd.concat(visits(flat, ClinicParameters(), seed, [365]) for seed in range(600))
    beyond = found.groupby("quantity")["beyond_lsc"].mean()
    for name in ("ls_abmd", "hr_pqct_vbmd", "qct_vbmd"):
        assert 0.02 < beyond[name] < 0.08
    assert beyond["ctx"] > 0.7


def test_seed_and_repeat_change_the_noise_only(table: pd.DataFrame) -> None:
    p = ClinicParameters()
    one, other, again = visits(table, p, 1), visits(table, p, 2), visits(table, p, 1, repeat=1)
    for second in (other, again):
        assert second["value"].equals(one["value"])
        assert (second["read"] != one["read"]).all()


def test_what_is_refused(table: pd.DataFrame) -> None:
    p = ClinicParameters()
    with pytest.raises(InputError, match="no day 366 in the run; it has days 0 to 365"):
        visits(table, p, 1, [366])
    with pytest.raises(InputError, match="no day yet"):
        visits(table.iloc[:0], p, 1)
    with pytest.raises(InputError, match="no column formed_quanta"):
        visits(table.drop(columns="formed_quanta"), p, 1)
    with pytest.raises(InputError, match="no bone mineral"):
        visits(table.assign(bmd_mg_per_cm3=0.0), p, 1)
