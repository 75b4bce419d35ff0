"""A whole biopsy: small and quick, and one of a healthy 4 mm block against the truth."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bonesim.config.config import Config, validated
from bonesim.engine.burn_in import equilibrated
from bonesim.engine.simulation import Simulation
from bonesim.errors import InputError
from bonesim.histology.biopsy import MEASURES, BiopsyParameters, Reading, biopsy, check_days
from bonesim.histology.health import HEALTH
from bonesim.specimens import make_specimen
from tests.cli.conftest import Bonesim

ROOT = Path(__file__).parents[2]
SMALL = """
[specimen]
kind = "synthetic"
size_mm = [1.2, 1.2, 1.2]
[schedule]
burn_in_day = 200
duration_day = 60
"""


def healthy(size_mm: float, burn_in_day: int, seed: int = 1) -> Config:
    return validated(
        {
            "seed": seed,
            "specimen": {"kind": "synthetic", "size_mm": [size_mm] * 3, "voxel_um": 20.0},
            "schedule": {"burn_in_day": burn_in_day, "duration_day": 2000},
        },
        "test",
    )


def taken(config: Config, first_day: int, p: BiopsyParameters) -> dict[str, Reading]:
    simulation, _ = equilibrated(config, make_specimen(config.specimen), lambda _: None)
    while simulation.day < first_day:
        simulation.step()
    return {one.symbol: one for one in biopsy(simulation, p)}


def test_a_small_biopsy_is_whole_and_repeats() -> None:
    p = BiopsyParameters(packets_day=60, spacing_um=100.0)
    # Many sites: sections of one day show few BMUs.
    config = healthy(1.6, 200).with_changes({"cells.bmu.origination_per_mm2_per_year": 8.0})
    read = taken(config, 0, p)
    assert list(read) == list(MEASURES)
    # Frequent features are estimated well even in a small block.
    for symbol, within in (("BS/TV", 0.05), ("OS/BS", 0.15), ("MS/BS", 0.15), ("BFR/BS", 0.3)):
        assert read[symbol].sections == pytest.approx(read[symbol].true, rel=within), symbol
    # Of the packets begun and completed in 60 days: the thin ones.
    assert 0 < read["W.Th"].true < 1.1 * read["W.Th"].cells
    assert 0.8 < read["E.De"].true / read["E.De"].cells < 1.6
    assert 0 < read["Cv.De"].true < 150
    assert read["ES/BS"].true >= read["Oc.S/BS"].true + read["Rv.S/BS"].true
    again = taken(config, 0, p)
    assert all(np.array_equal(read[k][1:4], again[k][1:4], equal_nan=True) for k in read)


def test_watching_changes_nothing() -> None:
    config = healthy(1.0, 0)
    bone = make_specimen(config.specimen)
    watched, alone = Simulation(config, bone), Simulation(config, bone)
    biopsy(watched, BiopsyParameters(packets_day=34, spacing_um=100.0))
    for _ in range(34):
        alone.step()
    assert np.array_equal(watched.tissue.lattice.quanta, alone.tissue.lattice.quanta)
    assert np.array_equal(watched.tissue.lattice.owner, alone.tissue.lattice.owner)


def test_a_bone_too_small_is_refused_at_once() -> None:
    simulation = Simulation(healthy(0.5, 0))
    with pytest.raises(InputError, match="too small"):
        biopsy(simulation, BiopsyParameters(spacing_um=450.0))
    assert simulation.day == 0


@pytest.mark.parametrize(
    ("lag_day", "days", "word"),
    [
        (15, (12, 7, 33), "packets_day"),
        (14.6, (12, 7, 33), "packets_day"),
        (3, (12, 4, 60), "wait_day"),
    ],
)
def test_days_that_do_not_hold_the_labels(
    lag_day: float, days: tuple[int, int, int], word: str
) -> None:
    """The matrix under a label is formed the lag before it, and settled when its team is served."""
    interval, wait, packets = days
    p = BiopsyParameters(interval_day=interval, wait_day=wait, packets_day=packets)
    config = healthy(1.2, 0).with_changes({"tissue.mineral.lag_day": lag_day})
    with pytest.raises(InputError, match=f"biopsy.{word} is"):
        check_days(config, p)
    enough = {"packets_day": 34, "wait_day": 5}[word]
    check_days(config, BiopsyParameters(**{**p.model_dump(), word: enough}))


def test_no_biopsy_during_the_burn_in() -> None:
    with pytest.raises(InputError, match="burn-in"):
        biopsy(Simulation(healthy(0.5, 30)), BiopsyParameters(spacing_um=100.0))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_sections_recover_the_truth_of_a_healthy_block(seed: int) -> None:
    """Ac.f, W.Th and E.De from double labels within 10 % of the truth (4 mm, day 965)."""
    read = taken(healthy(4.0, 600, seed), 600, BiopsyParameters())
    for symbol in ("Ac.f", "W.Th", "E.De", "BFR/BS", "MAR", "MS/BS", "OS/BS", "ES/BS"):
        one = read[symbol]
        assert abs(one.difference_percent) < 10.0, one


def commanded(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bonesim", "biopsy", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


SHORT = ("--set", "biopsy.packets_day=34", "--set", "biopsy.spacing_um=100")


@pytest.mark.long
def test_the_command_prints_writes_and_goes_beyond_the_last_day(
    main_here: Bonesim, small: Path, tmp_path: Path
) -> None:
    done = commanded(small, "--day", 70, *SHORT, "--csv", tmp_path / "b.csv")
    assert done.returncode == 0, done.stderr
    for word in ("Ac.f", "W.Th", "E.De", "um3/um2/y", "true", "sections", "cells"):
        assert word in done.stdout
    done = main_here("biopsy", small, "--day", 70, *SHORT, "--json")
    records = json.loads(done.stdout)
    assert [r["symbol"] for r in records] == list(MEASURES)
    for one in records:  # the band is of the value that is named, and decides
        if one["health_of"]:
            value = one[one["health_of"]]
            inside = value is not None and one["health_low"] <= value <= one["health_high"]
            assert one["in_health"] == ("" if value is None else "yes" if inside else "no")
    assert sum(bool(one["health_of"]) for one in records) == len(HEALTH)
    assert len((tmp_path / "b.csv").read_text().splitlines()) == len(records) + 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--day", 100), "packets_day"),
        (("--day", 30, "--set", "biopsy.packets_day=10"), "packets_day"),
        (("--day", 30, "--set", "biopsy.spacing=10"), "spacing"),
        (("--day", 30, "--set", "biopsy.spacing_um=10"), "spacing_um"),
        (("--day", 34, *SHORT, "--set", "specimen.size_mm=[0.1,0.1,0.1]"), "size_mm"),
        (("--day", 34, *SHORT, "--set", "specimen.nonsense=1"), "nonsense"),
    ],
)
def test_bad_input_is_one_line(
    main_here: Bonesim, small: Path, arguments: tuple[object, ...], word: str
) -> None:
    done = main_here("biopsy", small, *arguments)
    assert done.returncode == 2, done
    assert done.stderr.count("\n") == 1
    assert word in done.stderr
