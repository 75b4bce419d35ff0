"""Films: as many frames as asked, each of a day or a side of its own, one scale, and refusals."""

from pathlib import Path

import numpy as np
import pytest
import pyvista as pv
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

import bonesim
from bonesim.errors import InputError
from bonesim.storage.reader import open_run
from bonesim.viewer import palette
from bonesim.viewer.camera import photographs
from bonesim.viewer.colouring import Scale
from bonesim.viewer.film import Asked, Frame, _around, _Stage, film_of
from bonesim.viewer.film_file import check_film, indexed
from bonesim.viewer.surface import Block, whole

SMALL_PX = 320


def frames_of(run: Path, kind: str, asked: Asked) -> list[Frame]:
    with open_run(run) as opened:
        return list(film_of(opened, kind, asked).frames)


@pytest.fixture(scope="module")
def turn(small_run: Path) -> list[Frame]:
    return frames_of(small_run, "turntable", Asked(seconds=1.0, fps=4, size_px=SMALL_PX))


def differ(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float((np.abs(one.astype(int) - other.astype(int)).max(axis=2) > 24).mean())


def test_a_turntable_shows_the_bone_from_all_sides(turn: list[Frame]) -> None:
    """Also the last frame differs from the first: the film can be shown in a loop."""
    assert [frame.times for frame in turn] == [1] * 4
    assert {frame.pixels.shape for frame in turn} == {(SMALL_PX, SMALL_PX, 3)}
    for n in range(4):
        assert differ(turn[n].pixels, turn[n - 1].pixels) > 0.01


def test_a_film_of_time_shows_every_snapshot(small_run: Path, tmp_path: Path) -> None:
    place = tmp_path / "t.gif"
    row = bonesim.film(small_run, place, seconds=0.5, fps=10, size_px=SMALL_PX).iloc[0]
    assert (row["frames"], row["seconds"], row["snapshots"]) == (3, 1.5, 3)
    with Image.open(place) as film:
        assert film.n_frames == 3  # type: ignore[attr-defined]
        shown = []
        for n in range(3):
            film.seek(n)
            assert film.info["duration"] == 500
            shown.append(np.asarray(film.convert("RGB")))
    for n in (0, 1):
        assert differ(shown[n], shown[n + 1]) > 0.002
        assert differ(shown[n][:24], shown[n + 1][:24]) > 0.002, "the day is in the text"


def test_a_gif_keeps_the_colour_of_a_small_mark() -> None:
    """A few red pixels among thousands of shades."""
    pixels = np.random.default_rng(1).integers(0, 256, (200, 300, 1), np.uint8).repeat(3, 2)
    pixels[..., 2] //= 2
    pixels[50:54, 60:64] = np.rint(
        255 * np.array(to_rgb(palette.EVENTS["plate_perforation"].colour))
    )
    seen = np.asarray(indexed(pixels).convert("RGB"))[51, 61].astype(int)
    assert np.abs(seen - pixels[51, 61]).max() <= 25


def test_mp4_has_the_frames(small_run: Path, tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    places = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for place in places:
        row = bonesim.film(small_run, place, seconds=0.3, fps=10, size_px=SMALL_PX).iloc[0]
    with av.open(str(places[0])) as film:
        assert film.streams.video[0].average_rate == 10
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == row["frames"] == 9
    assert differ(frames[0], frames[8]) > 0.002
    assert differ(frames[0], frames[2]) < 0.002, "a snapshot stands still"
    assert places[0].read_bytes() == places[1].read_bytes()


def longest(row: NDArray[np.bool_]) -> int:
    """The length of the longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


@pytest.mark.long
def test_the_scale_bar_is_true_on_all_sides(small_run: Path) -> None:
    """A ball of 0.8 mm is as wide as 1.6 bars of 0.5 mm within 1 % in each frame, seen from anywhere."""
    ball = pv.Sphere(radius=0.4, center=(0.6, 0.5, 0.55), theta_resolution=180, phi_resolution=180)
    block = Block(ball.compute_normals(), pv.PolyData())
    with open_run(small_run) as run:
        views = _around(run, whole(run.shape), 24.0, 30.0, 5)
        stage = _Stage(run, whole(run.shape), views[0], Scale("bone"), 1440, curves=False)
        shots = photographs([(block, view) for view in views], stage.photograph_px)
        for view, shot in zip(views, shots, strict=True):
            stage.view = view
            seen = stage.show(shot, 0, "").astype(int)
            ink = np.abs(seen - np.array([0x22, 0x22, 0x22])).max(axis=2) < 20
            # The longest run: the text beside the bar is ink as well.
            bar = max(longest(row) for row in ink[1230:])
            ball_px = (seen[210:1230].min(axis=2) < 240).any(axis=0).sum()
            assert ball_px / bar == pytest.approx(0.8 / 0.5, rel=0.01)


@pytest.mark.parametrize("colour", ["mineral", "surface_state", "sed"])
def test_every_colour_has_its_scale(small_run: Path, colour: str) -> None:
    from bonesim.viewer.colouring import coloured, known_colour

    with open_run(small_run) as run:
        found = coloured(run, [0, 120], whole(run.shape), known_colour(colour))
        stage = _Stage(run, whole(run.shape), _around(run, whole(run.shape), 0, 0, 1)[0], found.scale,
                       SMALL_PX, curves=False)  # fmt: skip
    labels = [text.get_text() for text in stage.figure.legends[0].get_texts()]
    bars = [axis.get_ylabel() for axis in stage.figure.axes if axis.get_ylabel()]
    if colour == "surface_state":
        assert labels[:-1] == [palette.STATES[code][0] for code in palette.SURFACE_STATES]
    else:
        assert bars == [found.scale.label]
        assert "%" in bars[0] or "MPa" in bars[0]


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("spin", {}, "kind: 'spin' is not known; one of time, turntable, event"),
        ("time", {"day": 60}, "day: is not for a film of kind time"),
        ("event", {"colour": "bone"}, "colour: is not for a film of kind event"),
        ("turntable", {"day": 61}, "day: .*no snapshot of day 61"),
        ("turntable", {"colour": "pink"}, "colour: 'pink' is not known"),
        ("turntable", {"camera": "up"}, "camera: got 'up'; give one of front"),
        ("turntable", {"camera": "10,95"}, "camera: got '10,95'"),
        ("time", {"slab": "0:5"}, "slab: got"),
        ("time", {"fps": 0}, "fps: got 0; allowed are 1 to 60"),
        ("time", {"size_px": 333}, "size_px: got 333; allowed are 320 to 2160, even"),
        ("time", {"seconds": 0.0}, "seconds: got 0"),
        ("time", {"seconds": 600.0, "fps": 60}, "at most 5000"),
        ("event", {"event": 99}, "event: '?99'? is no break"),
    ],
)
def test_what_cannot_be_filmed(
    small_run: Path, tmp_path: Path, kind: str, options: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError) as error:
        bonesim.film(small_run, tmp_path / "f.gif", kind, **options)  # type: ignore[arg-type]
    import re

    parameter = getattr(error.value, "parameter", None)
    assert re.search(words, f"{parameter}: {error.value}"), f"{parameter}: {error.value}"
    assert list(tmp_path.iterdir()) == []


def test_names_and_missing_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"ends in \.mp4 or \.gif"):
        check_film(tmp_path / "f.avi")
    monkeypatch.setattr("bonesim.viewer.film_file.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'bonesim\[film\]'; or make a \.gif"):
        check_film(tmp_path / "f.mp4")
    check_film(tmp_path / "f.gif")
