"""What there is to read."""

from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["guide"]


@overload
def guide(topic: None = None) -> "pd.DataFrame": ...


@overload
def guide(topic: str) -> str: ...


def guide(topic: str | None = None) -> "pd.DataFrame | str":
    """The guide of this version: its topics, or one of them as text (Markdown).

    Args:
        topic: one of the topics, e.g. "first_run"; all are listed if not given.

    Returns:
        Without a topic a table with the columns topic and line; else the topic's text.

    Raises:
        InputError: no such topic.
    """
    from bonesim.reports import guide as report

    return report.table() if topic is None else report.of_topic(topic)
