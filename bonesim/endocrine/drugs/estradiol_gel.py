"""Estradiol gel on the skin."""

from collections.abc import Mapping

from bonesim.endocrine.drug import (
    Absorption,
    Bioavailability,
    Clearance,
    ClearanceCv,
    Drug,
    Elimination,
    Taker,
)
from bonesim.endocrine.regimen import GelRegimen
from bonesim.endocrine.targets import Values


class EstradiolGel(Drug):
    """Kinetics of estradiol gel."""

    name = "estradiol_gel"
    about = "estradiol on the skin; input"
    sources = "6 % absorbed, half-life 36 h, MCR 1600 L/d; EstroGel label, unchecked; guide M7.4"
    regimen = GelRegimen
    clearance_sets_half_life = False
    draw_key = 5

    absorption_per_day: Absorption = 12.0
    elimination_per_day: Elimination = 0.46
    clearance_l_per_day: Clearance = 1600.0
    bioavailability: Bioavailability = 0.06
    clearance_cv: ClearanceCv = 0.4

    def effects(self, level: Values, taker: Taker) -> Mapping[str, Values]:
        """Estradiol given."""
        return {"estradiol": level}
