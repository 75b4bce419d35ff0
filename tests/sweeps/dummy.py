"""Models that cost nothing, in place of bone; workers import this file, and so nothing that takes long."""

import math
import os
import resource
import sys
import time
import tomllib
from pathlib import Path
from typing import Any


def numbers(config: str, keep: str | None) -> list[dict[str, Any]]:
    """Three snapshots of numbers that depend on seed and hill."""
    tree = tomllib.loads(config)
    hill, seed = tree["hormones"]["response"]["hill"], tree["seed"]
    return [
        {"snapshot": k, "day": 100 * k, "bvtv_percent": 10.0 - k * hill + 0.01 * (seed % 7)}
        for k in range(3)
    ]


def slow(config: str, keep: str | None) -> list[dict[str, Any]]:
    """As `numbers`, after a while."""
    time.sleep(0.3)
    return numbers(config, keep)


def deadly_once(config: str, keep: str | None) -> list[dict[str, Any]]:
    """Kills its worker the first time it sees a certain point."""
    tree = tomllib.loads(config)
    mark = Path(os.environ["BONESIM_TEST_MARK"])
    if tree["hormones"]["response"]["hill"] == 2.0 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), 9)
    return numbers(config, keep)


def deadly(config: str, keep: str | None) -> list[dict[str, Any]]:
    """Kills its worker each time it sees a certain point."""
    if tomllib.loads(config)["hormones"]["response"]["hill"] == 2.0:
        os.kill(os.getpid(), 9)
    return numbers(config, keep)


def failing(config: str, keep: str | None) -> list[dict[str, Any]]:
    """Fails for one value of hill."""
    if tomllib.loads(config)["hormones"]["response"]["hill"] == 2.0:
        raise ZeroDivisionError("a dummy's fault")
    return numbers(config, keep)


def ishigami(x: float, y: float, z: float) -> float:
    """Ishigami 1990, with a = 7 and b = 0.1."""
    return math.sin(x) + 7 * math.sin(y) ** 2 + 0.1 * z**4 * math.sin(x)


if __name__ == "__main__":
    from bonesim.errors import BonesimError
    from bonesim.sweeps.study import Study
    from bonesim.sweeps.sweep import run_study

    if len(sys.argv) > 3:  # no file may grow larger, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
    try:
        sys.exit(run_study(Study(Path(sys.argv[1])), Path(sys.argv[2]), workers=2, simulate=slow))
    except BonesimError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
