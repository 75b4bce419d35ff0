"""Simulate a design of the calibration on the sweep engine; stopped, the same command goes on.

cd experiments/calibration
python simulate.py study.toml -o calibration                  # for fit.py: a bone for each point
python simulate.py cheaper_settings.toml -o cheaper --cheaper # for cheaper_settings.py: load solved both ways
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

from bonesim.sweeps import Study, SweepTerminal, run_study, stopped_politely

sys.path.insert(0, str(Path(__file__).parent))
import scenarios


class Part(Study):
    """The first points of a study."""

    def __init__(self, path: Path, count: int) -> None:
        super().__init__(path)
        self.count = count

    def points(self) -> list[Any]:
        """So many, in the design's order."""
        return super().points()[: self.count]


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--points", type=int, help="only the first ones")
    parser.add_argument("--cheaper", action="store_true", help="a year, load solved both ways")
    given = parser.parse_args()
    courses = scenarios.CHEAPER if given.cheaper else scenarios.SCENARIOS
    study = Study(given.study) if given.points is None else Part(given.study, given.points)
    with stopped_politely(given.output):
        lost = run_study(study, given.output, workers=given.workers, progress=SweepTerminal(),
                         simulate=partial(scenarios.simulate, scenarios=courses))  # fmt: skip
    sys.exit(3 if lost else 0)


if __name__ == "__main__":
    main()
