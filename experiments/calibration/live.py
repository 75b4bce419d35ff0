"""Live the design of the calibration: 48 points, two bones each, on the sweep engine.

    python experiments/calibration/live.py experiments/calibration/study.toml -o calibration

Stopped, the same command goes on. `fit.py` reads the folder.
"""

import argparse
import sys
from pathlib import Path

from bonesim.sweep.study import Study
from bonesim.sweep.sweep import run_study

sys.path.insert(0, str(Path(__file__).parent))
import scenarios


class Lines:
    """Progress, a line a point."""

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def begin(self, done: int, total: int) -> None:
        self.say(f"{done} of {total} points are done")

    def ended(self, entry: dict[str, object], done: int, total: int) -> None:
        self.say(f"{done}/{total}   {entry['seconds']} s   {entry.get('error', '')}")

    def end(self) -> None:
        pass


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    lost = run_study(Study(given.study), given.output, workers=given.workers, progress=Lines(),
                     simulate=scenarios.live)  # fmt: skip
    sys.exit(3 if lost else 0)


if __name__ == "__main__":
    main()
