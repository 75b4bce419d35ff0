"""Local thickness against a frozen plain reference; the panel's own time is printed."""

import numpy as np

from benchmarks.conftest import ratio_of_minima
from bonesim.morphometry.panel import measure
from bonesim.morphometry.thickness import paint_spheres
from bonesim.specimens import Specimen

LEAST_RATIO = 10.0


def plain_spheres(radius: np.ndarray, largest: np.ndarray) -> None:
    """Every sphere painted with NumPy slices: the frozen reference.

    A distance between voxels squared is whole, so the float32 radius is squared back to it:
    a voxel at exactly the radius lies outside.
    """
    for place in np.argwhere(radius > 0):
        r = radius[tuple(place)]
        reach = int(np.ceil(r)) - 1
        box = tuple(
            slice(max(0, c - reach), min(n, c + reach + 1))
            for c, n in zip(place, radius.shape, strict=True)
        )
        axes = np.ogrid[box]
        inside = sum((a - c) ** 2 for a, c in zip(axes, place, strict=True)) < np.rint(r * r)
        np.maximum(largest[box], np.where(inside, r, 0), out=largest[box])


def test_thickness(benchmark, young_bone: Specimen) -> None:
    import edt

    bone = np.ascontiguousarray(young_bone.quanta[:32, :32, :32] >= 128, np.uint8)
    radius = edt.edt(bone, black_border=False)

    def fast() -> np.ndarray:
        largest = np.zeros_like(radius)
        paint_spheres(radius, largest)
        return largest

    def plain() -> np.ndarray:
        largest = np.zeros_like(radius)
        plain_spheres(radius, largest)
        return largest

    assert np.array_equal(fast(), plain())
    ratio = ratio_of_minima(fast, plain, 3)
    print(f"\npaint_spheres: {ratio:.0f} x the plain reference")
    assert ratio >= LEAST_RATIO
    benchmark(fast)


def test_panel(benchmark, young_bone: Specimen) -> None:
    benchmark.pedantic(measure, (young_bone.quanta, young_bone.voxel_um), rounds=2)
