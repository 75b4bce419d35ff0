"""Exemestane, a steroid that inactivates aromatase for good (type I inhibitor)."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from bonesim.endocrine.drug import Absorption, Clearance, Drug, Elimination, Taker
from bonesim.endocrine.kinetics import inactivated
from bonesim.endocrine.targets import Values


class Exemestane(Drug):
    """Kinetics of exemestane, and the enzyme that it uses up and the body renews.

    dE/dt = d (1 - E) - k c E in periphery and testis. The effect so outlasts the drug. In the testis
    testosterone competes, as with reversible inhibitors (guide M7.3).
    """

    name = "exemestane"
    about = "steroidal aromatase inactivator; input"
    sources = (
        "half-life 24 h, tmax 1-3 h, AUC 41.4 ng h/mL at 25 mg: Aromasin label, unchecked; in young "
        "men half-life 8.9 h (Mauras 2003)"
    )

    absorption_per_day: Absorption = 30.0
    elimination_per_day: Elimination = 0.693
    clearance_l_per_day: Clearance = 14500.0
    renewal_per_day: Annotated[
        float,
        Field(
            gt=0,
            le=50,
            description="d: the enzyme's half-life is 28 h; assumed, about a day",
        ),
    ] = 0.59
    half_enzyme_ng_per_ml: Annotated[
        float,
        Field(
            gt=0,
            le=100,
            description="d/k, a constant level that leaves half of the enzyme; fit to -97.9 % of "
            "aromatisation at 25 mg/d in women (Geisler 1998)",
        ),
    ] = 0.037
    insensitive_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of peripheral E2 not inhibited; fit to E2 -92.2 % at 25 mg/d "
            "(Geisler 1998)",
        ),
    ] = 0.058

    def effects(self, level: Values, taker: Taker) -> Mapping[str, Values]:
        """Share of aromatase inactivated in periphery and testis."""
        rate = self.renewal_per_day / (self.half_enzyme_ng_per_ml * taker.ic50)
        periphery = inactivated(taker.day, level, self.renewal_per_day, rate)
        testis = inactivated(taker.day, level, self.renewal_per_day, rate / taker.testis_ic50_ratio)
        return {
            "aromatase_periphery": (1.0 - self.insensitive_share) * periphery,
            "aromatase_testis": testis,
        }
