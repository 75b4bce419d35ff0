"""A small run and its twin, their page, and a browser without a network that opens it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bonesim
from bonesim.page.run_page import page_of_run
from bonesim.storage.breaks import OF_EVENTS
from bonesim.storage.reader import Run

#: A title that would run if it were not shown as text.
TITLE = "</script><img src=x onerror=\"document.body.dataset.broken='yes'\"> & <b>bone</b>"
SMALL: dict[str, Any] = {
    "title": TITLE,
    "specimen": {
        "kind": "synthetic",
        "preset": "young_vertebra",
        "size_mm": [1.44, 1.44, 1.44],
        "voxel_um": 30.0,
    },
    "hormones": {"course": {"kind": "stepped", "steps": [{"start_day": 0, "e2_pg_per_ml": 7.0}]}},
    "mechanics": {"interval_day": 0},
    # More of them than in life: so small a bone is to have cells of all kinds in view.
    "cells": {"bmu": {"origination_per_mm2_per_year": 14.0}},
    "schedule": {"burn_in_day": 120, "duration_day": 500, "snapshots_day": [0, 200, 500]},
}
#: Chromium as a desk and as root have it; drawn without a graphics card.
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def run_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run and its untreated twin."""
    with pytest.MonkeyPatch.context() as patch:  # a process for the twin would import for longer
        patch.setattr("bonesim.engine.beside.usable_cores", lambda: 1)
        return bonesim.run_twins(SMALL, tmp_path_factory.mktemp("page") / "small.vtkhdf")


@pytest.fixture(scope="session")
def run(run_files: tuple[Path, Path]) -> Iterator[Run]:
    """The run, with the perforations and cuts of its log as breaks: in so short a time few are."""
    with bonesim.open_run(run_files[0]) as one:
        kind = one.events["kind"].astype(str)
        chosen = one.events[kind.isin(list(OF_EVENTS))].iloc[::2]
        one.__dict__["breaks"] = pd.DataFrame(
            {
                "id": np.arange(len(chosen)), "kind": chosen["kind"].astype(str).map(OF_EVENTS),
                "state": "there", "found_day": chosen["day"], "end_day": np.nan,
                "connections": -chosen["delta_euler"].astype(float), "widest_um": 40.0,
                **{n: chosen[n] for n in ("x_um", "y_um", "z_um", "bmu", "thickness_um")},
            }
        ).reset_index(drop=True)  # fmt: skip
        # One was closed again before the last snapshot.
        one.breaks.loc[0, ["state", "end_day"]] = ["closed", one.breaks["found_day"][0] + 1.0]
        yield one


@pytest.fixture(scope="session")
def page_file(
    run: Run, run_files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The page of the run beside its twin."""
    with bonesim.open_run(run_files[1]) as twin:
        return page_of_run(run, twin).write(tmp_path_factory.mktemp("page") / "report.html")


class Browser:
    """Chromium on one page; whatever the page asks for beyond its own file is kept."""

    def __init__(self, browser: Any, before: str = "", ratio: float = 1.0) -> None:
        self.context = browser.new_context(
            viewport={"width": 1000, "height": 760}, device_scale_factor=ratio
        )
        if before:
            self.context.add_init_script(before)
        self.context.set_offline(True)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.opened: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: Path) -> Any:
        """The page of a file, once its bone is drawn."""
        self.opened.append(path.as_uri())
        self.page.goto(path.as_uri())
        self.ready()
        return self.page

    def ready(self) -> None:
        """Wait until the page shows its state; its policy forbids waiting for functions."""
        self.page.wait_for_selector("body[data-ready]", timeout=PATIENCE_MS)

    def foreign(self) -> list[str]:
        """What was asked for besides the files themselves and the workers made in them."""
        return [
            url for url in self.asked
            if url not in self.opened and not url.startswith("blob:null/")
        ]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser; tests skip where there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium on the path: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, extra dev")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser(chromium: Any) -> Iterator[Browser]:
    """A window of its own for each file of tests."""
    one = Browser(chromium)
    yield one
    one.context.close()
