"""The page in a browser without a network, its policy as written: what is drawn is what is on file."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bonesim.page.events import page_events
from bonesim.storage.reader import Run
from bonesim.viewer.moments import weekly
from tests.page.conftest import Browser

LAST = 500


@pytest.fixture(scope="module")
def browser(chromium: Any) -> Iterator[Any]:
    """A window of coarse pixels: without a graphics card every pixel takes time."""
    one = Browser(chromium, ratio=0.5)
    yield one
    one.context.close()


@pytest.fixture(scope="module")
def page(browser: Any, page_file: Path) -> Any:
    return browser.open(page_file)


def picture(page: Any, selector: str = "#stage") -> NDArray[np.int16]:
    """What is drawn there, rows of red, green, blue."""
    return np.asarray(
        Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB"), np.int16
    )


def bone_share(image: NDArray[np.int16]) -> float:
    """Share of pixels that have the pale hue of bone, shaded or not."""
    red, green, blue = np.moveaxis(image, -1, 0)
    return float(((red > green) & (green > blue) & (red - blue > 15) & (red - blue < 90)).mean())


def changed(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    return float((np.abs(one - other).max(axis=-1) > 8).mean())


def set_range(browser: Any, name: str, value: float) -> None:
    """Move a slider as its keys would."""
    browser.page.locator(f"#{name}").evaluate(
        "(one, value) => { one.value = value; one.dispatchEvent(new Event('input')); }", value
    )
    browser.ready()


def choose(browser: Any, name: str, value: str) -> None:
    browser.page.select_option(f"#{name}", value)
    browser.ready()


def layer(browser: Any, name: str, on: bool) -> None:
    browser.page.locator(f"[data-layer={name}]").set_checked(on)
    browser.ready()


def test_it_opens_asks_for_nothing_and_complains_of_nothing(page: Any, browser: Any) -> None:
    assert browser.foreign() == []
    assert browser.complaints == []
    assert "failed" not in page.evaluate("({...document.body.dataset})")


def test_a_title_is_text(page: Any, run: Run) -> None:
    assert page.locator("h1").inner_text() == run.title
    assert page.title() == run.title
    assert page.locator("img").count() == 0
    assert "broken" not in page.evaluate("({...document.body.dataset})")


def test_the_header_has_bone_size_and_days(page: Any) -> None:
    text = page.locator("header #facts").inner_text()
    assert "young_vertebra" in text and "500 days simulated" in text
    assert "1.44 \u00d7 1.44 \u00d7 1.44 mm, voxels of 30 \u00b5m" in text


def test_bone_is_on_the_stage_and_changes_with_the_day(page: Any, browser: Any) -> None:
    first = picture(page)
    assert bone_share(first) > 0.05
    assert page.locator("#day").inner_text() == "day 0"
    set_range(browser, "step", 2)
    assert page.locator("#day").inner_text() == f"day {LAST} (1.4 years)"
    assert changed(first, picture(page)) > 0.01


@pytest.mark.long
def test_every_colour_and_layer_changes_the_picture(page: Any, browser: Any) -> None:
    set_range(browser, "step", 2)
    choose(browser, "colour", "state")
    seen = [picture(page)]
    modes = page.locator("#colour option").evaluate_all("all => all.map(one => one.value)")
    assert {"bone", "mineral", "thickness", "change", "sides"} <= set(modes)
    for mode in modes[1:]:
        choose(browser, "colour", mode)
        seen.append(picture(page))
        assert all(changed(seen[-1], other) > 0.002 for other in seen[:-1]), mode
    choose(browser, "colour", "bone")
    set_range(browser, "cut", 0.5)
    layers = page.locator("[data-layer]").evaluate_all("all => all.map(one => one.dataset.layer)")
    for name in layers:
        layer(browser, name, True)
        with_it = picture(page)
        layer(browser, name, False)
        assert changed(with_it, picture(page)) > 0.0001, name
    for name in layers:
        layer(browser, name, name in ("bone", "osteoclasts", "bmus", "events", "osteocytes"))
    set_range(browser, "cut", 0.0)


def test_a_cut_takes_bone_away(page: Any, browser: Any) -> None:
    choose(browser, "colour", "bone")
    set_range(browser, "cut", 0.0)
    whole = bone_share(picture(page))
    set_range(browser, "cut", 0.5)
    for axis in "xyz":
        choose(browser, "cut-axis", axis)
        assert 0.0 < bone_share(picture(page)) < 0.9 * whole, axis
    set_range(browser, "cut", 0.0)


@pytest.mark.parametrize("population", ("osteoclasts", "osteoblasts", "bmus", "osteocytes"))
def test_every_cell_is_drawn_where_it_is(
    page: Any, browser: Any, run: Run, population: str
) -> None:
    set_range(browser, "step", 2)
    table = run.cells(population, LAST)
    wanted = table[["x_um", "y_um", "z_um"]].to_numpy(np.float64)
    if population == "osteocytes":
        choose(browser, "cut-axis", "y")
        set_range(browser, "cut", 0.5)
        wanted = wanted[np.abs(wanted[:, 1] - 0.5 * run.shape[1] * run.voxel_um) <= run.voxel_um]
    layer(browser, population, True)
    drawn = np.array(page.evaluate(f"bonesim.glyphs('{population}')")).reshape(-1, 3)
    set_range(browser, "cut", 0.0)
    assert len(drawn) == len(wanted) > 0
    order = [np.lexsort(np.round(one).T) for one in (drawn, wanted)]
    np.testing.assert_allclose(drawn[order[0]], wanted[order[1]], atol=0.01)


def test_osteoclasts_lie_on_their_surface(page: Any, browser: Any, run: Run) -> None:
    set_range(browser, "step", 2)
    drawn = np.array(page.evaluate("bonesim.glyphs('osteoclasts')")).reshape(-1, 3)
    busy = np.argwhere(run.field("surface_state", LAST) == 3)[:, ::-1]
    places = (busy + 0.5) * run.voxel_um
    chosen = drawn[np.linspace(0, len(drawn) - 1, 20).astype(int)]
    away = np.linalg.norm(chosen[:, None] - places[None], axis=2).min(axis=1)
    assert away.max() <= 60.0


def test_events_are_those_of_the_log(page: Any, browser: Any, run: Run) -> None:
    set_range(browser, "step", 2)
    events, breaks = run.events, run.breaks
    there = (breaks["found_day"] <= LAST) & ~(breaks["end_day"] <= LAST)
    assert 0 < there.sum() < len(breaks)
    for name, rows in (("events", breaks[there]), ("others", events[events["day"] <= LAST])):
        layer(browser, name, True)
        drawn = np.array(page.evaluate(f"bonesim.glyphs('{name}')")).reshape(-1, 3)
        np.testing.assert_allclose(drawn, rows[["x_um", "y_um", "z_um"]], atol=0.01)
        assert len(drawn) > 0


@pytest.mark.parametrize("since", (0, 200))
def test_formed_and_resorbed_are_numpy_s(page: Any, browser: Any, run: Run, since: int) -> None:
    set_range(browser, "step", 2)
    choose(browser, "colour", "change")
    choose(browser, "since", str(since))
    now, before = (run.quanta(day) >= 128 for day in (LAST, since))
    counts = page.locator("#counts")
    assert int(counts.get_attribute("data-formed")) == int((now & ~before).sum()) > 0
    assert int(counts.get_attribute("data-resorbed")) == int((before & ~now).sum()) > 0


def test_two_clicks_from_a_curve_to_the_event(page: Any, browser: Any, run: Run) -> None:
    chart = page.locator("#curves svg").nth(1)
    box = chart.bounding_box()
    chart.click(position={"x": 0.6 * box["width"], "y": 0.5 * box["height"]})
    browser.ready()
    chosen = int(page.evaluate("bonesim.state.day"))
    away = (run.breaks["found_day"] - chosen).abs()
    page.locator("#events button").first.click()
    browser.ready()
    row = int(page.evaluate("bonesim.state.choice.row"))
    assert away[row] == away.min()
    card = page.locator("#choice").inner_text()
    event = page_events(run).loc[row]
    assert f"Day {event['day']:.0f}" in card and str(event["bmu"]) in card
    assert str(event["kind"]).replace("_", " ") in card


def test_a_click_on_the_bone_chooses_an_event(page: Any, browser: Any) -> None:
    choose(browser, "view", "run")
    set_range(browser, "step", 2)
    layer(browser, "events", True)
    x, y = page.evaluate(
        "(() => { const { scene } = bonesim, place = bonesim.glyphs('events').slice(0, 3);"
        "return scene.camera.project(place, scene.canvas.clientWidth, scene.canvas.clientHeight); })()"
    )[:2]
    page.evaluate("bonesim.state.choice = null")
    page.locator("#gl").click(position={"x": x, "y": y})
    browser.ready()
    assert page.evaluate("bonesim.state.choice.layer") == "events"
    assert page.locator("#choice li").count() >= 1


def test_what_swings_between_doses_is_drawn_as_weekly_mean(page: Any, run: Run) -> None:
    values = run.table["e2_pg_per_ml"].to_numpy(np.float64)
    drawn = page.evaluate("courseOf(SERIES[0], 'daily:e2_pg_per_ml').values")
    np.testing.assert_allclose(drawn, weekly(values))
    assert not np.allclose(drawn, values)
    chosen = page.locator("#curves select option:checked").first.inner_text()
    assert chosen == "E2 (pg/mL), mean of the past week"
    plain = page.evaluate("courseOf(SERIES[0], 'daily:bvtv_percent').values")
    np.testing.assert_allclose(plain, run.table["bvtv_percent"])


@pytest.mark.parametrize("ends", ((119.2, 124.9), (126.1, 126.2), (0, 1), (-3, 4e6), (1.4, 10.1)))
def test_an_axis_has_three_ticks(page: Any, ends: tuple[float, float]) -> None:
    ticks = page.evaluate(f"ticksOf({ends[0]}, {ends[1]}, 4)")
    assert 3 <= len(ticks) <= 9 and ends[0] <= min(ticks) and max(ticks) <= ends[1] * (1 + 1e-9)


def test_a_table_can_be_saved_and_is_the_run_s(page: Any, run: Run, tmp_path: Path) -> None:
    import pandas as pd

    for name, table in (
        ("run_daily", run.table), ("run_measures", run.snapshot_table), ("run_events", page_events(run)),
        (f"run_osteoblasts_day_{LAST}", run.cells("osteoblasts", LAST)),
    ):  # fmt: skip
        with page.expect_download() as waited:
            page.locator(f"[data-table={name}]").click()
        waited.value.save_as(tmp_path / f"{name}.csv")
        with (tmp_path / f"{name}.csv").open(newline="") as file:
            assert next(csv.reader(file)) == list(table.columns)
        kinds = {k: t for k, t in table.dtypes.items() if not isinstance(t, pd.CategoricalDtype)}
        found = pd.read_csv(tmp_path / f"{name}.csv", dtype=kinds)
        for column in table.columns:
            if column in kinds:
                np.testing.assert_array_equal(found[column], table[column], column)
            else:
                assert list(found[column]) == list(table[column].astype(str))


def test_slices_follow_each_other(page: Any, browser: Any) -> None:
    canvas = page.locator("#planes canvas").first
    before = page.locator("#planes output").all_inner_texts()
    box = canvas.bounding_box()
    canvas.click(position={"x": 0.25 * box["width"], "y": 0.25 * box["width"]})
    browser.ready()
    after = page.locator("#planes output").all_inner_texts()
    assert after[0] == before[0] and after[1] != before[1] and after[2] != before[2]


def test_run_and_twin_stand_side_by_side(page: Any, browser: Any) -> None:
    choose(browser, "view", "both")
    image = picture(page, "#gl")
    half = image.shape[1] // 2
    assert min(bone_share(image[:, :half]), bone_share(image[:, half:])) > 0.05
    choose(browser, "view", "run")


def test_keys_reach_every_control(page: Any) -> None:
    wanted = page.evaluate(
        "[...document.querySelectorAll('button, input, select, canvas[tabindex], svg[tabindex]')]"
        ".filter(one => one.checkVisibility() && !one.disabled).length"
    )
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    page.evaluate(
        "document.querySelectorAll('[data-seen]').forEach(one => delete one.dataset.seen)"
    )
    for _ in range(wanted + 20):
        page.keyboard.press("Tab")
        page.evaluate("document.activeElement.dataset.seen = 1")
    reached = page.locator(":is(button, input, select, canvas, svg)[data-seen]").count()
    assert reached == wanted
    before = picture(page)
    page.locator("#gl").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    assert changed(before, picture(page)) > 0.01


def test_nothing_stands_in_the_way_of_assistive_technology(page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="extra dev")
    found = axe.Axe().run(page).response["violations"]
    serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    assert serious == [], found


def test_without_webgl_the_rest_works(chromium: Any, page_file: Path) -> None:
    bare = Browser(
        chromium,
        "const known = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        "return kind === 'webgl2' ? null : known.call(this, kind, ...more); };",
    )
    page = bare.open(page_file)
    assert "no WebGL 2" in page.locator("#failure").inner_text()
    before = picture(page, "#planes canvas >> nth=0")
    assert bone_share(before) > 0.01
    set_range(bare, "step", 2)
    assert changed(before, picture(page, "#planes canvas >> nth=0")) > 0.001
    assert page.locator("#measures tbody tr").count() > 5
    assert bare.complaints == []
    bare.context.close()


def test_it_still_asked_for_nothing(page: Any, browser: Any) -> None:
    """The last of this file: after all that was done to the page."""
    assert browser.foreign() == []
    assert browser.complaints == []
