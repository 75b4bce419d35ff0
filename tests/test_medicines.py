"""A misspelt drug is corrected; one that is not modelled is never another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.config.config import validated
from bonesim.config.medicines import KNOWN, advice_on, misspelling
from bonesim.endocrine.drugs import DRUGS
from bonesim.errors import InputError

COURSE = {"dose_mg": 1.0}


@pytest.mark.parametrize("name", sorted(KNOWN - set(DRUGS)))
@pytest.mark.parametrize("spelling", [str.lower, str.upper, lambda name: name.replace("_", "-")])
def test_a_known_drug_is_not_modelled(name: str, spelling: object) -> None:
    advice = advice_on(spelling(name), 3, DRUGS)  # type: ignore[operator]
    assert advice == f"not modelled; modelled are {', '.join(DRUGS)}"


def test_a_drug_of_the_list_that_is_modelled_is_spelt_as_it_is() -> None:
    """A new drug is one file: its name may stand in the list."""
    assert {"medroxyprogesterone"} <= KNOWN & set(DRUGS)
    for name in KNOWN & set(DRUGS):
        assert advice_on(name.upper(), COURSE, DRUGS) == f"Did you mean {name}?"


def test_one_that_a_module_brings_is_no_other() -> None:
    """The list of other drugs need not be changed for a new one."""
    assert advice_on("denosumab", COURSE, DRUGS).startswith("not modelled")
    assert advice_on("denosumap", COURSE, [*DRUGS, "denosumab"]) == "Did you mean denosumab?"


@pytest.mark.parametrize(
    "name",
    ["fulvestrant", "denosumab", "zoledronate", "finasteride",
     "clomiphene", "toremifene", "fadrozole", "vorozole", "testosterone_propionate",
     "estradiol_valerate", "toremifene_60"],
)  # fmt: skip
@pytest.mark.parametrize("where", ["protocol", "hormones.drugs"])
def test_in_a_config(name: str, where: str) -> None:
    tree: dict[str, object] = {name: COURSE}
    for group in reversed(where.split(".")):
        tree = {group: tree}
    with pytest.raises(InputError, match=rf"{where}\.{name}: not modelled; modelled are ana"):
        validated(tree, "test")


@given(
    st.sampled_from(sorted(DRUGS)), st.integers(0, 40), st.sampled_from("abxz"), st.integers(0, 2)
)
def test_one_wrong_letter_is_a_misspelling(drug: str, place: int, letter: str, kind: int) -> None:
    k = place % len(drug)
    wrong = (
        drug[:k] + drug[k + 1 :],
        drug[:k] + letter + drug[k:],
        drug[:k] + letter + drug[k + 1 :],
    )
    if wrong[kind] != drug:
        assert misspelling(wrong[kind], drug) == 1
        assert advice_on(wrong[kind], COURSE, DRUGS) == f"Did you mean {drug}?"


def test_distances() -> None:
    assert misspelling("tamoxifen", "tamoxifen") == 0
    assert misspelling("tamoxfien", "tamoxifen") == 1  # two letters swapped
    assert misspelling("raloxifene", "tamoxifen") > 2
    assert misspelling("", "abc") == 3


def test_what_is_no_drug_is_left_to_others() -> None:
    assert advice_on("body_mass_kg", 80, DRUGS) is None
    assert advice_on("calcium_mg_per_dya", 800, DRUGS) is None
    with pytest.raises(InputError, match="Did you mean age_year"):
        validated({"protocol": {"age_yaer": 60}}, "test")
    with pytest.raises(InputError, match=r"protocol\.unheard_of: not modelled"):
        validated({"protocol": {"unheard_of": [COURSE]}}, "test")
