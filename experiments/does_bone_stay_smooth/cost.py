"""What looks cost: a healthy year with and without them, alternating in one process.

    python cost.py                    three rounds of a 2.2 mm block
    python cost.py --size 1.4 --rounds 5

Processor time of the days after the burn-in, minima over the rounds. A snapshot measures the quick panel
and the closed measures and writes the lattice; a look for breaks compares the closed networks.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd

from bonesim import Config, Observer, Simulation, load_config, run
from bonesim.analysis import in_markdown

HERE = Path(__file__).parent
DAYS, NEVER = 365, 50000
#: Looks of a year, after that of day 0.
LOOKS = 4
QUARTERS = [0, 91, 182, 273, 364]
#: What is looked at -> the schedule.
ARMS: dict[str, dict[str, object]] = {
    "no looks": {"schedule.snapshots_day": [0], "schedule.breaks_every_day": NEVER},
    "breaks, each quarter": {"schedule.snapshots_day": [0], "schedule.breaks_every_day": 91},
    "snapshots, each quarter": {"schedule.snapshots_day": QUARTERS, "schedule.breaks_every_day": NEVER},
}  # fmt: skip


class Days(Observer):
    """Processor seconds from the first day on record to the last."""

    def __init__(self) -> None:
        self.begun = self.seconds = 0.0

    def on_day(self, simulation: Simulation) -> None:
        """Begin with day 1; what is measured of a day is counted on the next."""
        if simulation.day == 1:
            self.begun = time.process_time()
        elif simulation.day > 1:
            self.seconds = time.process_time() - self.begun


def seconds_of(config: Config, folder: Path) -> float:
    """Of one run; its burn-in is there already."""
    days = Days()
    run(config, folder / "one.vtkhdf", observers=[days], overwrite=True)
    return days.seconds


def table(base: Config, rounds: int, folder: Path) -> pd.DataFrame:
    """One row per arm: seconds of a year, over no looks, and a look's in days."""
    configs = {name: base.with_changes(changes) for name, changes in ARMS.items()}
    seconds_of(configs["no looks"], folder)  # the burn-in, and code that is compiled on first use
    found: dict[str, list[float]] = {name: [] for name in ARMS}
    for _ in range(rounds):
        for name, config in configs.items():
            found[name].append(seconds_of(config, folder))
    least = {name: min(seconds) for name, seconds in found.items()}
    bare = least["no looks"]
    rows = {
        name: {
            "seconds of a year": round(seconds, 2),
            "over no looks": round(seconds / bare, 3),
            "a look, days": round((seconds / bare - 1.0) * DAYS / LOOKS, 1),
        }
        for name, seconds in least.items()
    }
    return pd.DataFrame(rows).T


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--size", type=float, default=2.2, help="edge of the block, mm")
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    base = load_config(
        HERE / "health_base.toml",
        {"specimen.size_mm": [given.size] * 3, "schedule.duration_day": DAYS,
         "schedule.snapshots_day": [0]},
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        print(in_markdown(table(base, given.rounds, Path(folder))))


if __name__ == "__main__":
    main()
