"""A second run in a process of its own, beside one that is under way here.

For a run and its twin on two cores. It begins once the first run has a day on record: then kernels
are compiled and the burn-in that both share is in the cache, so nothing is done twice. Without a
second core, or if the process fails, the caller simulates the second run itself: same bits.

    python -m bonesim.engine.beside OUTPUT < config.json
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bonesim.config.config import Config, planned_config, tree_of
from bonesim.engine.days import Observer
from bonesim.engine.machine import cores as usable_cores
from bonesim.kernel import PACKAGE

if TYPE_CHECKING:
    from bonesim.engine.simulation import Simulation


class Beside(Observer):
    """Starts the second run on the first run's day 0.

    Args:
        config: of the second run.
        output: its run file, which may be replaced.
        cores: how many there are; found if None.
    """

    def __init__(self, config: Config, output: Path, cores: int | None = None) -> None:
        self._config, self._output = config, output
        self._cores = cores if cores is not None else usable_cores()
        self._process: subprocess.Popen[bytes] | None = None

    def on_record(self, simulation: "Simulation") -> None:
        """Start it on the first day on record."""
        if self._process is None and self._cores > 1 and simulation.day == 0:
            with suppress(OSError):
                self._process = _started(self._config, self._output)

    def done(self) -> bool:
        """Wait for the second run; whether it was simulated."""
        return self._process is not None and self._process.wait() == 0

    def stop(self) -> None:
        """End it; its file is complete up to the day it stops at."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def _started(config: Config, output: Path) -> "subprocess.Popen[bytes]":
    quiet = subprocess.DEVNULL
    place = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "bonesim.engine.beside", str(output)],
        stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env=os.environ | {"PYTHONPATH": place},
    )  # fmt: skip
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(json.dumps(tree_of(config)).encode())
    return process


if __name__ == "__main__":
    from bonesim.engine.run import run

    run(planned_config(json.loads(sys.stdin.read())), sys.argv[1], overwrite=True)
