"""Members of the posterior in runs, sweeps and trials; medians, bands and the parts of the spread."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bonesim
from bonesim.analysis import bands as analysis
from bonesim.analysis.bands import BONE, CHANCE, MEMBER, TREATED, TWIN
from bonesim.config.changes import value_at
from bonesim.config.config import load_config, tree_of, validated
from bonesim.errors import InputError
from bonesim.sweeps.ensemble import Ensemble
from bonesim.sweeps.members import all_members, members
from bonesim.sweeps.study import Study
from bonesim.trials.trial import Trial
from bonesim.viewer.bands import draw

ROOT = Path(__file__).parents[2]
CONFIG: dict[str, Any] = {
    "specimen": {"kind": "synthetic", "size_mm": [0.8, 0.8, 0.8], "voxel_um": 25.0, "seed": 4},
    "hormones": {"course": {"kind": "stepped", "steps": [{"start_day": 0, "e2_pg_per_ml": 0.5}]}},
    "mechanics": {"interval_day": 0},
    "schedule": {"burn_in_day": 30, "duration_day": 40, "snapshots_day": [0, 40]},
    "seed": 9,
}


def parameters_of(text: str) -> dict[str, float]:
    """The values that a resolved config has for the parameters of a member."""
    import tomllib

    tree = tree_of(validated(tomllib.loads(text), "point"))
    return {path: value_at(tree, path) for path in all_members()[0]}


def test_every_member_is_a_configuration() -> None:
    assert len(all_members()) >= 100
    for member in all_members():
        config = load_config(ROOT / "configs/suppression_small.toml", dict(member))
        assert {path: value_at(tree_of(config), path) for path in member} == pytest.approx(member)
    # None is a point of what comes back: w and tau differ between members.
    for path in ("births_adaptation", "depth_adaptation", "setpoint_tau_year"):
        values = [member[f"hormones.response.{path}"] for member in all_members()]
        assert np.std(values) > 0.05 * np.mean(values)


def test_the_package_ships_what_the_calibration_wrote() -> None:
    shipped = ROOT / "bonesim/sweeps/posterior.csv"
    assert shipped.read_bytes() == (ROOT / "experiments/calibration/posterior.csv").read_bytes()


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_more_members_than_there_are_is_one_line(count: int) -> None:
    with pytest.raises(InputError, match=r"allowed 1 to \d+ members"):
        members(count)


def test_an_ensemble_is_members_on_bones_of_their_own_beside_their_twins() -> None:
    what = Ensemble(validated(CONFIG, "test"), 5, 2)
    points = what.points()
    table = pd.DataFrame([one.columns for one in points])
    assert table.groupby(["role", "arm"]).size().to_dict() == {
        (role, arm): n for role, n in ((MEMBER, 5), (BONE, 2), (CHANCE, 2))
        for arm in (TREATED, TWIN)
    }  # fmt: skip
    of_members = [p for p in points if p.columns["role"] == MEMBER]
    for point in of_members:
        assert parameters_of(point.config) == pytest.approx(members(5)[point.columns["number"]])
    others = [p for p in points if p.columns["role"] != MEMBER]
    assert len({tuple(parameters_of(p.config).values()) for p in others}) == 1
    import tomllib

    trees = {(p.columns["role"], p.columns["number"], p.columns["arm"]): tomllib.loads(p.config)
             for p in points}  # fmt: skip
    bones = {key: (tree["specimen"]["seed"], tree["seed"]) for key, tree in trees.items()}
    # A twin shares bone and random numbers, and no two members do.
    for role, number, _ in bones:
        assert bones[role, number, TREATED] == bones[role, number, TWIN]
    assert len({bones[MEMBER, k, TREATED][0] for k in range(5)}) == 5
    # Chance: one bone, other random numbers.
    assert (
        bones[CHANCE, 0, TREATED][0] == bones[CHANCE, 1, TREATED][0] == bones[BONE, 0, TREATED][0]
    )
    assert len({bones[role, k, TREATED][1] for role in (BONE, CHANCE) for k in range(2)}) == 4
    with pytest.raises(InputError, match="allowed 0"):
        Ensemble(validated(CONFIG, "test"), 5, 1)


def test_an_untreated_configuration_has_no_twin() -> None:
    untreated = validated({**CONFIG, "hormones": {}}, "test")
    assert {p.columns["arm"] for p in Ensemble(untreated, 2, 0).points()} == {TREATED}


def test_a_sweep_over_members(tmp_path: Path) -> None:
    """Each replicate of every row has one member and one bone; what the design varies stays its own."""
    (tmp_path / "base.toml").write_text('[specimen]\nkind = "synthetic"\n')
    study = tmp_path / "study.toml"
    study.write_text(
        'title = "t"\nbase = "base.toml"\n[design]\n[[design.variable]]\n'
        'path = "cells.bmu.origination_per_mm2_per_year"\nvalues = [1.0, 4.0]\n'
    )
    what = Study(study, posterior=3)
    assert len(what.points()) == 6
    for point in what.points():
        found = parameters_of(point.config)
        wanted = dict(members(3)[point.replicate])
        varied = "cells.bmu.origination_per_mm2_per_year"
        assert found.pop(varied) == point.columns[varied]
        wanted.pop(varied, None)
        assert found == pytest.approx(wanted)
    again = tmp_path / "again.toml"
    again.write_text(what.text)
    assert [p.id for p in Study(again).points()] == [p.id for p in what.points()]
    with pytest.raises(InputError, match="members"):
        Study(study, posterior=9_999)


def test_a_trial_over_members() -> None:
    """Persons on one bone share its member; a factor of a person is one on the member's value."""
    path = ROOT / "configs/burnett_bowie_2009.toml"
    plain, over = Trial(path), Trial(path, posterior=2)
    rankl = "hormones.response.rankl_exponent"
    for before, after in zip(plain.points()[:8], over.points()[:8], strict=True):
        member = members(2)[after.columns["bone"] % 2]
        found = parameters_of(after.config)
        tau = "hormones.response.setpoint_tau_year"
        assert found[tau] == pytest.approx(member[tau])
        usual = value_at(tree_of(plain.base), rankl)
        factor = parameters_of(before.config)[rankl] / usual
        assert found[rankl] == pytest.approx(factor * member[rankl])
        # The table of persons has what is simulated.
        assert after.columns["rankl_exponent"] == pytest.approx(found[rankl])
        assert after.columns["member"] == after.columns["bone"] % 2


def made(seed: int, n: int, parts: tuple[float, float, float]) -> pd.DataFrame:
    """Results whose difference from the twin has SDs `parts` by parameters, bones and chance."""
    chance = np.random.default_rng(seed)
    _, by_bones, by_chance = parts
    rows = []
    for role, size, sds in ((MEMBER, n, parts), (BONE, n, (0.0, by_bones, by_chance)),
                            (CHANCE, n, (0.0, 0.0, by_chance))):  # fmt: skip
        for number in range(size):
            change = -10.0 + sum(sd * chance.standard_normal() for sd in sds)
            for arm, bvtv in ((TREATED, 10.0 * (1 + change / 100)), (TWIN, 10.0)):
                rows.append(
                    {"role": role, "number": number, "arm": arm, "day": 0, "bvtv_percent": 11}
                )
                rows.append(
                    {"role": role, "number": number, "arm": arm, "day": 9, "bvtv_percent": bvtv}
                )
    return pd.DataFrame(rows)


@pytest.mark.parametrize("parts", [(3.0, 1.0, 1.0), (1.0, 3.0, 1.0), (0.5, 0.5, 3.0)])
def test_the_spread_is_split_into_what_it_was_made_of(parts: tuple[float, float, float]) -> None:
    table = analysis.bands(made(1, 3000, parts)).set_index("day").loc[9]
    total = sum(part**2 for part in parts)
    found = [table[f"share_{name}"] for name in ("parameters", "bones", "chance")]
    assert found == pytest.approx([part**2 / total for part in parts], abs=0.08)
    assert sum(found) == pytest.approx(1.0)
    assert table["median"] == pytest.approx(-10.0, abs=0.3)
    assert table["high"] - table["low"] == pytest.approx(2 * 1.645 * np.sqrt(total), rel=0.06)


def test_the_parts_of_the_spread_are_drawn_as_they_are_in_the_table() -> None:
    results = made(3, 40, (3.0, 1.0, 1.0))
    figure = draw(results).figure
    panel, parts = figure.axes
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "median", "5th to 95th percentile of the members",
        "a member of the posterior (straight between snapshots)",
    ]  # fmt: skip
    assert panel.get_title(loc="left") == r"$\bf{a}$  BV/TV, n = 40"
    assert parts.get_title(loc="left") == r"$\bf{b}$  what the spread is of"
    table = analysis.bands(results).set_index("day").loc[9]
    widths = [bar.get_width() for bar in parts.patches]
    assert widths == pytest.approx(
        [100 * table[f"share_{name}"] for name in ("parameters", "bones", "chance")]
    )
    assert panel.lines[-2].get_ydata()[-1] == pytest.approx(table["median"])


def test_without_runs_for_it_the_spread_is_not_split() -> None:
    table = analysis.bands(made(2, 12, (1.0, 1.0, 1.0)).query("role == 'member'"))
    assert table["share_parameters"].isna().all()
    assert "spread" not in analysis.text(table)


def test_what_is_back_counts_members_that_lost_something() -> None:
    rows = [
        {"role": MEMBER, "number": k, "arm": arm, "day": day, "bvtv_percent": value}
        for k, (lost, back) in enumerate([(10.0, 4.0), (5.0, 5.0), (-1.0, 3.0)])
        for arm, values in ((TREATED, (100.0, 100 - lost, 100 - lost + back)), (TWIN, (100.0,) * 3))
        for day, value in zip((0, 5, 9), values, strict=True)
    ]
    row = analysis.regained(pd.DataFrame(rows), 5, 9).iloc[0]
    assert (row["n"], row["lost"]) == (3, 2)
    assert row["median"] == pytest.approx(70.0)  # of 40 and 100 %


@pytest.mark.long
def test_an_ensemble_is_simulated_resumed_and_drawn(tmp_path: Path) -> None:
    place = tmp_path / "ensemble"
    table = bonesim.run_posterior(CONFIG, place, posterior=2, split=2, workers=1)
    assert table.attrs["missing"] == 0
    assert set(table["n"]) == {2}
    assert {"bmd_mg_per_cm3", "bvtv_percent"} <= set(table["quantity"])
    on_day_0 = table[table["day"] == 0]
    assert np.allclose(on_day_0[["median", "low", "high"]], 0.0)
    assert bonesim.bands(place).equals(table)
    figure = bonesim.plot_bands(place, tmp_path / "bands.png")
    assert figure.axes[0].get_title(loc="left") == r"$\bf{a}$  BMD, n = 2"
    assert (tmp_path / "bands.csv").read_text().count("\n") == len(table) + 1
    with pytest.raises(InputError, match="another study"):
        bonesim.run_posterior({**CONFIG, "seed": 10}, place, posterior=2, split=0, workers=1)
