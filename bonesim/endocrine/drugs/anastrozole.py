"""Anastrozole, a reversible inhibitor of aromatase."""

from typing import Annotated, ClassVar

from pydantic import Field

from bonesim.endocrine.drug import Absorption, AromataseInhibitor, Clearance, Elimination


class Anastrozole(AromataseInhibitor):
    """Kinetics and inhibition of anastrozole."""

    name = "anastrozole"
    about = "aromatase inhibitor; input"
    sources = "CL/F 1.54 L/h, half-life 46.8 h, tmax 1 h: Mauras 2009 (guide M7.1)"
    draw_key = 0
    molar_mass = 293.4
    former: ClassVar[dict[str, str]] = {
        "hormones.drugs.anastrozole_ic50_nmol_per_l": "ic50_nmol_per_l",
        "hormones.drugs.anastrozole_max_inhibition": "max_inhibition",
        "hormones.drugs.anastrozole_most": "max_inhibition",
        "hormones.drugs.anastrozole_insensitive_share": "insensitive_share",
        "hormones.drugs.anastrozole_proof_share": "insensitive_share",
    }

    absorption_per_day: Absorption = 36.0
    elimination_per_day: Elimination = 0.3554
    clearance_l_per_day: Clearance = 36.96
    ic50_nmol_per_l: Annotated[
        float,
        Field(
            gt=0, le=1000, description="in vivo; fit to -96.7 % at 1 mg (Geisler 1996), guide M7.1"
        ),
    ] = 11.2
    max_inhibition: Annotated[
        float, Field(gt=0, le=1, description="maximal inhibition; -98.1 % at 10 mg, Geisler 1996")
    ] = 0.985
    insensitive_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of peripheral E2 not inhibited; E2 -86 %: at least -83.5, Geisler 1996",
        ),
    ] = 0.11
