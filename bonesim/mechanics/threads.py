"""Work in parts on threads, which wait without spinning.

Kernels run without the interpreter's lock, so plain threads are enough. Compiled parallel loops spin
at the end of each of some hundred small regions a V-cycle: on a busy machine a solve took eight times
as long as on an idle one. These threads sleep instead. The borders of the parts do not depend on the
number of threads, nor do results.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

import numba

#: Parts of a shared job: a few more than cores, so that a late one does not hold up the rest.
PARTS = 4


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="bonesim-mechanics")


def several() -> bool:
    """Whether there is more than one thread to share work among."""
    return bool(numba.config.NUMBA_NUM_THREADS > 1)


def in_parts(work: Callable[..., Any], *arguments: Any) -> None:
    """Call `work(*arguments, part, parts)` for every part, on as many threads as Numba may use."""
    pool = _pool(numba.config.NUMBA_NUM_THREADS)
    jobs = [pool.submit(work, *arguments, part, PARTS) for part in range(PARTS)]
    wait(jobs)
    for job in jobs:
        job.result()
