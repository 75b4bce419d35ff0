"""Classification of crossings, the innermost kernel, against a frozen plain reference."""

import numpy as np
from scipy import ndimage

from benchmarks.conftest import ratio_of_minima
from bonesim.kernel import kernel
from bonesim.lattice.topology import crossing_kind

FULL_26 = np.ones((3, 3, 3), int)
FACES_6 = ndimage.generate_binary_structure(3, 1)
#: The compiled kernel was some 1000 times faster than this reference when it was frozen.
LEAST_RATIO = 100.0


@kernel
def classify_all(bits, kinds):
    """Crossing kinds of many neighbourhoods."""
    for row in range(bits.size):
        kinds[row] = crossing_kind(bits[row])


def plain_parts(bits: int) -> tuple[int, int]:
    """Bone and marrow parts around a voxel by labelling: the frozen reference."""
    around = np.array([(bits >> k) & 1 for k in range(27)], bool).reshape(3, 3, 3)
    bone = ndimage.label(around, FULL_26)[1]
    marrow = ~around
    marrow[1, 1, 1] = False
    for corner in np.ndindex(2, 2, 2):
        marrow[tuple(2 * c for c in corner)] = False
    labels, _ = ndimage.label(marrow, FACES_6)
    faces = labels[[0, 2, 1, 1, 1, 1], [1, 1, 0, 2, 1, 1], [1, 1, 1, 1, 0, 2]]
    return bone, len(set(faces[faces > 0].tolist()))


def test_crossing_kind(benchmark) -> None:
    bits = np.random.default_rng(1).integers(0, 1 << 27, 20000) & ~(1 << 13)
    kinds = np.zeros(bits.size, np.uint8)
    few = bits[:200].tolist()
    ratio = ratio_of_minima(
        lambda: classify_all(bits, kinds), lambda: [plain_parts(b) for b in few]
    ) * (bits.size / len(few))
    print(f"\ncrossing_kind: {ratio:.0f} x the plain reference")
    assert ratio >= LEAST_RATIO
    benchmark(classify_all, bits, kinds)
