"""The guide: its topics with one line each, and the text of one."""

import difflib
import re
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePath
from typing import TYPE_CHECKING

from bonesim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["of_topic", "table", "text"]

#: The first page; its list has all topics, in order, with a line each.
INDEX = "index"
#: "- [first_run](first_run.md): a line", or "- `mechanisms`: a line".
ENTRY = re.compile(r"^- (?:\[(\w+)\]\(\1\.md\)|`(\w+)`): (.+(?:\n  .+)*)$", re.MULTILINE)
#: A remark that is not for readers.
REMARK = re.compile(r"<!--.*?-->\n?", re.DOTALL)
#: A link to another topic.
LINK = re.compile(r"\[([^\]]+)\]\((\w+)\.md(?:#[\w-]+)?\)")
#: Where the site shows a public name: "::: bonesim.run".
SHOWN = re.compile(r"^::: bonesim\.(\w+)\n(?: +.*\n)*", re.MULTILINE)


def _folder() -> Traversable:
    return resources.files("bonesim").joinpath("guide")


def _read(topic: str) -> str:
    return _folder().joinpath(f"{topic}.md").read_text(encoding="utf-8")


def table() -> "pd.DataFrame":
    """Columns topic and line: what there is to read, in the order of the first page.

    A topic that the first page does not list comes last, with its heading.
    """
    import pandas as pd

    here = {PurePath(file.name).stem for file in _folder().iterdir() if file.name.endswith(".md")}
    listed = {
        linked or named: " ".join(line.split())
        for linked, named, line in ENTRY.findall(_read(INDEX))
    }
    lines = {topic: line for topic, line in listed.items() if topic in here}
    for topic in sorted(here - lines.keys() - {INDEX}):
        lines[topic] = _read(topic).lstrip("# ").splitlines()[0]
    found = pd.DataFrame({"topic": list(lines), "line": list(lines.values())})
    found.attrs["units"] = {"topic": "", "line": ""}
    return found


def text(table: "pd.DataFrame") -> str:
    """The topics as lines of text."""
    width = max(map(len, table["topic"]))
    lines = [f"{one.topic:<{width}}  {one.line}" for one in table.itertuples()]
    return "\n".join(lines)


def of_topic(topic: str) -> str:
    """A topic's text, Markdown, as a reader of a terminal wants it.

    Links to other topics name them; where the site shows a public name, there is its first line.

    Raises:
        InputError: no such topic.
    """
    wanted = topic.strip().lower().removesuffix(".md").replace("-", "_").replace(" ", "_")
    topics = list(table()["topic"])
    if wanted not in topics:
        near = difflib.get_close_matches(wanted, topics, n=1, cutoff=0.6)
        advice = f"Did you mean {near[0]}?" if near else f"there are {', '.join(topics)}"
        raise InputError(f'no topic "{topic}"; {advice}', parameter="topic")
    body = REMARK.sub("", _read(wanted))
    body = LINK.sub(lambda link: f"{link[1]} (`bonesim guide {link[2]}`)", body)
    return SHOWN.sub(lambda shown: _first_line(shown[1]), body).rstrip() + "\n"


def _first_line(name: str) -> str:
    """`bonesim.run`: the first sentence of its help."""
    import bonesim

    help_text = getattr(bonesim, name).__doc__ or ""
    return f"- `{name}`: {help_text.strip().splitlines()[0]}\n"
