"""Mineralisation of bone by its age in days.

    m(age) = f (1 - exp(-(age-lag)/fast)) + (1-f) (1 - exp(-(age-lag)/slow))   for age > lag, else 0

Bone mineral is the sum of quanta x m(age), so it is not bone volume: after a change of turnover
it changes for years. The slow pool is exact for any mixture of ages, because all its deficits decay
at one rate: the lattice keeps one running sum, each voxel one day. The rest (osteoid, and the fast
pool) lasts weeks. It is computed from the deposits of the last months, none of which is resorbed so
early (a new BMU is excluded from young bone).

Sources: Fuchs 2008 (67 % of the interstitial level by 18 d after mineral onset, complete by
350 d); osteoid lag 12-20 d; tissue mineral density of trabecular bone about 1.05-1.15 g/cm3.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.parameters import Parameters
from bonesim.units import FULL


class MineralParameters(Parameters):
    """Two-pool mineralisation, and the initial ages of bone."""

    lag_day: Annotated[
        float,
        Field(
            ge=0,
            le=60,
            description="osteoid before mineral comes; 12 in Martinez-Reina 2019, 12-20",
        ),
    ] = 15.0
    fast_fraction: Annotated[
        float, Field(gt=0, lt=1, description="share of the fast pool; fit to Fuchs 2008, .55-.70")
    ] = 0.65
    fast_tau_day: Annotated[
        float, Field(gt=0, le=15, description="time constant of the fast pool; fit to Fuchs 2008")
    ] = 6.0
    slow_tau_day: Annotated[
        float,
        Field(gt=10, le=3000, description="time constant of the slow pool; Fuchs 2008, 150-1200"),
    ] = 300.0
    full_density_mg_per_cm3: Annotated[
        float,
        Field(gt=0, le=2000, description="tissue mineral density of old bone; assumed, 1050-1200"),
    ] = 1150.0
    start_mean_age_day: Annotated[
        float,
        Field(
            gt=0,
            le=20000,
            description="mean age at the start, exponential; fit: 1 over turnover (guide M0)",
        ),
    ] = 2700.0


def recent_deficit(age_day: NDArray[np.float64], p: MineralParameters) -> NDArray[np.float64]:
    """`1 - m(age)` minus the deficit of the slow pool; negligible after about 60 days."""
    slow = (1.0 - p.fast_fraction) * np.exp(-(age_day - p.lag_day) / p.slow_tau_day)
    past_lag = age_day > p.lag_day
    fast = p.fast_fraction * np.exp(-np.maximum(age_day - p.lag_day, 0.0) / p.fast_tau_day)
    return np.where(past_lag, fast, 1.0 - slow)


#: Deposits older than this have a recent deficit below 1e-4 for any allowed fast pool.
RECENT_DAYS = 200


def mineral_quanta(
    bone_quanta: float, slow_deficit: float, deposits: NDArray[np.float64], p: MineralParameters
) -> float:
    """Fully mineralised quanta: sum of quanta x m(age).

    `slow_deficit` is the lattice's running sum of quanta x exp(-age/slow); `deposits` the quanta
    formed today, yesterday, ... (newest first).
    """
    lagged = (1.0 - p.fast_fraction) * float(np.exp(p.lag_day / p.slow_tau_day)) * slow_deficit
    ages = np.arange(deposits.size, dtype=np.float64)
    return bone_quanta - lagged - float(deposits @ recent_deficit(ages, p))


def mineral_fraction(age_day: NDArray[np.float32], p: MineralParameters) -> NDArray[np.float32]:
    """m(age) of bone of one age, 0..1, for pictures; older than about two months it is exact."""
    age = np.maximum(age_day - p.lag_day, 0.0)
    fast = p.fast_fraction * np.exp(-age / p.fast_tau_day)
    slow = (1.0 - p.fast_fraction) * np.exp(-age / p.slow_tau_day)
    return np.maximum(1.0 - fast - slow, np.float32(0.0))


def density_mg_per_cm3(
    mineralised_quanta: float, volume_voxels: int, p: MineralParameters
) -> float:
    """Volumetric mineral density of the specimen (vBMD, mgHA/cm3 of tissue volume)."""
    return p.full_density_mg_per_cm3 * mineralised_quanta / (FULL * volume_voxels)
