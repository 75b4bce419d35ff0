"""Testosterone gel on the skin."""

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


class TestosteroneGel(Drug):
    """Kinetics of testosterone gel."""

    name = "testosterone_gel"
    about = "testosterone on the skin; input"
    sources = "10 % absorbed; back to baseline in 2-4 d: AndroGel label, unchecked (guide M7.4)"
    regimen = GelRegimen
    clearance_sets_half_life = False
    draw_key = 4

    absorption_per_day: Absorption = 12.0
    elimination_per_day: Elimination = 1.2
    clearance_l_per_day: Clearance = 1000.0
    bioavailability: Bioavailability = 0.10
    clearance_cv: ClearanceCv = 0.4

    def effects(self, level: Values, taker: Taker) -> Mapping[str, Values]:
        """Testosterone given."""
        return {"testosterone": level}
