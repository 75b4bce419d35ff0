"""A cortical shell that remodels for itself, day by day, from a run's births and depth of cavities.

Not agents: a cross-section of cortex of unit area, its shares moved by book-keeping. Each cavity of a
day's births is dug, waits and is refilled on the same days as all others of that day.

    dug(F)   = ((r + (R - r) (1 - s + s F)) / R)^2     share of the cavity of health, depth multiplier F
    left(F)  = ((r + max(0, (R - r) s (F - 1))) / R)^2 canal it leaves: wall of health, as on trabeculae
    births   = activation multiplier x sqrt(canals / canals on day 0)      they start from canals' surface

R is the radius of a cavity and r that of the canal in it; r/R is such that in health (F = 1) a BMU leaves
as much canal as it takes. A shallower cavity is refilled in balance. The endosteum has flat cavities whose
depth beyond that of health is not refilled: the shell becomes thinner. A new cavity spares bone younger
than `RECENT_DAYS`. Mineral has the block's two pools (`lattice.mineral`), but the ages of cortical bone.

Before day 0 births and depth were those of day 0 for ever: open space and mineral start in steady state.
Not in it: load, periosteal apposition, coalescing canals (their bone is lost here only as it is dug).
"""

import math
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.errors import InputError
from bonesim.lattice.mineral import RECENT_DAYS, MineralParameters, mineral_quanta
from bonesim.parameters import Parameters
from bonesim.units import DAYS_PER_YEAR

Array = NDArray[np.float64]


class CortexParameters(Parameters):
    """Cortical bone of the hip: canals, cavities, endosteum, mineral."""

    canals_percent: Annotated[
        float,
        Field(
            gt=0,
            le=40,
            description="Haversian canals in cortex without cavities; Bell 1999 (women: 7.7-16)",
        ),
    ] = 10.0
    turnover_percent_per_year: Annotated[
        float,
        Field(
            ge=0,
            le=40,
            description="cortex that BMUs within it claim in a year, in health; assumed, 2-8",
        ),
    ] = 4.0
    osteoclastic_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of its depth that osteoclasts dig; Eriksen 1999 (trabeculae: 17.8 of 46.9 um)",
        ),
    ] = 0.38
    resorption_day: Annotated[
        int, Field(ge=1, le=365, description="resorption of one cross-section; assumed")
    ] = 30
    reversal_day: Annotated[
        int, Field(ge=0, le=365, description="from resorption to formation; assumed")
    ] = 30
    formation_day: Annotated[
        int, Field(ge=1, le=720, description="refilling of one cross-section; assumed, 90-150")
    ] = 120
    thickness_um: Annotated[
        float,
        Field(ge=200, le=10000, description="mean thickness of the shell; assumed, 1000-4000"),
    ] = 2000.0
    endosteal_activation_per_year: Annotated[
        float,
        Field(ge=0, le=2, description="Ac.f of the endosteum in health; assumed as of trabeculae"),
    ] = 0.15
    endosteal_depth_um: Annotated[
        float,
        Field(gt=0, le=150, description="depth of its cavities in health; Eriksen 1999 (46.9 um)"),
    ] = 47.0
    slow_tau_day: Annotated[
        float,
        Field(
            gt=10,
            le=3000,
            description="time constant of slow mineral; assumed as in trabeculae, Fuchs 2008, 150-1200",
        ),
    ] = 300.0


class CortexCourse(NamedTuple):
    """The shell day by day, relative to its area on day 0 without loss from the endosteum."""

    bone: Array  # share of the area that is bone, osteoid too
    canals: Array  # share that is quiescent canals
    open: Array  # share that is open cavities, canals to be in them
    thinned: Array  # share lost from the endosteum for good
    mineral: Array  # bone x its mean mineralisation


class _Cavities:
    """Cavities of one surface, by the day they begin; areas as shares of the cortex.

    Args:
        born: cavities of a day in units of one of health, as a share of the cortex.
        dug: what one takes in all, of one of health.
        left: what it does not refill.
        p: parameters.
    """

    def __init__(self, born: Array, dug: Array, left: Array, p: CortexParameters) -> None:
        self.claims, self.fills, self.leaves = born * dug, born * (dug - left), born * left
        self.resorbing, self.forming = p.resorption_day, p.formation_day
        self.whole = p.resorption_day + p.reversal_day + p.formation_day

    def scale(self, day: int, factor: float) -> None:
        """Change the number born on a day."""
        for values in (self.claims, self.fills, self.leaves):
            values[day] *= factor

    def today(self, day: int) -> tuple[float, float, float]:
        """What is claimed, refilled and left open for good on a day."""
        oldest = day - self.whole + 1
        claimed = self.claims[day - self.resorbing + 1 : day + 1].sum() / self.resorbing
        filled = self.fills[oldest : oldest + self.forming].sum() / self.forming
        return float(claimed), float(filled), float(self.leaves[oldest])

    def open_at_first(self) -> float:
        """Area of open cavities if all days are as the first."""
        age = np.arange(1.0, self.whole)
        dug = np.minimum(age / self.resorbing, 1.0).sum()
        filled = np.clip((age - self.whole) / self.forming + 1.0, 0.0, 1.0).sum()
        return float(self.claims[0] * dug - self.fills[0] * filled)


def cortical_shell(activation: Array, depth: Array, p: CortexParameters) -> CortexCourse:
    """The shell from day 0 on.

    Args:
        activation: births of BMUs relative to health, one a day.
        depth: depth under osteoclasts relative to health, one a day.
        p: parameters.

    Raises:
        InputError: a value that is no number of 0 or more; cavities that take all of the cortex.
    """
    for name, values in (("activation_multiplier", activation), ("depth_multiplier", depth)):
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise InputError(f"{name} of the daily table: allowed are numbers of 0 or more")
    born, deeper = _padded(activation, p) / DAYS_PER_YEAR, _padded(depth, p)
    return _simulated(_around_canals(born, deeper, p), _of_endosteum(born, deeper, p), p)


def _padded(values: Array, p: CortexParameters) -> Array:
    """The values after as many days before day 0, equal to day 0, as one cavity or recent bone needs."""
    before = max(p.resorption_day + p.reversal_day + p.formation_day, RECENT_DAYS)
    return np.concatenate((np.full(before, values[0]), values))


def _around_canals(born: Array, depth: Array, p: CortexParameters) -> _Cavities:
    """Cavities within the cortex: discs around a canal. Lengths are in radii of a cavity of health."""
    r = math.sqrt(p.canals_percent / 100.0)
    extra = (1.0 - r) * p.osteoclastic_share * (depth - 1.0)
    dug = (1.0 + extra) ** 2
    left = np.where(extra > 0.0, (r + extra) ** 2, r**2 * dug)
    return _Cavities(born * p.turnover_percent_per_year / 100.0, dug, left, p)


def _of_endosteum(born: Array, depth: Array, p: CortexParameters) -> _Cavities:
    """Cavities of the inner surface: flat."""
    extra = p.osteoclastic_share * (depth - 1.0)
    share = p.endosteal_activation_per_year * p.endosteal_depth_um / p.thickness_um
    return _Cavities(born * share, 1.0 + extra, np.maximum(extra, 0.0), p)


def _simulated(within: _Cavities, inner: _Cavities, p: CortexParameters) -> CortexCourse:
    """Day by day: what is claimed becomes open, what is refilled bone, what is left a canal or marrow."""
    days = within.claims.size
    opened = within.open_at_first() + inner.open_at_first()
    canals = first_canals = p.canals_percent / 100.0 * (1.0 - opened)
    bone = 1.0 - opened - canals
    thinned = 0.0
    before = max(within.whole, RECENT_DAYS)
    deposits = np.full(days, within.fills[0] + inner.fills[0])
    taken = np.zeros(days)
    rows = []
    for day in range(before, days):
        if not min(bone, canals) > 0.0:
            raise InputError(
                f"hip: cavities have taken all of its cortex by day {day - before}; "
                "give a lower `turnover_percent_per_year`"
            )
        if day > before:
            within.scale(day, math.sqrt(canals / first_canals))
            claimed, filled, left = within.today(day)
            flat, refilled, lost = inner.today(day)
            taken[day] = claimed * bone / (bone + canals) + flat
            deposits[day] = filled + refilled
            canals += left - claimed * canals / (bone + canals)
            bone += deposits[day] - taken[day]
            thinned += lost
        rows.append((bone, canals, 1.0 - bone - canals - thinned, thinned))
    course = np.array(rows)
    taken[: before + 1] = deposits[0]
    mineral = _mineral(course[:, 0], deposits, taken, p)
    return CortexCourse(course[:, 0], course[:, 1], course[:, 2], course[:, 3], mineral)


def _mineral(bone: Array, deposits: Array, taken: Array, p: CortexParameters) -> Array:
    """Mineral of bone whose age is that of its deposits; what is taken is of any age past `RECENT_DAYS`.

    Args:
        bone: from day 0 on.
        deposits: bone formed on each day, with the days before day 0.
        taken: bone removed on each day, likewise.
        p: parameters.
    """
    pools = MineralParameters(slow_tau_day=p.slow_tau_day)
    day_on = math.exp(-1.0 / p.slow_tau_day)
    grown = day_on**RECENT_DAYS
    ages = day_on ** np.arange(RECENT_DAYS)
    before = deposits.size - bone.size
    old = bone[0] - deposits[before - RECENT_DAYS + 1 : before + 1].sum()
    kept = 1.0 - taken[before] / (old + taken[before])
    slow = deposits[0] * grown * kept / (1.0 - day_on * kept)
    found = np.empty(bone.size)
    for day in range(bone.size):
        now = before + day
        recent = deposits[now - RECENT_DAYS + 1 : now + 1][::-1]
        if day:
            of_age = deposits[now - RECENT_DAYS]
            kept = 1.0 - taken[now] / (old + of_age)
            slow = (slow * day_on + of_age * grown) * kept
            old = (old + of_age) * kept
        found[day] = mineral_quanta(bone[day], slow + float(recent @ ages), recent, pools)
    return found
