"""Simulates the four men over members of the posterior; stopped, the same command goes on.

python experiments/predictions/simulate.py -o predictions --members 24
"""

import argparse
from pathlib import Path

from bonesim import run_posterior
from bonesim.sweeps import SweepTerminal, stopped_politely

HERE = Path(__file__).resolve().parent
CONFIGS = (
    "with_replacement_1y",
    "with_replacement_5y",
    "without_replacement_1y",
    "without_replacement_5y",
)


def main() -> None:
    """Simulate what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--members", type=int, default=24)
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    for name in CONFIGS:
        folder = given.output / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        with stopped_politely(folder):
            run_posterior(
                HERE / f"{name}.toml", folder, posterior=given.members, split=0,
                workers=given.workers, progress=SweepTerminal(),
            )  # fmt: skip


if __name__ == "__main__":
    main()
