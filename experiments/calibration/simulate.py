"""Simulate a design of the calibration on the sweep engine; stopped, the same command goes on.

cd experiments/calibration
python simulate.py study.toml -o calibration               # for fit.py: 56 points, two bones each
python simulate.py candidates.toml -o candidates --longer  # for confirm.py: other bones, all targets
python simulate.py cheaper_settings.toml -o cheaper --cheaper # for cheaper_settings.py: load solved both ways
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from bonesim.sweeps import Study, SweepTerminal, run_study, stopped_politely

sys.path.insert(0, str(Path(__file__).parent))
import scenarios


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--workers", type=int)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--longer", action="store_true", help="all courses to their full length")
    which.add_argument("--cheaper", action="store_true", help="a year, load solved both ways")
    parser.add_argument("--courses", nargs="+", choices=list(scenarios.SCENARIOS), default=None)
    given = parser.parse_args()
    courses = scenarios.LONGER if given.longer else scenarios.SCENARIOS
    if given.cheaper:
        courses = scenarios.CHEAPER
    chosen = given.courses or list(courses)
    simulate = partial(scenarios.simulate, scenarios={name: courses[name] for name in chosen})
    with stopped_politely(given.output):
        lost = run_study(Study(given.study), given.output, workers=given.workers,
                         progress=SweepTerminal(), simulate=simulate)  # fmt: skip
    sys.exit(3 if lost else 0)


if __name__ == "__main__":
    main()
