"""Chance against published answers, a twin in plain integers, and its moments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim import chance
from bonesim.kernel import kernel

word = st.integers(0, 2**32 - 1)
#: Moments of fixed draws: a wrong generator misses by far more than 4.5 standard errors.
DRAWS = 40_000
ERRORS = 4.5


def plain_philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 as the paper defines it, in Python's unbounded integers."""
    (a, b, c, d), (k, m) = counter, key
    for _ in range(10):
        left, right = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (
            (right >> 32) ^ b ^ k, right % 2**32, (left >> 32) ^ d ^ m, left % 2**32
        )  # fmt: skip
        k, m = (k + 0x9E3779B9) % 2**32, (m + 0xBB67AE85) % 2**32
    return [a, b, c, d]


@kernel
def draw_many(draw, count):  # type: ignore[no-untyped-def]
    """`count` draws of a kernel (seed, day, entity, purpose) over many identities and days."""
    out = np.empty(count, np.float64)
    for k in range(count):
        out[k] = draw(np.int64(11), np.int64(k % 50), np.uint64(k // 50), chance.BMU_AREA)
    return out


@kernel
def draw_poisson(mean, count):  # type: ignore[no-untyped-def]
    out = np.empty(count, np.float64)
    for k in range(count):
        out[k] = chance.poisson(mean, np.int64(5), np.int64(-k), np.uint64(k), chance.BMU_AREA)
    return out


@kernel
def draw_rounded(x, count):  # type: ignore[no-untyped-def]
    out = np.empty(count, np.float64)
    for k in range(count):
        out[k] = chance.rounded(x, np.int64(5), np.int64(k), np.uint64(k), chance.BMU_AREA)
    return out


def kernel_philox(counter: list[int], key: list[int]) -> list[int]:
    return [int(w) for w in chance.philox(*(np.uint64(w) for w in (*counter, *key)))]


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        (
            [0, 0, 0, 0],
            [0, 0],
            [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8],
        ),
        (
            [0xFFFFFFFF] * 4,
            [0xFFFFFFFF] * 2,
            [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
        ),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_gives_the_known_answers(
    counter: list[int], key: list[int], answer: list[int]
) -> None:
    """The three vectors for philox4x32-10 in Random123's kat_vectors (Salmon 2011)."""
    assert kernel_philox(counter, key) == answer
    assert plain_philox(counter, key) == answer


@given(st.lists(word, min_size=4, max_size=4), st.lists(word, min_size=2, max_size=2))
def test_philox_is_its_plain_twin(counter: list[int], key: list[int]) -> None:
    assert kernel_philox(counter, key) == plain_philox(counter, key)


@given(
    seed=st.integers(0, 2**63 - 1),
    day=st.integers(-8000, 80_000),
    entity=st.integers(0, 2**64 - 1),
    purpose=st.integers(1, 21),
)
def test_a_decision_is_a_function_of_seed_day_entity_and_purpose(
    seed: int, day: int, entity: int, purpose: int
) -> None:
    counter = [entity % 2**32, entity >> 32, day % 2**32, purpose]
    a, b, c, d = plain_philox(counter, [seed % 2**32, seed >> 32])
    args = (np.int64(seed), np.int64(day), np.uint64(entity), np.int64(purpose))
    assert [int(w) for w in chance.words(*args)] == [a, b, c, d]
    first = ((a >> 5) * 2**26 + (b >> 6)) / 2**53
    second = ((c >> 5) * 2**26 + (d >> 6)) / 2**53
    assert chance.uniform(*args) == first
    assert chance.uniform_pair(*args) == (first, second)
    assert 0.0 <= first < 1.0


def test_many_numbers_are_one_decision_each() -> None:
    entity = np.array([0, 7, 2**40 + 1, 7], np.uint64)
    found = chance.uniforms(np.int64(3), np.int64(-4), entity, chance.TRAIT)
    plain = [chance.uniform(np.int64(3), np.int64(-4), one, np.int64(28)) for one in entity]
    assert found.tolist() == plain
    assert len(set(plain)) == 3


def test_reasons_are_numbered_once() -> None:
    numbers = [v for k, v in vars(chance).items() if k.isupper() and not k.startswith("_")]
    assert len(numbers) == len(set(numbers)) >= 20


def test_uniform_moments_and_independence() -> None:
    u = draw_many(chance.uniform, DRAWS)
    assert u.min() >= 0 and u.max() < 1
    assert u.mean() == pytest.approx(0.5, abs=ERRORS / np.sqrt(12 * DRAWS))
    assert u.var() == pytest.approx(1 / 12, abs=ERRORS / np.sqrt(180 * DRAWS))
    for lag in (1, 50):
        between = np.corrcoef(u[:-lag], u[lag:])[0, 1]
        assert abs(between) < ERRORS / np.sqrt(DRAWS)
    counts = np.bincount((u * 20).astype(int), minlength=20)
    chi2 = ((counts - DRAWS / 20) ** 2 / (DRAWS / 20)).sum()
    assert 4 < chi2 < 50  # 19 degrees of freedom


def test_normal_moments() -> None:
    x = draw_many(chance.normal, DRAWS)
    assert x.mean() == pytest.approx(0, abs=ERRORS / np.sqrt(DRAWS))
    assert x.var() == pytest.approx(1, abs=ERRORS * np.sqrt(2 / DRAWS))
    assert (x**3).mean() == pytest.approx(0, abs=ERRORS * np.sqrt(15 / DRAWS))
    assert (x**4).mean() == pytest.approx(3, abs=ERRORS * np.sqrt(96 / DRAWS))
    assert np.mean(np.abs(x) < 1.959964) == pytest.approx(0.95, abs=0.005)


@pytest.mark.parametrize("mean", [0.0, 1e-3, 0.3, 2.0, 30.0])
def test_poisson_moments(mean: float) -> None:
    x = draw_poisson(mean, DRAWS)
    error = ERRORS * np.sqrt(mean / DRAWS)
    assert x.mean() == pytest.approx(mean, abs=error)
    assert x.var() == pytest.approx(mean, abs=ERRORS * np.sqrt((mean + 2 * mean**2) / DRAWS))
    assert np.mean(x == 0) == pytest.approx(np.exp(-mean), abs=error + 1e-3)


@pytest.mark.parametrize("x", [0.0, 0.25, 3.0, 7.9, 254.5])
def test_rounding_keeps_the_mean(x: float) -> None:
    drawn = draw_rounded(x, DRAWS)
    assert set(drawn) <= {np.floor(x), np.floor(x) + (x > np.floor(x))}
    part = x - np.floor(x)
    error = ERRORS * np.sqrt(part * (1 - part) / DRAWS)
    assert drawn.mean() == pytest.approx(x, abs=error + 1e-12)
