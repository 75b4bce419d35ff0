"""A depot of medroxyprogesterone acetate (DMPA), a contraceptive that suppresses the ovary."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from bonesim.endocrine.drug import Absorption, Clearance, Drug, Elimination, Taker, half_effect
from bonesim.endocrine.regimen import InjectionRegimen
from bonesim.endocrine.targets import Values


class Medroxyprogesterone(Drug):
    """Kinetics of the depot, and its hold on the ovary."""

    name = "medroxyprogesterone"
    about = "contraceptive depot, 150 mg every 91 days; input"
    sources = "level about 1 ng/mL for 3 months, half-life 50 d: Depo-Provera label"
    regimen = InjectionRegimen
    clearance_sets_half_life = False

    absorption_per_day: Absorption = 0.5
    elimination_per_day: Elimination = 0.0139
    clearance_l_per_day: Clearance = 1600.0
    ec50_ng_per_ml: Annotated[
        float, Field(gt=0, le=100, description="half suppression of the ovary; assumed")
    ] = 0.1
    max_suppression: Annotated[
        float,
        Field(gt=0, le=1, description="assumed: E2 20-30 pg/mL, Depo-Provera label"),
    ] = 0.85

    def effects(self, level: Values, taker: Taker) -> Mapping[str, Values]:
        """Share of the ovary's estradiol that is suppressed."""
        return {"ovary": self.max_suppression * half_effect(level, self.ec50_ng_per_ml)}
