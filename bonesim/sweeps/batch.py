"""The engine of many runs: Dask distributed, and the one file that knows it.

Workers are processes of one thread. If one dies (kill -9, out of memory), only its own run is tried
again: the scheduler gives it to another worker, and the nanny starts a new one. The result of a run
is written to the journal at once, so a killed parent loses only the runs under way.
"""

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bonesim.errors import InputError
from bonesim.sweeps.extras import is_installed, require
from bonesim.sweeps.worker import MAX_DEATHS, ONE_THREAD, Simulate, Task, attempt, died, outcomes

if TYPE_CHECKING:
    from distributed import Client

#: Runs submitted ahead for each worker, so that none waits for the parent. The scheduler holds all
#: but the next ones, so a worker's death does not count against them.
AHEAD = 20
#: The least number submitted ahead in all: workers of a job queue start at any time.
MIN_AHEAD = 200
#: How long a running scheduler may take to answer.
ANSWER = "20s"
#: Memory of a worker of a job queue beside its run, GB.
WORKER_GB = 0.5
#: Run by every worker as it starts. Ctrl-C on a terminal reaches parent and workers, and each worker
#: would end with a traceback. So workers ignore it, and the parent closes them.
IGNORE_SIGINT = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


def require_for(workers: int, scheduler: str | None = None, cluster: str | None = None) -> None:
    """Raise InputError if a library that these workers need is not installed; loads none.

    A single worker on this machine needs none.
    """
    if cluster is not None:
        require("dask_jobqueue", f"jobs of {cluster}", "cluster", parameter="cluster")
    if scheduler is not None or cluster is not None:
        require("distributed", "workers elsewhere", "sweep")
    elif workers > 1:
        require("distributed", f"{workers} `workers` at once", "sweep", "or give 1 of `workers`")


@contextmanager
def dask_client(
    workers: int, memory_bytes: float, scheduler: str | None = None, cluster: str | None = None
) -> "Iterator[Client]":
    """A Dask client of a running scheduler, of a job queue's workers, or of local processes.

    Args:
        workers: their number; a running scheduler has its own.
        memory_bytes: memory of one worker, requested from a job queue.
        scheduler: address of a running one, e.g. tcp://host:8786.
        cluster: a job queue of dask-jobqueue: slurm, pbs, sge, lsf, htcondor, oar.

    Raises:
        InputError: Dask is not installed, or the scheduler does not answer.
    """
    require_for(workers, scheduler, cluster)
    import dask
    from distributed import Client, LocalCluster

    quiet = {
        "distributed.scheduler.allowed-failures": MAX_DEATHS - 1,
        # Runs are long and alike: the next free worker takes the next one, and keeps it.
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.scheduler.work-stealing": False,
        "distributed.worker.daemon": False,
        "distributed.worker.preload": [IGNORE_SIGINT],
        "distributed.worker.profile.enabled": False,
        "distributed.nanny.pre-spawn-environ": ONE_THREAD,
        "distributed.admin.log-format": "%(message)s",
        # A simulation computes for minutes: only the end of its process means that it died.
        "distributed.scheduler.worker-ttl": None,
        "distributed.comm.timeouts.tcp": "120s",
    }
    with dask.config.set(quiet):
        if scheduler is not None:
            try:
                client = Client(scheduler, timeout=ANSWER)
            except (OSError, ValueError) as error:
                raise InputError(
                    f"{scheduler} does not answer ({error or 'timeout'}); start one: dask scheduler",
                    parameter="scheduler",
                ) from None
            with client:
                yield client
            return
        if cluster is not None:
            with _job_queue(cluster, workers, memory_bytes) as queue, Client(queue) as client:
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
    """Processes started meanwhile ignore SIGINT (later ones: see IGNORE_SIGINT)."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread, which alone receives Ctrl-C
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _job_queue(cluster: str, workers: int, memory_bytes: float) -> Any:
    """Workers as jobs of a queue; its details come from Dask's own configuration files."""
    import dask_jobqueue

    kinds = {name.removesuffix("Cluster").lower(): name for name in dir(dask_jobqueue)
             if name.endswith("Cluster")}  # fmt: skip
    if cluster not in kinds:
        raise InputError(
            f"{cluster!r} is not known; one of {', '.join(sorted(kinds))}", parameter="cluster"
        )
    queue = getattr(dask_jobqueue, kinds[cluster])(
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
    """Run all tasks; yields the entries of `worker.attempt` as they end, in any order.

    Only a few tasks are submitted ahead, so the length of a design does not load the scheduler.
    A task whose worker died too often is returned as failed.
    """
    from distributed import as_completed

    waiting = deque(tasks)
    points: dict[str, str] = {}

    def submit() -> Any:
        task = waiting.popleft()
        key = f"point-{len(waiting)}-{task.point}"  # to Dask all tasks are of one kind
        points[key] = task.point
        return client.submit(attempt, task, simulate, pure=False, key=key)

    def wanted(under_way: int) -> int:
        # Workers of a job queue start at any time: their number is read each time.
        workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        return min(len(waiting), max(MIN_AHEAD, AHEAD * workers) - under_way)

    # Results arrive with the notice of their end, several at once if runs are short.
    ended = as_completed(
        [submit() for _ in range(wanted(0))], with_results=True, raise_errors=False
    )
    for batch in ended.batches():
        ended.update([submit() for _ in range(wanted(len(points) - len(batch)))])
        for future, result in batch:
            point = points.pop(str(future.key))
            if future.status == "finished":
                yield result
                continue
            yield died(point)  # `attempt` raises nothing


def default_workers() -> int:
    """The number of cores this process may use; 1 where Dask, which more need, is not installed."""
    if not is_installed("distributed"):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
