"""Counter-based random numbers: every draw is a pure function of (seed, day, entity, purpose).

Philox4x32-10, a counter-based generator (Salmon 2011, "Parallel random numbers: as easy
as 1, 2, 3"). `entity` is the identity of a cell or a voxel, made from place and birth day, never
a running counter. `purpose` is one of the named decisions below. So a checkpoint needs no generator
state and results do not depend on threads. Two runs that differ only in treatment use common
random numbers.
"""

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bonesim.kernel import kernel

# What a draw depends on, each of a type of its own for type checkers alone: see `lattice.indices`.
if TYPE_CHECKING:

    class Seed(int):
        """The seed of a run."""

    class Day(int):
        """A day of the simulation, before day 0 in the burn-in; or what stands in place of a day."""

    class Place(int):
        """A number that stands for a place: a voxel, a candidate, a dose."""

else:
    Seed = Place = int
    Day = np.int64

#: The id of a cell, a site or a BMU.
Identity: TypeAlias = np.uint64
#: Who or where: what else a draw depends on beside the day.
Entity: TypeAlias = Identity | Place
#: Four 32-bit words, each in a uint64.
Words: TypeAlias = tuple[np.uint64, np.uint64, np.uint64, np.uint64]

# The closed list of decisions that involve chance. A number is never reused; 10, 11, 12 and 34 are past.
CANDIDATE_PLACE = 1
ORIGINATION = 2
BMU_AREA = 3
BMU_DIRECTION = 4
BMU_TURN = 5
OSTEOCLAST_PLACE = 6
STRAIN_STOP = 7
OSTEOCLAST_NUMBER = 8
MONONUCLEAR_DEPTH = 9
OSTEOBLAST_LIFE = 13
OSTEOBLAST_FATE = 14
OSTEOCYTE_NUMBER = 15
OSTEOCYTE_DEATH = 16
MINERAL_AGE = 17
OSTEOCYTE_AGE = 18
SPECIMEN = 19
MONONUCLEAR_END = 20
OSTEOBLAST_NUMBER = 21
MISSED_DOSE = 22
PERSON = 23
READING = 24
MODELLING_PLACE = 25
MODELLING_START = 26
BREAKTHROUGH = 27
TRAIT = 28
ARM = 29
DROPOUT = 30
REPEATED_TRIAL = 31
BMU_DEPTH = 32
TERRITORY_DEPTH = 33
FORMING_SPELL = 35
BMU_WAIT = 36

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_LOW_SIGNED = np.int64(0xFFFFFFFF)
_32 = np.uint64(32)
_5 = np.uint64(5)
_6 = np.uint64(6)
_2_26 = 67108864.0
_2_53 = 1.0 / 9007199254740992.0


@kernel
def philox(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> Words:
    """Philox4x32-10: four 32-bit words from a 128-bit counter and a 64-bit key.

    All arguments and results are uint64 holding 32-bit values.
    """
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0, c1, c2, c3 = (
            (p1 >> _32) ^ c1 ^ k0,
            p1 & _LOW,
            (p0 >> _32) ^ c3 ^ k1,
            p0 & _LOW,
        )
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@kernel
def words(seed: Seed, day: Day, entity: Entity, purpose: int) -> Words:
    """The four random words of one decision. `day` may be negative (burn-in)."""
    s = np.uint64(seed)
    w = np.uint64(entity)
    d = np.uint64(np.int64(day) & _LOW_SIGNED)
    return philox(w & _LOW, w >> _32, d, np.uint64(purpose), s & _LOW, s >> _32)


@kernel
def uniform(seed: Seed, day: Day, entity: Entity, purpose: int) -> float:
    """A number in [0, 1), 53 bits, for one decision."""
    a, b, _, _ = words(seed, day, entity, purpose)
    return (np.float64(a >> _5) * _2_26 + np.float64(b >> _6)) * _2_53


@kernel
def uniforms(seed: Seed, day: Day, entity: NDArray[np.uint64], purpose: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each identity in the array `entity` (uint64), for one decision."""
    numbers = np.empty(entity.size, np.float64)
    for k in range(entity.size):
        numbers[k] = uniform(seed, day, entity[k], purpose)
    return numbers


@kernel
def uniform_pair(seed: Seed, day: Day, entity: Entity, purpose: int) -> tuple[float, float]:
    """Two independent numbers in [0, 1) for one decision."""
    a, b, c, d = words(seed, day, entity, purpose)
    return (
        (np.float64(a >> _5) * _2_26 + np.float64(b >> _6)) * _2_53,
        (np.float64(c >> _5) * _2_26 + np.float64(d >> _6)) * _2_53,
    )


@kernel
def normal(seed: Seed, day: Day, entity: Entity, purpose: int) -> float:
    """A standard normal number for one decision (Box 1958)."""
    u, v = uniform_pair(seed, day, entity, purpose)
    return np.sqrt(-2.0 * np.log(1.0 - u)) * np.cos(2.0 * np.pi * v)


@kernel
def poisson(mean: float, seed: Seed, day: Day, entity: Entity, purpose: int) -> int:
    """A Poisson count for one decision, by inversion: for means up to about 30."""
    u = uniform(seed, day, entity, purpose)
    p = np.exp(-mean)
    cumulated = p
    count = 0
    while u > cumulated and count < 200:
        count += 1
        p *= mean / count
        cumulated += p
    return count


@kernel
def rounded(x: float, seed: Seed, day: Day, entity: Entity, purpose: int) -> int:
    """`x` (not negative) rounded up or down at random so that its mean is `x`."""
    whole = int(x)
    if uniform(seed, day, entity, purpose) < x - whole:
        whole += 1
    return whole
