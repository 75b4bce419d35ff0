"""The picture of a run: drawn off-screen, with its numbers beside it, whole or not there."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import bonesim
from bonesim.config.config import validated
from bonesim.engine.run import run
from bonesim.errors import BonesimError, InputError
from bonesim.storage.reader import open_run
from bonesim.viewer import palette, scene
from bonesim.viewer.camera import photograph
from bonesim.viewer.region import part_of
from bonesim.viewer.scene import _figure
from bonesim.viewer.surface import COLOURS, bone_block
from tests.viewer.conftest import SMALL


@pytest.fixture(scope="module")
def picture(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with open_run(small_run) as opened:
        place = tmp_path_factory.mktemp("picture") / "p.png"
        bonesim.render(opened, place)
    return place


@pytest.fixture(autouse=True)
def few_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photographs of 300 rows in place of 900; `picture`, made before this, has them all."""
    monkeypatch.setattr(scene, "HEIGHT_PX", 300)


def test_bone_is_in_the_picture(picture: Path) -> None:
    image = imread(picture)[..., :3]
    assert image.shape[1] in (2125, 2126), "180 mm at 300 dots per inch"
    rows = len(image)
    upper = image[int(0.2 * rows) : int(0.58 * rows)]
    panels = [upper[:, 708 * k : 708 * (k + 1)] for k in range(3)]
    for panel in panels:
        coloured = (panel.std(axis=2) > 0.02).mean()
        assert 0.03 < coloured < 0.9, "bone is neither missing nor everywhere"
    assert abs(panels[0] - panels[2]).mean() > 1e-3, "120 days change it"


def test_the_numbers_beside_it_are_the_run_s(picture: Path, small_run: Path) -> None:
    numbers = pd.read_csv(picture.with_suffix(".csv"))
    with open_run(small_run) as opened:
        for name in ("day", "e2_pg_per_ml", "bvtv_percent", "bmd_mg_per_cm3"):
            np.testing.assert_allclose(numbers[name], opened.table[name])
        measured = numbers.dropna()
        np.testing.assert_allclose(measured["tb_th_um"], opened.snapshot_table["tb_th_um"])
        assert measured["day"].tolist() == opened.snapshot_days
        np.testing.assert_allclose(
            measured["conn_d_per_mm3"], opened.snapshot_table["conn_d_per_mm3"]
        )


def test_the_words_of_the_picture(small_run: Path) -> None:
    with open_run(small_run) as opened:
        figure = _figure(opened, "events")
    axes = [axis for part in figure.subfigs for axis in part.axes]
    titles = [axis.get_title(loc="left") for axis in axes[:3]]
    names = ("Before", "End of suppression", "End of recovery")
    for letter, name, title in zip("abc", names, titles, strict=True):
        assert title.startswith(f"$\\bf{{{letter}}}$  {name}\nday ")
    assert "change" not in titles[0]
    assert "change " in titles[2]
    for letter, axis in zip("defg", axes[3:], strict=True):
        assert axis.get_title(loc="left").startswith(f"$\\bf{{{letter}}}$")
        low, high = axis.get_ylim()
        assert low <= 0.0 <= high, "no axis is cut"
    with open_run(small_run) as opened:
        bvtv = opened.table["bvtv_percent"].to_numpy()
    drawn = axes[4].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, 100 * (bvtv / bvtv[0] - 1))
    assert all("perforations" in title and "BV/TV" in title for title in titles)
    assert "1.2 x 1.0 x 1.1 mm" in figure.get_suptitle()
    legend = [text.get_text() for part in figure.subfigs for old in part.legends
              for text in old.get_texts()]  # fmt: skip
    assert "plate perforation" in legend
    assert "strut cut" in legend
    shaded = [patch for patch in axes[3].patches if patch.get_x() > 0 or patch.get_width() > 0]
    assert len(shaded) == 1
    left = shaded[0].get_x() * 365.25
    assert 0 < left < 5
    assert 58 < left + shaded[0].get_width() * 365.25 < 70


def test_load_is_shown_with_one_scale(small_run: Path) -> None:
    with open_run(small_run) as opened:
        figure = _figure(opened, "sed")
    assert "under the habitual load: 0.4 MPa along z" in figure.get_suptitle()
    axes = figure.subfigs[0].axes
    assert all("stiffness along z" in axis.get_title(loc="left") for axis in axes[:3])
    assert [axis.get_ylabel() for axis in axes[3:]] == ["strain energy density (MPa)"]
    assert axes[3].get_yscale() == "log"


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_has_its_scale(small_run: Path, colour: str) -> None:
    """A bar with unit, or names; without colours there is the cut face alone."""
    figure = bonesim.render(small_run, colour=colour, days=[120], width_mm=90)
    top = figure.subfigs[0]
    names = [text.get_text() for old in top.legends for text in old.get_texts()]
    bars = [axis.get_ylabel() for axis in top.axes[1:]]
    wanted = {
        "mineral": (1, ["cut face"]), "sed": (1, ["cut face"]),
        "events": (0, [mark.name for mark in palette.EVENTS.values()] + ["cut face"]),
        "surface_state": (0, [palette.STATES[one][0] for one in palette.SURFACE_STATES] + ["cut face"]),
    }.get(colour, (0, ["cut face"]))  # fmt: skip
    assert (len(bars), names) == wanted
    assert all("(%" in bar or "(MPa)" in bar for bar in bars)


def test_days_camera_and_slab(small_run: Path, tmp_path: Path) -> None:
    place = tmp_path / "p.svg"
    shown = {"days": [0, 120], "camera": "top", "slab": "0.2:1,0:0.6,0: mm", "width_mm": 120}
    figure = bonesim.render(small_run, place, **shown)  # type: ignore[arg-type]
    assert figure.get_figwidth() * 25.4 == pytest.approx(120)
    assert len(figure.subfigs[0].axes) == 2
    assert "x = 0.2 to 1.0 mm, y = 0.0 to 0.6 mm" in " ".join(figure.get_suptitle().split())
    assert "most breaks" not in figure.get_suptitle()
    left, right, low, high = figure.subfigs[0].axes[0].images[0].get_extent()
    margin = 2 * 0.02 * 0.6
    assert (right - left, high - low) == pytest.approx((0.8 + margin, 0.6 + margin), rel=1e-6)
    bonesim.render(small_run, tmp_path / "again.svg", **shown)  # type: ignore[arg-type]
    assert place.read_bytes() == (tmp_path / "again.svg").read_bytes(), "no clock, no chance"
    assert b"<svg" in place.read_bytes()[:1000]


def test_slices_show_the_voxels(small_run: Path, tmp_path: Path) -> None:
    place = tmp_path / "s.pdf"
    figure = bonesim.render(small_run, place, slices="0.61,0.5,0.3", days=[60])
    assert place.read_bytes().startswith(b"%PDF")
    with open_run(small_run) as opened:
        quanta = opened.quanta(60)
    wanted = [quanta[15], quanta[:, 25], quanta[:, :, 30]]
    for axis, plane in zip(figure.axes, wanted, strict=True):
        np.testing.assert_array_equal(axis.images[0].get_array()[..., 0], 255 - plane)
    assert "at 0.31 mm" in figure.axes[0].get_title(loc="left")
    numbers = pd.read_csv(place.with_suffix(".csv"))
    np.testing.assert_allclose(
        numbers["bone_percent"], [100 * plane.mean() / 255 for plane in wanted]
    )
    coloured = bonesim.render(small_run, slices="middle", colour="mineral", days=[60])
    assert "mineralisation (% of full)" in [axis.get_ylabel() for axis in coloured.axes]


@pytest.mark.parametrize(
    ("options", "parameter", "words"),
    [
        ({"days": [1]}, "day", "no snapshot of day 1; there are 0, 60, 120"),
        ({"width_mm": 100}, "width_mm", "3 panels and their text need 129 to 600 mm"),
        ({"camera": "above"}, "camera", "give one of front, right"),
        ({"camera": "1,2,3"}, "camera", "azimuth,elevation"),
        ({"slab": "1:2"}, "slab", "give x0:x1"),
        ({"slices": "1,2"}, "slices", 'give middle, or "x,y,z" in mm'),
        ({"slices": "5,0,0"}, "slices", "from 0 to below 1.2, 1, 1.1"),
        ({"slices": "middle", "camera": "top"}, "camera", "is not for slices"),
        ({"slices": "middle", "colour": "sed"}, "colour", "one of bone, mineral, surface_state"),
        ({"twin": "t.vtkhdf", "slices": "middle"}, "slices", "is not for a picture with a twin"),
    ],
)
def test_what_cannot_be_shown(
    small_run: Path, options: dict[str, object], parameter: str, words: str
) -> None:
    with pytest.raises(InputError, match=re.escape(words)) as error:
        bonesim.render(small_run, **options)  # type: ignore[arg-type]
    assert error.value.parameter == parameter


@pytest.mark.parametrize(
    ("name", "colour", "words"),
    [
        ("p.jpg", "events", "ends in .png, .svg or .pdf"),
        ("no/p.png", "events", "there is no folder"),
        ("p.png", "pink", "colour: 'pink' is not known; one of"),
    ],
)
def test_bad_output_is_refused_before_anything_is_drawn(
    small_run: Path, tmp_path: Path, name: str, colour: str, words: str
) -> None:
    with open_run(small_run) as opened, pytest.raises(InputError, match=words):
        bonesim.render(opened, tmp_path / name, colour=colour)
    assert list(tmp_path.iterdir()) == []


def test_no_half_of_the_output_is_left(small_run: Path, tmp_path: Path) -> None:
    """The CSV cannot be written, or the picture cannot: neither is there."""
    for blocked in ("p.csv", "p.png"):
        folder = tmp_path / blocked.replace(".", "_")
        (folder / blocked).mkdir(parents=True)
        with open_run(small_run) as opened, pytest.raises(BonesimError, match=blocked):
            bonesim.render(opened, folder / "p.png")
        assert [place.name for place in folder.iterdir()] == [blocked]


def test_a_run_with_little_in_it(tmp_path: Path) -> None:
    config = validated(SMALL, "test").with_changes({"schedule.snapshots_day": [60]})
    empty = run(config, tmp_path / "empty.vtkhdf", until_day=0)
    with open_run(empty) as opened, pytest.raises(InputError, match="no snapshot yet"):
        bonesim.render(opened, tmp_path / "p.png")
    one = run(config, tmp_path / "one.vtkhdf", until_day=70)
    with open_run(one) as opened:
        bonesim.render(opened, tmp_path / "p.png")
    assert (tmp_path / "p.png").exists()


@pytest.mark.long
def test_a_run_beside_its_twin(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same four photographs as the demo's; another bone, lattice or colour is refused."""
    from bonesim.viewer import twin_scene

    monkeypatch.setattr(twin_scene, "HEIGHT_PX", 150)
    config = validated(SMALL, "test")
    twin = run(bonesim.untreated_twin(config), tmp_path / "twin.vtkhdf")
    figure = bonesim.render(small_run, tmp_path / "p.png", twin=twin)
    assert "Untreated twin" in figure.subfigs[0].axes[3].get_title(loc="left")
    numbers = pd.read_csv(tmp_path / "p.csv")
    assert numbers["bvtv_difference_percent"].iloc[0] == 0.0
    assert abs(numbers["bvtv_difference_percent"].iloc[-1]) > 0.0
    with pytest.raises(InputError, match="beside a twin"):
        bonesim.render(small_run, twin=twin, colour="bone")
    # From another side, of a part, on chosen days, narrower: the photographs are of that.
    other = bonesim.render(
        small_run,
        twin=twin,
        camera="right",
        slab="0:0.5,0:1.0,0:1.1 mm",
        days=[0, 120],
        width_mm=140,
    )
    assert other.get_size_inches()[0] == pytest.approx(140 / 25.4)
    photographs = [axis for axis in other.subfigs[0].axes if axis.images]
    assert [axis.get_title(loc="left").splitlines()[1] for axis in photographs] == [
        "day 0", "day 120 (3.9 months)", "day 120 (3.9 months)",
    ]  # fmt: skip
    wide, high = photographs[0].images[0].get_extent()[1::2]
    assert wide == pytest.approx(1.0 + 0.04 * 1.1) and high == pytest.approx(1.04 * 1.1)
    assert "shown: x = 0.0 to 0.5 mm" in other.get_suptitle()
    with open_run(small_run) as file, open_run(twin) as beside:
        left, treated, untreated = (axis.images[0].get_array() for axis in photographs)
        view = scene.view_of_part(file, part_of(file, "0:0.5,0:1.0,0:1.1 mm"), "right")
        block = bone_block(beside.quanta(120), 0.02, part_of(file, "0:0.5,0:1.0,0:1.1 mm"))
    np.testing.assert_array_equal(untreated, photograph(block, view, 150))
    assert (treated != untreated).any() and (left != treated).any()
    for changes, words in (
        ({"specimen.seed": 3}, "another bone on day 0"),
        ({"specimen.size_mm": [0.8, 0.8, 0.8]}, "another lattice"),
        ({"schedule.snapshots_day": [0]}, "no snapshot of day 120"),
    ):
        other = run(config.with_changes(changes), tmp_path / f"{len(words)}.vtkhdf", until_day=1)
        with pytest.raises(InputError, match=f"{words}: it is no twin of") as error:
            bonesim.render(small_run, twin=other)
        assert error.value.parameter == "twin"
