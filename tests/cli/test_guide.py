"""The guide on the terminal and from Python: its topics, their texts, and a topic that is none."""

import re
from pathlib import Path

import pytest

import bonesim
from bonesim.cli.main import app
from bonesim.errors import InputError
from bonesim.reports import guide as report

FOLDER = Path(bonesim.__file__).parent / "guide"
MOST_BYTES = 3e6


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    app(["guide", *words], standalone_mode=False)
    return capsys.readouterr().out


def test_the_first_page_lists_every_topic() -> None:
    here = {path.stem for path in FOLDER.glob("*.md")} - {"index"}
    listed = [linked or named for linked, named, _ in report.ENTRY.findall(report._read("index"))]
    assert len(listed) == len(set(listed))
    assert here == set(listed)
    found = bonesim.guide()
    assert list(found["topic"]) == listed
    assert found["line"].str.len().gt(20).all()


def test_topics_are_listed_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys).splitlines()
    assert re.match(r"first_run +install, ", lines[0])
    assert len([line for line in lines if line]) == len(bonesim.guide()) + 1


@pytest.mark.parametrize("topic", ["own_scan", "own-scan", "Own scan", "own_scan.md"])
def test_a_topic_is_printed(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, topic)
    assert out == bonesim.guide(topic)
    assert out.startswith("# Own scan\n")
    assert "bonesim look scan.tif" in out
    assert "<!--" not in out and ".md)" not in out


def test_links_and_public_names_are_readable_in_a_terminal() -> None:
    assert "([own_scan](own_scan.md)" in (FOLDER / "mechanics.md").read_text()
    assert "own_scan (`bonesim guide own_scan`)" in bonesim.guide("mechanics")
    text = bonesim.guide("api")
    for name in set(bonesim.__all__) - {"__version__"}:
        assert re.search(rf"^- `{name}`: [A-Z]", text, re.MULTILINE), name
    assert ":::" not in text


@pytest.mark.parametrize(
    ("topic", "advice"), [("own_scn", "Did you mean own_scan?"), ("zzz", "there are first_run, ")]
)
def test_a_topic_that_is_none(topic: str, advice: str) -> None:
    with pytest.raises(InputError, match=re.escape(advice)) as error:
        bonesim.guide(topic)
    assert error.value.exit_code == 2
    with pytest.raises(InputError):
        bonesim.guide("../README")


def test_the_guide_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES
