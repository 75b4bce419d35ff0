"""Estradiol gel on the skin."""

from bonesim.endocrine.drug import (
    Absorption,
    Bioavailability,
    Clearance,
    ClearanceCv,
    Elimination,
    Hormone,
)
from bonesim.endocrine.regimen import GelRegimen


class EstradiolGel(Hormone):
    """Kinetics of estradiol gel."""

    name = "estradiol_gel"
    about = "estradiol on the skin; input"
    sources = "6 % absorbed, half-life 36 h, MCR 1600 L/d; EstroGel label, unchecked; guide M7.4"
    regimen = GelRegimen
    given = "estradiol"
    draw_key = 5

    absorption_per_day: Absorption = 12.0
    elimination_per_day: Elimination = 0.46
    clearance_l_per_day: Clearance = 1600.0
    bioavailability: Bioavailability = 0.06
    clearance_cv: ClearanceCv = 0.4
