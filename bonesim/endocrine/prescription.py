"""The fourth kind of course: computed from a protocol of drugs, diet and load."""

import copy

import numpy as np
from numpy.typing import NDArray

from bonesim.endocrine.axis import AxisParameters
from bonesim.endocrine.blood import BEFORE_DAY, TYPICAL, Blood, Person, simulate_blood
from bonesim.endocrine.formulary import DrugParameters
from bonesim.endocrine.protocol import ProtocolParameters
from bonesim.endocrine.targets import NO_DRUG, BoneTargets

#: A drug that changes testosterone and estradiol by less than this share of the baseline does nothing.
NOTHING = 1e-3


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
        self._history, self._person, self._is_past = protocol.history(), person, False
        day = self.blood.day
        #: Without a drug before day 0 blood begins at day -BEFORE_DAY.
        self._first_dose_day = min(0.0, float(day[0]) + BEFORE_DAY)
        self._acting = any(levels.any() for levels in self.blood.bone_targets)  # type: ignore[attr-defined]
        self._before = (day >= -BEFORE_DAY) & (day < 0.0)
        self._held: dict[int, float] = {}

    def e2_pg_per_ml(self, day: float) -> float:
        """True serum estradiol at `day`, pg/mL."""
        if self._is_past and day < self.blood.day[0]:
            return float(self._history.e2_pg_per_ml(day)) * self._person.e2
        return self._at(self.blood.e2_pg_per_ml, day)

    @property
    def youth_e2_pg_per_ml(self) -> float:
        """The own level of estradiol in youth, pg/mL."""
        return self._history.youth_pg_per_ml * self._person.e2

    @property
    def begins_day(self) -> float:
        """Since when estradiol is another than in youth: by age, or by the first drug."""
        return min(self._history.begins_day, self._first_dose_day)

    @property
    def past(self) -> "PrescribedCourse":
        """The same, whose levels before day 0 are as they were."""
        other = copy.copy(self)
        other._is_past = True
        return other

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
        if day < 0.0 and not self._is_past:
            # During the burn-in: the mean of the weeks before day 0.
            key = id(levels)
            if key not in self._held:
                self._held[key] = float(levels[self._before].mean())
            return self._held[key]
        return float(np.interp(day, self.blood.day, levels))


def notes(
    protocol: ProtocolParameters, drugs: DrugParameters, axis: AxisParameters,
    until_day: float, seed: int,
) -> tuple[str, ...]:  # fmt: skip
    """The drugs that can do nothing in this person, one line each.

    Args:
        protocol, drugs, axis, until_day, seed: as of `PrescribedCourse`.
    """
    taken = dict.fromkeys(name for name, _ in protocol.courses())
    if not taken:
        return ()
    found, whole = [], simulate_blood(protocol, drugs, axis, until_day, seed)
    for name in taken:
        less = protocol.model_copy(update={name: ()})
        without = simulate_blood(less, drugs, axis, until_day, seed)
        if not _differ(whole, without):
            found.append(
                f"{name} changes no sex steroid and no receptor of bone in this person (sex {protocol.sex}, "
                f"age {protocol.age_year:g}); leave it out, or check sex, age and menopause_age_year"
            )
    return tuple(found)


def _differ(one: Blood, other: Blood) -> bool:
    """Whether hormones, receptors or bone's targets differ between two courses of one person."""
    if one.day[0] != other.day[0]:  # the longer one begins with a drug before day 0
        later = max(one.day[0], other.day[0])
        one, other = (_from(each, later) for each in (one, other))
    levels = ((one.t_ng_per_dl, other.t_ng_per_dl), (one.e2_pg_per_ml, other.e2_pg_per_ml))
    if any(np.abs(a - b).max() > NOTHING * b[0] for a, b in levels):
        return True
    held = [_held(each) for each in (one, other)]
    if np.abs(held[0] - held[1]).max() > NOTHING:
        return True
    targets = zip(one.bone_targets, other.bone_targets, strict=True)
    return any(np.abs(a - b).max() > NOTHING for a, b in targets)


def _held(blood: Blood) -> NDArray[np.float64]:
    """Share of receptors that drugs hold at each sample."""
    held = np.zeros(blood.day.size)
    for share, _ in blood.receptors_held:
        held += share
    return held


def _from(blood: Blood, day: float) -> Blood:
    """The same from a day on."""
    kept = blood.day >= day
    return blood._replace(
        day=blood.day[kept], t_ng_per_dl=blood.t_ng_per_dl[kept],
        e2_pg_per_ml=blood.e2_pg_per_ml[kept],
        receptors_held=tuple((share[kept], signal) for share, signal in blood.receptors_held),
        bone_targets=BoneTargets(*(each[kept] for each in blood.bone_targets)),  # type: ignore[index]
    )  # fmt: skip
