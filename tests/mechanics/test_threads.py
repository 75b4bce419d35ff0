"""Work in parts, at once and beside: each once, errors raised."""

import multiprocessing
import os
import threading
from functools import partial

import numba
import numpy as np
import pytest

from bonesim.mechanics.threads import PARTS, allowed, at_once, beside, in_parts, several


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_part_is_done_once(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
    assert several() == (threads > 1)
    seen = np.zeros(PARTS, int)

    def work(more: int, part: int, parts: int) -> None:
        assert parts == PARTS
        seen[part] += more

    in_parts(work, 3)
    assert (seen == 3).all()


def test_an_error_in_a_part_is_raised() -> None:
    def work(part: int, parts: int) -> None:
        if part == 2:
            raise ValueError("part 2")

    with pytest.raises(ValueError, match="part 2"):
        in_parts(work)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_jobs_at_once_may_share_parts(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """Each job waits for parts of its own: with as many jobs as threads nothing may block."""
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
    done = np.zeros((6, PARTS), int)

    def job(n: int) -> int:
        def work(part: int, parts: int) -> None:
            done[n, part] += 1

        in_parts(work)
        return n * n

    assert at_once([partial(job, n) for n in range(6)]) == [n * n for n in range(6)]
    assert (done == 1).all()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_work_beside_is_on_a_thread_of_its_own(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
    own = threading.get_ident()

    def work(n: int) -> tuple[int, int, list[int]]:
        return n, threading.get_ident(), at_once([allowed, allowed])

    n, thread, inside = beside(work, 7).result()
    assert n == 7
    assert (thread != own) == (threads > 1)
    assert inside == [threads] * 2
    assert allowed() == threads


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_process_has_threads_of_its_own() -> None:
    """Iterations of Mesa's batches may run in forks, which inherit no thread."""
    in_parts(lambda part, parts: None)
    context = multiprocessing.get_context("fork")
    child = context.Process(target=in_parts, args=(lambda part, parts: None,))
    child.start()
    child.join(30)
    if child.is_alive():
        child.kill()
    assert child.exitcode == 0
