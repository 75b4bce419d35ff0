"""Drugs of a user's own: what they reach, who is changed by them, when their code is loaded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from pydantic import Field

from bonesim.config import modules
from bonesim.config.config import load_config, planned_config, to_toml, tree_of, validated
from bonesim.config.modules import load_module
from bonesim.endocrine import formulary
from bonesim.endocrine.axis import AxisParameters
from bonesim.endocrine.blood import VariationParameters, cohort, draw_person, simulate_blood
from bonesim.endocrine.drug import Absorption, Clearance, Drug, Elimination, half_effect
from bonesim.endocrine.drugs import DRUGS
from bonesim.endocrine.formulary import DrugParameters, doses_of
from bonesim.endocrine.protocol import ProtocolParameters
from bonesim.endocrine.response import Response, ResponseParameters
from bonesim.endocrine.targets import TARGETS, combined, shares_held
from bonesim.errors import InputError
from tests.endocrine.own_drug import MODULE


class Shot(Drug):
    """Acts on whatever the test says."""

    name = "shot"
    about = "for a test; input"
    sources = "assumed"
    absorption_per_day: Absorption = 20.0
    elimination_per_day: Elimination = 0.1
    clearance_l_per_day: Clearance = 10.0
    target: str = "rankl"
    size: Annotated[float, Field(description="assumed")] = 0.5

    def effects(self, level: Any, taker: Any) -> dict[str, Any]:
        """A constant share while there is any drug."""
        return {self.target: np.where(level > 0, self.size, 0.0)}


@pytest.fixture(autouse=True)
def _nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(modules, "_LOADED", {})
    monkeypatch.setattr(modules, "_OFFERED", {})
    yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "antibody.py").write_text(MODULE)
    (tmp_path / "c.toml").write_text(
        'modules = ["antibody.py"]\n[protocol]\nsex = "female"\nantibody = {dose_mg = 60}\n'
    )
    return tmp_path / "c.toml"


def with_shot(**drug: Any) -> Any:
    load_module(Shot)
    tree = {"protocol": {"shot": {"dose_mg": 1.0}}, "hormones": {"drugs": {"shot": drug}}}
    return validated(tree, "test")


def test_a_ninth_drug_that_nobody_takes_changes_no_virtual_person() -> None:
    variation, plain = VariationParameters(), DrugParameters()
    more = DrugParameters.model_validate({}, context={"drugs": {"shot": Shot}})
    assert set(more.all()) - set(plain.all()) == {"shot"}
    for number in range(5):
        one, other = (draw_person(number, 3, drugs, variation) for drugs in (plain, more))
        assert one[2:] == other[2:]
        assert one.clearance == {name: other.clearance[name] for name in one.clearance}
    taken = {"anastrozole": {"dose_mg": 1, "missed_share": 0.3}}
    protocol = ProtocolParameters.model_validate(taken)
    bloods = [
        list(cohort(protocol, drugs, AxisParameters(), variation, 40, 3, 3))
        for drugs in (plain, more)
    ]
    for one, other in zip(*bloods, strict=True):
        assert one.e2_pg_per_ml.tobytes() == other.e2_pg_per_ml.tobytes()


#: The first eight drugs, in the order of their keys.
FIRST = (
    "anastrozole", "letrozole", "tamoxifen", "testosterone_cypionate", "testosterone_gel",
    "estradiol_gel", "estradiol_patch", "gnrh_agonist",
)  # fmt: skip


def test_persons_are_those_of_version_0_1() -> None:
    """Keys of the first eight drugs and of a person's traits are never to be changed."""
    person = draw_person(1, 3, DrugParameters(), VariationParameters())
    assert person[2:6] == pytest.approx(
        (1.0798358579863223, 0.7955615215451844, 1.384261932457413, 1.2592258646354695), rel=1e-12
    )
    assert [person.clearance[name] for name in FIRST] == pytest.approx(
        [1.96967492, 1.45025642, 1.49574011, 0.86026784, 0.99800783, 1.03815862, 0.83779866,
         0.86069693], rel=1e-7,
    )  # fmt: skip


def test_every_drug_has_a_key_of_its_own() -> None:
    keys = [drug.key() for drug in (*DRUGS.values(), Shot)]
    assert len(set(keys)) == len(keys)
    assert {DRUGS[name].key() for name in DRUGS if DRUGS[name].draw_key is not None} == set(
        range(8)
    )
    assert not set(range(8, 14)) & set(keys)


def test_new_drugs_miss_doses_of_their_own() -> None:
    course = {"dose_mg": 1, "missed_share": 0.3}
    protocol = ProtocolParameters.model_validate(
        {"anastrozole": course, "exemestane": course, "raloxifene": course}
    )
    doses = doses_of(protocol, DrugParameters(), 2000, 1, 0)
    days = {name: set(doses.of(name).day) for name in ("anastrozole", "exemestane", "raloxifene")}
    for taken in days.values():
        assert len(taken) == pytest.approx(1400, abs=80)
    both = len(days["exemestane"] & days["raloxifene"]) / 2000
    assert both == pytest.approx(0.7**2, abs=0.05)


@pytest.mark.parametrize(
    ("target", "size", "field", "factor"),
    [
        ("rankl", 0.4, "rankl", 0.6), ("sclerostin", 0.4, "sclerostin", 0.6),
        ("sclerostin", 0.4, "recruitment", 1 / 0.6), ("pth", 0.5, "pth_activation", 1.5**1.5),
        ("osteoclast_life", 0.3, "depth", 0.7), ("formation", 0.2, "wall", 1.2),
        ("formation", -0.2, "wall", 0.8),
    ],
)  # fmt: skip
def test_cells_read_targets(target: str, size: float, field: str, factor: float) -> None:
    config = with_shot(target=target, size=size)
    response = Response(ResponseParameters(), config.course())
    assert getattr(response.next_day(10), field) == pytest.approx(factor, rel=1e-6)


@pytest.mark.parametrize(
    ("target", "size", "change"),
    [
        ("aromatase_periphery", 0.9, lambda b: b.e2_pg_per_ml[-1] < 0.5 * b.e2_pg_per_ml[0]),
        ("aromatase_testis", 0.9, lambda b: b.e2_pg_per_ml[-1] < 0.95 * b.e2_pg_per_ml[0]),
        ("testosterone", 3.0, lambda b: b.t_ng_per_dl[-1] > 290),
        ("estradiol", 0.05, lambda b: b.e2_pg_per_ml[-1] > 50),
        ("pituitary", 0.99, lambda b: b.lh_iu_per_l[-1] < 0.2 * b.lh_iu_per_l[0]),
    ],
)
def test_the_axis_reads_targets(target: str, size: float, change: Any) -> None:
    config = with_shot(target=target, size=size)
    hormones = config.hormones
    blood = simulate_blood(config.protocol, hormones.drugs, hormones.axis, 90, 1)
    assert change(blood)


def test_every_target_is_tested_above() -> None:
    tested = {"rankl", "sclerostin", "pth", "osteoclast_life", "formation", "receptor"}
    tested |= {"aromatase_periphery", "aromatase_testis", "testosterone", "estradiol", "pituitary"}
    tested |= {"ovary"}
    assert set(TARGETS) == tested


def test_the_ovary_is_a_target_of_women_who_have_one() -> None:
    for age, left in ((30.0, 0.3), (65.0, 1.0)):
        config = with_shot(target="ovary", size=0.8).with_changes(
            {"protocol.sex": "female", "protocol.age_year": age}
        )
        blood = simulate_blood(config.protocol, config.hormones.drugs, AxisParameters(), 300, 1)
        assert blood.e2_pg_per_ml[-1] / blood.e2_pg_per_ml[0] == pytest.approx(left, abs=0.1)


def test_drugs_compete_for_a_receptor() -> None:
    """Two that would each hold 2/3 alone hold 2/5 each together: K + c1 + c2."""
    one, other = shares_held([np.array([2 / 3]), np.array([2 / 3])])
    assert one == other == pytest.approx(0.4)
    total = combined([{"receptor": np.array([2 / 3])}] * 2, 1)["receptor"]
    assert total == pytest.approx(0.8)
    inhibited = combined([{"rankl": np.array([0.5])}] * 2, 1)["rankl"]
    assert inhibited == pytest.approx(0.75)
    given = combined([{"estradiol": np.array([0.5])}] * 2, 1)["estradiol"]
    assert given == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("drug", "message"),
    [
        ({"target": "uterus"}, "effects: uterus: no such target; allowed aromatase_periphery"),
        ({"size": 1.5}, "effects: rankl: gives 1.5; allowed 0 to 1"),
        ({"target": "formation", "size": -2}, "gives -2; allowed -1 to inf"),
    ],
)
def test_an_impossible_effect_is_one_line(drug: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        with_shot(**drug).course()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_effect_without_the_drug_is_refused() -> None:
    class Always(Shot):
        name = "always"

        def effects(self, level: Any, taker: Any) -> dict[str, Any]:
            return {"rankl": np.full(level.shape, 0.1)}

    load_module(Always)
    with pytest.raises(InputError, match=r"is 0\.1 without the drug"):
        validated({"protocol": {"always": {"dose_mg": 1}}}, "test").course()


def test_a_config_names_its_module(file: Path) -> None:
    config = load_config(file)
    assert config.protocol is not None
    assert [name for name, _ in config.protocol.courses()] == ["antibody"]
    assert config.modules[0].sha256 is not None
    assert config.modules[0].path == str(file.parent / "antibody.py")
    assert Path(config.modules[0].path) in config.files()
    again = validated(tree_of(config), "again")
    assert again == config
    assert "ec50_ng_per_ml = 100.0" in to_toml(config)
    stronger = config.with_changes({"hormones.drugs.antibody.ec50_ng_per_ml": 10.0})
    days = [Response(ResponseParameters(), c.course()).next_day(9) for c in (config, stronger)]
    assert days[1].rankl < days[0].rankl < 1.0


def test_no_module_is_loaded_from_what_is_not_the_users(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run file's config has the module's name and hash; its code does not run."""
    marker = file.parent / "ran"
    (file.parent / "antibody.py").write_text(
        MODULE + f"\nwith open({str(marker)!r}, 'a') as f:\n    f.write('x')\n"
    )
    tree = tree_of(load_config(file))
    assert marker.read_text() == "x"
    monkeypatch.setattr(modules, "_LOADED", {})
    for given in (tree, tree | {"modules": [str(file.parent / "antibody.py")]}):
        with pytest.raises(InputError, match=r"needs the module .*antibody\.py .*name it yourself"):
            validated(given, "run.vtkhdf")
    assert marker.read_text() == "x"
    load_module(file.parent / "antibody.py")
    assert validated(tree, "run.vtkhdf").protocol is not None


def test_another_content_is_refused_before_it_runs(file: Path) -> None:
    tree = tree_of(load_config(file))
    modules._LOADED.clear()
    (file.parent / "antibody.py").write_text("raise SystemExit('ran')\n")
    with pytest.raises(InputError, match="has changed"):
        planned_config(tree)
    with pytest.raises(InputError, match=r"antibody\.py: line 1: SystemExit: ran"):
        load_config(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n", "line 1: SyntaxError"),
        ("\n1 / 0\n", "line 2: ZeroDivisionError: division by zero"),
        (MODULE.replace('sources = "assumed"', ""), "drug Antibody: has no sources"),
        (MODULE.replace('name = "antibody"', 'name = "letrozole"'), "is one of bonesim's"),
        (MODULE.replace("def effects", "def acts"), "has no effects"),
        (MODULE.replace("ec50_ng_per_ml: float = 100.0", "ec50_ng_per_ml: float"), "no default"),
    ],
)
def test_a_bad_module_is_one_line(file: Path, text: str, message: str) -> None:
    (file.parent / "antibody.py").write_text(text)
    with pytest.raises(InputError) as error:
        load_config(file)
    assert message in str(error.value)
    assert str(error.value).startswith(str(file.parent / "antibody.py"))
    assert "\n" not in str(error.value)


def test_what_is_wrong_with_a_course_of_an_own_drug_is_explained(file: Path) -> None:
    with pytest.raises(InputError, match=r"protocol\.antibody\[0\]\.dose_mg: got -1"):
        load_config(file, {"protocol.antibody.dose_mg": -1})
    with pytest.raises(InputError, match=r"protocol\.antibdy: "):
        load_config(file, {"protocol.antibdy.dose_mg": 1})


def test_half_an_effect_is_at_the_ec50() -> None:
    assert half_effect(np.array([0.0, 2.0]), 2.0).tolist() == [0.0, 0.5]
    assert formulary.HASHED_KEYS > 73000 * 2
