"""The error a solve states against the true one, on bone that the program has simulated."""

import numpy as np
import pytest

from benchmarks.living_bone import Living, living, simulated
from bonesim.mechanics.cases import affine, confined, unit_strain
from bonesim.mechanics.memory import Memory
from bonesim.mechanics.solver import Structure

TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5)
#: True over stated error, and the share of solves that keep to it.
MOST_OPTIMISTIC = 1.5
SHARE = 0.99
#: Of the study: seed, edge of the block in mm, bone.
BONES = ((1, 2.0, "elderly_vertebra"), (2, 1.6, "young_vertebra"), (3, 1.2, "elderly_vertebra"),
         (4, 0.8, "young_vertebra"))  # fmt: skip


def optimism(block: Living, axes: tuple[int, ...], tolerances: tuple[float, ...]) -> list[float]:
    """True over stated error: each block cold, and from the block before if there is one."""
    found = []
    for axis in axes:
        memories: list[Memory] = []
        for weight in block.weights:
            structure = Structure(weight, confined(), 0.3)
            even = affine(structure.places, block.edge_mm, structure.mesh.stride,
                          unit_strain((2 - axis, 2 - axis)))  # fmt: skip
            exact = even.copy()
            assert structure.solve(exact, 1e-10).converged
            energy = float(exact @ structure.forces(exact))
            known = [Memory(weight.shape) for _ in tolerances]
            for k, tolerance in enumerate(tolerances):
                starts = [even.copy()]
                starts += [even + memories[k].recall(structure)] if memories else []
                for u in starts:
                    ended = structure.solve(u, tolerance)
                    assert ended.converged
                    assert ended.energy_error <= tolerance
                    true = float(u @ structure.forces(u)) / energy - 1.0
                    found.append(
                        true / ended.energy_error if ended.iterations else true / tolerance
                    )
                known[k].keep(structure, u - even)
            memories = known
    return found


def test_a_living_block_cold_and_warm() -> None:
    found = optimism(living("suppressed"), (0,), (1e-2, 1e-3, 1e-4))
    assert len(found) == 9
    assert max(found) <= MOST_OPTIMISTIC


@pytest.mark.slow
@pytest.mark.parametrize("suppressed", [False, True], ids=["healthy", "suppressed"])
def test_living_bones_cold_and_warm(suppressed: bool) -> None:
    """Four bones, two months each, all axes: 144 solves healthy and as many suppressed."""
    found = []
    for seed, size, preset in BONES:
        days = (300, 330) if suppressed else (30, 60)
        block = simulated(days, suppressed, seed, size_mm=[size] * 3, preset=preset)
        found += optimism(block, (0, 1, 2), TOLERANCES)
    assert len(found) >= 100
    print(f"\n{len(found)} solves: true over stated error, quantiles "
          f"{np.quantile(found, [0.5, 0.9, 0.99, 1.0]).round(2)}")  # fmt: skip
    assert np.mean(np.array(found) <= MOST_OPTIMISTIC) >= SHARE
