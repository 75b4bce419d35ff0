"""The scale bars of the page, on a cube of 1 mm."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

import bonesim
from bonesim.config.config import validated
from bonesim.engine.run import run
from bonesim.specimens.specimen import Specimen

VOXEL_UM = 25.0
CUBE_MM = 1.0
STILL = {
    "mechanics": {"interval_day": 0},
    "schedule": {"burn_in_day": 0, "duration_day": 1, "snapshots_day": [0]},
}


@pytest.fixture(scope="module")
def page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The page of a cube of 1 mm in a block of 1.5 mm."""
    folder = tmp_path_factory.mktemp("cube")
    quanta = np.zeros((60, 60, 60), np.uint8)
    quanta[10:50, 10:50, 10:50] = 255
    config = validated(STILL, "cube")
    file = run(config, folder / "cube.vtkhdf", specimen=Specimen(quanta, VOXEL_UM, "cube", ()))
    bonesim.report(file, output=folder / "cube.html")
    return browser.open(folder / "cube.html")


def shot(page: Any, selector: str) -> Any:
    return np.asarray(
        Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB"), int
    )


def length_mm(text: str) -> float:
    number, unit = text.split()
    return float(number) / (1.0 if unit == "mm" else 1000.0)


@pytest.mark.parametrize("zoom", (0, 2))
def test_the_bar_of_the_stage(page: Any, zoom: int) -> None:
    page.evaluate("window.scrollTo(0, 0)")
    page.click("[data-view=start]")
    page.click("[data-view=front]")
    for _ in range(zoom):
        page.click("[data-view=farther]")
    image = shot(page, "#stage")
    middle = image[image.shape[0] // 2]
    bone = np.flatnonzero(middle.max(axis=1) - middle.min(axis=1) > 15)
    cube_pixels = bone[-1] - bone[0] + 1
    dark = np.all(image < 80, axis=2)
    bar_pixels = max(longest(row) for row in dark[-40:])
    drawn_mm = length_mm(page.locator("#over").get_attribute("data-bar"))
    assert cube_pixels / CUBE_MM == pytest.approx(bar_pixels / drawn_mm, rel=0.01)


@pytest.mark.parametrize("plane", range(3))
def test_the_bars_of_the_slices(page: Any, plane: int) -> None:
    row, foot = (
        np.array(
            page.locator("#planes canvas").nth(plane).evaluate(
                "(one, y) => [...one.getContext('2d').getImageData("
                "0, y < 0 ? one.height + y : y, one.width, 1).data]", y
            )
        ).reshape(-1, 4)[:, :3]
        for y in (100, -7)
    )  # fmt: skip
    bone = np.flatnonzero(row.max(axis=1) - row.min(axis=1) > 15)
    cube_pixels = bone[-1] - bone[0] + 1
    bar_pixels = longest(np.all(foot < 80, axis=1))
    assert cube_pixels / CUBE_MM == pytest.approx(bar_pixels / 0.2, rel=0.01)


def longest(row: Any) -> int:
    """Pixels of the longest run of a row."""
    edges = np.diff(np.concatenate([[0], row.astype(int), [0]]))
    runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return int(runs.max(initial=0))
