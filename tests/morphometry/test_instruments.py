"""What each measure sees of known interventions: thinning, holes, stripped elements, roughness.

The bands are those of three real crops of 3.2 mm, measured with other code (second edition of the
mechanism, table "The instrument for holes"), in percent of the cube as it was, wider by `SLACK`:
a cube of 2.4 mm holds some 70 connections and 90 nodes, so a few of them are several percent.
`EXCEPT` has the bands that differ, with the reason.
"""

from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import bonesim
from bonesim.config.config import validated
from bonesim.morphometry import windows
from bonesim.morphometry.closed import closed_measures
from bonesim.morphometry.connectivity import connectivity, purified
from bonesim.morphometry.panel import FILTER_UM, filtered, measure
from bonesim.morphometry.roughness import after_gaussian
from bonesim.specimens import SyntheticParameters, grow, make_specimen
from tests.morphometry.interventions import (
    Floats,
    depth_of,
    fraction_of,
    holed,
    quanta_of,
    roughened,
    stripped,
    thinned,
)

UM = 20.0
#: Share of BV: film, holes, elements, pits.
FILM, HOLES, ELEMENTS, PITS = 0.05, 0.02, 0.05, 0.03
#: Diameter of the holes, radius of the pits, um.
HOLE_UM, PIT_UM = 200.0, 40.0

#: Intervention -> measure after 40 um -> range in percent, as published beside the table.
TABLE = {
    "thinned": {
        "tb_th_um": (-3.2, -2.4), "tb_n_per_mm": (-0.6, -0.3), "conn_d_per_mm3": (-4, 0),
        "smi": (1, 3), "plate_share_percent": (0, 1), "nodes_per_mm3": (-10, 2),
    },
    "holed": {
        "tb_th_um": (0.7, 1.3), "tb_n_per_mm": (0.1, 0.2), "smi": (11, 28),
        "plate_share_percent": (-47, -28), "nodes_per_mm3": (24, 36),
    },
    "stripped": {
        "tb_th_um": (1.9, 2.1), "tb_n_per_mm": (-3.5, -2.8), "conn_d_per_mm3": (-13, -9),
        "smi": (5, 9), "plate_share_percent": (-10, -3), "nodes_per_mm3": (-11, -8),
    },
}  # fmt: skip
#: Raw, of 3 % of BV.
ROUGHENED = {
    "tb_th_um": (-10, -10), "tb_n_per_mm": (2, 2), "conn_d_per_mm3": (6, 6), "smi": (-5, -5),
    "plate_share_percent": (1, 1), "nodes_per_mm3": (7, 7),
}  # fmt: skip
#: Percent. Plates and nodes scatter most; Tb.Th and Tb.N are means over all voxels.
SLACK = {
    "tb_th_um": 1.0, "tb_n_per_mm": 0.5, "conn_d_per_mm3": 10.0, "smi": 4.0,
    "plate_share_percent": 10.0, "nodes_per_mm3": 8.0,
}  # fmt: skip
#: Tb.N of the table is of spheres that reach through the edge of the cube: the same cubes, stripped
#: with other code, have -1.8 and -3.6 % so, and -1.3 and -0.8 % by today's panel, which counts them as
#: censored. Eight draws of elements gave -0.2 to -1.6 %: Tb.N sees missing elements even less.
EXCEPT_REAL = {("stripped", "tb_n_per_mm"): (-2.5, 0.0)}
#: Elements of synthetic bone are of one thickness. Thin spots and thin elements go first: where there
#: are some, the mean of what is left rises; here it hardly does.
EXCEPT_SYNTHETIC = EXCEPT_REAL | {
    ("holed", "tb_th_um"): (-1.5, 1.0),
    ("stripped", "tb_th_um"): (0.0, 2.0),
}
#: The table has one rounded number for three crops, -10 and +2. Four cubes here had -7.3 to -10.7 and
#: +1.3 to +2.5: how much of a pit lies on a thin element differs.
ROUGH_TH = {"tb_th_um": (-12.0, -6.5), "tb_n_per_mm": (0.8, 3.2)}
#: Pits of 40 um go through plates of 50 um, of which this scan has many: Conn.D rises by 31 %, raw by
#: 98 %, where the other crops and the synthetic bone gain 5 to 7 %; nodes and plates follow.
EXCEPT_ROUGH = {"conn_d_per_mm3": (0, 45), "nodes_per_mm3": (0, 40), "smi": (-10, 6)}


@cache
def synthetic() -> NDArray[np.uint8]:
    """A cube of 2.4 mm with plates."""
    return grow(SyntheticParameters(preset="young_vertebra", size_mm=(2.4,) * 3, seed=3)).quanta


def scanned(folder: Path) -> NDArray[np.uint8]:
    """A cube of 3.2 mm of a real vertebra, at 20 um."""
    scan = {
        "kind": "scan", "path": str(folder / "bonebox" / "04216_roi_9.nrrd"), "voxel_um": 50.0,
        "threshold": 127.5, "crop_voxel": [68, 132, 68, 132, 68, 132], "resample_um": UM,
    }  # fmt: skip
    return make_specimen(validated({"specimen": scan}, "cube").specimen).quanta


class Cube:
    """A cube, what is done to it, and what is measured of that; all of it once."""

    def __init__(self, quanta: NDArray[np.uint8]) -> None:
        self.depth = depth_of(quanta)
        self.volume_mm3 = ((quanta.shape[0] - 5) * UM / 1000.0) ** 3
        self.region = np.zeros(quanta.shape, bool)
        self.region[2:-2, 2:-2, 2:-2] = True

    @cached_property
    def holed(self) -> tuple[Floats, int]:
        """With holes, and how many."""
        return holed(fraction_of(self.depth), HOLE_UM / UM, HOLES, np.random.default_rng(7))

    @cached_property
    def stripped(self) -> tuple[Floats, int]:
        """Without some elements, and how many."""
        return stripped(fraction_of(self.depth), ELEMENTS, np.random.default_rng(7))

    @cache  # noqa: B019
    def quanta(self, name: str) -> NDArray[np.uint8]:
        """The bone after an intervention."""
        bone = {
            "as it was": lambda: fraction_of(self.depth),
            "thinned": lambda: thinned(self.depth, FILM),
            "holed": lambda: self.holed[0],
            "stripped": lambda: self.stripped[0],
            "roughened": lambda: roughened(
                fraction_of(self.depth), PIT_UM / UM, PITS, np.random.default_rng(7)
            ),
        }  # fmt: skip
        return quanta_of(bone[name]())

    @cache  # noqa: B019
    def panel(self, name: str, *, smooth: bool) -> dict[str, float]:
        """The panel, raw or after 40 um."""
        quanta = self.quanta(name)
        if smooth:
            quanta = after_gaussian(quanta, UM, np.ones(quanta.shape, bool))
        return {key: one.value for key, one in measure(quanta, UM).items()}

    def change(self, name: str, *, smooth: bool) -> dict[str, float]:
        """Change of each measure, percent."""
        before = self.panel("as it was", smooth=smooth)
        after = self.panel(name, smooth=smooth)
        return {
            key: 100.0 * (after[key] / value - 1.0) for key, value in before.items() if value != 0.0
        }

    @cache  # noqa: B019
    def closed(self, name: str) -> dict[str, float]:
        """R, Tb.Th and BV/TV, as if "as it was" were the closed bone: without `name`'s loss."""
        before, after = self.quanta("as it was"), self.quanta(name)
        return {n: m.value for n, m in closed_measures(after, before - after, UM).items()}

    def r(self, name: str) -> float:
        """R of the bone as it is: nothing is put back."""
        quanta = self.quanta(name)
        return closed_measures(quanta, np.zeros_like(quanta), UM)["closed_roughness"].value

    def r_change(self, name: str) -> float:
        """Change of R, percent."""
        return 100.0 * (self.r(name) / self.r("as it was") - 1.0)

    @cache  # noqa: B019
    def spectrum(self, name: str) -> NDArray[np.float64]:
        """Connections at 15 um, then windows by radius: counts in the cube, not densities."""
        network = filtered(self.quanta(name), FILTER_UM / UM)
        found = windows.spectrum(network, UM, self.region)
        return np.array([connectivity(purified(network), self.region), *found.values()])

    def gained(self, name: str) -> NDArray[np.float64]:
        """Gain of `spectrum`."""
        return self.spectrum(name) - self.spectrum("as it was")


@pytest.fixture(scope="module")
def cube() -> Cube:
    return Cube(synthetic())


def within(found: dict[str, float], bands: dict[str, tuple[float, float]], where: str) -> None:
    """Assert that every measure is in its band."""
    wrong = {
        name: (round(found[name], 2), band)
        for name, band in bands.items()
        if not band[0] <= found[name] <= band[1]
    }
    assert not wrong, f"{where}: {wrong}"


def bands_of(
    table: dict[str, tuple[float, float]], other: dict[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """The table's ranges with their slack; others as they are."""
    wide = {name: (low - SLACK[name], high + SLACK[name]) for name, (low, high) in table.items()}
    return wide | other


def of(
    name: str, exceptions: dict[tuple[str, str], tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    return {measured: band for (done, measured), band in exceptions.items() if done == name}


@pytest.mark.parametrize("name", TABLE)
def test_each_intervention_changes_what_the_table_has(cube: Cube, name: str) -> None:
    found = cube.change(name, smooth=True)
    within(found, bands_of(TABLE[name], of(name, EXCEPT_SYNTHETIC)), name)


#: Regressions, set from what this cube gave, no independent evidence.
#: Definition of Tb.N -> change in percent by thinning, holes and missing elements, after 40 um.
NUMBERS = {
    "tb_n_per_mm": ((-0.5, 0.5), (0.0, 1.0), (-1.6, 0.5)),
    "tb_n_volume_per_mm": ((-3.0, -0.5), (-2.5, -0.5), (-8.0, -4.0)),
    "tb_n_ridges_per_mm": ((-2.0, 1.5), (-2.5, 1.0), (-2.5, 0.0)),
    "tb_n_sections_per_mm": ((-3.0, -0.5), (-0.5, 1.5), (-7.0, -2.5)),
}


def test_which_tb_n_sees_what(cube: Cube) -> None:
    """Missing elements: by BV/TV over Tb.Th as many as are gone, in sections nearly, by ridges and
    spheres hardly any. Holes of 2 % of BV: none sees them by more than 2.5 %, and not with one sign.
    """
    changes = {name: cube.change(name, smooth=True) for name in TABLE}
    for k, name in enumerate(TABLE):
        within(changes[name], {key: bands[k] for key, bands in NUMBERS.items()}, name)
    gone = changes["stripped"]["bvtv_percent"]
    stripped = changes["stripped"]
    assert stripped["tb_n_volume_per_mm"] == pytest.approx(gone, abs=1.5)
    assert stripped["tb_n_volume_per_mm"] < stripped["tb_n_sections_per_mm"]
    assert stripped["tb_n_sections_per_mm"] < stripped["tb_n_ridges_per_mm"]
    assert stripped["tb_n_ridges_per_mm"] < stripped["tb_n_per_mm"]


def test_what_hr_pqct_sees_of_it(cube: Cube) -> None:
    """At 61 um the order is the same; holes of 200 um raise Tb.N in three of four definitions."""
    seen = {
        name: bonesim.measure(cube.quanta(name), UM, quanta=True, scanner="hr_pqct_61")
        for name in ("as it was", "holed", "stripped")
    }
    change = {
        name: {
            key: 100.0 * (found[key].value / seen["as it was"][key].value - 1.0) for key in NUMBERS
        }
        for name, found in seen.items()
    }
    assert -9.0 < change["stripped"]["tb_n_volume_per_mm"] < -4.0
    for key in ("tb_n_per_mm", "tb_n_ridges_per_mm"):
        assert -3.0 < change["stripped"][key] < 1.0, key
    assert all(-2.0 < value < 4.0 for value in change["holed"].values()), change["holed"]


def test_roughness_is_read_as_architecture(cube: Cube) -> None:
    """Raw Tb.Th, Tb.N and DA change as if structure had; after 40 um Tb.Th hardly does."""
    raw = cube.change("roughened", smooth=False)
    within(raw, bands_of(ROUGHENED, ROUGH_TH | {"da": (-15, -3)}), "raw")
    # 3 % of BV are gone: a film of so much would take about 1.8 %.
    assert -3.0 < raw["tb_th_smooth_um"] < 0.0


def test_only_roughness_raises_r(cube: Cube) -> None:
    for name in ("thinned", "holed", "stripped"):
        assert abs(cube.r_change(name)) < 2.0, name
    assert cube.r_change("roughened") > 5.0


def test_windows_are_the_holes_that_were_cut(cube: Cube) -> None:
    """Each hole is one connection more, and one window under 300 and 400 um."""
    holes = cube.holed[1]
    assert holes >= 8
    connections, under_120, _, under_300, under_400 = cube.gained("holed")
    assert connections == pytest.approx(holes, rel=0.02)
    assert under_300 == pytest.approx(holes, rel=0.1)
    assert under_400 == pytest.approx(holes, rel=0.1)
    # Too small a ball passes them.
    assert abs(under_120) < 0.1 * holes


def test_windows_hardly_see_thinning_and_missing_elements(cube: Cube) -> None:
    """Per mm3; 2 % of BV in holes are 1 /mm3."""
    assert abs(cube.gained("thinned")[3]) / cube.volume_mm3 < 0.3
    assert cube.stripped[1] >= 6
    assert cube.gained("stripped")[3] / cube.volume_mm3 < 0.2


def test_closed_measures_put_back_what_was_taken(cube: Cube) -> None:
    """Pits as open cavities: closed, the cube is as it was; open, 3 % of BV are missing."""
    was, open_now = (cube.panel(name, smooth=False) for name in ("as it was", "roughened"))
    closed = cube.closed("roughened")
    assert closed["closed_bvtv_percent"] == pytest.approx(was["bvtv_percent"], rel=1e-12)
    assert closed["closed_roughness"] == pytest.approx(was["roughness"], rel=1e-12)
    assert closed["closed_tb_th_um"] == pytest.approx(was["tb_th_um"], rel=1e-6)
    missing = 100.0 * (1.0 - open_now["bvtv_percent"] / was["bvtv_percent"])
    assert closed["open_bv_percent"] == pytest.approx(missing, rel=1e-9)
    assert missing == pytest.approx(100.0 * PITS, abs=0.6)


def test_windows_are_the_holes_cut_in_a_real_cube(shared_data: Path) -> None:
    """Where plates are thinner than 76 um a ball of 150 um reaches through a hole of 200 um from both
    sides (`windows`): 14 to 15 of 17, or 25 of 29, are seen at 150 um, all at 200 um.
    """
    real = Cube(scanned(shared_data))
    holes = real.holed[1]
    assert holes >= 15
    connections, under_120, _, under_300, under_400 = real.gained("holed")
    assert connections == pytest.approx(holes, rel=0.02)
    assert under_400 == pytest.approx(holes, rel=0.1)
    assert 0.8 * holes <= under_300 <= 1.02 * holes
    assert abs(under_120) < 0.1 * holes


@pytest.mark.slow
def test_a_real_cube_changes_as_the_table_has(shared_data: Path) -> None:
    real = Cube(scanned(shared_data))
    for name, table in TABLE.items():
        within(real.change(name, smooth=True), bands_of(table, of(name, EXCEPT_REAL)), name)
        assert abs(real.r_change(name)) < 2.0, name
    rough = real.change("roughened", smooth=False)
    within(rough, bands_of(ROUGHENED, ROUGH_TH | EXCEPT_ROUGH), "roughened")
    assert real.r_change("roughened") > 5.0
