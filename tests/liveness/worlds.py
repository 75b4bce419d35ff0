"""The smallest worlds in which parameters act, and what is seen of each.

A world is a configuration and a way to look at what comes of it. All are made busy: many births, short
phases, frequent solves, so that in two months of a small block every rule has had its turn.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bonesim.config import modules
from bonesim.config.changes import changed
from bonesim.config.config import validated
from bonesim.config.modules import named_by_user
from bonesim.endocrine.blood import TYPICAL, Blood, draw_person, simulate_blood
from bonesim.endocrine.drugs import DRUGS
from bonesim.endocrine.response import Response
from bonesim.engine.daily_table import COLUMNS
from bonesim.engine.days import Observer, advance
from bonesim.engine.measures import measures_for
from bonesim.engine.run import run
from bonesim.engine.simulation import Simulation
from bonesim.engine.snapshot import fields_of
from bonesim.errors import ResourceError
from bonesim.histology.biopsy import BiopsyParameters, biopsy
from bonesim.instruments.visits import ClinicParameters, visits
from bonesim.reports.blood import Prescribed
from bonesim.specimens import make_specimen
from bonesim.storage.reader import open_run
from bonesim.trials.outcomes import outcomes_of
from bonesim.trials.parameters import TrialParameters
from bonesim.trials.visits import ASSAYS, assayed

Tree = dict[str, Any]
#: What is seen of a world: name -> arrays, numbers or text.
Seen = Mapping[str, Any]


class World(NamedTuple):
    """A configuration, and what is looked at."""

    tree: Tree
    look: Callable[[Tree], Seen]


SPECIMEN = {"kind": "synthetic", "size_mm": [0.8, 0.7, 0.7], "voxel_um": 25.0, "seed": 2}
SMALLEST = SPECIMEN | {"size_mm": [0.5, 0.5, 0.5]}
BUSY: Tree = {
    "seed": 3,
    "specimen": SPECIMEN,
    "schedule": {"burn_in_day": 20, "duration_day": 70, "breaks_every_day": 14},
    "cells": {
        "bmu": {
            "origination_per_mm2_per_year": 50.0, "area_median_um2": 40000.0, "young_bone_day": 12.0,
            "longest_travel_day": 15.0, "patience_day": 4,
        },
        "osteoclast": {"dig_um_per_day": 6.0, "mononuclear_um_per_day": 5.0},
        "osteoblast": {
            "reversal_day": 5.0, "arrest_day": 20.0, "apposition_um_per_day": 4.0,
            "apposition_tau_day": 12.0, "grace_day": 3.0, "cycle_day": 6, "step_day": 3,
        },
        "osteocyte": {"look_day": 7, "settled_day": 15, "lifespan_year": 2.0},
        "modelling": {"start_per_mm2_per_year": 1000.0, "most_per_mm2_per_year": 100.0},
    },
    "signals": {"interval_day": 5, "held_day": 10.0, "dying_day": 15},
    "mechanics": {"interval_day": 9},
    "tissue": {"fragment": {"wait_day": 5, "full_search_day": 30}},
}  # fmt: skip
#: Larger, without new bone on quiescent surface: more BMUs, and sites that wait for long.
EVENTFUL = {
    "specimen.size_mm": [1.0, 1.0, 1.0],
    "cells.modelling.start_per_mm2_per_year": 0.0,
    "cells.osteoblast.reversal_day": 20.0,
}
#: Deep cavities that nothing stops: plates are perforated, struts cut, pieces freed.
HOLED = {
    "cells.osteoclast.depth_um": 90.0,
    "cells.osteoclast.dig_um_per_day": 15.0,
    "cells.osteoclast.strain_stop": 0.0,
    "cells.osteoclast.least_share": 1.0,
    "tissue.fragment.search_voxel": 600,
}
STEPS = [{"start_day": 2, "e2_pg_per_ml": 4.0, "t_ng_per_dl": 60.0, "tau_day": 3.0}]
PERSON: Tree = {
    "t_ng_per_dl": 450.0,
    "diet": {"calcium_mg_per_day": 700.0, "vitamin_d_nmol_per_l": 30.0,
             "change": [{"start_day": 20, "calcium_mg_per_day": 400.0,
                         "vitamin_d_nmol_per_l": 20.0}]},
    "loading": {"change": [{"start_day": 10, "load_percent": 60.0}]},
}  # fmt: skip
#: Doses of each drug, beside the course's own numbers.
DOSES: dict[str, Tree] = {
    "anastrozole": {"dose_mg": 1.0}, "estradiol_gel": {"dose_mg": 1.0},
    "estradiol_patch": {"dose_ug_per_day": 50.0}, "exemestane": {"dose_mg": 25.0},
    "gnrh_agonist": {"dose_mg": 3.75}, "letrozole": {"dose_mg": 2.5},
    "medroxyprogesterone": {"dose_mg": 150.0},
    "raloxifene": {"dose_mg": 60.0}, "tamoxifen": {"dose_mg": 20.0},
    "testosterone_cypionate": {"dose_mg": 100.0}, "testosterone_gel": {"dose_mg": 50.0},
}  # fmt: skip
#: Who takes a drug that acts on an ovary.
YOUNG_WOMAN = {"sex": "female", "age_year": 30.0}
#: A woman whose ovary is about to cease, under an agonist.
IN_TRANSITION: Tree = {
    "protocol": {
        "sex": "female",
        "age_year": 49.5,
        "gnrh_agonist": [{"dose_mg": 3.75, "start_day": 3.0}],
    },
    "schedule": {"duration_day": 90},
}

#: A man who recovers from an agonist.
RECOVERING: Tree = {
    "protocol": {"gnrh_agonist": [{"dose_mg": 3.75, "start_day": -60.0, "stop_day": 1.0}]},
    "schedule": {"duration_day": 90},
}


def bone(tree: Tree) -> Seen:
    """The daily table, and what snapshots, events and breaks show on the last day."""
    config = validated(named_by_user(tree), "world")
    simulation = Simulation(config)
    simulation.measure_with(measures_for(config, [], COLUMNS))
    advance(simulation, config.schedule.duration_day)
    described = [(one.name, one.unit, one.meaning) for one in simulation.datacollector.described]
    found: Tree = {f"event {name}": one for name, one in simulation.events.columns().items()}
    found |= {f"break {name}": one for name, one in simulation.breaks.rows.items()}
    found |= {"columns": described, **simulation.table(), **fields_of(simulation)}
    return found


def kept(folder: Path, tree: Tree) -> Seen:
    """A run file, and the days on which its checkpoint was written anew."""
    config = validated(tree, "world")
    output = folder / "kept.vtkhdf"
    beside = output.with_name(output.name + ".checkpoint")
    days: list[int] = []

    class Watch(Observer):
        """Notes the days on which a checkpoint is there that was not."""

        written = -1

        def on_day(self, simulation: Simulation) -> None:
            if simulation.day <= 0:  # a burn-in that is in the cache has no days
                return
            now = beside.stat().st_mtime_ns if beside.exists() else -1
            if now != self.written:
                days.append(simulation.day)
            self.written = now

    run(config, output, observers=[Watch()])
    with open_run(output) as file:
        found = {"title": file.title, "snapshots": list(file.snapshot_days)}
        found |= {"checkpoints": days, "table": file.table.to_numpy(), "breaks": len(file.breaks)}
    output.unlink()
    return found


def blood(tree: Tree) -> Seen:
    """All levels of the typical person and of two others, with the readings of the laboratory."""
    config = validated(named_by_user(tree), "world")
    assert config.protocol is not None
    hormones, until, seed = config.hormones, config.schedule.duration_day, config.seed
    prescribed = Prescribed(config)
    found: Tree = dict(prescribed.levels) | {"start": prescribed.start()}
    response = Response(hormones.response, config.course())
    found["sensed"] = np.array([response.next_day(day) for day in range(1, until)])
    people = [TYPICAL]
    people += [draw_person(n, seed, hormones.drugs, hormones.variation) for n in (1, 2)]
    for person in people:
        levels: Blood = simulate_blood(
            config.protocol, hormones.drugs, hormones.axis, until, seed, person
        )
        drugs = list(levels.drug_ng_per_ml.values())
        held = [share * signal for share, signal in levels.receptors_held]
        rows = [levels.t_ng_per_dl, levels.e2_pg_per_ml, levels.lh_iu_per_l, levels.shbg_nmol_per_l]
        found[f"person {person.number}"] = np.stack([*rows, *drugs, *held, *levels.bone_targets])
    return found


def own_drug(tree: Tree) -> Seen:
    """The blood of one who takes a drug of a module, which nobody has loaded before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modules, "_LOADED", {})
        patch.setattr(modules, "_OFFERED", {})
        return blood(tree)


def specimen(tree: Tree) -> Seen:
    """The bone that a simulation begins with."""
    made = make_specimen(validated(tree, "world").specimen)
    return {"quanta": made.quanta, "voxel_um": made.voxel_um}


def fetched(tree: Tree) -> Seen:
    """Where a bone of the library is fetched from: nobody is there, and the refusal names it."""
    with pytest.raises(ResourceError) as refused:
        specimen(tree)
    return {"refusal": str(refused.value)}


def clinic(tree: Tree) -> Seen:
    """The record of a patient whose daily table is made up."""
    import pandas as pd

    rest = dict(tree)
    parameters = ClinicParameters.model_validate(rest.pop("clinic", {}))
    day = np.arange(0.0, 121.0)
    falling = np.exp(-day / 900.0)
    table = pd.DataFrame(
        {
            "day": day, "bmd_mg_per_cm3": 120.0 * falling, "bvtv_percent": 12.0 * falling,
            "resorbed_quanta": 900.0 * day + 4.0 * day**2, "formed_quanta": 900.0 * day + day**2,
            "os_bs_percent": 8.0 + 0.02 * day, "bstv_per_mm": 3.0 * falling,
            "activation_multiplier": 1.0 + 0.01 * day, "depth_multiplier": 1.0 + 0.003 * day,
        }
    )  # fmt: skip
    return {"visits": visits(table, parameters, 1).to_csv()}


def biopsied(tree: Tree) -> Seen:
    """A biopsy of a busy block."""
    rest = dict(tree)
    parameters = BiopsyParameters.model_validate(rest.pop("biopsy", {}))
    simulation = Simulation(validated(rest, "world"))
    advance(simulation, 90)
    return {"readings": [reading[:4] for reading in biopsy(simulation, parameters)]}


def assayed_trial(tree: Tree) -> Seen:
    """Estradiol as each assay reads it in a trial of two persons, before and under a drug."""
    import pandas as pd

    config = validated(tree, "world")
    rows, levels = [], np.array([20.0, 2.0])
    columns = assayed(levels, config.hormones.assay)
    for arm in ("drug", "none"):
        for person in range(2):
            for place, day in enumerate((0, 90)):
                row = {"person": person, "seed": person, "arm": arm, "day": day}
                rows.append(row | {name: column[place] for name, column in columns.items()})
    arms = [{"name": "none", "reference": True, "people": 2}, {"name": "drug", "people": 2}]
    trial = TrialParameters.model_validate({
        "title": "made up", "base": "none.toml", "visits_day": [90], "changes": list(ASSAYS),
        "levels": [], "cohort": {"people": 2}, "arm": arms,
    })  # fmt: skip
    outcomes = outcomes_of(pd.DataFrame(rows), trial)
    return {name: outcomes.read(name) for name in ASSAYS}


def taken(drug: str) -> Tree:
    """A man, or a young woman, who takes one drug for seven weeks."""
    course: Tree = DOSES[drug] | {"start_day": 3.0, "stop_day": 52.0}
    course |= {"taper_day": 6.0, "missed_share": 0.3}
    person = YOUNG_WOMAN if drug == "medroxyprogesterone" else {}
    return {"protocol": person | {drug: [course]}, "schedule": {"duration_day": 90}}


def with_files(folder: Path) -> dict[str, World]:
    """Worlds that read files: scans, published bones, a course of levels, modules."""
    scan = {"kind": "scan", "path": str(folder / "one.npy"), "voxel_um": 60.0, "resample_um": 30.0}
    library = {"kind": "library", "name": "made-1", "voxel_um": 25.0}
    density = {"density_slope": 4.0, "density_intercept": -50.0, "threshold_mg": 400.0}
    quick = {"schedule": {"burn_in_day": 0, "duration_day": 4}, "specimen": SPECIMEN}
    levels = {"kind": "table", "path": str(folder / "levels.csv"), "sha256": None}
    mine = str(folder / "mine.py")
    measure = {"module": mine, "function": "bone_mean", "name": "mine", "every_day": 1}
    return {
        "scan": World({"specimen": scan}, specimen),
        "scan of two": World(
            {"specimen": scan | {"path": str(folder / "two.npy"), "index": 0}}, specimen
        ),
        "scan of arrays": World(
            {"specimen": {"kind": "scan", "path": str(folder / "arrays.vti"), "array": "grey",
                          "voxel_um": 60.0,
                          "resample_um": 30.0, "threshold": 60.0}}, specimen
        ),
        "calibrated": World({"specimen": scan | density}, specimen),
        "library": World({"specimen": library | {"folder": str(folder)}}, specimen),
        "fetched": World({"specimen": library}, fetched),
        "levels": World(quick | {"hormones": {"course": levels}}, bone),
        "own drug": World(
            {"modules": [{"path": str(folder / "drug.py")}],
             "protocol": {"shot": [{"dose_mg": 5.0}]}, "schedule": {"duration_day": 20}}, own_drug
        ),
        "measured": World(quick | {"modules": [{"path": mine}], "measure": [measure]}, bone),
    }  # fmt: skip


def worlds(folder: Path) -> dict[str, World]:
    """All worlds by name; `folder` has the files of some (`files.written`)."""
    stepped = {"kind": "stepped", "e2_pg_per_ml": 25.0, "t_ng_per_dl": 500.0, "steps": STEPS}
    suppressed = BUSY | {"hormones": {"course": stepped}}
    quick = {"schedule": {"burn_in_day": 0, "duration_day": 30}}
    raised = stepped | {"steps": [STEPS[0] | {"e2_pg_per_ml": 150.0}]}
    return {
        "suppressed": World(suppressed, bone),
        "loaded": World(BUSY | {"protocol": PERSON}, bone),
        "raised": World(BUSY | {"hormones": {"course": raised}}, bone),
        "holed": World(changed(suppressed, EVENTFUL | HOLED), bone),
        "eventful": World(changed(suppressed, EVENTFUL), bone),
        "constant": World(BUSY | {"hormones": {"course": {"kind": "constant"}}}, bone),
        "kept": World(
            BUSY
            | {"specimen": SMALLEST}
            | {"schedule": {"burn_in_day": 2, "duration_day": 9, "checkpoint_every_day": 3}},
            partial(kept, folder),
        ),
        "synthetic": World({"specimen": SPECIMEN}, specimen),
        "biopsied": World(
            BUSY | quick | {"biopsy": {"packets_day": 40, "interval_day": 6, "wait_day": 4}}, biopsied
        ),
        "clinic": World({"clinic": {}}, clinic),
        "in transition": World(IN_TRANSITION, blood),
        "recovering": World(RECOVERING, blood),
        "assayed": World({"hormones": {}}, assayed_trial),
        **{f"taking {drug}": World(taken(drug), blood) for drug in DRUGS},
        **with_files(folder),
    }  # fmt: skip
