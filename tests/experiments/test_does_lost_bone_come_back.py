"""The experiment's reading of run files, on hand-made numbers."""

from types import ModuleType, SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from tests.experiments.conftest import script


@pytest.fixture(scope="module")
def experiment() -> ModuleType:
    return script("does_lost_bone_come_back")


def run(
    values: list[float], there: dict[float, list[tuple[int, str]]], opened: tuple[int, ...] = ()
) -> Any:
    """What is read of a run: the same value of every measure at days 0, 1825 and 2920, and its breaks."""
    days = [0.0, 1825.0, 2920.0]
    table = pd.DataFrame({"day": days, **dict.fromkeys(("bvtv_percent", "bmd_mg_per_cm3"), values)})
    structure = pd.DataFrame(
        {"day": days, **dict.fromkeys(("bvtv_percent", "tb_th_um", "conn_d_per_mm3"), values)}
    )
    every = {k: (k, "opening" if k in opened else kind, "there" if k in opened else "closed")
             for rows in there.values() for k, kind in rows}  # fmt: skip
    return SimpleNamespace(
        table=table, snapshot_table=structure, snapshot_days=days,
        breaks=pd.DataFrame(list(every.values()), columns=["id", "kind", "state"]),
        breaks_there=lambda day: pd.DataFrame(there.get(day, []), columns=["id", "kind"]),
    )  # fmt: skip


def test_half_of_what_is_missing_against_the_twin_is_back(experiment: ModuleType) -> None:
    """The twin loses too: its loss is none of the treatment's."""
    found = experiment.pair(run([10.0, 7.2, 7.2], {}), run([10.0, 9.0, 8.0], {}))
    assert found.missing["tb_th_um"].tolist() == pytest.approx([0.0, 20.0, 10.0])
    assert experiment.back(found.missing)["bvtv_percent"] == pytest.approx(50.0)


def test_breaks_are_followed_by_their_ids(experiment: ModuleType) -> None:
    """Of four at the stop two stay, one reaches an edge, one closes; a late one counts nowhere."""
    stop = [(1, "hole"), (2, "hole"), (3, "hole"), (4, "cut")]
    end = [(1, "hole"), (2, "opening"), (4, "cut"), (5, "hole")]
    treated = run([1.0] * 3, {1825.0: stop, 2920.0: end}, opened=(2,))
    found = experiment.pair(treated, run([1.0] * 3, {1825.0: [(9, "hole")]}))
    assert found.there == ({"hole": 3, "cut": 1}, {"hole": 1, "cut": 0})
    assert (found.kept, found.opened) == (2, 1)


def test_a_ratio_has_its_exact_interval(experiment: ModuleType) -> None:
    middle, low, high = experiment.ratio(30, 20)
    assert middle == pytest.approx(1.5)
    assert 0.8 < low < 1.0 < high < 2.8
    assert experiment.ratio(4, 0)[2] == float("inf")
