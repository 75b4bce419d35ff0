"""Total hip: what its operator must keep to, whatever its parameters."""

import numpy as np
import pandas as pd
import pytest

from bonesim.errors import InputError
from bonesim.instruments.cortex import CortexCourse, CortexParameters, cortical_shell
from bonesim.instruments.hip import HipParameters, hip_abmd
from bonesim.instruments.visits import ClinicParameters, visits
from bonesim.reports import clinic

YEARS = 5 * 365 + 1


def stepped(
    first: float, then: float, days: int = YEARS, back_day: int | None = None
) -> np.ndarray:
    """A level on day 0, another from day 1 on, the first again from a day on."""
    found = np.full(days, then)
    found[0] = first
    if back_day is not None:
        found[back_day:] = first
    return found


def loss(
    activation: float, depth: float, p: CortexParameters | None = None, days: int = YEARS
) -> float:
    """Mineral of the shell that is gone after some days, %."""
    shell = cortical_shell(
        stepped(1, activation, days), stepped(1, depth, days), p or CortexParameters()
    )
    return 100 * (1 - shell.mineral[-1] / shell.mineral[0])


@pytest.mark.parametrize("births", [0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("share", [0.0, 0.65, 1.0])
def test_nothing_changes_if_nothing_changes(births: float, share: float) -> None:
    """At any births: cavities of the depth of health are refilled but for a canal as it was."""
    flat = np.ones(YEARS)
    abmd = hip_abmd(85 * flat, births * flat, flat, HipParameters(cortical_share=share))
    assert np.ptp(abmd) < 1e-12
    shallow = cortical_shell(births * flat, 0.7 * flat, CortexParameters())
    assert all(np.ptp(values) < 1e-12 for values in shallow)


def test_what_is_not_bone_is_canal_cavity_or_marrow() -> None:
    shell = cortical_shell(stepped(0.8, 2), stepped(1, 1.4), CortexParameters())
    whole = shell.bone + shell.canals + shell.open + shell.thinned
    np.testing.assert_allclose(whole, 1.0, rtol=0, atol=1e-12)
    assert (np.diff(shell.thinned) >= 0).all() and shell.thinned[-1] > 0


def test_births_at_the_depth_of_health_take_only_what_comes_back() -> None:
    """Open space and mineral, no canals and no thickness: all is back three years after."""
    p = CortexParameters()
    births = stepped(1, 2, 2 * YEARS, back_day=YEARS)
    shell = cortical_shell(births, np.ones(2 * YEARS), p)
    lost = shell.mineral / shell.mineral[0] - 1
    assert lost[YEARS - 1] < -0.02
    assert shell.thinned[-1] == 0.0
    assert abs(lost[YEARS + 3 * 365]) < 0.1 * abs(lost[YEARS - 1])
    assert shell.canals[-1] == pytest.approx(shell.canals[0], rel=0.005)


def test_depth_takes_what_stays() -> None:
    """After the depth of health is back, canals stay wide and the shell thin; open space is back."""
    back = YEARS
    shell = cortical_shell(
        stepped(1, 2, 3 * YEARS, back), stepped(1, 1.4, 3 * YEARS, back), CortexParameters()
    )
    lost = 1 - shell.mineral / shell.mineral[0]
    assert 0.25 < lost[-1] / lost[back - 1] < 0.9
    assert shell.open[-1] == pytest.approx(shell.open[0], rel=0.15)
    assert shell.canals[-1] > 1.05 * shell.canals[0]


def test_more_births_and_deeper_cavities_take_more() -> None:
    by_births = [loss(births, 1.2) for births in (0.5, 1, 1.5, 2, 3)]
    by_depth = [loss(1.5, depth) for depth in (0.8, 1, 1.1, 1.3, 1.6)]
    by_turnover = [
        loss(1.8, 1.2, CortexParameters(turnover_percent_per_year=rate)) for rate in (1, 2, 4, 8)
    ]
    for losses in (by_births, by_depth, by_turnover):
        assert (np.diff(losses) > 0).all()
    assert by_births[0] < 0 < by_births[2]


def test_mineral_comes_after_bone() -> None:
    """A year after births have fallen bone is back, and its mineral still comes."""
    days = YEARS + 3 * 365
    births = stepped(1, 2.5, days, back_day=YEARS)
    shell = cortical_shell(births, np.ones(days), CortexParameters())
    bone, mineral = (values / values[0] - 1 for values in (shell.bone, shell.mineral))
    year = YEARS + 365
    assert abs(bone[year]) < 0.1 * abs(bone[YEARS - 1])
    assert mineral[year] < 2 * bone[year] < 0 or mineral[year] < -0.002
    assert (np.diff(mineral[YEARS + 200 :: 100]) > 0).all()


def test_open_space_is_births_times_the_days_a_cavity_is_open() -> None:
    """By hand: a triangle of 30 d, a rest of 30 d, and 120 d from the cavity to its canal."""
    p = CortexParameters(endosteal_activation_per_year=0.0)
    shell = cortical_shell(np.ones(1), np.ones(1), p)
    per_day = 0.04 / 365.25
    canal = 0.10
    by_hand = per_day * (15 + 30 + (1 + canal) / 2 * 120)
    assert shell.open[0] == pytest.approx(by_hand, rel=0.01)


def test_hip_is_cortex_and_block_by_their_share() -> None:
    mineral = np.linspace(80, 70, YEARS)
    births, depth = stepped(1, 1.7), stepped(1, 1.2)
    shell = cortical_shell(births, depth, CortexParameters()).mineral
    for share in (0.0, 0.4, 1.0):
        abmd = hip_abmd(mineral, births, depth, HipParameters(cortical_share=share))
        expected = share * shell[-1] / shell[0] + (1 - share) * mineral[-1] / mineral[0]
        assert abmd[0] == HipParameters().baseline_abmd_g_per_cm2
        assert abmd[-1] / abmd[0] == pytest.approx(expected, rel=1e-12)


def test_a_course_cut_short_is_the_beginning_of_the_course() -> None:
    births, depth = stepped(1, 2), stepped(1, 1.3)
    whole = cortical_shell(births, depth, CortexParameters())
    part = cortical_shell(births[:700], depth[:700], CortexParameters())
    assert part.mineral.tolist() == whole.mineral[:700].tolist()
    assert isinstance(part, CortexCourse)


@pytest.mark.parametrize("wrong", [np.nan, -0.1, np.inf])
def test_no_number_no_hip(wrong: float) -> None:
    ones = np.ones(10)
    with pytest.raises(InputError, match="activation_multiplier of the daily table"):
        cortical_shell(np.where(np.arange(10) == 5, wrong, ones), ones, CortexParameters())
    with pytest.raises(InputError, match="depth_multiplier of the daily table"):
        cortical_shell(ones, np.where(np.arange(10) == 5, wrong, ones), CortexParameters())


def test_more_cavities_than_cortex_are_refused() -> None:
    p = CortexParameters(turnover_percent_per_year=40)
    with pytest.raises(InputError, match="all of its cortex by day 0; give a lower turnover"):
        cortical_shell(np.full(10, 20.0), np.ones(10), p)


def daily(**more: float) -> pd.DataFrame:
    day = np.arange(366)
    return pd.DataFrame(
        {
            "day": day, "bmd_mg_per_cm3": 85 - 0.01 * day, "bvtv_percent": 7.7,
            "resorbed_quanta": 100 * day, "formed_quanta": 100 * day, "os_bs_percent": 6.0,
            "bstv_per_mm": 1.8, "activation_multiplier": stepped(1, 1.5, 366), **more,
        }
    )  # fmt: skip


def test_a_file_without_depth_is_read_as_health_and_the_method_states_it() -> None:
    of_earlier, flat = (
        visits(one, ClinicParameters(), 1, [365]) for one in (daily(), daily(depth_multiplier=1.0))
    )
    hip = of_earlier[of_earlier["quantity"] == "th_abmd"].iloc[0]
    same = flat[flat["quantity"] == "th_abmd"].iloc[0]
    assert hip["value"] == same["value"]
    assert "no depth of cavities in this file" in hip["method"]
    assert "no depth" not in same["method"]


@pytest.mark.parametrize("share", [0.3, 0.65, 1.0])
def test_the_text_states_the_hip_at_other_shares(share: float) -> None:
    p = ClinicParameters(hip=HipParameters(cortical_share=share))
    table = daily(depth_multiplier=1.1)
    record = visits(table, p, 1, [0, 365])
    record.attrs["parameters"] = p.model_dump()
    line = next(one for one in clinic.text(record).splitlines() if one.startswith("total hip:"))
    ends = []
    for other in (0.5, 0.8):
        given = ClinicParameters(hip=HipParameters(cortical_share=other))
        rows = visits(table, given, 1, [365]).set_index("quantity")
        ends.append(f"{rows.loc['th_abmd', 'change_percent']:+.1f}")
    assert f"changes by {ends[0]} and {ends[1]} % until day 365" in line
