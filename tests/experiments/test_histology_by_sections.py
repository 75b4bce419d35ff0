"""Biopsies of several small blocks, pooled beside what health shows."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from tests.experiments.conftest import EXPERIMENTS


@pytest.fixture(scope="module")
def compare() -> ModuleType:
    place = EXPERIMENTS / "histology_by_sections" / "compare.py"
    spec = importlib.util.spec_from_file_location("compare_histology", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reading(symbol: str, of: str, values: tuple[float, float], inside: str) -> dict[str, object]:
    return {
        "symbol": symbol, "true": values[0], "sections": values[1], "unit": "u",
        "health_of": of, "health_low": 40.0, "health_high": 50.0, "in_health": inside,
    }  # fmt: skip


def test_the_banded_value_is_pooled(compare: ModuleType) -> None:
    table = pd.DataFrame(
        [reading("E.De", "sections", (1.0, 44.0), "yes"), reading("Cv.De", "true", (60.0, 1.0), "no"),
         reading("BS/TV", "", (1.0, 1.0), ""),
         reading("E.De", "sections", (1.0, 52.0), "no"), reading("Cv.De", "true", (62.0, 1.0), "no")]
    )  # fmt: skip
    rows = compare.pooled(table).set_index("symbol")
    assert list(rows.index) == ["E.De", "Cv.De"]
    assert rows.loc["E.De", "mean"] == 48.0
    assert rows.loc["E.De", "blocks_within"] == 1
    assert rows["holds"].tolist() == [True, False]
    # Cavities in 3-D contradict sections: only these are asked for at once.
    assert "at once: yes" in compare.words_of(compare.pooled(table))
    table.loc[0, "sections"] = 20.0
    assert "at once: no (E.De)" in compare.words_of(compare.pooled(table))


def test_a_block_is_read(compare: ModuleType, tmp_path: Path) -> None:
    small = {
        "specimen.size_mm": [1.2] * 3, "schedule.burn_in_day": 100, "biopsy.packets_day": 40,
        "biopsy.spacing_um": 100.0, "mechanics.interval_day": 0,
    }  # fmt: skip
    table = compare.readings(compare.CONFIG, 40, [1, 2], small)
    assert set(table["seed"]) == {1, 2}
    rows = compare.pooled(table)
    assert set(rows["blocks"]) == {2}
    assert {"E.De", "W.Th", "MAR", "Ac.f", "ES/BS", "OS/BS", "BFR/BS", "N.Cv/TV"} <= set(
        rows["symbol"]
    )
