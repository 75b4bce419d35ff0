"""Live a design of the calibration on the sweep engine; stopped, the same command goes on.

    cd experiments/calibration
    python live.py study.toml -o calibration               # for fit.py: 48 points, two bones each
    python live.py candidates.toml -o candidates --longer  # for confirm.py: other bones, all targets
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
    parser.add_argument("--longer", action="store_true", help="all courses to their full length")
    given = parser.parse_args()
    simulate = scenarios.live_longer if given.longer else scenarios.live
    lost = run_study(Study(given.study), given.output, workers=given.workers, progress=Lines(),
                     simulate=simulate)  # fmt: skip
    sys.exit(3 if lost else 0)


if __name__ == "__main__":
    main()
