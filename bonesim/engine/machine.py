"""The machine a run is to fit into: cores, memory and disk, also within a container's limits."""

import os
import shutil
from pathlib import Path

__all__ = ["cores", "free_disk_bytes", "free_memory_bytes", "memory_bytes"]

#: Limits of a container (cgroup 2, then 1), bytes; "max" or a huge number where there is none.
MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")
)  # fmt: skip
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
MEMINFO = Path("/proc/meminfo")


def memory_bytes() -> float:
    """Memory this process may use at most: of the machine, or the limit of its container."""
    here = _of_machine("SC_PHYS_PAGES")
    for place in MEMORY_LIMITS:
        limit = _number_in(place)
        if limit is not None:
            return min(here, limit)
    return here


def free_memory_bytes() -> float:
    """Memory that no process needs at the moment; no more than `memory_bytes`."""
    try:
        lines = MEMINFO.read_text().splitlines()
        kilobytes = next(line for line in lines if line.startswith("MemAvailable")).split()[1]
        return min(float(kilobytes) * 1024.0, memory_bytes())
    except (OSError, StopIteration):
        return min(_of_machine("SC_AVPHYS_PAGES"), memory_bytes())


def cores() -> int:
    """Cores this process may use: its affinity, and the quota of its container."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = CPU_LIMIT.read_text().split()[:2]
        return own if quota == "max" else max(1, min(own, round(int(quota) / int(period))))
    except (OSError, ValueError):
        return own


def free_disk_bytes(place: Path) -> float:
    """Disk free where `place` is, or is to be made."""
    there = place.absolute()
    while not there.exists():
        there = there.parent
    return float(shutil.disk_usage(there).free)


def _of_machine(name: str) -> float:
    """Pages of the machine, as bytes; endless where the system does not state it."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf(name)
    except (AttributeError, OSError, ValueError):
        return float("inf")


def _number_in(place: Path) -> float | None:
    try:
        return float(place.read_text())
    except (OSError, ValueError):
        return None
