"""Displacement remembered by place, against a plain lookup."""

import numpy as np

from bonesim.mechanics.memory import Memory, spread
from bonesim.mechanics.solver import Structure
from tests.mechanics.structures import FREE, POISSON, clamped, random_weight

SHAPE = (6, 5, 7)


def structure(seed: int, held: np.ndarray = FREE) -> Structure:
    return Structure(random_weight(SHAPE, seed, 0.3), held, POISSON)


def displacement(of: Structure) -> np.ndarray:
    u = np.zeros((3, of.mesh.stride))
    u[:, : len(of.places)] = np.random.default_rng(9).normal(size=(3, len(of.places)))
    return u.astype(np.float32).astype(np.float64).ravel()


def plain(known: dict[tuple[int, ...], np.ndarray], place: tuple[int, ...]) -> np.ndarray:
    """The remembered displacement of a place, or its neighbours' mean, or 0."""
    if place in known:
        return known[place]
    near = [known[p] for s in np.ndindex(3, 3, 3)
            if (p := tuple(int(a + b - 1) for a, b in zip(place, s, strict=True))) in known]  # fmt: skip
    return np.mean(near, axis=0) if near else np.zeros(3)


def test_new_nodes_take_their_neighbours_mean() -> None:
    before, after = structure(1), structure(2)
    u = displacement(before)
    rows = u.reshape(3, -1)[:, : len(before.places)].T
    known = {tuple(map(int, p)): row for p, row in zip(before.places, rows, strict=True)}
    expected = np.array([plain(known, tuple(map(int, p))) for p in after.places])
    assert any(tuple(map(int, p)) not in known for p in after.places)

    where = np.full([n + 1 for n in SHAPE], -1, np.int32)
    where[tuple(before.places.T)] = np.arange(len(before.places))
    out = np.zeros(3 * after.mesh.stride)
    spread(rows.astype(np.float32), where, after.places, after.mesh.stride, out)
    found = out.reshape(3, -1)
    np.testing.assert_allclose(found[:, : len(expected)].T, expected, atol=1e-6)
    assert not found[:, len(expected) :].any()

    memory = Memory(SHAPE)
    assert not memory.recall(after).any()
    memory.keep(before, u)
    np.testing.assert_array_equal(memory.recall(after), out)
    np.testing.assert_array_equal(memory.recall(before), u)
    again = Memory(SHAPE)
    again.restore(memory.state())
    np.testing.assert_array_equal(again.recall(after), out)


def test_what_is_held_is_not_remembered() -> None:
    one = structure(1, clamped())
    memory = Memory(SHAPE)
    memory.keep(one, np.ones(3 * one.mesh.stride))
    u = memory.recall(one)
    assert one.mesh.fixed.size
    assert not u[one.mesh.fixed].any()
    free = np.ones((3, one.mesh.stride), bool)
    free[:, len(one.places) :] = False
    free.ravel()[one.mesh.fixed] = False
    assert (u[free.ravel()] == 1.0).all()
