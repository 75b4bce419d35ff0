"""Testosterone cypionate in oil, injected."""

from bonesim.endocrine.drug import (
    Absorption,
    Bioavailability,
    Clearance,
    ClearanceCv,
    Elimination,
    Hormone,
)
from bonesim.endocrine.regimen import InjectionRegimen


class TestosteroneCypionate(Hormone):
    """Kinetics of testosterone cypionate."""

    name = "testosterone_cypionate"
    about = "testosterone ester; input"
    sources = (
        "two depots, F = .85 x .699 mg T per mg, MCR 1000 L/d; half-life 8 d, peak at 2-5 d: "
        "Depo-Testosterone label, unchecked (guide M7.3)"
    )
    regimen = InjectionRegimen
    given = "testosterone"
    draw_key = 3

    absorption_per_day: Absorption = 0.6
    elimination_per_day: Elimination = 0.10
    clearance_l_per_day: Clearance = 1000.0
    bioavailability: Bioavailability = 0.594
    clearance_cv: ClearanceCv = 0.2
