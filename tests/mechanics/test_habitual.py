"""When a solve's answer counts; solves on other threads; restart while one is under way."""

import threading
from typing import Any

import numba
import numpy as np
import pytest
from pydantic import ValidationError

from bonesim.errors import NumericalError
from bonesim.mechanics.habitual import Habitual
from bonesim.mechanics.loading import Answer, HabitualLoad, MechanicsParameters

P = MechanicsParameters(delay_day=6, tolerance=1e-6)


def bone(seed: int) -> np.ndarray:
    """Walls and struts of some voxels, with holes."""
    rng = np.random.default_rng(seed)
    solid = np.zeros((16, 16, 16), bool)
    solid[:, 4:8, :] = solid[:, :, 8:12] = True
    solid[rng.random(solid.shape) < 0.05] = False
    return np.where(solid, 255, 0).astype(np.uint8)


def started(p: MechanicsParameters = P) -> Habitual:
    """The first solve on day 0, the second, of other bone, on day 30."""
    habitual = Habitual(p, (16, 16, 16), 25.0)
    for day, quanta in ((0, bone(1)), (30, bone(2))):
        habitual.start(quanta, quanta, day)
        if day == 0:
            assert habitual.take(0)
    return habitual


def same(one: Habitual, two: Habitual) -> None:
    np.testing.assert_array_equal(one.energy, two.energy)
    assert one.results == two.results
    for a, b in zip(one.load.memory, two.load.memory, strict=True):
        for name, value in a.state().items():
            np.testing.assert_array_equal(value, b.state()[name])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_an_answer_counts_from_its_day_on(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
    habitual, at_once = started(), started(P.model_copy(update={"delay_day": 0}))
    before = habitual.energy.copy()
    assert before.max() > 0.0
    for day in range(30, 36):
        assert not habitual.due(day, 10**9)  # however much bone has changed
        assert not habitual.take(day)
        np.testing.assert_array_equal(habitual.energy, before)
    assert at_once.take(30)
    assert habitual.take(36)
    assert not np.array_equal(habitual.energy, before)
    same(habitual, at_once)
    assert not habitual.take(37)
    assert habitual.due(60, 0) and not habitual.due(59, int(bone(2).sum()))  # from its start


def test_solves_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for threads in (1, 2, 4):
        monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
        habitual = started()
        habitual.take(36)
        found.append(habitual)
    same(found[0], found[1])
    same(found[0], found[2])


def test_the_caller_goes_on_while_a_solve_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """On two threads `start` returns before the solve ends, and its bone may be changed then."""
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 2)
    gate, whole = threading.Event(), HabitualLoad.answer

    def slow(self: HabitualLoad, *given: Any) -> Answer:
        assert threading.current_thread() is threading.main_thread() or gate.wait(60)
        return whole(self, *given)

    monkeypatch.setattr(HabitualLoad, "answer", slow)
    habitual, calm = Habitual(P, (16, 16, 16), 25.0), started()
    habitual.start(bone(1), bone(1), 0)
    habitual.take(0)
    quanta, mineral = bone(2), bone(2)
    habitual.start(quanta, mineral, 30)
    quanta[:] = mineral[:] = 0
    gate.set()
    habitual.take(36)
    calm.take(36)
    same(habitual, calm)


def test_a_state_waits_for_the_solve_under_way() -> None:
    habitual = started()
    state = habitual.state()
    assert state["coming"]["is_one"] == 1
    again = Habitual(P, (16, 16, 16), 25.0)
    again.restore(state)
    for one in (habitual, again):
        assert not one.take(35)
        assert one.take(36)
    same(habitual, again)
    assert habitual.state()["coming"]["is_one"] == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_a_failed_solve_is_reported_on_the_day_it_counts(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
    habitual = Habitual(P, (16, 16, 16), 25.0)
    habitual.solve(bone(1), bone(1), 0)
    monkeypatch.setattr("bonesim.mechanics.loading.MAX_CYCLES", 1)
    habitual.start(bone(3), bone(3), 30)
    assert not habitual.take(35)
    with pytest.raises(NumericalError, match="did not converge"):
        habitual.take(36)


def test_a_delay_is_shorter_than_the_interval() -> None:
    assert MechanicsParameters(interval_day=30, delay_day=29).delay_day == 29
    assert MechanicsParameters(interval_day=0, delay_day=5).interval_day == 0
    with pytest.raises(ValidationError, match="delay_day is 30; it must be less than interval_day"):
        MechanicsParameters(interval_day=30, delay_day=30)
