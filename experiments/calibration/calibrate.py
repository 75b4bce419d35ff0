"""The whole calibration by one command; stopped, the same command goes on.

    python experiments/calibration/calibrate.py -o calibration [--workers N] [--points N]

Simulates the design (`study.toml`), fits it (`fit.py`), which puts the members into the package too.
With --points only so many of the design's points, in its order: a piece of the work, which the next one
continues. A cluster does the same points: `simulate.py` takes workers, and its folder is a sweep's.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from bonesim.sweeps import Folder

HERE = Path(__file__).parent


def main() -> None:
    """Simulate what is missing, then fit what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--points", type=int)
    given = parser.parse_args()
    command = [
        sys.executable,
        str(HERE / "simulate.py"),
        str(HERE / "study.toml"),
        "-o",
        str(given.output),
    ]
    for name in ("workers", "points"):
        if (value := getattr(given, name)) is not None:
            command += [f"--{name}", str(value)]
    subprocess.run(command, check=True)
    if len(Folder(given.output).results()):
        subprocess.run([sys.executable, str(HERE / "fit.py"), str(given.output)], check=True)


if __name__ == "__main__":
    main()
