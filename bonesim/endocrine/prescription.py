"""The fourth kind of course: computed from a protocol of drugs, diet and load."""

import numpy as np
from numpy.typing import NDArray

from bonesim.endocrine.axis import SAMPLES_PER_DAY, AxisParameters
from bonesim.endocrine.blood import BEFORE_DAY, TYPICAL, Person, simulate_blood
from bonesim.endocrine.formulary import DrugParameters
from bonesim.endocrine.protocol import ProtocolParameters
from bonesim.endocrine.targets import NO_DRUG, BoneTargets


class PrescribedCourse:
    """Hormones and drugs of one person against day; linear between samples of 3 hours.

    Args:
        protocol: person, drugs, diet.
        drugs, axis: pharmacokinetics and hormonal axis.
        until_day: last day that will be asked for; later days hold the last level.
        seed: decides which doses are missed.
        person: deviations from the typical person.
    """

    def __init__(
        self, protocol: ProtocolParameters, drugs: DrugParameters, axis: AxisParameters,
        until_day: float, seed: int, person: Person = TYPICAL,
    ) -> None:  # fmt: skip
        self.protocol = protocol
        self.blood = simulate_blood(protocol, drugs, axis, until_day + 1.0, seed, person)
        day = self.blood.day
        self._acting = any(levels.any() for levels in self.blood.bone_targets)  # type: ignore[attr-defined]
        self._before = (day >= -BEFORE_DAY) & (day < 0.0)
        self._held: dict[int, float] = {}

    def e2_pg_per_ml(self, day: float) -> float:
        """True serum estradiol at `day`, pg/mL."""
        return self._at(self.blood.e2_pg_per_ml, day)

    def setpoint_e2_pg_per_ml(self, tau_day: float) -> float:
        """The set-point on day 0: the baseline, adapted to the levels since the first drug."""
        setpoint = float(self.blood.e2_pg_per_ml[0])
        past = self.blood.day < 0.0
        for level in self.blood.e2_pg_per_ml[past].tolist():
            setpoint += (level - setpoint) / (tau_day * SAMPLES_PER_DAY)
        return setpoint

    def t_ng_per_dl(self, day: float) -> float:
        """Serum testosterone at `day`, ng/dL."""
        return self._at(self.blood.t_ng_per_dl, day)

    def shbg_nmol_per_l(self, day: float) -> float | None:
        """SHBG at `day`, nmol/L."""
        return self._at(self.blood.shbg_nmol_per_l, day)

    def receptors_held(self, day: float) -> tuple[tuple[float, float], ...]:
        """Share of estrogen receptors that each drug holds at `day`, and the signal of these."""
        return tuple((self._at(held, day), signal) for held, signal in self.blood.receptors_held)

    def bone_targets(self, day: float) -> BoneTargets:
        """What the drugs do to bone's targets at `day`."""
        if not self._acting:
            return NO_DRUG
        return BoneTargets(*(self._at(levels, day) for levels in self.blood.bone_targets))  # type: ignore[arg-type]

    def diet(self, day: float) -> tuple[float, float] | None:
        """Calcium (mg/d) and 25-OH-D (nmol/L) at `day`."""
        return self.protocol.diet.at(day)

    def _at(self, levels: NDArray[np.float64], day: float) -> float:
        if day < 0.0:
            # During the burn-in: the mean of the weeks before day 0.
            key = id(levels)
            if key not in self._held:
                self._held[key] = float(levels[self._before].mean())
            return self._held[key]
        return float(np.interp(day, self.blood.day, levels))
