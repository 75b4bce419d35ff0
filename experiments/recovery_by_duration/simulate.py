"""Simulates each point of the study: one suppression, left after each duration and followed for years.

    python experiments/recovery_by_duration/simulate.py -o recovery

The suppressed run goes on to its longest duration; at each shorter one a copy of it (the same
bone, cells and random numbers) gets its estradiol back. A twin is never suppressed: what is lost, and what
is still missing, is relative to the twin of the same day, so that no drift is taken for recovery.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: Days of suppression, and of the follow-up that are measured (after those with a full panel).
DURATIONS = (182, 365, 730, 1825, 3650)
#: Ablated arms, and scans, are reported at these durations.
DURATIONS_OF_ARMS = (182, 1825)
FOLLOW_UP = (0, 365, 1095, 1825)
#: Of the daily table.
DAILY = (
    "bmd_mg_per_cm3", "bvtv_percent", "apparent_modulus_z_mpa", "failure_load_n", "e2_deficit",
    "setpoint_pg_per_ml", "precursor_pool", "holes", "cuts",
    "fragments_freed",
)  # fmt: skip
#: Of the panel.
PANEL = (
    "tb_th_um", "tb_sp_um", "tb_n_per_mm", "conn_d_per_mm3", "bstv_per_mm", "plate_share_percent",
)  # fmt: skip


def measured(simulation: Any) -> dict[str, float]:
    """The daily table's row of today and the panel of the lattice as it is."""
    import numpy as np

    from bonesim.morphometry import measure

    table = simulation.datacollector.model_vars
    row = {name: float(table[name][-1]) for name in DAILY}
    quanta = simulation.tissue.inner(simulation.tissue.lattice.quanta)
    panel = measure(np.ascontiguousarray(quanta), simulation.tissue.voxel_um)
    return row | {name: float(panel[name].value) for name in PANEL}


def breaks(simulation: Any, rows: Any, stop_day: int) -> dict[str, int]:
    """What became of the events (rows of the log) that were final at the stop.

    How many there are, how many of their voxels are marrow, and how many of the others may have closed
    since (`bonesim.loss.reclosure`: from the log of all changes of shape).
    """
    from bonesim.loss import may_have_closed
    from bonesim.units import BONE

    events = simulation.events.columns()
    marrow = simulation.tissue.lattice.quanta[events["voxel"][rows]] < BONE
    closed = may_have_closed(events, rows[~marrow], stop_day)
    return {
        "final_at_stop": rows.size,
        "of_them_marrow": int(marrow.sum()),
        "of_them_maybe_closed": int(closed.sum()),
    }


def simulate(config_text: str, keep: str | None, arms: bool = False) -> list[dict[str, Any]]:
    """One member or arm on one bone (a sweep's worker function): a row per course, duration and day.

    `arms`: only the durations of arms.

    Of arms a synthetic bone goes by the point's seed, so that replicates are other bones; of a scan
    they are other runs of one bone.
    """
    import tomllib

    from bonesim.config import validated
    from bonesim.engine import Simulation, begin_from, equilibrated, put_back, state_of
    from bonesim.loss import final_breaks
    from bonesim.specimens import make_specimen

    base = validated(tomllib.loads(config_text), "point")
    if base.specimen.kind == "synthetic" and arms:
        base = base.with_changes({"specimen.seed": base.seed})
    durations = DURATIONS_OF_ARMS if arms else DURATIONS
    bone = make_specimen(base.specimen)
    suppressed, _ = equilibrated(base, bone, lambda _: None)
    healthy = Simulation(base.with_changes({"hormones.course": {"kind": "constant"}}), bone)
    begin_from(healthy, state_of(suppressed))
    first = measured(healthy)
    rows = [{"course": "healthy", "stop_day": 0, "day": 0, **first}]

    days = {d + after for d in durations for after in FOLLOW_UP}
    while healthy.day < max(days):
        healthy.step()
        if healthy.day in days:
            rows.append(
                {"course": "healthy", "stop_day": 0, "day": healthy.day, **measured(healthy)}
            )
    del healthy

    for stop in durations:
        while suppressed.day < stop:
            suppressed.step()
        back = {"start_day": stop, "e2_pg_per_ml": 25.0, "tau_day": 10.0}
        course = base.model_dump(mode="json")["hormones"]["course"]
        course["steps"] = [*course["steps"], back]
        recovering = Simulation(base.with_changes({"hormones.course": course}), bone)
        put_back(recovering, state_of(suppressed))
        rows_final = final_breaks(recovering.events.columns())
        for after in FOLLOW_UP:
            while recovering.day < stop + after:
                recovering.step()
            rows.append(
                {"course": "recovering", "stop_day": stop, "day": recovering.day,
                 **breaks(recovering, rows_final, stop), **measured(recovering)}
            )  # fmt: skip
    return [{"snapshot": number, **row} for number, row in enumerate(rows)]


def main() -> None:
    """Simulate what is missing."""
    from bonesim.sweeps import Study, SweepTerminal, run_study, stopped_politely

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--study", type=Path, default=HERE / "study.toml")
    parser.add_argument("--posterior", type=int, help="so many members, instead of the study's")
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    study = Study(given.study, given.posterior)
    of_arms = study.parameters.design.posterior == 0
    with stopped_politely(given.output):
        lost = run_study(study, given.output, workers=given.workers, progress=SweepTerminal(),
                         simulate=partial(simulate, arms=of_arms))  # fmt: skip
    sys.exit(3 if lost else 0)


if __name__ == "__main__":
    main()
