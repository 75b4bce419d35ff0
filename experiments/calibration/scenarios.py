"""What each target asks of one block: the courses it is simulated under, and what is read off.

All courses start from one burn-in, so they share bone and random numbers: a difference between two
of them is the treatment's. Estradiol is what the targets give (true levels: an immunoassay reads 6 pg/mL of
other steroids), not what the drug model makes of a tablet; that is the trials' affair.
"""

from typing import Any, NamedTuple

from bonesim.mechanics import MechanicsParameters

YEAR = 365


class Scenario(NamedTuple):
    """One course: what it changes in the config, and the days that are read."""

    changes: dict[str, Any]
    days: tuple[int, ...]


def _to(e2: float, from_e2: float, tau_day: float, t: tuple[float, float] | None = None) -> Any:
    step = {"start_day": 0, "e2_pg_per_ml": e2, "tau_day": tau_day}
    course = {"kind": "stepped", "e2_pg_per_ml": from_e2, "steps": [step]}
    if t is not None:
        course["t_ng_per_dl"], step["t_ng_per_dl"] = t
    return {"hormones.course": course}


def _protocol(**what: Any) -> dict[str, Any]:
    return {"protocol": what}


#: guide A1 to A13. Assays differ, so men fall from 9 to 5.2 (x0.58, between x0.5 and x0.67).
SCENARIOS: dict[str, Scenario] = {
    "control": Scenario({}, (0, YEAR, 2 * YEAR, 3 * YEAR)),
    "man_inhibitor": Scenario(_to(5.2, 9.0, 10.0, (319.0, 490.0)), (0, YEAR)),
    "woman_inhibitor": Scenario(_to(0.7, 4.5, 7.0), (0, YEAR, 2 * YEAR, 4 * YEAR, 5 * YEAR)),
    "woman_tamoxifen": Scenario(
        _protocol(sex="female", tamoxifen={"dose_mg": 20.0}), (0, YEAR, 2 * YEAR)
    ),
    "ovary_lost": Scenario(_to(5.0, 100.0, 10.0), (0, 180, 545)),
    "calcium": Scenario(
        _protocol(diet={"change": [{"start_day": 0, "calcium_mg_per_day": 1800.0}]}), (0, YEAR)
    ),
    "training": Scenario(
        _protocol(loading={"change": [{"start_day": 0, "load_percent": 120.0}]}), (0, 244)
    ),
    "disuse": Scenario(
        _protocol(loading={"change": [{"start_day": 0, "load_percent": 50.0}]}), (0, 119)
    ),
}

#: For the confirmation: the same, and what needs more years.
LONGER: dict[str, Scenario] = SCENARIOS | {
    "control": SCENARIOS["control"]._replace(
        days=(0, 119, 180, 244, YEAR, 545, 2 * YEAR, 3 * YEAR, 5 * YEAR)
    ),
    "woman_tamoxifen": SCENARIOS["woman_tamoxifen"]._replace(days=(0, YEAR, 2 * YEAR, 5 * YEAR)),
    "calcium": SCENARIOS["calcium"]._replace(days=(0, YEAR, 3 * YEAR)),
}

#: What cheaper settings cost: the same year from the same day 0, load solved as rarely as the base has it
#: and as often and finely as by default. Nothing else differs, chance included.
OFTEN = " solved often"
SOLVED_OFTEN = {
    f"mechanics.{name}": getattr(MechanicsParameters(), name)
    for name in ("interval_day", "changed_percent", "tolerance")
}
CHEAPER: dict[str, Scenario] = {
    name + how: Scenario(SCENARIOS[name].changes | changes, (0, 182, YEAR))
    for name in ("control", "woman_inhibitor")
    for how, changes in (("", {}), (OFTEN, SOLVED_OFTEN))
}

#: Of the daily table, what is kept of each day read.
KEPT = (
    "bmd_mg_per_cm3", "bvtv_percent", "es_bs_percent", "os_bs_percent", "ac_f_per_year",
    "turnover_percent_per_year", "e_de_um", "w_th_um", "e2_deficit", "bmus_born",
    "area_started_mm2", "bstv_per_mm", "holes", "cuts",
    "conn_d_raw_per_mm3", "apparent_modulus_z_mpa",
)  # fmt: skip
#: On day 0 only, by the geometry of the surface as it was measured in donors (the daily table's ES/BS
#: gives a site the area of its cells).
ES_BS = "es_bs_surface_percent"


def simulate(
    config_text: str, keep: str | None, scenarios: dict[str, Scenario]
) -> list[dict[str, Any]]:
    """One point under every scenario (a sweep's worker function); one row per scenario and day.

    A synthetic bone goes by the point's seed, so that replicates are other bones; of a scan they are
    other runs of one bone.
    """
    import tomllib

    import numpy as np

    from bonesim.cells import ERODED
    from bonesim.config import validated
    from bonesim.engine import Simulation, begin_from, equilibrated, state_of
    from bonesim.histology import states_of_surface
    from bonesim.specimens import make_specimen

    base = validated(tomllib.loads(config_text), "point")
    if base.specimen.kind == "synthetic":
        base = base.with_changes({"specimen.seed": base.seed})
    bone = make_specimen(base.specimen)
    start, _ = equilibrated(base, bone, lambda _: None)
    state = state_of(start)
    surface = states_of_surface(start)
    eroded = 100.0 * surface.share(np.isin(surface.phase, ERODED))
    rows = []
    for name, scenario in scenarios.items():
        config = base.with_changes({**scenario.changes, "schedule.duration_day": scenario.days[-1]})
        simulation = Simulation(config, bone)
        begin_from(simulation, state)
        while simulation.day < scenario.days[-1]:
            simulation.step()
        table = simulation.table()
        for day in scenario.days:
            row = {column: float(table[column][day]) for column in KEPT}
            row[ES_BS] = eroded if day == 0 else float("nan")
            rows.append({"scenario": name, "day": day, "snapshot": len(rows), **row})
    return rows
