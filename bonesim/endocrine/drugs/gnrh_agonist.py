"""An implant of a GnRH agonist: medical castration."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from bonesim.endocrine.drug import Clearance, Drug, Elimination, Taker, half_effect
from bonesim.endocrine.regimen import ImplantRegimen
from bonesim.endocrine.targets import Values


class GnrhAgonist(Drug):
    """Kinetics of goserelin, and its hold on the pituitary."""

    name = "gnrh_agonist"
    about = "medical castration; input"
    sources = "goserelin: half-life 4.2 h, CL 150 L/d; Zoladex label, unchecked; guide M7.4"
    regimen = ImplantRegimen
    draw_key = 7
    former: ClassVar[dict[str, str]] = {
        "hormones.drugs.implant_release_day": "release_day",
        "hormones.drugs.gnrh_ec50_ng_per_ml": "ec50_ng_per_ml",
    }

    elimination_per_day: Elimination = 4.0
    clearance_l_per_day: Clearance = 150.0
    release_day: Annotated[
        float,
        Field(
            gt=0, le=400, description="release time of an implant; 28 d for 3.6 mg, Zoladex label"
        ),
    ] = 28.0
    ec50_ng_per_ml: Annotated[
        float, Field(gt=0, le=100, description="half effect; far below the depot's level; assumed")
    ] = 0.02

    def effects(self, level: Values, taker: Taker) -> Mapping[str, Values]:
        """Share of the pituitary's receptors held."""
        return {"pituitary": half_effect(level, self.ec50_ng_per_ml)}
