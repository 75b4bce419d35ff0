"""Letrozole, a reversible inhibitor of aromatase."""

from typing import Annotated, ClassVar

from pydantic import Field

from bonesim.endocrine.drug import Absorption, AromataseInhibitor, Clearance, Elimination


class Letrozole(AromataseInhibitor):
    """Kinetics and inhibition of letrozole."""

    name = "letrozole"
    about = "aromatase inhibitor; input"
    sources = "steady state at 2.5 mg/d: 90 ng/mL, 131 L; Femara label, unchecked (guide M7.4)"
    draw_key = 1
    molar_mass = 285.3
    former: ClassVar[dict[str, str]] = {
        "hormones.drugs.letrozole_ic50_nmol_per_l": "ic50_nmol_per_l",
        "hormones.drugs.letrozole_max_inhibition": "max_inhibition",
        "hormones.drugs.letrozole_most": "max_inhibition",
        "hormones.drugs.letrozole_insensitive_share": "insensitive_share",
        "hormones.drugs.letrozole_proof_share": "insensitive_share",
    }

    absorption_per_day: Absorption = 24.0
    elimination_per_day: Elimination = 0.22
    clearance_l_per_day: Clearance = 28.8
    ic50_nmol_per_l: Annotated[
        float, Field(gt=0, le=1000, description="so that 2.5 mg/d gives -99.1 %; Geisler 2002")
    ] = 18.0
    max_inhibition: Annotated[
        float, Field(gt=0, le=1, description="maximal inhibition; assumed, Geisler 2002: > 99.1 %")
    ] = 0.995
    insensitive_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of peripheral E2 not inhibited; assumed 0: men on it fall lower "
            "(guide M7.2)",
        ),
    ] = 0.0
