"""What a run of a sweep costs: core-seconds by part, and mm3-years per core-second.

    python benchmarks/many_runs.py                         2.6 mm, hormones only
    python benchmarks/many_runs.py --design seeds --size-mm 1.2 --points 12 --workers 2

Three designs: `hormones` (points share burn-in and bone), `seeds` (they share the bone), `cells` (they
share the bone; each has its own burn-in). One year after a burn-in of 300 days, economical mechanics.
Burn-ins are not taken from the user's cache, kernels are: run it twice if they were compiled.
Absolute numbers are printed, nothing is gated.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bonesim.engine import compile_ahead
from bonesim.kernel import cache_folder
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.spent import mean_of

BASE = """
title = "what a run costs"
[specimen]
kind = "synthetic"
size_mm = [{size}, {size}, {size}]
[hormones.course]
kind = "stepped"
e2_pg_per_ml = 25.0
steps = [ {{ start_day = 0, e2_pg_per_ml = 7.0, tau_day = 10.0 }} ]
[mechanics]
interval_day = 60
changed_percent = 3
tolerance = 2e-3
[schedule]
burn_in_day = {burn_in}
duration_day = {days}
snapshots_day = [0, {days}]
"""
STUDY = 'title = "what a run costs"\nbase = "base.toml"\n[design]\nkind = "grid"\n{design}'
VARIABLE = '[[design.variable]]\npath = "{path}"\nname = "x"\nvalues = {values}\n'
#: Design -> what varies, and around which value.
VARIED = {
    "hormones": ("hormones.response.hill", 1.0),
    "cells": ("cells.osteoclast.dig_um_per_day", 2.4),
    "seeds": ("hormones.course.e2_pg_per_ml", 25.0),
}  # fmt: skip


def design_of(name: str, points: int) -> str:
    """A design of so many runs."""
    path, middle = VARIED[name]
    if name == "seeds":
        return f"seeds = {points}\n" + VARIABLE.format(path=path, values=[middle])
    values = [round(middle * (1.0 + 0.01 * k), 4) for k in range(points)]
    return "seeds = 1\n" + VARIABLE.format(path=path, values=values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--design", choices=VARIED, default="hormones")
    parser.add_argument("--size-mm", type=float, default=2.6)
    parser.add_argument("--points", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--burn-in", type=int, default=300)
    given = parser.parse_args()
    if not compile_ahead.all_cached():
        compile_ahead.compile_everything(quick=True)
    with tempfile.TemporaryDirectory(prefix="bonesim_many_runs_") as name:
        print(measured(Path(name), given))


def measured(place: Path, given: argparse.Namespace) -> str:
    """Run a sweep in a folder with a cache of burn-ins of its own; what it cost."""
    base = BASE.format(size=given.size_mm, days=given.days, burn_in=given.burn_in)
    (place / "base.toml").write_text(base)
    (place / "study.toml").write_text(STUDY.format(design=design_of(given.design, given.points)))
    environment = {
        **os.environ, "XDG_CACHE_HOME": str(place / "cache"),
        "NUMBA_CACHE_DIR": str(cache_folder().parent),
    }  # fmt: skip
    words = ["sweep", "run", str(place / "study.toml"), "-o", str(place / "sweep"),
             "--workers", str(given.workers)]  # fmt: skip
    subprocess.run([sys.executable, "-m", "bonesim", *words], check=True, env=environment)
    done, _ = Folder(place / "sweep").status()
    mean = mean_of(done.values())
    assert mean is not None, "every run has measured its cost"
    rate = mean.mm3_years / mean.core_seconds
    steady = mean.mm3_years / (mean.seconds["days"] + mean.seconds["files"])
    return (
        f"{given.design}, {given.points} runs of {given.size_mm:g} mm and {given.days} d, "
        f"{given.workers} worker(s), load {os.getloadavg()[0]:.1f}\n{mean.text()}\n"
        f"{rate:.2f} mm3-years per core-second, {steady:.2f} without start, bone and burn-in, "
        f"{mean.mm3_years / mean.seconds['days']:.2f} of days alone (no measures at snapshots)"
    )


if __name__ == "__main__":
    main()
