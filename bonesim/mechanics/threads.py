"""Work on threads, which wait without spinning.

Kernels run without the interpreter's lock, so plain threads are enough. Compiled parallel loops spin
at the end of each of some hundred small regions a V-cycle: on a busy machine a solve took eight times
as long as on an idle one. These threads sleep instead. The borders of the parts do not depend on the
number of threads, nor do results.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import ContextVar, copy_context
from functools import cache
from typing import Any, TypeVar

import numba

#: Parts of a shared job: a few more than cores, so that a late one does not hold up the rest.
PARTS = 4
#: Threads that work started from here may use; None: as many as Numba may use.
_ALLOWED: ContextVar[int | None] = ContextVar("_ALLOWED", default=None)

T = TypeVar("T")


@cache
def _pool(kind: str, threads: int) -> ThreadPoolExecutor:
    """Threads of one kind of work: work that waits for other work has threads of its own."""
    return ThreadPoolExecutor(threads, thread_name_prefix=f"bonesim-{kind}")


# A child process has its parent's memory, but not its threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


def allowed() -> int:
    """Threads that may be used here."""
    own = _ALLOWED.get()
    return int(numba.config.NUMBA_NUM_THREADS) if own is None else own


def several() -> bool:
    """Whether there is more than one thread to share work among."""
    return allowed() > 1


def in_parts(work: Callable[..., Any], *arguments: Any) -> None:
    """Call `work(*arguments, part, parts)` for every part, on as many threads as are allowed."""
    pool = _pool("parts", allowed())
    jobs = [pool.submit(work, *arguments, part, PARTS) for part in range(PARTS)]
    wait(jobs)
    for job in jobs:
        job.result()


def at_once(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Results of independent jobs, in their order; on threads if several are allowed."""
    if not several() or len(jobs) < 2:
        return [job() for job in jobs]
    pool = _pool("jobs", allowed())
    started = [pool.submit(copy_context().run, job) for job in jobs]
    wait(started)
    return [job.result() for job in started]


def beside(work: Callable[..., T], *arguments: Any) -> "Future[T]":
    """Start work on a thread of its own; it may use all threads that the caller may.

    Whoever waits for whom, no core is idle as long as there is work. If the caller has one thread
    alone, the work is done before this returns.
    """
    if several():
        return _pool("beside", 1).submit(copy_context().run, work, *arguments)
    done: Future[T] = Future()
    try:
        done.set_result(work(*arguments))
    except Exception as error:  # raised where the result is asked for, as on a thread
        done.set_exception(error)
    return done
