"""What each target asks of one block: the courses it is simulated under, and what is read off.

Courses of one group start from one burn-in, so they share bone and random numbers: a difference between
two of them is the treatment's. A group is a person with a history, at whose deficit the burn-in is
simulated: a person at the own level of youth, a woman ten years after menopause, an older man whose
estradiol fell. Estradiol is what the targets give (true levels: an immunoassay reads 6 pg/mL of other
steroids), not what the drug model makes of a tablet; that is the trials' affair. Where the target is
the ovary's, the pituitary's or the partial agonist's own course, it is the axis that gives it.
"""

from typing import Any, NamedTuple

from bonesim.mechanics import MechanicsParameters

YEAR = 365


class Scenario(NamedTuple):
    """One course: the group it starts from, what it changes, and the days that are read."""

    group: str
    changes: dict[str, Any]
    days: tuple[int, ...]


def _written(youth: float, *steps: tuple[float, float, float], t: float = 500.0) -> dict[str, Any]:
    """A course from youth on, with steps (day, pg/mL, time constant)."""
    return {
        "hormones.course": {
            "kind": "stepped", "e2_pg_per_ml": youth, "t_ng_per_dl": t,
            "steps": [{"start_day": d, "e2_pg_per_ml": e, "tau_day": tau} for d, e, tau in steps],
        }
    }  # fmt: skip


def _protocol(**what: Any) -> dict[str, Any]:
    return {"protocol": what}


#: Menopause ten years ago; a fall of a man's estradiol from youth to the 9 pg/mL of Burnett-Bowie 2009.
MENOPAUSE, DECLINE = (-10 * YEAR, 4.5, 250.0), (-30 * YEAR, 9.0, 5 * YEAR)
#: The person of each group.
GROUPS: dict[str, dict[str, Any]] = {
    "young": {},
    "woman": _written(100.0, MENOPAUSE, t=20.0),
    "older_man": _written(25.0, DECLINE, t=319.0),
}
#: Six implants of a GnRH agonist, and what follows (A14).
MONTHS = tuple(range(0, 15 * 28, 28))
#: guide A1 to A18. Assays differ, so men fall from 9 to 5.2 (x0.58, between x0.5 and x0.67).
SCENARIOS: dict[str, Scenario] = {
    "control": Scenario("young", {}, (0, 119, 180, YEAR, 545, 2 * YEAR, 3 * YEAR)),
    "ovary_lost": Scenario("young", _written(100.0, (0, 5.0, 10.0)), (0, 180, 545)),
    "agonist": Scenario(
        "young",
        _protocol(sex="female", age_year=30, e2_pg_per_ml=90.0,
                  gnrh_agonist={"dose_mg": 3.6, "stop_day": 168}),
        MONTHS,
    ),
    "menopause": Scenario(
        "young", _protocol(sex="female", age_year=49),
        (0, YEAR, 4 * YEAR, 5 * YEAR, 8 * YEAR),
    ),
    "castrated": Scenario(
        "young", _protocol(age_year=67, e2_pg_per_ml=24.0, gnrh_agonist={"dose_mg": 3.6}), (0, 320)
    ),
    "disuse": Scenario(
        "young", _protocol(loading={"change": [{"start_day": 0, "load_percent": 50.0}]}), (0, 119)
    ),
    "man": Scenario("older_man", {}, (0, YEAR)),
    "man_inhibitor": Scenario(
        "older_man", _written(25.0, DECLINE, (0, 5.2, 10.0), t=319.0), (0, YEAR)
    ),
    "woman": Scenario("woman", {}, (0, 244, YEAR, 2 * YEAR, 3 * YEAR, 5 * YEAR)),
    "woman_inhibitor": Scenario(
        "woman", _written(100.0, MENOPAUSE, (0, 0.7, 7.0), t=20.0),
        (0, YEAR, 2 * YEAR, 4 * YEAR, 5 * YEAR),
    ),
    "woman_tamoxifen": Scenario(
        "woman", _protocol(sex="female", tamoxifen={"dose_mg": 20.0}), (0, YEAR, 2 * YEAR, 5 * YEAR)
    ),
    "woman_estradiol": Scenario(
        "woman", _written(100.0, MENOPAUSE, (0, 45.0, 7.0), t=20.0), (0, YEAR, 3 * YEAR)
    ),
    "calcium": Scenario(
        "woman",
        _protocol(sex="female", diet={"change": [{"start_day": 0, "calcium_mg_per_day": 1800.0}]}),
        (0, YEAR, 3 * YEAR),
    ),
    "training": Scenario(
        "woman",
        _protocol(sex="female", loading={"change": [{"start_day": 0, "load_percent": 120.0}]}),
        (0, 244),
    ),
}  # fmt: skip

#: What cheaper settings cost: the same year from the same day 0, load solved as rarely as the base has it
#: and as often and finely as by default. Nothing else differs, chance included.
OFTEN = " solved often"
SOLVED_OFTEN = {
    f"mechanics.{name}": getattr(MechanicsParameters(), name)
    for name in ("interval_day", "changed_percent", "tolerance")
}
CHEAPER: dict[str, Scenario] = {
    name + how: SCENARIOS[name]._replace(
        changes=SCENARIOS[name].changes | changes, days=(0, 182, YEAR)
    )
    for name in ("woman", "woman_inhibitor")
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
    rows: list[dict[str, Any]] = []
    for group, person in GROUPS.items():
        courses = {name: one for name, one in scenarios.items() if one.group == group}
        if not courses:
            continue
        own = base.with_changes(person)
        start, _ = equilibrated(own, bone, lambda _: None)
        state = state_of(start)
        surface = states_of_surface(start)
        eroded = 100.0 * surface.share(np.isin(surface.phase, ERODED))
        for name, scenario in courses.items():
            days = scenario.days
            changes = {**scenario.changes, "schedule.duration_day": days[-1]}
            if "protocol" in changes:
                changes["hormones.course"] = {"kind": "constant"}
            simulation = Simulation(own.with_changes(changes), bone)
            begin_from(simulation, state)
            while simulation.day < days[-1]:
                simulation.step()
            table = simulation.table()
            for day in days:
                row = {column: float(table[column][day]) for column in KEPT}
                row[ES_BS] = eroded if day == 0 else float("nan")
                rows.append({"scenario": name, "day": day, "snapshot": len(rows), **row})
    return rows
