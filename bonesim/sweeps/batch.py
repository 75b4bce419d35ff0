"""The engine of many runs: Dask distributed, and the one file that knows it.

Workers are processes of one thread. One that dies (kill -9, out of memory) costs its run a retry
and nobody else anything: the scheduler gives the run to another and the nanny starts a new
worker. What a run returns is written to the journal at once, so a killed parent loses only what
was under way.
"""

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bonesim.errors import InputError
from bonesim.sweeps.worker import Simulate, Task, attempt, outcomes

if TYPE_CHECKING:
    from distributed import Client

#: Runs handed out ahead for each worker, so that none waits for the parent. The scheduler keeps
#: all but the next ones to itself, so a worker's death does not count against them.
AHEAD = 20
#: And so many in all at least, because the workers of a job queue come when they come.
FEWEST_AHEAD = 200
#: What a worker of a job queue needs besides its run, GB.
WORKER_GB = 0.5
#: A run whose worker died so often is given up in this session (see gather.MOST_ATTEMPTS).
MOST_DEATHS = 3
#: What every worker lives in: one thread each, whatever the libraries would like.
ONE_THREAD = {
    "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}  # fmt: skip
#: Run by every worker as it starts. Ctrl-C on a terminal reaches a whole family; workers would die
#: of it with a traceback each. Only the parent is to know, and to close them.
DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


@contextmanager
def cluster(
    workers: int, memory_bytes: float, scheduler: str | None = None, kind: str | None = None
) -> "Iterator[Client]":
    """A Dask client: to a running scheduler, a job queue's workers, or processes of our own.

    Args:
        workers: how many; for a running scheduler it is what it has.
        memory_bytes: what one of them needs; a job queue is asked for it.
        scheduler: address of a running one, e.g. tcp://host:8786.
        kind: a job queue dask-jobqueue knows: slurm, pbs, sge, lsf, htcondor, oar.

    Raises:
        InputError: Dask is not installed, or the scheduler does not answer.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError(
            "sweeps need Dask; install them with: pip install 'bonesim[sweep]'"
        ) from None
    quiet = {
        "distributed.scheduler.allowed-failures": MOST_DEATHS - 1,
        # Runs are long and all alike: the next free worker takes the next one, and keeps it.
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.scheduler.work-stealing": False,
        "distributed.worker.daemon": False,
        "distributed.worker.preload": [DEAF],
        "distributed.worker.profile.enabled": False,
        "distributed.nanny.pre-spawn-environ": ONE_THREAD,
        "distributed.admin.log-format": "%(message)s",
        # A simulation computes for minutes: silence is no sign of death, the process's end is.
        "distributed.scheduler.worker-ttl": None,
        "distributed.comm.timeouts.tcp": "120s",
    }
    with dask.config.set(quiet):
        if scheduler is not None:
            try:
                client = Client(scheduler, timeout="20s")
            except (OSError, ValueError) as error:
                raise InputError(
                    f"--scheduler {scheduler}: does not answer ({error or 'timeout'}); start one: "
                    "dask scheduler"
                ) from None
            with client:
                yield client
            return
        if kind is not None:
            with _job_queue(kind, workers, memory_bytes) as queue, Client(queue) as client:
                yield client
            return
        with _ctrl_c_ignored():
            own = LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=True, memory_limit=0,
                dashboard_address="127.0.0.1:0", silence_logs=50, protocol="tcp",
                host="127.0.0.1",
            )  # fmt: skip
        with own, Client(own) as client:
            yield client


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Processes started meanwhile are born deaf to SIGINT (see DEAF for those that come later)."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread, so nobody sends us a Ctrl-C here
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _job_queue(kind: str, workers: int, memory_bytes: float) -> Any:
    """Workers as jobs of a queue; its details come from Dask's own configuration files."""
    try:
        import dask_jobqueue
    except ImportError:
        raise InputError(
            f"--cluster {kind}: needs dask-jobqueue; install it: pip install 'bonesim[cluster]'"
        ) from None
    kinds = {name.removesuffix("Cluster").lower(): name for name in dir(dask_jobqueue)
             if name.endswith("Cluster")}  # fmt: skip
    if kind not in kinds:
        raise InputError(f"--cluster {kind}: not known; one of {', '.join(sorted(kinds))}")
    queue = getattr(dask_jobqueue, kinds[kind])(
        cores=1, processes=1, memory=f"{1.5 * memory_bytes / 1e9 + WORKER_GB:.1f} GB",
        job_script_prologue=[f"export {name}={value}" for name, value in ONE_THREAD.items()],
    )  # fmt: skip
    queue.scale(workers)
    return queue


def work_through(
    client: "Client",
    tasks: Iterable[Task],
    simulate: Simulate = outcomes,
) -> Iterator[dict[str, Any]]:
    """Run all tasks; yields what `work.attempt` returns, as they end, in any order.

    Only a few tasks are handed out ahead, so a design of any length costs the scheduler nothing.
    A task whose worker died too often comes back as failed.
    """
    from distributed import as_completed

    waiting = deque(tasks)
    points: dict[str, str] = {}

    def hand_out() -> Any:
        task = waiting.popleft()
        key = f"point-{len(waiting)}-{task.point}"  # one kind of task to Dask
        points[key] = task.point
        return client.submit(attempt, task, simulate, pure=False, key=key)

    def wanted(under_way: int) -> int:
        # Workers of a job queue come when they come: their number is asked for again.
        workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        return min(len(waiting), max(FEWEST_AHEAD, AHEAD * workers) - under_way)

    # Results come along with the notice that they are there, many at once if they are quick.
    ended = as_completed(
        [hand_out() for _ in range(wanted(0))], with_results=True, raise_errors=False
    )
    for batch in ended.batches():
        ended.update([hand_out() for _ in range(wanted(len(points) - len(batch)))])
        for future, result in batch:
            point = points.pop(str(future.key))
            if future.status == "finished":
                yield result
                continue
            # `attempt` raises nothing itself: its worker is dead.
            yield {"point": point, "status": "failed", "seconds": 0.0,
                   "error": f"its worker died {MOST_DEATHS} times (killed, or out of memory)"}  # fmt: skip


def usual_workers() -> int:
    """As many as this process may use cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
