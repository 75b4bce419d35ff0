"""Stiffness of rigid bodies against dense matrix products."""

import numpy as np
import pytest

from bonesim.mechanics.aggregates import aggregated, coarser_graph
from bonesim.mechanics.cases import confined
from bonesim.mechanics.element import CORNERS, stiffness
from bonesim.mechanics.galerkin import (
    WITHIN,
    add_held,
    add_shifted,
    assemble,
    coarsen,
    held_components,
    of_nodes,
    patterns,
    rigid_motion,
)
from bonesim.mechanics.mesh import finest
from tests.mechanics.structures import (
    DIAGONAL,
    FREE,
    POISSON,
    SHAPES,
    assembled,
    bodies,
    bodies_of_bodies,
    clamped,
    grouped,
    incidence,
    plates,
    random_weight,
    rigid_motions,
    rotation_about,
    whole,
)

HELD = {"free": FREE, "clamped": clamped(), "confined": confined()}
WEIGHTS = [random_weight(shape, 5, 0.45) for shape in (*SHAPES[:4], (7, 7, 7))] + [plates(1, 6)]


def shift(arm: np.ndarray) -> np.ndarray:
    """Motion at an arm from the centre (6, 6)."""
    return np.vstack([rotation_about(arm), np.hstack([np.zeros((3, 3)), np.eye(3)])])


def test_patterns_are_blocks_of_an_element() -> None:
    table, matrix = patterns(POISSON), stiffness(POISSON)
    motion = rigid_motion(CORNERS - 0.5)
    for k, corner in enumerate(CORNERS):
        np.testing.assert_array_equal(motion[k], rotation_about(corner - 0.5))
    rng = np.random.default_rng(1)
    for digits in rng.integers(0, 3, (50, 8)):
        one = motion * (digits == 1)[:, None, None]
        other = motion * (digits == 2)[:, None, None] if (digits == 2).any() else one
        expected = one.reshape(24, 6).T @ matrix @ other.reshape(24, 6)
        np.testing.assert_allclose(table[digits @ 3 ** np.arange(8)], expected, atol=1e-12)
    np.testing.assert_allclose(table[WITHIN], 0.0, atol=1e-12)


def test_a_shifted_block_is_a_congruence() -> None:
    rng = np.random.default_rng(2)
    block, out = rng.normal(size=(2, 6, 6))
    a, b = rng.normal(size=(2, 3))
    expected = out + 1.7 * shift(a).T @ block @ shift(b)
    add_shifted(block, a, b, 1.7, np.empty((6, 6)), out)
    np.testing.assert_allclose(out, expected, atol=1e-12)
    expected = out + shift(a).T @ block.T @ shift(b)
    add_shifted(block.T, a, b, 1.0, np.empty((6, 6)), out)
    np.testing.assert_allclose(out, expected, atol=1e-12)


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_the_coarse_stiffness_is_the_dense_product(held: np.ndarray) -> None:
    for weight in WEIGHTS:
        level = finest(weight, held, DIAGONAL)
        groups, graph = grouped(level)
        motion = bodies(level, groups)
        expected = motion.T @ assembled(level) @ motion
        places = level.places[:, ::-1].astype(float)
        blocks = of_nodes(level, places, incidence(level), groups, graph, POISSON)
        np.testing.assert_allclose(whole(graph, blocks), expected, atol=1e-9)
        plain = np.zeros_like(blocks)
        assemble(
            (level.corners, level.cells), level.mesh.weight, places, *incidence(level),
            held_components(level), groups, graph, patterns(POISSON), stiffness(POISSON), plain,
        )  # fmt: skip
        np.testing.assert_array_equal(plain, blocks)

        again = aggregated(graph, groups.centres)
        below = coarser_graph(graph, again)
        coarse = np.zeros((below.blocks, 6, 6))
        coarsen(graph, blocks, groups.centres, again, below, coarse)
        motion = bodies_of_bodies(groups.centres, again)
        np.testing.assert_allclose(whole(below, coarse), motion.T @ expected @ motion, atol=1e-7)


def test_an_element_at_held_nodes() -> None:
    level = finest(random_weight((4, 4, 4), 1, 1.1), clamped(), DIAGONAL)
    groups, graph = grouped(level)
    held, places = held_components(level), level.places[:, ::-1].astype(float)
    motion = bodies(level, groups)
    for e in (0, 5, 63):
        stiff = assembled(level, [e], hold=False)
        expected = motion.T @ stiff @ motion / level.mesh.weight[e]
        blocks = np.zeros((graph.blocks, 6, 6))
        for a in set(groups.number[level.corners[e]].tolist()):
            slot = np.zeros(len(groups.centres), np.int64)
            for k in range(graph.first[a], graph.first[a + 1]):
                slot[graph.columns[k]] = graph.place[k]
            add_held(
                level.corners[e], places, groups.number, held, groups.centres, a, 1.0,
                stiffness(POISSON), slot, np.empty((24, 6)), np.empty((24, 6)), blocks,
            )  # fmt: skip
        np.testing.assert_allclose(whole(graph, blocks), expected, atol=1e-10)


def test_components_that_are_held() -> None:
    level = finest(random_weight((3, 4, 5), share=1.1), confined(), DIAGONAL)
    for bits, (z, y, x) in zip(held_components(level), level.places.tolist(), strict=True):
        assert bits == (x in (0, 5)) + 2 * (y in (0, 4)) + 4 * (z in (0, 3))


def test_rigid_motions_of_the_whole_are_motions_of_the_bodies() -> None:
    """So they cost nothing on any level."""
    level = finest(random_weight((6, 5, 7), 3, 0.6), FREE, DIAGONAL)
    groups, _ = grouped(level)
    motion = bodies(level, groups)
    for u in rigid_motions(level):
        of_bodies = np.linalg.lstsq(motion, u, rcond=None)[0]
        np.testing.assert_allclose(motion @ of_bodies, u, atol=1e-9)
