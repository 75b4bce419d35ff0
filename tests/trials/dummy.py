"""A model that costs nothing, in place of bone; workers import this file, and so nothing that takes long."""

import sys
import time
import tomllib
from pathlib import Path
from typing import Any


def read(config: str, keep: str | None) -> list[dict[str, Any]]:
    """Readings that depend on person and drug."""
    tree = tomllib.loads(config)
    drug = bool(tree["protocol"]["anastrozole"])
    offset = tree["seed"] % 7
    return [
        {"day": day, "ls_abmd": 1.1 * (1 - 0.0005 * day * drug + 0.0001 * offset * (day > 0)),
         "e2_pg_per_ml": tree["protocol"]["e2_pg_per_ml"] * (0.5 if drug and day else 1.0)}
        for day in tree["schedule"]["snapshots_day"]
    ]  # fmt: skip


def slow(config: str, keep: str | None) -> list[dict[str, Any]]:
    """As `read`, after a while."""
    time.sleep(0.3)
    return read(config, keep)


if __name__ == "__main__":
    from bonesim.sweeps.sweep import run_study
    from bonesim.trials.trial import Trial

    sys.exit(run_study(Trial(Path(sys.argv[1])), Path(sys.argv[2]), workers=1, simulate=slow))
