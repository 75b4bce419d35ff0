"""Every citation of code, configurations, experiments and guide resolves to a line with an identifier."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from bonesim.config.citations import GUIDE, cited, places, references, resolved
from bonesim.reports import explain

ROOT = Path(__file__).parents[1]
PATTERNS = (
    "bonesim/**/*.py", "bonesim/guide/*.md", "configs/*.toml", "experiments/**/*.py",
    "experiments/**/*.md", "experiments/**/*.toml", "benchmarks/*.py",
)  # fmt: skip
#: The list itself, and what was wrong before it was checked.
APART = {"references.md", "checked.md"}
CITING = sorted(
    path for pattern in PATTERNS for path in ROOT.glob(pattern) if path.name not in APART
)
#: How the sources were called before they had a list.
OLD = re.compile(r"\bmech\. ?\d|\bdossier\b|\bscience targets\b|\btargets\.md, \"|\bdesign rule\b")
DOI = re.compile(r"\bdoi:(10\.\d{4,9}/[^\s\]]+)")
OTHER = re.compile(r"\b(PMC\d{6,8}|PMID \d{5,8}|NDA \d{6}|ISBN [\d-]{17})\b")
#: A journal that writes year, volume, number and page into its identifiers.
DATED = re.compile(r"10\.1359/jbmr\.(\d{4})\.(\d+)\.\d+\.(\d+)")
#: Words for a value that no paper has.
NO_PAPER = re.compile(r"assumed|calibrated|choice|\bfit|input|default|derived")
KNOWN = {"well established", "some evidence", "assumed", "calibrated"}


@pytest.mark.parametrize("path", CITING, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_citation_resolves(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    missing = sorted({one for one in cited(text) if resolved(one) is None})
    assert not missing, f"add them to bonesim/guide/references.md: {missing}"
    assert not OLD.findall(text)


def test_citations_are_found_in_every_form() -> None:
    text = """
    "fit (Geisler 1996), guide M7.1"
    #: Lazy zones: van der Linden 2001a and T'Sjoen 2005; Femara label, unchecked
    description="CV; Burnett-"
    As Morgan
    2001 has it, Odgaard and Gundersen 1993, Salmon et al. 2011 (guide A11, A12; guide E).
    In 1999 RFC 1951 was three years old, ODD 2020 not yet; see PMC2728288.
    """
    assert sorted(cited(text)) == sorted([
        "Geisler 1996", "guide M7.1", "van der Linden 2001a", "T'Sjoen 2005", "Femara label",
        "Morgan 2001", "Odgaard 1993", "Salmon 2011", "guide A11", "guide A12", "guide E",
        "PMC2728288",
    ])  # fmt: skip
    assert list(cited('("Eghbali-"\n    "Fatourechi 2003")')) == ["Eghbali-Fatourechi 2003"]
    for unknown in ("Nobody 2099", "Liu 2008", "guide M99", "guide A99", "Aspirin label"):
        assert list(cited(f"{unknown}.".replace(" label.", " label;"))) == [unknown]
        assert resolved(unknown) is None


def test_every_reference_is_cited_or_further_reading() -> None:
    everywhere = [*CITING, *(ROOT / "tests").rglob("*.py"), ROOT / "README.md"]
    used = {one for path in everywhere for one in cited(path.read_text(encoding="utf-8"))}
    listed = (GUIDE / "references.md").read_text(encoding="utf-8")
    further = listed.split("## Further reading")[1]
    unused = [key for key in references() if key not in used and f"**{key}**" not in further]
    assert not unused


def identifiers(text: str) -> list[str]:
    return DOI.findall(text) + OTHER.findall(text)


@pytest.mark.parametrize("key", references())
def test_every_reference_has_one_identifier_and_its_link(key: str) -> None:
    line = references()[key]
    found = identifiers(line.text)
    assert len(found) == 1, found
    identifier = found[0]
    if identifier.startswith("10."):
        assert identifier.count("(") == identifier.count(")")
        assert line.link == f"https://doi.org/{quote(identifier)}"
    elif identifier.startswith("PMC"):
        assert line.link == f"https://pmc.ncbi.nlm.nih.gov/articles/{identifier}/"
    elif identifier.startswith("PMID"):
        assert line.link == f"https://pubmed.ncbi.nlm.nih.gov/{identifier[5:]}/"
    elif identifier.startswith("ISBN"):
        digits = [int(digit) for digit in identifier[5:].replace("-", "")]
        assert len(digits) == 13
        assert sum(d * (3 if k % 2 else 1) for k, d in enumerate(digits)) % 10 == 0
    else:
        assert line.link.endswith(f"ApplNo={identifier[4:]}")
    if dated := DATED.search(line.text):
        year, volume, page = dated.groups()
        assert key.rstrip("ab").endswith(year)
        assert re.search(rf" {volume}:{page}-\d+\.", line.text)


def test_the_keys_are_those_of_the_lines() -> None:
    """The first author of a paper's line is the key's; no key twice; letters without gaps."""
    text = (GUIDE / "references.md").read_text(encoding="utf-8")
    keys = re.findall(r"^- \*\*([^*]+)\*\*", text, re.M)
    assert len(keys) == len(set(keys)) == len(references()) > 100
    for key in keys:
        name, _, year = key.rpartition(" ")
        if key.endswith("a"):
            assert f"{key[:-1]}b" in keys
        if year[:4].isdigit() and ". In:" not in key:
            first = references()[key].text
            titled = name in ("PEPI", "Easley")  # a group, and a paper known by its title
            assert first.startswith(name) or titled, first


def test_an_invalid_identifier_would_be_noticed() -> None:
    assert identifiers("[doi:10.1359/jbmr.071009](x)") == ["10.1359/jbmr.071009"]
    assert identifiers("doi 10.1359/x; doi:11.1/y; PMC12; ISBN 978-0-471") == []


def rows(document: str) -> list[list[str]]:
    """The rows of a document's tables whose first cell is a parameter's path."""
    text = (GUIDE / document).read_text(encoding="utf-8")
    found = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", text, re.M)
    return [[path, *cells.split(" | ")] for path, cells in found]


def test_values_in_the_book_are_those_of_the_code() -> None:
    defaults = {row.path: row.value for row in explain.rows_of(explain.table())}
    book = rows("mechanisms.md")
    assert len(book) > 100
    assert len({path for path, *_ in book}) == len(book), "a parameter is in two tables"
    for path, value, _, known, source in book:
        assert float(defaults[path]) == float(value), path
        assert known in KNOWN, path
        assert source, path


def test_parameters_that_cite_a_section_are_in_the_book() -> None:
    """Of cells, signals, response and axis: numbers that a section holds are in its tables."""
    book = {path for path, *_ in rows("mechanisms.md")}
    groups = ("hormones.response", "hormones.axis", "cells", "signals")
    citing = [
        row.path
        for row in explain.rows_of(explain.table())
        if row.path.startswith(groups) and "guide M" in row.source
    ]
    assert len(citing) > 30
    assert [path for path in citing if path not in book] == []


def test_a_section_alone_is_no_source() -> None:
    """A value without a paper is assumed, calibrated, fitted, a choice or an input: it states which."""
    for row in explain.rows_of(explain.table()):
        papers = [one for one in cited(row.source) if not one.startswith("guide ")]
        if "number" in row.allowed:
            assert papers or NO_PAPER.search(row.source), f"{row.path}: {row.source}"


def test_sections_are_numbered_without_gaps() -> None:
    numbered = [place for place in places() if re.fullmatch(r"M\d+", place)]
    assert numbered == [f"M{k}" for k in range(len(numbered))]
    targets = [place for place in places() if place.startswith("A")]
    assert targets == [f"A{k}" for k in range(1, 19)]
