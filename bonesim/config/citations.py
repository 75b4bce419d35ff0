"""Citations in texts, and the lines of the guide that they resolve to.

Parfitt 1983        author and year: a line of references.md, with a link
Femara label        a drug's label: likewise
PMC3352993          a paper known by its number: likewise
guide M4, M7.3      numbered sections of mechanisms.md
guide A8            a row of targets.md, or a numbered section of it (R1, E)
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

GUIDE = Path(__file__).parents[1] / "guide"
#: Capitalised words before a year or the word label that are no author and no drug.
NO_AUTHORS = {"RFC", "ODD", "ParOSol", "In", "Since", "Copyright"}
_NAME = r"(?:(?:van der|van Dijk|van|de|Di) )?[A-Z][\w'\u2019]*(?:-[A-Z][\w']*)*"
_PAPER = re.compile(rf"\b({_NAME})(?: and {_NAME}| et al\.)? ((?:18|19|20)\d\d[a-z]?)\b")
_LABEL = re.compile(r"\b([A-Z][A-Za-z]+(?:-[A-Z][a-z]+)? label)(?=[,;)\"]|$| unchecked)")
_NUMBER = re.compile(r"\b(PMC\d+)\b")
_PLACE = re.compile(r"\bguide ((?:[A-Z](?:\d[\d.]*\d|\d)?(?!\w)(?:, | and )?)+)")
_LINE = re.compile(r"^- \*\*(?P<key>[^*]+)\*\*: (?P<text>.+)$", re.M)
_LINK = re.compile(r"\]\((https://[^ ]+)\)(?= |$)")
_HEADING = re.compile(r"^#+ ([MRE][\d.]*)\. (.+)$", re.M)
_ROW = re.compile(r"^\| (A\d+) \|", re.M)


class Reference(NamedTuple):
    """A line of the list of references."""

    key: str  # "Parfitt 1983"
    text: str  # the rest of the line, without its link
    link: str  # "" if it has none (a book, a label)


def cited(text: str) -> Iterator[str]:
    """Every citation of a text, in the short form: "Parfitt 1983", "PMC3352993", "guide M4"."""
    joined = re.sub(
        r"\"\s*\n\s*[f]?\"|\s*\n\s*(?:#:? ?)?", lambda m: "" if '"' in m[0] else " ", text
    )
    for match in _PAPER.finditer(joined):
        if match[1] not in NO_AUTHORS:
            yield f"{match[1]} {match[2]}"
    for pattern in (_LABEL, _NUMBER):
        yield from (match[1] for match in pattern.finditer(joined))
    for match in _PLACE.finditer(joined):
        for place in re.findall(r"[A-Z](?:\d[\d.]*\d|\d)?", match[1]):
            yield f"guide {place}"


@cache
def references() -> dict[str, Reference]:
    """The list of references, by key."""
    text = (GUIDE / "references.md").read_text(encoding="utf-8")
    found: dict[str, Reference] = {}
    for match in _LINE.finditer(text):
        link = _LINK.search(match["text"])
        plain = re.sub(r"\[([^]]+)\]\(https://[^ ]+\)", r"\1", match["text"])
        found[match["key"]] = Reference(match["key"], plain, link[1] if link else "")
    return found


@cache
def places() -> dict[str, str]:
    """Numbered places of the guide, and where they are: "M4" -> "mechanisms: Load and its memory"."""
    found: dict[str, str] = {}
    for topic in ("mechanisms", "targets"):
        text = (GUIDE / f"{topic}.md").read_text(encoding="utf-8")
        found |= {match[1]: f"{topic}: {match[2]}" for match in _HEADING.finditer(text)}
        found |= {match[1]: f"{topic}: row {match[1]}" for match in _ROW.finditer(text)}
    return found


def resolved(citation: str) -> str | None:
    """The line or section a citation stands for; None if there is none."""
    if citation.startswith("guide "):
        return places().get(citation.removeprefix("guide "))
    line = references().get(citation)
    return None if line is None else line.text
