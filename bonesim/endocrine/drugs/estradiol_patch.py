"""An estradiol patch on the skin."""

from collections.abc import Mapping

from bonesim.endocrine.drug import Absorption, Clearance, ClearanceCv, Drug, Elimination, Taker
from bonesim.endocrine.regimen import PatchRegimen
from bonesim.endocrine.targets import Values


class EstradiolPatch(Drug):
    """Kinetics of estradiol patch."""

    name = "estradiol_patch"
    about = "estradiol through the skin; input"
    sources = "constant release; skin half-life 6 h assumed; MCR 1600 L/d (guide M7.2)"
    regimen = PatchRegimen
    clearance_sets_half_life = False
    draw_key = 6

    absorption_per_day: Absorption = 24.0
    elimination_per_day: Elimination = 2.8
    clearance_l_per_day: Clearance = 1600.0
    clearance_cv: ClearanceCv = 0.3

    def effects(self, level: Values, taker: Taker) -> Mapping[str, Values]:
        """Estradiol given."""
        return {"estradiol": level}
