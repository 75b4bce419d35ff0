"""`do_plates_perforate`: what its tables make of looks and breaks that are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.experiments.conftest import printed_and_drawn, script

answer = script("do_plates_perforate")


def looks() -> pd.DataFrame:
    """Two synthetic bones and one of the library, both arms: suppression takes 10 %, half comes back."""
    rows = []
    for bone, size in (("young_vertebra", 10.0), ("elderly_vertebra", 10.0), ("bonebox-1-2", 20.0)):
        for seed in (1, 2, 3):
            for e2, kept in ((7.0, (1.0, 0.9, 0.95)), (25.0, (1.0, 1.0, 1.0))):
                for day, part in zip((0.0, 1825.0, 2920.0), kept, strict=True):
                    values = dict.fromkeys(answer.MEASURES, part * (100.0 + seed))
                    # Suppressed: two holes each, of a block of `size`.
                    values["conn_d_per_mm3"] = 5.0 + (2.0 / size if e2 == 7.0 and day > 0 else 0.0)
                    rows.append({"bone": bone, "group": answer.kind_of(bone), "seed": seed,
                                 "e2_pg_per_ml": e2, "day": day, "bmus_born": 100 * day / 1825,
                                 "volume_mm3": size, **values})  # fmt: skip
    return pd.DataFrame(rows)


def breaks() -> pd.DataFrame:
    rows = [
        {"bone": bone, "group": answer.kind_of(bone), "seed": seed, "e2_pg_per_ml": 7.0,
         "kind": kind, "state": state, "connections": made, "found_day": 91.0 * k,
         "thickness_um": 60.0, "load": 0.5}
        for bone in ("young_vertebra", "elderly_vertebra", "bonebox-1-2")
        for seed in (1, 2, 3)
        for k, (kind, state, made) in enumerate(
            [("hole", "there", 1.0), ("hole", "closed", 1.0), ("hole", "merged", 0.0)], 1
        )
    ]  # fmt: skip
    late = {**rows[0], "found_day": 2500.0}
    return pd.DataFrame([*rows, late])


def test_counts_are_those_of_five_years_and_agree_with_the_network() -> None:
    table = answer.rates(looks(), breaks())
    assert list(table.columns) == ["elderly_vertebra", "young_vertebra", "library"]
    young = table["young_vertebra"]
    assert (young["bones"], young["holes, suppressed"], young["holes, health"]) == (3, 6, 0)
    assert young["% of BMUs, suppressed"] == "2.00"
    assert young["holes /mm3 in five years, suppressed"] == "0.20"
    both = answer.agreement(looks(), breaks())
    np.testing.assert_allclose(both["change"], both["breaks"])
    assert answer.classes(breaks(), "thickness_um")["50 to 80 um"].tolist() == [6, 6, 6]
    assert answer.classes(breaks(), "load")["0 to 0.7 u"].tolist() == [6, 6, 6]


def test_a_ratio_of_counts_has_its_exact_interval() -> None:
    assert answer.ratio(0, 0) == "none"
    assert answer.ratio(5, 0) == "inf (0.9 to inf)"
    assert answer.ratio(40, 20) == "2.0 (1.1 to 3.6)"


def test_what_returns_is_a_share_of_what_was_lost(tmp_path: Path) -> None:
    table = answer.effects(looks()).set_index(["kind", "measure"])
    for kind in answer.KINDS:
        row = table.loc[(kind, "BV/TV")]
        assert row["effect"].startswith("-10.0")
        assert row["after"].startswith("-5.0")
        assert row["back"].startswith("50")
        assert table.loc[(kind, "Conn.D"), "effect"].startswith("+")
    printed = printed_and_drawn(answer, answer.effects(looks()), tmp_path / "plates.png")
    assert "| library | BV/TV |" in printed
    assert pytest.approx(3) == int(table["n"].iloc[0])
