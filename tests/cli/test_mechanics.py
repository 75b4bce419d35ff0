"""`bonesim measure --mechanics` and `render --colour sed`: known solutions, and one-line refusals."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bonesim.errors import ResourceError
from bonesim.mechanics import apparent
from bonesim.mechanics.habitual import Habitual
from bonesim.mechanics.loading import MechanicsParameters
from bonesim.storage.reader import open_run
from tests.cli.conftest import Bonesim

Values = Callable[..., dict[str, float]]
TEST = ("--voxel-um", 30, "--threshold", 0.5, "--mechanics", "--tissue-modulus-mpa", 6800)
#: Of the face that a prism of 20 x 20 voxels fills.
SHARE = (20 / 24) ** 2
AREA_MM2 = (24 * 0.03) ** 2


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blocks of 24 voxels an edge: a prism along z, three crossing rods, bone cut through, none."""
    folder = tmp_path_factory.mktemp("blocks")
    prism = np.zeros((24, 24, 24), np.uint8)
    prism[:, 2:22, 2:22] = 1
    np.save(folder / "prism.npy", prism)
    rods = np.zeros_like(prism)
    rods[:, 8:16, 8:16] = rods[8:16, :, 8:16] = rods[8:16, 8:16, :] = 1
    np.save(folder / "rods.npy", rods)
    cut = prism.copy()
    cut[12] = 0
    np.save(folder / "cut.npy", cut)
    ball = np.zeros_like(prism)
    ball[8:16, 8:16, 8:16] = 1
    np.save(folder / "ball.npy", ball)
    return folder


@pytest.fixture
def measured(main_here: Bonesim) -> Bonesim:
    """Run `bonesim measure ARGUMENTS` within this process."""
    return partial(main_here, "measure")


@pytest.fixture
def values(measured: Bonesim) -> Values:
    """The same; measure -> value, from JSON."""

    def run(*arguments: object) -> dict[str, float]:
        done = measured(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return {row["measure"]: row["value"] for row in json.loads(done.stdout)}

    return run


@pytest.mark.parametrize("per_element", [1, 2])
def test_a_prism_is_as_stiff_and_strong_as_its_material(
    values: Values, blocks: Path, per_element: int
) -> None:
    found = values(
        blocks / "prism.npy", *TEST, "--ends", "frictionless", "--voxels-per-element", per_element,
        "--habitual-stress-mpa", 1.5,
    )  # fmt: skip
    force = 68.0 * SHARE * AREA_MM2
    assert found["apparent_modulus_mpa"] == pytest.approx(6800 * SHARE, rel=1e-5)
    assert found["reaction_n"] == pytest.approx(force, rel=1e-5)
    assert found["face_force_n"] == pytest.approx(force, rel=1e-4)
    # Strained evenly by 1 %: it fails at 0.7 %, and yields at 0.75 %.
    assert found["failure_load_n"] == pytest.approx(0.7 * force, rel=1e-3)
    assert found["yield_load_n"] == pytest.approx(0.75 * force, rel=1e-4)
    strains = [value for name, value in found.items() if name.startswith("effective_strain_q")]
    assert strains == pytest.approx(5 * [0.01], rel=1e-3)
    assert found["load_to_strength"] == pytest.approx(1.5 * AREA_MM2 / (0.7 * force), rel=1e-3)
    assert found["bone_carrying_percent"] == pytest.approx(100 * SHARE)


def test_clamped_ends_and_confined_sides_are_stiffer(values: Values, blocks: Path) -> None:
    found = [
        values(blocks / "rods.npy", *TEST, "--axis", "x", "--ends", ends, "--sides", sides)
        for ends, sides in (("frictionless", "free"), ("clamped", "free"), ("clamped", "confined"))
    ]
    moduli = [one["apparent_modulus_mpa"] for one in found]
    assert moduli[0] < moduli[1] < moduli[2]
    assert all(one["energy_error"] <= 1e-6 and one["imbalance"] <= 1e-3 for one in found)


def test_the_tensor_of_three_equal_rods_is_cubic(values: Values, blocks: Path) -> None:
    found = values(blocks / "rods.npy", *TEST, "--tensor")
    confined = values(blocks / "rods.npy", *TEST, "--ends", "frictionless", "--sides", "confined")
    c = np.array([v for name, v in found.items() if name.startswith("stiffness_")]).reshape(6, 6)
    assert c[:3, :3].diagonal() == pytest.approx(3 * [confined["apparent_modulus_mpa"]], rel=1e-3)
    assert c[3:, 3:].diagonal() == pytest.approx(3 * [c[3, 3]], rel=1e-3)
    assert abs(c[:3, 3:]).max() < 1e-3 * c[0, 0]
    assert found["tensor_asymmetry"] < 1e-3
    for name in ("e_x_mpa", "e_y_mpa", "e_z_mpa"):
        young = c[0, 0] - 2 * c[0, 1] ** 2 / (c[0, 0] + c[0, 1])
        assert found[name] == pytest.approx(young, rel=1e-3)
    assert found["nu_xy"] == pytest.approx(c[0, 1] / (c[0, 0] + c[0, 1]), rel=1e-2)
    assert found["g_xy_mpa"] == pytest.approx(c[3, 3], rel=1e-6)


def test_in_words(measured: Bonesim, blocks: Path) -> None:
    done = measured(blocks / "rods.npy", *TEST, "--tensor")
    assert done.returncode == 0
    for word in ("E.app (MPa)", "F (N)", "2 % of bone beyond 7000 microstrain", "Pistoia",
                 "stiffness, MPa", "nu xy", "tensor_asymmetry"):  # fmt: skip
        assert word in done.stdout
    assert "stiffness_xx" not in done.stdout
    assert "voxels where the mask is not 0 are bone" in done.stderr


def test_every_snapshot_of_a_run_with_its_own_material(measured: Bonesim, tiny: Path) -> None:
    done = measured(tiny, "--mechanics", "--csv", "-")
    assert done.returncode == 0, done.stderr
    own = measured(tiny, "--mechanics", "--tissue-modulus-mpa", 5000, "--json")
    softer = pd.DataFrame(json.loads(own.stdout)).set_index(["day", "measure"])["value"]
    lines = done.stdout.splitlines()
    assert lines[0].startswith("day,measure,symbol,value,unit,voxel_um,region,method,version")
    assert sorted({int(line.split(",")[0]) for line in lines[1:]}) == [0, 20, 40]
    for line in lines[1:]:
        day, name, _, value = line.split(",")[:4]
        if name == "apparent_modulus_mpa":
            assert float(value) == pytest.approx(2 * softer[int(day), name], rel=1e-5)


def test_the_tensor_agrees_with_the_simulation(measured: Bonesim, tiny: Path) -> None:
    """Young's moduli along the axes, as the habitual load's own solves give them."""
    done = measured(tiny, "--mechanics", "--voxels-per-element", 2, "--tensor", "--json")
    assert done.returncode == 0, done.stderr
    found = pd.DataFrame(json.loads(done.stdout)).set_index(["day", "measure"])["value"]
    with open_run(tiny) as run:
        p = MechanicsParameters(tolerance=1e-6)
        habitual = Habitual(p, run.shape, run.voxel_um)
        habitual.solve(run.quanta(20), run.field("mineral", 20), 20)
    for axis in "zyx":
        own = habitual.results[f"apparent_modulus_{axis}_mpa"]
        assert found[20, f"e_{axis}_mpa"] == pytest.approx(own, rel=1e-3)


def test_a_reference_of_another_program(values: Values, shared_data: Path, tmp_path: Path) -> None:
    """ParOSol on the same elements: -23.54433923 N on the top face."""
    packed = np.load(shared_data / "vor100_b20_30um.npz")
    bone = np.unpackbits(packed["bone"])[: np.prod(packed["shape"])].reshape(packed["shape"])
    np.save(tmp_path / "vor.npy", bone)
    found = values(tmp_path / "vor.npy", *TEST, "--poisson", 0.3, "--ends", "clamped")
    assert found["reaction_n"] == pytest.approx(23.54433923, rel=2e-6)
    assert found["face_force_n"] == pytest.approx(23.54433923, rel=1e-4)
    assert found["apparent_modulus_mpa"] == pytest.approx(261.6037692, rel=2e-6)


@pytest.mark.parametrize(
    ("name", "options", "code", "message"),
    [
        ("cut.npy", TEST, 2, "no bone reaches from face to face along z"),
        ("prism.npy", (*TEST, "--axis", "y"), 2, "face to face along y"),
        ("prism.npy", (*TEST, "--tensor"), 2, "face to face along"),
        ("ball.npy", TEST, 2, "no bone reaches from face to face"),
        ("prism.npy", (*TEST, "--poisson", 0.5), 2, "from 0 to 0.45"),
        ("prism.npy", (*TEST, "--tolerance", 1), 2, "from 1e-10 to 0.01"),
        ("prism.npy", (*TEST, "--voxels-per-element", 9), 2, "from 1 to 4"),
        ("prism.npy", (*TEST[:-1], -3), 2, "tissue_modulus_mpa: got -3.0; allowed a number from 1"),
        ("prism.npy", (*TEST[:-1], "nan"), 2, "tissue_modulus_mpa"),
        ("prism.npy", (*TEST, "--ends", "glued"), 2, '"clamped" or "frictionless"'),
        ("prism.npy", (*TEST, "--axis", "w"), 2, '"z" or "y" or "x"'),
        ("prism.npy", (*TEST, "--habitual-stress-mpa", 0), 2, "habitual_stress_mpa"),
        ("prism.npy", (*TEST, "--roi", "prism.npy"), 2, "--roi: is not for --mechanics"),
        ("prism.npy", ("--voxel-um", 30, "--poisson", 0.3), 2, "--poisson: belongs to --mechanics"),
        ("prism.npy", ("--voxel-um", 30, "--tensor"), 2, "--tensor: belongs to --mechanics"),
        ("rods.npy", (*TEST, "--max-cycles", 1), 7, "not converged to 1e-06 (1 cycles, energy"),
    ],
)
def test_refusals_are_one_line(
    main_here: Bonesim,
    blocks: Path,
    name: str,
    options: tuple[object, ...],
    code: int,
    message: str,
) -> None:
    done = main_here("measure", blocks / name, *options)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("bonesim: ")
    assert message in done.stderr


def test_too_little_memory_is_reported_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apparent, "MAX_MEMORY_SHARE", 1e-6)
    with pytest.raises(ResourceError, match="voxels_per_element 2"):
        apparent.check_memory(np.ones((20, 20, 20), np.float32))


@pytest.mark.long
def test_both_spellings_of_colour_draw_the_load(
    main_here: Bonesim, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photographs of 300 rows, for speed; `test_render` draws all 900."""
    monkeypatch.setattr("bonesim.viewer.scene.HEIGHT_PX", 300)
    for option in ("--colour", "--color"):
        done = main_here("render", tiny, "-o", tmp_path / f"p{option}.png", option, "sed")
        assert done.returncode == 0, done.stderr
    first, second = (path.read_bytes() for path in sorted(tmp_path.glob("*.png")))
    assert len(first) > 50_000
    assert first == second
