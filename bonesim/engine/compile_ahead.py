"""Compile kernels in a second process while the first makes the bone and simulates its first day.

Nothing depends on it: a kernel that is not in the cache when it is called is compiled there and
then, and both processes make the same machine code. It only halves the first minutes. The second
process goes through a day from its end, so the two meet in the middle.

    python -m bonesim.engine.compile_ahead               the second process
    python -m bonesim.engine.compile_ahead everything    both, before workers that share the cache
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import numba
import numpy as np

from bonesim.config.config import validated
from bonesim.engine.days import Observer, advance
from bonesim.engine.simulation import Simulation
from bonesim.kernel import KERNEL_SOURCES, PACKAGE, cache_folder, is_cached
from bonesim.morphometry.panel import measure
from bonesim.specimens.specimen import Specimen

#: The kernels of a day that compile last; if they are cached, so is all else.
LAST_COMPILED = ("osteoblast.form", "osteoclast.resorb", "bmu_front.travel")

#: Of all kernels, those that a run calls: 222 of 232 in `bonesim demo` from an empty cache.
CALLED_SHARE = 0.95
#: What is noted while kernels are compiled.
NOTE = "compiling kernels (once, some minutes)"
#: The line above a kernel.
MARK = re.compile(r"^@(?:lean_)?kernel$", re.MULTILINE)


def all_cached() -> bool:
    """Whether the machine code of a whole day is there, or none is used."""
    return bool(numba.config.DISABLE_JIT) or all(is_cached(name) for name in LAST_COMPILED)


def share_cached() -> float:
    """About what share of the kernels of a run is compiled, 0 to 1."""
    cached = sum(1 for _ in cache_folder().rglob("*.nbi"))
    return min(1.0, cached / (CALLED_SHARE * number_of_kernels()))


@cache
def number_of_kernels() -> int:
    """How many kernels there are."""
    places = [PACKAGE / name for name in KERNEL_SOURCES]
    files = [file for one in places for file in ([one] if one.is_file() else one.rglob("*.py"))]
    return sum(len(MARK.findall(file.read_text(encoding="utf-8"))) for file in files)


@contextmanager
def in_second_process(observer: Observer | None = None) -> Iterator[bool]:
    """A second process compiles meanwhile, if anything must be: whether, is yielded.

    At the end it is terminated. Without a second process nothing is lost but time. Within another such
    block of this process it does nothing.

    Args:
        observer: gets a note, and what share is compiled.
    """
    if _under_way or all_cached():
        yield bool(_under_way)
        return
    _under_way.append(True)
    process = _second_process()
    try:
        if observer is not None:
            observer.note(NOTE)
            observer.compiling(share_cached)
        yield True
    finally:
        _under_way.clear()
        if process is not None:
            process.terminate()
            process.wait()
        if observer is not None:
            observer.compiled()


#: Whether this process is within `in_second_process`.
_under_way: list[bool] = []


def _second_process() -> "subprocess.Popen[bytes] | None":
    """It imports this very package, wherever it is started: not one that the folder may hold."""
    quiet = subprocess.DEVNULL
    place = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache_folder().parent), "PYTHONPATH": place}
    with suppress(OSError):
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "bonesim.engine.compile_ahead"],
            stdin=quiet, stdout=quiet, stderr=quiet, env=environment,
        )  # fmt: skip
    return None


def compile_day_backwards() -> None:
    """Call every kernel of a day once, the last first, on a speck of bone without cells."""
    quanta = np.zeros((12, 12, 12), np.uint8)
    quanta[4:8, 4:8, 4:8] = 255
    config = validated({"schedule": {"burn_in_day": 0}}, "compile_ahead")
    s = Simulation(config, Specimen(quanta, 20.0, "a speck", ()))
    fields = s.signals.fields
    s.osteoblasts.form(s.tissue, fields, s.cavities, s.bmus.rows, 1, 1)
    s.osteoclasts.resorb(s.tissue, fields, s.cavities, s.drive, 1, 1)
    s.osteoclasts.smooth(s.tissue, fields, s.cavities, s.bmus.rows, 1, 1)
    s.osteoblasts.arrive(s.tissue, fields, s.cavities, s.bmus.rows, s.precursors, s.drive, 1, 1)
    s.osteoblasts.leave(s.tissue, s.cavities, s.osteocytes, 1)
    s.fragments.add_cuts(np.array([s.tissue.lattice.quanta.size // 2]), 1)
    s.fragments.remove_due(s.tissue, 1000)
    measure(quanta, 20.0, quick=True)
    advance(s, 1)


def compile_everything(*, quick: bool = False) -> None:
    """Compile a day and the whole panel in two processes, unless a day is cached.

    For several workers on one cache that start at once: each would compile the same. `quick`: of the
    panel only what a run measures.
    """
    with in_second_process() as compiling:
        if compiling:
            config = validated({
                "specimen": {"kind": "synthetic", "size_mm": [0.8, 0.8, 0.8]},
                "schedule": {"burn_in_day": 0},
            }, "compile_ahead")  # fmt: skip
            simulation = Simulation(config)
            advance(simulation, 1)
            measure(simulation.tissue.inner(simulation.tissue.lattice.quanta), 20.0, quick=quick)


if __name__ == "__main__":
    if sys.argv[1:] == ["everything"]:
        compile_everything()
    else:
        compile_day_backwards()
