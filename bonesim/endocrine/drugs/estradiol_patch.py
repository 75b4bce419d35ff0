"""An estradiol patch on the skin."""

from bonesim.endocrine.drug import Clearance, ClearanceCv, Elimination, Hormone
from bonesim.endocrine.regimen import PatchRegimen


class EstradiolPatch(Hormone):
    """Kinetics of estradiol patch."""

    name = "estradiol_patch"
    about = "estradiol through the skin; input"
    sources = "constant release; skin half-life 6 h assumed; MCR 1600 L/d (guide M7.2)"
    regimen = PatchRegimen
    given = "estradiol"
    draw_key = 6

    elimination_per_day: Elimination = 2.8
    clearance_l_per_day: Clearance = 1600.0
    clearance_cv: ClearanceCv = 0.3
