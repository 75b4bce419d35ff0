"""bonesim explain and odd: derived from the code, current in the guide, complete."""

import json
import re

import pytest
from typer.testing import CliRunner

import bonesim
from bonesim.cells.osteoclast import OsteoclastParameters
from bonesim.cli.main import app
from bonesim.errors import InputError
from bonesim.reports import explain, odd, parameters

CONCEPTS = (
    "Basic principles", "Emergence", "Adaptation", "Objectives", "Learning", "Prediction",
    "Sensing", "Interaction", "Stochasticity", "Collectives", "Observation",
)  # fmt: skip
ELEMENTS = (
    "1. Purpose and patterns", "2. Entities, state variables and scales",
    "3. Process overview and scheduling", "4. Design concepts", "5. Initialization",
    "6. Input data", "7. Submodels",
)  # fmt: skip


def row(path: str) -> explain.Explained:
    """The one row of a parameter."""
    (found,) = explain.rows_of(explain.table(path))
    return found


def test_one_parameter_in_full() -> None:
    found = row("cells.osteoclast.mononuclear_um_per_day")
    assert float(found.value) == OsteoclastParameters().mononuclear_um_per_day
    assert (found.unit, found.allowed) == ("um/d", "a number above 0, at most 20 um/d")
    assert found.meaning == "mononuclear erosion rate"
    assert found.source == "Eriksen 1984a (34 d)"
    assert found.readers == "cells.osteoclast.smooth"
    table = bonesim.explain("osteoclast.mononuclear_um_per_day")
    assert "doi:10.1016/0221-8747(84)90065-1" in table.attrs["references"]["Eriksen 1984a"]
    assert "doi:10.1016/0221-8747(84)90065-1" in explain.text(table)


@pytest.mark.parametrize(
    ("path", "readers"),
    [
        # By annotation, in kernels by the module's group, through an assignment, through a
        # named tuple copied from the group, in the class itself, and by a base class.
        ("hormones.response.opg_exponent", {"endocrine.response.Response.drive"}),
        ("cells.osteoclast.strain_stop", {"cells.osteoclast.stops"}),
        # Through a named tuple filled from the group elsewhere.
        (
            "cells.osteoclast.territory_cv",
            {"cells.depth.set_targets", "cells.osteoclast.Osteoclasts.depth"},
        ),
        # A column of the same name is no parameter.
        ("cells.osteoclast.depth_um", {"cells.osteoclast.Osteoclasts.depth"}),
        ("signals.held_day", {"cells.secretion.sources_of"}),
        ("specimen.cell_um", {"specimens.network.network"}),
        ("signals.interval_day", {"signals.messengers.Signals.due"}),
        ("tissue.fragment.full_search_day", {"engine.simulation.Simulation._log_events"}),
    ],
)
def test_readers_are_those_of_the_code(path: str, readers: set[str]) -> None:
    assert set(row(path).readers.split("\n")) == readers


def test_readers_of_one_name_in_several_groups_are_kept_apart() -> None:
    for path, room in (("biopsy.interval_day", "histology."), ("signals.interval_day", "signals.")):
        assert all(one.startswith(room) for one in row(path).readers.split("\n"))
    assert "mechanics.habitual.Habitual.due" in row("mechanics.interval_day").readers


def test_what_nobody_reads() -> None:
    """What no function reads moves nothing: there is none."""
    rows = explain.rows_of(explain.table())
    assert len(rows) > 300
    assert [one.path for one in rows if one.readers == explain.NOBODY] == []


def test_values_are_those_of_a_configuration() -> None:
    config = {"cells": {"osteoclast": {"strain_stop": 0.25}}}
    (found,) = explain.rows_of(bonesim.explain("strain_stop", config))
    assert found.value == "0.25"
    assert row("strain_stop").value == "60"
    tables = bonesim.odd(config)
    values = tables[(tables["element"] == "parameters") & (tables["name"] == "strain_stop")]
    assert values["value"].tolist() == ["0.25"]


def test_kinds_and_groups() -> None:
    kinds = explain.rows_of(explain.table("specimen.voxel_um"))
    assert [(one.kind, one.value) for one in kinds] == [
        ("synthetic", "20"), ("scan", "none"), ("library", "20"),
    ]  # fmt: skip
    group = explain.rows_of(explain.table("cells.modelling"))
    assert [one.name for one in group] == [
        "start_per_mm2_per_year", "most_per_mm2_per_year", "thickness_um", "radius_um",
    ]  # fmt: skip
    assert explain.text(explain.table("cells.modelling")).splitlines()[0] == "cells.modelling"
    assert {one.group for one in explain.rows_of(explain.table("biopsy"))} == {"biopsy"}
    # A drug's kinetics are its own, not those of the class.
    assert float(row("hormones.drugs.letrozole.clearance_l_per_day").value) == 28.8


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("cells.osteoclast.dig_um_per_dya", "Did you mean cells.osteoclast.dig_um_per_day?"),
        ("osteocyte.life_year", "Did you mean cells.osteocyte.lifespan_year?"),
        ("interval_day", "3 have this name: signals.interval_day"),
        ("zzz", "Groups: title, seed, specimen"),
    ],
)
def test_unknown_names_get_advice(path: str, advice: str) -> None:
    with pytest.raises(InputError, match=re.escape(advice)):
        bonesim.explain(path)


def test_commands() -> None:
    shown = CliRunner().invoke(app, ["explain", "cells.osteoclast.strain_stop"])
    assert shown.exit_code == 0
    assert "read by   cells.osteoclast.stops" in shown.stdout
    records = json.loads(CliRunner().invoke(app, ["explain", "modelling", "--json"]).stdout)
    assert [one["path"] for one in records] == explain.table("cells.modelling")["path"].tolist()
    protocol = CliRunner().invoke(app, ["odd"])
    assert protocol.exit_code == 0
    assert protocol.stdout == odd.PLACE.read_text(encoding="utf-8")


def test_the_guide_has_the_parameters_of_the_code() -> None:
    current = parameters.PLACE.read_text(encoding="utf-8") == parameters.text(parameters.table())
    assert current, "python -m bonesim.reports.parameters"


def test_the_guide_has_the_tables_of_the_code() -> None:
    current = odd.PLACE.read_text(encoding="utf-8") == odd.text(odd.table())
    assert current, "python -m bonesim.reports.odd"


def test_odd_is_complete() -> None:
    text = odd.PLACE.read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## (.+)$", text, re.M)) == ELEMENTS
    concepts = text.split("## 4. ")[1].split("## 5. ")[0]
    assert tuple(re.findall(r"^\*\*([A-Z][a-z ]+)\.\*\*", concepts, re.M)) == CONCEPTS
    marks = set(re.findall(r"<!-- odd: (\w+) -->", text))
    assert marks == {"entities", "schedule", "initial", "inputs", "parameters"}


def test_odd_s_tables_are_of_the_code() -> None:
    table = odd.table()
    assert set(table["element"]) == {"entities", "schedule", "initial", "inputs", "parameters"}
    entities = table[table["element"] == "entities"]
    assert set(entities["part"]) == {
        "person", "marrow block", "cube of the fields", "voxel", "bmu", "osteoblast", "osteoclast",
        "osteocyte", "site", "voxel of a site",
    }  # fmt: skip
    day = table.loc[table["element"] == "schedule", "name"].tolist()
    order = ["Response.next_day", "Simulation._load", "Osteocytes.age", "Simulation._listen",
             "RemodellingUnits.be_born", "Osteoclasts.resorb", "Precursors.renew",
             "Osteoblasts.arrive", "Osteoblasts.form", "DailyTable.collect"]  # fmt: skip
    places = [k for name in order for k, one in enumerate(day) if one.endswith(name)]
    assert len(places) == len(order)
    assert places == sorted(places)
    assert (table.loc[table["element"] == "schedule", "meaning"] != "").all()
    known = explain.table()["path"].tolist()
    of_parameters = table[table["element"] == "parameters"]
    assert len(of_parameters) == len(known)
