"""A module with a drug of one's own, as the guide has it."""

MODULE = """
from bonesim.endocrine.drug import Absorption, Clearance, Drug, Elimination, half_effect


class Antibody(Drug):
    name = "antibody"
    about = "binds RANKL; input"
    sources = "assumed"
    absorption_per_day: Absorption = 0.3
    elimination_per_day: Elimination = 0.05
    clearance_l_per_day: Clearance = 0.1
    ec50_ng_per_ml: float = 100.0

    def effects(self, level, taker):
        return {"rankl": half_effect(level, self.ec50_ng_per_ml)}
"""
