"""`age_and_starting_bone` on small bones: an old man's pool is smaller, little bone has more surface."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.experiments.conftest import EXPERIMENTS, both_forms, printed_and_drawn, script


@pytest.mark.long
@both_forms
def test_age_lowers_the_pool_and_little_bone_has_more_surface_to_lose_from(
    miniature: Callable[..., pd.DataFrame], tmp_path: Path, full: bool
) -> None:
    ages = script("age_and_starting_bone")
    stop, last = (150, 250) if full else (90, 140)
    results = miniature(
        EXPERIMENTS / "age_and_starting_bone" / "sweep.toml", seeds=1,
        where="age_year == 40 or age_year == 75 and preset == 'elderly_vertebra'",
        base={"specimen.size_mm": [1.5 if full else 1.2] * 3,
              "schedule.burn_in_day": 100 if full else 40,
              "protocol.anastrozole.stop_day": stop, "schedule.duration_day": last,
              "schedule.snapshots_day": [0, stop, last]},
    )  # fmt: skip
    little_bone = results["preset"] == "elderly_vertebra"
    pool = (
        results[(results["day"] == stop) & little_bone].groupby("age_year")["precursor_pool"].mean()
    )
    assert pool[75] < pool[40]
    table = ages.table_of(results)
    start, lost = (table[name]["mean"] for name in ("start_bvtv_percent", "bone_percent"))
    little, much = ages.BONES.values()
    assert start[much, 40] > 1.2 * start[little, 40]
    # All remodelling is on surfaces: little bone has more of it for each bit of bone.
    first = results[results["day"] == 0].drop_duplicates("preset").set_index("preset")
    surface = first["bstv_per_mm"] / first["bvtv_percent"]
    assert surface["elderly_vertebra"] > 1.15 * surface["young_vertebra"]
    stiffness = table["stiffness_percent"]["mean"]
    for bone in (little, much):
        assert stiffness[bone, 40] < 0 and lost[bone, 40] < 0
        if full:
            assert stiffness[bone, 40] < lost[bone, 40]
    assert (table["younger_dxa_percent"]["mean"].xs(40, level="age_year") == 0).all()
    words = printed_and_drawn(ages, table, tmp_path / "ages.png")
    assert f"| {little} | 75 |" in words
