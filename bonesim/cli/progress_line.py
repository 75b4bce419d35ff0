"""One line on stderr that moves while something long is computed; nothing in a pipe."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_line(what: str, *, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """A bar on a terminal; yields what receives the share that is done, None if nothing is shown.

    Args:
        what: what is computed, one word.
        quiet: show nothing.
    """
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda done: bar.update(task, completed=done)
