"""The page as one file: its parts put together, and a policy that lets nothing else in.

The browser runs the one script whose SHA-256 the page itself names, and the worker that this script
makes; it loads nothing. All data are texts that no browser runs.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from bonesim.storage.durable import failures_explained, write_durably
from bonesim.storage.outputs import check_output

ASSETS = Path(__file__).parent / "assets"


class Kind(NamedTuple):
    """A kind of page: its text, the parts of its program, and what its policy allows beyond that."""

    text: str
    scripts: tuple[str, ...]
    allowed: str = ""


RUN = Kind(
    "page.html",
    ("decode", "surface", "volume", "colours", "drawing", "camera", "scene", "slices", "curves",
     "story", "lists", "controls", "main"),
    "worker-src blob:",
)  # fmt: skip
#: Its figures are pictures in the file.
FOLDER = Kind("folder.html", ("decode", "lists", "controls", "folder"), "img-src data:")

#: Pixels of the frame in a notebook.
FRAME_HEIGHT = 900


@dataclass(frozen=True)
class Page:
    """A page: its HTML, complete in itself.

    Attributes:
        title: of the page.
        html: the whole file.
        files: names of the run files it shows, in order.
    """

    title: str
    html: str
    files: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line."""
        return f"Page({self.title!r}, {len(self.html) / 1e6:.2f} MB)"

    def _repr_html_(self) -> str:
        """The page in a frame, for notebooks."""
        return (
            f'<iframe srcdoc="{escape(self.html)}" width="100%" height="{FRAME_HEIGHT}" '
            f'title="{escape(self.title)}" sandbox="allow-scripts allow-downloads"></iframe>'
        )

    def write(
        self, path: str | Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()
    ) -> Path:
        """Write the page; returns its path.

        Raises:
            InputError: it exists, or cannot be written there. ResourceError: the disk is full.
        """
        place = Path(path)
        check_output(place, overwrite, inputs)
        with failures_explained(place):
            write_durably(place, self.html.encode())
        return place


def assembled(title: str, header: dict[str, Any], blobs: Iterable[str], kind: Kind = RUN) -> Page:
    """A page of a header and the arrays it names.

    Args:
        title: any text; it is shown, never run.
        header: what the page's program reads, as JSON.
        blobs: texts of `Blobs`.
        kind: of page.
    """
    program, style = _program(kind.scripts), (ASSETS / "page.css").read_text(encoding="utf-8")
    data = "\n".join(
        f'<script type="text/plain" id="blob-{number}">{text}</script>'
        for number, text in enumerate(blobs)
    )
    html = Template((ASSETS / kind.text).read_text(encoding="utf-8")).substitute(
        policy=policy(program, style, kind.allowed), title=escape(title), style=style, program=program,
        header=as_data(header), data=data,
    )  # fmt: skip
    return Page(title, html)


def policy(program: str, style: str, allowed: str) -> str:
    """The content security policy of a page with this program and style."""
    return (
        f"default-src 'none'; script-src '{_hash(program)}'; style-src '{_hash(style)}'; "
        f"{allowed}; base-uri 'none'; form-action 'none'"
    )


def as_data(header: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def _program(scripts: tuple[str, ...]) -> str:
    """The scripts as one."""
    parts = [(ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in scripts]
    return '"use strict";\n' + "\n".join(parts)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
