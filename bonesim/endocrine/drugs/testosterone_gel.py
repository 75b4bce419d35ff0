"""Testosterone gel on the skin."""

from bonesim.endocrine.drug import (
    Absorption,
    Bioavailability,
    Clearance,
    ClearanceCv,
    Elimination,
    Hormone,
)
from bonesim.endocrine.regimen import GelRegimen


class TestosteroneGel(Hormone):
    """Kinetics of testosterone gel."""

    name = "testosterone_gel"
    about = "testosterone on the skin; input"
    sources = "10 % absorbed; back to baseline in 2-4 d: AndroGel label, unchecked (guide M7.4)"
    regimen = GelRegimen
    given = "testosterone"
    draw_key = 4

    absorption_per_day: Absorption = 12.0
    elimination_per_day: Elimination = 1.2
    clearance_l_per_day: Clearance = 1000.0
    bioavailability: Bioavailability = 0.10
    clearance_cv: ClearanceCv = 0.4
