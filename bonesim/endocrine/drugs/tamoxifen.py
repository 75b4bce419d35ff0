"""Tamoxifen, a partial agonist at the estrogen receptor of bone."""

from typing import Annotated, ClassVar

from pydantic import Field

from bonesim.endocrine.drug import Absorption, Clearance, Elimination, PartialAgonist


class Tamoxifen(PartialAgonist):
    """Kinetics and occupancy of tamoxifen."""

    name = "tamoxifen"
    about = "partial agonist at the estrogen receptor of bone; input"
    sources = "half-life 6 d, 120 ng/mL at 20 mg/d: Nolvadex label, unchecked (guide M7.4)"
    draw_key = 2
    former: ClassVar[dict[str, str]] = {
        "hormones.drugs.tamoxifen_ec50_ng_per_ml": "ec50_ng_per_ml",
        "hormones.response.tamoxifen_signal": "receptor_signal",
    }

    absorption_per_day: Absorption = 5.0
    elimination_per_day: Elimination = 0.116
    clearance_l_per_day: Clearance = 167.0
    ec50_ng_per_ml: Annotated[
        float,
        Field(gt=0, le=1000, description="half occupancy: O = .9 at 20 mg/d (guide M7.4); derived"),
    ] = 13.3
    receptor_signal: Annotated[
        float,
        Field(ge=0, le=1, description="S_tam, as E2 17-20 pg/mL; assumed, .45-.6 (guide M7.4)"),
    ] = 0.52
