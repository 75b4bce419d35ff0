"""What drugs act on: a closed list. The axis and the cells read these and know no drug.

Several drugs with one target are combined by the rule of the target:

    blocked    shares blocked independently: 1 - (1-a)(1-b)
    held       shares of one receptor that drugs compete for: their odds add
    given      amounts add
    changed    factors multiply: (1+a)(1+b) - 1
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class Target(NamedTuple):
    """How drugs act on a target together, and what the number is that they give for it."""

    rule: Literal["blocked", "held", "given", "changed"]
    meaning: str


#: Every target. The first six act on the axis, in the order of its array of signals.
TARGETS = {
    "aromatase_periphery": Target("blocked", "share of aromatase outside the testis inhibited"),
    "aromatase_testis": Target("blocked", "share of aromatase in the testis inhibited"),
    "testosterone": Target("given", "testosterone given, ng/mL above the person's own"),
    "estradiol": Target("given", "estradiol given, ng/mL above the person's own"),
    "pituitary": Target("held", "share of the pituitary's GnRH receptors that an agonist holds"),
    "ovary": Target("blocked", "share of the ovary's estradiol suppressed"),
    "receptor": Target("held", "share of bone's estrogen receptors held (see `receptor_signal`)"),
    "rankl": Target("blocked", "share of RANKL bound"),
    "sclerostin": Target("blocked", "share of sclerostin bound"),
    "pth": Target("given", "PTH activity given, over the person's own"),
    "osteoclast_life": Target("blocked", "share of the osteoclasts' life lost, and so of their depth"),
    "formation": Target("changed", "change of the wall that osteoblasts form, -1 (none) or more"),
}  # fmt: skip
#: Of the axis.
AXIS_TARGETS = tuple(TARGETS)[:6]
#: The lowest value of a number by its rule, and the highest.
RANGE = {
    "blocked": (0.0, 1.0), "held": (0.0, 1.0), "given": (0.0, np.inf), "changed": (-1.0, np.inf),
}  # fmt: skip


class BoneTargets(NamedTuple):
    """What the drugs of a moment do to bone's targets; see `TARGETS`."""

    rankl: float = 0.0
    sclerostin: float = 0.0
    pth: float = 0.0
    osteoclast_life: float = 0.0
    formation: float = 0.0


NO_DRUG = BoneTargets()


def combined(effects: Sequence[Mapping[str, Values]], size: int) -> dict[str, Values]:
    """The effects of all drugs together on every target, each of shape (size,).

    Args:
        effects: of each drug: target -> its numbers.
        size: how many moments.
    """
    return {
        target: _COMBINED[one.rule]([each[target] for each in effects if target in each], size)
        for target, one in TARGETS.items()
    }


def shares_held(each: Sequence[Values]) -> list[Values]:
    """What each of several drugs holds of a receptor that each alone would hold a share of."""
    if len(each) < 2:
        return list(each)
    # One that holds all alone has infinite odds.
    odds = [share / np.maximum(1.0 - share, 1e-12) for share in each]
    free = 1.0 + np.sum(odds, axis=0)
    return [one / free for one in odds]


def _blocked(each: Sequence[Values], size: int) -> Values:
    free = np.ones(size)
    for share in each:
        free *= 1.0 - share
    return 1.0 - free


def _held(each: Sequence[Values], size: int) -> Values:
    total = np.zeros(size)
    for share in shares_held(each):
        total += share
    return total


def _given(each: Sequence[Values], size: int) -> Values:
    total = np.zeros(size)
    for amount in each:
        total += amount
    return total


def _changed(each: Sequence[Values], size: int) -> Values:
    factor = np.ones(size)
    for change in each:
        factor *= 1.0 + change
    return factor - 1.0


_COMBINED: dict[str, Any] = {
    "blocked": _blocked, "held": _held, "given": _given, "changed": _changed,
}  # fmt: skip
