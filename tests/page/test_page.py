"""The page as a file: one file, a policy that its parts keep, the same bytes for the same run."""

import base64
import hashlib
import json
import re
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import bonesim
from bonesim.engine.daily_table import COLUMNS
from bonesim.errors import InputError
from bonesim.morphometry.closed import CLOSED
from bonesim.morphometry.panel import PANEL, QUICK
from bonesim.page.blobs import KINDS, Blobs, narrowed
from bonesim.page.document import ASSETS, FOLDER, RUN, assembled
from bonesim.page.facts import bone_text, days_text
from bonesim.page.run_page import page_of_run
from bonesim.page.snapshots import Lattice, coarsening
from bonesim.reports.run import BREAKS, MEASURED, REPORTED
from bonesim.storage.reader import Run

#: Lines of a file of the page's program.
LONGEST_SCRIPT = 400


def header_of(html: str) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="header">(.*?)</script>', html, re.DOTALL
    )
    assert found
    return dict(json.loads(found[1]))


def read_back(html: str, place: dict[str, Any]) -> Any:
    """An array of a page, by other means than the page's own."""
    found = re.search(rf'id="blob-{place["blob"]}">([^<]*)</script>', html)
    assert found
    kind = np.dtype({text: name for name, text in KINDS.items()}[place["kind"]])
    planes = np.frombuffer(zlib.decompress(base64.b64decode(found[1])), np.uint8)
    return np.ascontiguousarray(planes.reshape(kind.itemsize, -1).T).view(kind).ravel()


@pytest.fixture(scope="module")
def html(page_file: Path) -> str:
    return page_file.read_text(encoding="utf-8")


def test_the_policy_names_what_runs_and_lets_nothing_else_in(html: str) -> None:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert found
    rules = dict(rule.split(" ", 1) for rule in found[1].split("; "))
    assert rules["default-src"] == "'none'" and rules["worker-src"] == "blob:"
    for rule, pattern in (
        ("script-src", r"<script>(.*?)</script>"),
        ("style-src", r"<style>(.*?)</style>"),
    ):
        (text,) = re.findall(pattern, html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert "unsafe" not in found[1] and "http" not in found[1]


def test_the_program_loads_nothing_and_makes_no_code_of_texts() -> None:
    for path in ASSETS.iterdir():
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= LONGEST_SCRIPT, path
        addresses = set(re.findall(r"https?://[^\s\"']+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path
        for word in ("eval(", "new Function", "innerHTML", "outerHTML", "document.write", "fetch(",
                     "XMLHttpRequest", "import(", "localStorage", "insertAdjacentHTML"):  # fmt: skip
            assert word not in text, f"{path}: {word}"
    assert {path.stem for path in ASSETS.glob("*.js")} == {*RUN.scripts, *FOLDER.scripts}


def test_the_same_run_gives_the_same_bytes(run_files: tuple[Path, Path]) -> None:
    assert bonesim.report(run_files[0]).html == bonesim.report(run_files[0]).html


def test_no_folder_of_the_machine_is_named(run_files: tuple[Path, Path]) -> None:
    assert str(run_files[0].parent) not in bonesim.report(run_files[0]).html


def test_a_title_cannot_leave_its_place(html: str, run: Run) -> None:
    assert "<img" not in html
    assert header_of(html)["title"] == run.title
    page = assembled("</title><script>", {"text": "</script><!--\u2028"}, [])
    assert page.html.count("<script") == 2 and "</title><script>" not in page.html
    assert header_of(page.html)["text"] == "</script><!--\u2028"


def test_voxels_come_back(html: str, run: Run) -> None:
    before: Any = 0
    for day, packed in zip(run.snapshot_days, header_of(html)["runs"][0]["snapshots"], strict=True):
        quanta = run.quanta(day)
        levels = read_back(html, packed["levels"])
        levels = (levels + before) % 16 if packed["levels"]["after"] else levels
        np.testing.assert_array_equal(levels.reshape(quanta.shape), quanta // 16)
        np.testing.assert_array_equal(levels >= 8, quanta.ravel() >= 128)
        state = run.field("surface_state", day).ravel()
        np.testing.assert_array_equal(
            read_back(html, packed["activity"]), np.where(state > 2, state, 0)
        )
        mineral = packed["numbers"]["mineral"]
        found = mineral["low"] + read_back(html, mineral) * (mineral["high"] - mineral["low"]) / 63
        wanted = 100.0 * run.field("mineral", day)[quanta >= 128] / 255
        assert np.abs(found - wanted).max() <= (mineral["high"] - mineral["low"]) / 63
        before = levels


@pytest.mark.parametrize(
    "values",
    (
        [True, False], [0, 1, -5], [2**40, 1], [0.5, np.nan], [1.0, 2.0, -3e9],
        np.array([2**63 + 1], np.uint64), np.array([1.5], np.float32), np.array([7], np.int16),
    ),
)  # fmt: skip
def test_numbers_are_narrowed_without_loss(values: Any) -> None:
    array = np.array(values)
    small = narrowed(array)
    assert small.dtype.name in KINDS
    np.testing.assert_array_equal(small.astype(array.dtype), array)


def test_arrays_of_every_kind_come_back() -> None:
    blobs = Blobs()
    arrays = [np.arange(5).astype(name) for name in KINDS]
    places = [blobs.add(array) for array in arrays]
    html = assembled("t", {}, blobs.texts).html
    for array, place in zip(arrays, places, strict=True):
        np.testing.assert_array_equal(read_back(html, place), array)


def test_large_lattices_are_coarsened(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert coarsening((200, 200, 200)) == 1
    assert coarsening((201, 200, 200)) == 2
    assert coarsening((801, 400, 400)) == 3
    monkeypatch.setattr("bonesim.page.snapshots.MAX_VOXELS", 10_000)
    lattice = Lattice(run, 0)
    assert lattice.quanta.shape == tuple(n // 3 for n in run.shape)
    assert lattice.quanta.mean() == pytest.approx(run.quanta(0).mean(), rel=0.02)
    assert lattice.activity().shape == lattice.levels.shape
    assert 0.5 < lattice.share("mineral").mean() <= 1.0
    packed = header_of(page_of_run(run).html)["runs"][0]
    assert packed["coarsened"] == 3 and packed["snapshots"][0]["shape"] == [16, 16, 16]


def test_configuration_states_what_differs(html: str) -> None:
    rows = {row["path"]: row for row in header_of(html)["runs"][0]["configuration"]}
    assert (
        rows["schedule.duration_day"]["differs"] and rows["schedule.duration_day"]["value"] == "500"
    )
    assert not rows["mechanics.tolerance"]["differs"]
    assert rows["mechanics.interval_day"] == rows["mechanics.interval_day"] | {
        "value": "0", "differs": True, "unit": "d",
    }  # fmt: skip


def test_a_page_s_refusals(run_files: tuple[Path, Path], tmp_path: Path) -> None:
    other = bonesim.run(
        {"specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0], "voxel_um": 25.0},
         "mechanics": {"interval_day": 0},
         "schedule": {"burn_in_day": 0, "duration_day": 2, "snapshots_day": [0]}},
        tmp_path / "other.vtkhdf",
    )  # fmt: skip
    with pytest.raises(InputError, match="the same lattice") as failure:
        bonesim.report(run_files[0], other)
    assert failure.value.parameter == "twin"
    taken = tmp_path / "report.html"
    taken.write_text("mine")
    with pytest.raises(InputError, match="exists"):
        bonesim.report(other, output=taken)
    with pytest.raises(InputError, match="is what this command reads"):
        bonesim.report(other, output=other, overwrite=True)
    assert taken.read_text() == "mine"
    page = bonesim.report(other, output=taken, overwrite=True)
    assert taken.read_text(encoding="utf-8") == page.html
    assert "srcdoc" in page._repr_html_() and "MB" in repr(page)


def test_the_header_names_the_bone_and_the_days(html: str, run: Run) -> None:
    packed = header_of(html)["runs"][0]
    assert packed["bone"] == "synthetic young_vertebra, seed 1"
    assert packed["days"] == "500 days simulated"


@pytest.mark.parametrize(
    ("notes", "last", "planned", "bone", "days"),
    (
        (["scan a, b.tif, 9 x 8 x 7 voxels (x, y, z) of 20 um"], 9, 9, "scan a, b.tif", "9 days"),
        (["array, 9 x 8 x 7 voxels (x, y, z) of 20 um", "more"], 4, 9, "array", "4 of 9 days"),
        ([], None, 9, "bone", "0 of 9 days"),
    ),
)
def test_names_of_bones(
    notes: list[str], last: int | None, planned: int, bone: str, days: str
) -> None:
    run: Any = SimpleNamespace(provenance={"notes": notes}, last_day=last, planned_days=planned)
    assert bone_text(run) == bone
    assert days_text(run) == f"{days} simulated"


def test_what_is_shown_has_a_symbol_where_symbols_are() -> None:
    of_days = {column.name: column.symbol for column in COLUMNS}
    measured = {name: symbol for name, (symbol, _) in (PANEL | CLOSED).items()}
    shown = {name: of_days[name] for name in (*REPORTED, *BREAKS)}
    shown |= {name: measured[name] for name in (*MEASURED, *QUICK, *CLOSED)}
    assert [name for name, symbol in shown.items() if len(symbol) < 2 or symbol == name] == [
        "holes", "cuts", "fragments",
    ]  # fmt: skip
    assert shown["os_bs_percent"] == "Ob.S/BS" and shown["roughness"] == "roughness R"
    assert len({symbol for name, symbol in shown.items()}) == len(shown)
