"""What a run, a specimen and a configuration show of themselves: one line, or a safe table."""

from html.parser import HTMLParser
from pathlib import Path

import h5py
import numpy as np
import pytest
from run_pieces import new_writer, put_snapshot, rows_on

from bonesim.config.config import Config, validated
from bonesim.specimens.specimen import Specimen
from bonesim.storage.reader import open_run

HOSTILE = '<script>alert("1")</script>\n\u2028\x1b[31m'


class Seen(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data + "|"


def test_a_complete_run(run_file: Path) -> None:
    with open_run(run_file) as run:
        assert repr(run) == (
            f"Run({str(run_file)!r}, 'a title', complete, day 20 of 20, "
            "40 x 7 x 5 voxels of 20 um, snapshots 0, 10, 20)"
        )
        seen = Seen(run._repr_html_())
    assert seen.tags == {"table", "caption", "tbody", "tr", "th", "td"}
    for text in (
        "a title", "complete", "20 of 20 (0.1 years simulated)",
        "0.80 x 0.14 x 0.10 mm: 40 x 7 x 5 voxels of 20 um", "bonesim 0.1.0, 2026-01-01",
        "0, 10, 20", "plate_perforation 5, strut_cut 5",
    ):  # fmt: skip
        assert f"|{text}|" in seen.text


def test_a_closed_run(run_file: Path) -> None:
    with open_run(run_file) as run:
        pass
    assert run.closed
    assert repr(run) == f"Run({str(run_file)!r}, closed)"
    assert "|closed; open it again with open_run|" in Seen(run._repr_html_()).text


def test_a_run_without_snapshot_and_without_days(tmp_path: Path) -> None:
    for days in (0, 4):
        path = tmp_path / f"{days}.vtkhdf"
        with new_writer(path) as writer:
            writer.append_table(rows_on(np.arange(days)))
            writer.set_status("interrupted")
            writer.commit()
        with open_run(path) as run:
            reached = "day none of 20" if days == 0 else "day 3 of 20"
            assert f"interrupted, {reached}, " in repr(run)
            assert repr(run).endswith("snapshots none)")
            assert "|none|" in Seen(run._repr_html_()).text
            assert run.cells().empty


def test_many_snapshots_are_shortened(tmp_path: Path) -> None:
    path = tmp_path / "a.vtkhdf"
    with new_writer(path) as writer:
        writer.append_table(rows_on(np.arange(10)))
        for day in range(10):
            put_snapshot(writer, day)
        writer.commit()
    with open_run(path) as run:
        assert repr(run).endswith("snapshots 0, 1, 2, 3, ... (10 in all), 9)")


def test_hostile_texts_neither_break_the_line_nor_inject(tmp_path: Path) -> None:
    path = tmp_path / "<b>a.vtkhdf"
    text = "".join(f"\\u{ord(c):04x}" for c in HOSTILE)
    with new_writer(path, config_text=f'title = "{text}"\nseed = "<i>7</i>"\n') as writer:
        writer.commit()
    with open_run(path) as run:
        assert run.title == HOSTILE
        line, seen = repr(run), Seen(run._repr_html_())
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert seen.tags == {"table", "caption", "tbody", "tr", "th", "td"}
    assert HOSTILE in seen.text
    assert "|<i>7</i>|" in seen.text


def test_a_long_title_is_shortened(tmp_path: Path) -> None:
    path = tmp_path / "a.vtkhdf"
    with new_writer(path, config_text=f'title = "{"a" * 5000}"\n') as writer:
        writer.commit()
    with open_run(path) as run:
        assert len(repr(run)) < 400


@pytest.mark.parametrize("status", ["odd", "<b>"])
def test_a_damaged_run_is_shown_as_damaged(run_file: Path, status: str) -> None:
    with h5py.File(run_file, "r+") as file:
        file["bonesim"].attrs["status"] = np.bytes_(status)
        del file["bonesim/events/kind"]
    with open_run(run_file) as run:
        assert repr(run) == f"Run({str(run_file)!r}, damaged)"
        seen = Seen(run._repr_html_())
    assert seen.tags == {"table", "caption", "tbody", "tr", "th", "td"}
    assert "damaged" in seen.text


def test_a_specimen_shows_no_array() -> None:
    quanta = np.zeros((3, 4, 5), np.uint8)
    quanta[0] = 255
    assert repr(Specimen(quanta, 61.2, "scan\na.tif", ())) == (
        "Specimen(5 x 4 x 3 voxels of 61.2 um, BV/TV 33.3 %, 'scan\\na.tif')"
    )
    assert "BV/TV nan" in repr(Specimen(quanta[:0], 20.0, "none", ()))


def test_a_configuration_is_one_short_line() -> None:
    assert (
        repr(Config())
        == str(Config())
        == (
            "Config('bonesim run', seed 1, synthetic bone, hormones, "
            "2920 days after a burn-in of 900)"
        )
    )
    assert "protocol" in repr(validated({"protocol": {}, "title": "a\nb"}, "test"))
