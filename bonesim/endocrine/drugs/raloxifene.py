"""Raloxifene, a partial agonist at the estrogen receptor of bone."""

from typing import Annotated

from pydantic import Field

from bonesim.endocrine.drug import Absorption, Clearance, ClearanceCv, Elimination, PartialAgonist


class Raloxifene(PartialAgonist):
    """Kinetics and occupancy of raloxifene; at the axis it does nothing here, as tamoxifen."""

    name = "raloxifene"
    about = "partial agonist at the estrogen receptor of bone; input"
    sources = "half-life 32.5 h, CL/F 47.4 L/kg/h in 65 kg, tmax 6 h, repeated doses: Evista label"

    absorption_per_day: Absorption = 13.6
    elimination_per_day: Elimination = 0.512
    clearance_l_per_day: Clearance = 74000.0
    clearance_cv: ClearanceCv = 0.41
    ec50_ng_per_ml: Annotated[
        float,
        Field(
            gt=0,
            le=1000,
            description="half occupancy; assumed: O = .9 at 60 mg/d (mean .81 ng/mL), as tamoxifen's "
            "at its dose: 150 mg gains spine no more than 60 (Delmas 1997)",
        ),
    ] = 0.09
    receptor_signal: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="assumed that of tamoxifen, not fit: spine +2.4 % over placebo in 2 y "
            "(Delmas 1997)",
        ),
    ] = 0.52
