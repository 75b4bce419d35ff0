"""One worker without Dask: a process that simulates one point after the other.

It is a process of its own, as Dask's workers are, so that its death (kill -9, out of memory) costs
one attempt at one point, and Ctrl-C stops between results. It ends with its parent.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from bonesim.sweeps.worker import MAX_DEATHS, ONE_THREAD, Simulate, Task, attempt, died, outcomes

_SPAWN = multiprocessing.get_context("spawn")


def work_through_alone(
    tasks: Iterable[Task], simulate: Simulate = outcomes
) -> Iterator[dict[str, Any]]:
    """Run all tasks in one other process; yields the entries of `worker.attempt` in their order.

    A task whose worker died too often is returned as failed.
    """
    worker = None
    try:
        for task in tasks:
            for _ in range(MAX_DEATHS):
                worker = worker or _Worker(simulate)
                entry = worker.answer(task)
                if entry is not None:
                    break
                worker.close()
                worker = None
            yield entry or died(task.point)
    finally:
        if worker is not None:
            worker.close()


class _Worker:
    """The other process and the pipe to it."""

    def __init__(self, simulate: Simulate) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, simulate), daemon=True)
        before = {name: os.environ.get(name) for name in ONE_THREAD}
        os.environ.update(ONE_THREAD)  # read by its libraries as they are loaded
        try:
            self._process.start()
        finally:
            theirs.close()
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value

    def answer(self, task: Task) -> dict[str, Any] | None:
        """The entry of a task; None if the process died."""
        try:
            self._pipe.send(task)
            entry: dict[str, Any] = self._pipe.recv()
        except (EOFError, OSError):
            return None
        return entry

    def close(self) -> None:
        """End the process, whatever it does."""
        self._pipe.close()
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, simulate: Simulate) -> None:
    """The other process: answer one task after the other until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send(attempt(task, simulate))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
