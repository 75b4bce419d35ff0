"""The noise of a reading, and the smallest significant difference of two readings.

A reading is a function of (seed, day, instrument, repeat): another repeat gives another reading, the
same repeat the same reading. Two runs of one seed have the same noise (common random numbers);
readings of two people need two seeds.
"""

import math

import numpy as np
from numpy.typing import NDArray

from bonesim.chance import READING, Day, Identity, Seed, normal
from bonesim.kernel import kernel

#: Instruments; each has its own noise. A number is never reused.
INSTRUMENTS = {
    "ls_abmd": 1, "qct_vbmd": 2, "hr_pqct_vbmd": 3,
    "ctx": 4, "p1np": 5, "bsap": 6, "osteocalcin": 7,
    "image": 8, "th_abmd": 9, "e2_immunoassay_pg_per_ml": 10, "e2_spectrometry_pg_per_ml": 11,
}  # fmt: skip
#: Repeats of a reading, or voxels of an image, that one instrument has room for.
REPEATS = 2**40
#: 1.96 sqrt(2), rounded as the ISCD prints it: 95 % confidence, two visits.
LSC_FACTOR = 2.77


@kernel
def reading_noise(seed: Seed, day: NDArray[np.int64], entity: Identity) -> NDArray[np.float64]:
    """A standard normal number for each day, one instrument (`entity`)."""
    noise = np.empty(day.size, np.float64)
    for k in range(day.size):
        noise[k] = normal(seed, Day(day[k]), entity, READING)
    return noise


@kernel
def voxel_noise(
    seed: Seed, day: Day, entity: Identity, image: NDArray[np.float32], sd: float
) -> None:
    """Add to each voxel of a flat image a normal number of this SD; voxel k is `entity` + k."""
    for k in range(image.size):
        image[k] += sd * normal(seed, day, entity + np.uint64(k), READING)


def identity_of(instrument: str, repeat: int = 0) -> Identity:
    """The `entity` of a reading for random numbers."""
    return np.uint64(INSTRUMENTS[instrument] * REPEATS + repeat)


def noisy(
    value: NDArray[np.float64], day: NDArray[np.int64], cv: float | NDArray[np.float64], seed: int,
    instrument: str, repeat: int = 0,
) -> NDArray[np.float64]:  # fmt: skip
    """Readings of an instrument of this precision: value (1 + CV z), z standard normal."""
    days = np.ascontiguousarray(day, dtype=np.int64)
    return value * (1.0 + cv * reading_noise(Seed(seed), days, identity_of(instrument, repeat)))


def least_significant_change(cv: float, n: int = 1) -> float:
    """The smallest significant relative difference of two visits: 2.77 CV (ISCD), n readings each."""
    return LSC_FACTOR * cv / math.sqrt(n)
