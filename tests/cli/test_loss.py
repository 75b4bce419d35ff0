"""`bonesim decompose` on a tiny bone: table, picture, twin, and what is refused."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bonesim.config.config import validated
from bonesim.loss.parts import OF_THINNING, PARTS, Loss
from bonesim.reports import loss as report

Bonesim = Callable[..., subprocess.CompletedProcess[str]]
BIRTHS = "cells.bmu.origination_per_mm2_per_year"


@pytest.fixture(scope="module")
def decomposed(in_a_process: Bonesim, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loss")
    done = in_a_process(
        "decompose", tiny.parent / "c.toml", "--days", "20,40", "--set", f"{BIRTHS}=15",
        "--twin-set", f"{BIRTHS}=1.6", "--csv", folder / "table.csv", "-o", folder / "loss.png",
    )  # fmt: skip
    (folder / "printed").write_text(done.stdout)
    return folder


def test_the_table_adds_up(decomposed: Path, tiny: Path) -> None:
    table = pd.read_csv(decomposed / "table.csv")
    assert len(table) == 3 * 2 * (1 + len(PARTS) + len(OF_THINNING))
    quanta = table.pivot_table("quanta", ["simulation", "day"], "part", aggfunc="first")
    assert (quanta[list(PARTS)].sum(axis=1) == quanta["total"]).all()
    assert (quanta[list(OF_THINNING)].sum(axis=1) == quanta["thinning"]).all()
    assert (quanta.loc["run"] - quanta.loc["twin"] == quanta.loc["difference"]).all(axis=None)
    assert (quanta.loc["run", "open_space"] > 0).all()
    of_day_0 = table.groupby(["simulation", "day", "kind"])["percent_of_day_0"].sum().unstack()
    assert of_day_0["part"].tolist() == pytest.approx(of_day_0["total"].tolist())
    # The twin is the run that `bonesim run` simulates: the total is its loss of BMD.
    from bonesim.storage.reader import open_run

    with open_run(tiny) as run:
        bmd = run.table.set_index("day")["bmd_mg_per_cm3"]
    assert of_day_0.loc[("twin", 40), "total"] == pytest.approx(
        100 * (1 - bmd[40] / bmd[0]), abs=1e-3
    )


def test_words_and_picture(decomposed: Path) -> None:
    printed = (decomposed / "printed").read_text()
    for words in ("day 20", "day 40", "run", "twin", "difference", *PARTS.values(),
                  *OF_THINNING.values(), "total", "of it comes back by itself"):  # fmt: skip
        assert words in printed
    assert (decomposed / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert (decomposed / "loss.csv").read_text() == (decomposed / "table.csv").read_text()


def test_numbers_in_words() -> None:
    loss = Loss(7, 1000, 100, 60, -10, 35, 5, 10, 0, 30, 0, 9, -4)
    nothing = Loss(9, 1000, *[0] * 11)
    printed = report.text(report.table([[loss, nothing]], [validated({}, "test")])).splitlines()
    rows = {line[:30].strip(): line[30:].split() for line in printed if line[:30].strip()}
    assert rows["open remodelling space"] == ["6.00", "60", "%", "0.00", "-"]
    assert rows["mineral lag"] == ["-1.00", "-10", "%", "0.00", "-"]
    assert rows["added by strain"] == ["-0.40", "-4", "%", "0.00", "-"]
    assert rows["total"] == ["10.00", "100", "%", "0.00", "-"]
    assert rows["of it comes back by itself"] == ["5.00", "50", "%", "0.00", "-"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--days", "40,20"], ["--days: got 40, 20;", "rising"]),
        (["--days", "0"], ["from 1"]),
        (["--days", "1.5"], ["--days: got 1.5;"]),
        (["--days", "5", "--twin-set", "cells.bmu.orignation=0"], ["orignation"]),
        (["--days", "5", "-o", "a.jpg"], ["a.jpg", ".png"]),
        (["--set", "schedule.duration_day=0", "--set", "schedule.snapshots_day=[]"], ["--days"]),
    ],
)
def test_bad_input_is_one_line(
    main_here: Bonesim, tiny: Path, arguments: list[str], words: list[str]
) -> None:
    done = main_here("decompose", tiny.parent / "c.toml", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    for word in words:
        assert word in done.stderr
