"""The cortical shell against cavities in a list, one by one, and bone in a list by its age."""

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bonesim.instruments.cortex import CortexParameters, cortical_shell

YOUNG = 200
OLDEST = 20_000

parameters = st.builds(
    CortexParameters,
    canals_percent=st.floats(1, 20),
    turnover_percent_per_year=st.floats(0, 10),
    osteoclastic_share=st.floats(0, 1),
    resorption_day=st.integers(1, 60),
    reversal_day=st.integers(0, 60),
    formation_day=st.integers(1, 200),
    endosteal_activation_per_year=st.floats(0, 0.5),
    thickness_um=st.floats(500, 5000),
    slow_tau_day=st.floats(50, 900),
)


class Cavity:
    """One day's cavities of one surface: it knows its age, and what it does at that age."""

    def __init__(self, number: float, radius: float, canal: float, p: CortexParameters) -> None:
        self.number, self.radius, self.canal, self.p, self.age = number, radius, canal, p, 0

    def day(self) -> tuple[float, float, float]:
        """What it claims, refills and leaves on the next day of its age."""
        p, dug, left = self.p, self.radius**2, self.canal**2
        rests = p.resorption_day + p.reversal_day
        end = rests + p.formation_day
        self.age += 1
        claims = dug / p.resorption_day if self.age <= p.resorption_day else 0.0
        fills = (dug - left) / p.formation_day if rests < self.age <= end else 0.0
        return self.number * claims, self.number * fills, self.number * left * (self.age == end)


def plain(activation: list[float], depth: list[float], p: CortexParameters) -> np.ndarray:
    """Bone, canals, open, thinned and mineral of each day; bone is kept by its age in days."""
    r = np.sqrt(p.canals_percent / 100)
    whole = p.resorption_day + p.reversal_day + p.formation_day

    def around_canal(births: float, f: float) -> Cavity:
        more = (1 - r) * p.osteoclastic_share * (f - 1)
        canal = r + more if more > 0 else r * (1 + more)
        return Cavity(births * p.turnover_percent_per_year / 36525, 1 + more, canal, p)

    def on_endosteum(births: float, f: float) -> Cavity:
        more = p.osteoclastic_share * (f - 1)
        a_day = births * p.endosteal_activation_per_year / 365.25
        return Cavity(a_day * p.endosteal_depth_um / p.thickness_um, np.sqrt(1 + more),
                      np.sqrt(max(more, 0)), p)  # fmt: skip

    surfaces = (
        (make_open(around_canal, activation[0], depth[0], whole), around_canal),
        (make_open(on_endosteum, activation[0], depth[0], whole), on_endosteum),
    )
    opened = sum(area for (_, area), _ in surfaces)
    formed = sum(
        one.number * (one.radius**2 - one.canal**2)
        for one in (make(activation[0], depth[0]) for _, make in surfaces)
    )
    first = canals = r**2 * (1 - opened)
    bone, thinned = 1 - opened - canals, 0.0
    by_age = bone_by_age(bone - formed * YOUNG, formed)
    since = np.maximum(np.arange(OLDEST) - 15.0, 0)
    m = 0.65 * (1 - np.exp(-since / 6)) + 0.35 * (1 - np.exp(-since / p.slow_tau_day))
    rows = [(bone, canals, opened, 0.0, by_age @ m)]
    for today in range(1, len(activation)):
        done = []
        for ((cavities, _), make), factor in zip(
            surfaces, (np.sqrt(canals / first), 1.0), strict=True
        ):
            cavities.append(make(activation[today] * factor, depth[today]))
            done.append(np.sum([one.day() for one in cavities], axis=0))
            cavities[:] = [one for one in cavities if one.age < whole]
        (claimed, filled, left), (flat, refilled, lost) = done
        share = bone / (bone + canals)
        taken, formed = claimed * share + flat, filled + refilled
        by_age[-2] += by_age[-1]
        by_age = np.concatenate(([formed], by_age[:-1]))
        by_age[YOUNG:] *= 1 - taken / by_age[YOUNG:].sum()
        canals += left - claimed * (1 - share)
        bone += formed - taken
        opened += claimed + flat - filled - refilled - left - lost
        thinned += lost
        rows.append((bone, canals, opened, thinned, by_age @ m))
    return np.array(rows).T


def make_open(
    make: Callable[[float, float], Cavity], births: float, depth: float, whole: int
) -> tuple[list[Cavity], float]:
    """The cavities of a surface that are open on day 0 if all days were alike, and their area."""
    cavities, area = [], 0.0
    for age in range(1, whole):
        one = make(births, depth)
        for _ in range(age):
            claimed, filled, left = one.day()
            area += claimed - filled - left
        cavities.append(one)
    return cavities, area


def bone_by_age(old: float, formed: float) -> np.ndarray:
    """Bone of each age in days if all days were alike; what is older still has the last age."""
    by_age = np.full(OLDEST, formed)
    by_age[YOUNG:] *= (old / (old + formed)) ** np.arange(1, OLDEST - YOUNG + 1)
    by_age[-1] += old - by_age[YOUNG:].sum()
    return by_age


@settings(max_examples=8, deadline=None)
@given(
    parameters,
    st.lists(st.tuples(st.floats(0, 4), st.floats(0, 2)), min_size=1, max_size=5),
    st.integers(1, 60),
)
def test_the_shell_is_its_cavities_and_its_bone_one_by_one(
    p: CortexParameters, levels: list[tuple[float, float]], each: int
) -> None:
    """Any course of births and depth, held for some days each."""
    activation = np.repeat([one[0] for one in levels], each)
    depth = np.repeat([one[1] for one in levels], each)
    found = np.array(cortical_shell(activation, depth, p))
    expected = plain(activation.tolist(), depth.tolist(), p)
    np.testing.assert_allclose(found[:4], expected[:4], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[4], expected[4], rtol=0, atol=1e-9)
