"""The command guide: what there is to read about bonesim, without a network."""

import sys
from typing import Annotated

import typer


def guide(
    topic: Annotated[
        str | None, typer.Argument(help="What to read; all topics are listed if not given.")
    ] = None,
) -> None:
    """The guide of this version: its topics, or one of them."""
    from bonesim.api import documents
    from bonesim.reports import guide as report

    if topic is None:
        print(report.text(documents.guide()))
        print("\nRead one: bonesim guide TOPIC")
        return
    found = documents.guide(topic)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(found))
    else:
        print(found, end="")
