"""The page in another engine, the system's Firefox: its core checks; the others are Chromium's."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bonesim.storage.reader import Run
from tests.page.firefox import FIREFOX, SCREEN, Firefox
from tests.page.test_browser import LAST, bone_share, changed

#: Slow: the browser draws without a graphics card and wants the cores for itself.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        FIREFOX is None or SCREEN is None,
        reason="no Firefox or no screen for it: apt-get install firefox-esr xvfb xauth",
    ),
]


@pytest.fixture(scope="module")
def firefox(page_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """The page of the run, open."""
    pytest.importorskip("websockets.sync.client", reason="needs websockets, extra dev")
    one = Firefox(tmp_path_factory.mktemp("profile"))
    try:
        one.open(page_file)
        yield one
    finally:
        one.close()


def set_value(firefox: Firefox, name: str, value: object, event: str) -> None:
    """A slider's or a list's value, as a user's hand would set it."""
    firefox.evaluate(
        f"(one => {{ one.value = '{value}'; one.dispatchEvent(new Event('{event}')); }})"
        f"(document.querySelector('#{name}')) ?? null"
    )
    firefox.ready()


def layer(firefox: Firefox, name: str, on: bool) -> None:
    firefox.evaluate(
        f"(one => one.checked === {str(on).lower()} || one.click())"
        f"(document.querySelector('[data-layer={name}]')) ?? null"
    )
    firefox.ready()


def test_bone_is_on_the_stage_and_changes_with_the_day(firefox: Firefox, run: Run) -> None:
    assert firefox.evaluate("document.querySelector('h1').innerText") == run.title
    first = firefox.picture()
    assert bone_share(first) > 0.05
    set_value(firefox, "step", 2, "input")
    assert firefox.evaluate("document.querySelector('#day').innerText").startswith(f"day {LAST} ")
    assert changed(first, firefox.picture()) > 0.01


def test_every_colour_and_layer_changes_the_picture(firefox: Firefox) -> None:
    set_value(firefox, "step", 2, "input")
    modes = firefox.evaluate("[...document.querySelectorAll('#colour option')].map(o => o.value)")
    assert {"bone", "mineral", "thickness", "change", "sides"} <= set(modes)
    seen = []
    for mode in modes:
        set_value(firefox, "colour", mode, "change")
        seen.append(firefox.picture())
        assert all(changed(seen[-1], other) > 0.002 for other in seen[:-1]), mode
    set_value(firefox, "colour", "bone", "change")
    set_value(firefox, "cut", 0.5, "input")
    for name in firefox.evaluate(
        "[...document.querySelectorAll('[data-layer]')].map(o => o.dataset.layer)"
    ):
        layer(firefox, name, True)
        with_it = firefox.picture()
        layer(firefox, name, False)
        assert changed(with_it, firefox.picture()) > 0.0001, name
    layer(firefox, "bone", True)
    set_value(firefox, "cut", 0.0, "input")


def test_a_cut_takes_bone_away(firefox: Firefox) -> None:
    whole = bone_share(firefox.picture())
    set_value(firefox, "cut", 0.5, "input")
    assert 0.0 < bone_share(firefox.picture()) < 0.9 * whole
    set_value(firefox, "cut", 0.0, "input")


@pytest.mark.parametrize("population", ("osteoclasts", "osteoblasts", "bmus"))
def test_every_cell_is_drawn_where_it_is(firefox: Firefox, run: Run, population: str) -> None:
    set_value(firefox, "step", 2, "input")
    layer(firefox, population, True)
    drawn = np.array(firefox.evaluate(f"[...bonesim.glyphs('{population}')]")).reshape(-1, 3)
    wanted = run.cells(population, LAST)[["x_um", "y_um", "z_um"]].to_numpy(np.float64)
    assert len(drawn) == len(wanted) > 0
    order = [np.lexsort(np.round(one).T) for one in (drawn, wanted)]
    np.testing.assert_allclose(drawn[order[0]], wanted[order[1]], atol=0.01)


def test_formed_and_resorbed_are_numpy_s(firefox: Firefox, run: Run) -> None:
    set_value(firefox, "step", 2, "input")
    set_value(firefox, "colour", "change", "change")
    set_value(firefox, "since", 0, "change")
    now, before = (run.quanta(day) >= 128 for day in (LAST, 0))
    counts = firefox.evaluate("({...document.querySelector('#counts').dataset})")
    assert int(counts["formed"]) == int((now & ~before).sum()) > 0
    assert int(counts["resorbed"]) == int((before & ~now).sum()) > 0


def test_the_slices_show_bone(firefox: Firefox) -> None:
    assert firefox.evaluate("document.querySelectorAll('#planes canvas').length") == 3
    assert bone_share(firefox.picture("#planes canvas")) > 0.01


def test_keys_turn_the_bone(firefox: Firefox) -> None:
    firefox.evaluate("(window.scrollTo(0, 0), document.querySelector('#gl').focus()) ?? null")
    before = firefox.picture()
    for _ in range(3):
        firefox.press("\ue012")  # arrow left
    firefox.ready()
    assert changed(before, firefox.picture()) > 0.01


def test_it_asked_for_nothing_and_complained_of_nothing(firefox: Firefox) -> None:
    """The last of this file: after all that was done to the page."""
    assert firefox.evaluate("'broken' in document.body.dataset") is False
    assert firefox.foreign() == []
    assert firefox.complaints == []
