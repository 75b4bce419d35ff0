"""Drugs in a config: a misspelt one is corrected, one that is not modelled is never another one."""

import re
from collections.abc import Collection

#: Misspellings have at most so many letters wrong, and less than a third of the name.
MAX_WRONG = 2
#: Drugs of bone, sex hormones and breast or prostate cancer that a protocol could name. Some are spelt
#: nearly like a modelled one. Those that are modelled are no others.
_NAMES = """
abaloparatide abarelix abiraterone alendronate alendronic_acid alfacalcidol aminoglutethimide
apalutamide arzoxifene bazedoxifene bicalutamide blosozumab buserelin calcitonin calcitriol
cetrorelix cholecalciferol clodronate clomifene clomiphene cortisone cyproterone danazol
darolutamide degarelix denosumab dexamethasone dihydrotestosterone drospirenone dutasteride
elacestrant enclomiphene enzalutamide estetrol estradiol_benzoate estradiol_cypionate
estradiol_implant estradiol_pellet estradiol_tablet estradiol_valerate estriol estrone
ethinylestradiol etidronate fadrozole finasteride fluoxymesterone flutamide
formestane fulvestrant ganirelix gnrh_antagonist goserelin hcg histrelin hydrocortisone
ibandronate ibandronic_acid lasofoxifene leuprolide leuprorelin levonorgestrel
medroxyprogesterone megestrol methyltestosterone minodronate nafarelin nandrolone neridronate
nilutamide nomegestrol norethisterone odanacatib ospemifene oxandrolone oxymetholone pamidronate
parathyroid_hormone prednisolone prednisone progesterone relugolix risedronate
romosozumab spironolactone stanozolol strontium_ranelate teriparatide testolactone
testosterone_cream testosterone_enanthate testosterone_implant testosterone_patch
testosterone_pellet testosterone_propionate testosterone_tablet testosterone_undecanoate
tibolone toremifene trenbolone triptorelin vorozole zoledronate zoledronic_acid
"""
KNOWN = frozenset(_NAMES.split())


def advice_on(name: str, value: object, modelled: Collection[str]) -> str | None:
    """What to write in place of an unknown name in a protocol; None if it is no drug's.

    Args:
        name: as it was given.
        value: what it was given; a drug has courses: a group, or a list of groups.
        modelled: the drugs there are.
    """
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    courses = isinstance(value, dict) or (
        isinstance(value, list | tuple) and any(isinstance(one, dict) for one in value)
    )
    if forms := [drug for drug in modelled if drug.startswith(f"{plain}_")]:
        return f"Did you mean {' or '.join(forms)}?"
    others = KNOWN - set(modelled)
    near = min(modelled, key=lambda drug: misspelling(plain, drug), default="")
    known = plain in others or any(plain.startswith(f"{drug}_") for drug in others)
    wrong = misspelling(plain, near)
    if not known and wrong <= MAX_WRONG and 3 * wrong < len(plain):
        return f"Did you mean {near}?"
    if not known and not courses:
        return None
    return f"not modelled; modelled are {', '.join(modelled)}"


def misspelling(one: str, other: str) -> int:
    """Letters to insert, leave out, replace or swap with the next (Damerau 1964)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
