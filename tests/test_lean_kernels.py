"""A lean kernel counts no references, and gives the same bits."""

from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.cells import osteoblast, osteoclast
from bonesim.kernel import LEAN, OPTIONS
from bonesim.signals import fields


class Table(NamedTuple):
    """A few columns."""

    first: NDArray[np.int64]
    following: NDArray[np.int64]
    weight: NDArray[np.float32]


def walk(table, step):  # type: ignore[no-untyped-def]
    total = 0.0
    row = table.first[0]
    while row >= 0:
        total += step(table, row)
        row = table.following[row]
    return total


def weigh(table, row):  # type: ignore[no-untyped-def]
    return np.sqrt(table.weight[row]) / 3.0


def compiled(options: dict[str, Any]) -> tuple[str, float]:
    """The machine's language of a walk through a table, and its result."""
    plain = {name: value for name, value in options.items() if name != "cache"}
    step = numba.njit(**plain)(weigh)
    kernel = numba.njit(**plain)(walk)
    weight = np.random.default_rng(1).random(10, dtype=np.float32)
    rows = np.arange(1, 11)
    rows[-1] = -1
    result = kernel(Table(np.zeros(1, np.int64), rows, weight), step)
    return "".join(kernel.inspect_llvm().values()), float(result)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_no_reference_is_counted_and_bits_are_the_same() -> None:
    counted, one = compiled(OPTIONS)
    lean, other = compiled(LEAN)
    assert one == other
    assert "NRT_incref" in counted
    assert "NRT_incref" not in lean
    assert "NRT_decref" not in lean


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_what_a_day_runs_is_lean() -> None:
    daily: list[Any] = [
        osteoblast.form, osteoblast.start_teams, osteoblast.leave, osteoclast.resorb,
        osteoclast.smooth, fields.release, fields.read_each,
    ]  # fmt: skip
    for kernel in daily:
        assert kernel.targetoptions["_nrt"] is False, kernel
