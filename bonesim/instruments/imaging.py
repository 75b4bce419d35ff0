"""A simulated scan of the lattice: blurred, at the scanner's voxels, noisy, and thresholded."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from bonesim.chance import Day, Seed
from bonesim.errors import InputError
from bonesim.instruments.reading import identity_of, voxel_noise
from bonesim.parameters import Parameters
from bonesim.units import BONE, FULL

#: Codes of the truth between two days.
TRUTH = {"marrow": 0, "quiescent": 1, "formed": 2, "resorbed": 3}
#: Fewest voxels of a scan along an edge (specimens.image has the same limit).
FEWEST_VOXELS = 3


class Scanner(Parameters):
    """Resolution, noise and threshold of a scanner."""

    voxel_um: Annotated[float, Field(gt=0, le=5000, description="edge of a voxel; choice")]
    blur_um: Annotated[
        float,
        Field(ge=0, le=5000, description="SD of its Gaussian point spread; SCANNERS, or assumed"),
    ]
    noise_mg_per_cm3: Annotated[
        float, Field(ge=0, le=2000, description="SD of one voxel; SCANNERS, assumed")
    ]
    threshold_mg_per_cm3: Annotated[
        float,
        Field(gt=0, le=2000, description="bone is at this density or above; SCANNERS, or assumed"),
    ]


# The blur of the two HR-pQCTs is that of a Gaussian whose transfer falls to 10 % at one line pair
# per two resolved widths, SD = 0.68 width; the widths, 95 and 142 um, are recalled from Manske
# 2015 (Bone 79:213), not read. Noise is assumed throughout: no two protocols agree.
SCANNERS = {
    # A specimen on the bench. Blur of half a voxel and a bit, and half of bone's density: assumed.
    "micro_ct_20": Scanner(
        voxel_um=20.0, blur_um=12.0, noise_mg_per_cm3=60.0, threshold_mg_per_cm3=500.0
    ),
    # Second generation, in vivo; trabecular threshold 320: Whittier 2020 (Osteoporos Int 31:1607).
    "hr_pqct_61": Scanner(
        voxel_um=60.7, blur_um=65.0, noise_mg_per_cm3=60.0, threshold_mg_per_cm3=320.0
    ),
    # First generation. Its own protocol sharpens before it thresholds; here: assumed as the second.
    "hr_pqct_82": Scanner(
        voxel_um=82.0, blur_um=97.0, noise_mg_per_cm3=50.0, threshold_mg_per_cm3=320.0
    ),
    # A clinical CT with a phantom; all assumed. It shows density, not trabeculae: its mask is
    # where spongiosa is dense.
    "qct": Scanner(
        voxel_um=500.0, blur_um=350.0, noise_mg_per_cm3=20.0, threshold_mg_per_cm3=200.0
    ),
}  # fmt: skip


def scanner_named(name: str) -> Scanner:
    """A scanner's settings.

    Raises:
        InputError: unknown name.
    """
    if name not in SCANNERS:
        raise InputError(f"no scanner {name!r}; allowed are {', '.join(SCANNERS)}")
    return SCANNERS[name]


def density_image(
    quanta: NDArray[np.uint8], mineral: NDArray[np.uint8], full_mg_per_cm3: float,
    marrow_mg_per_cm3: float,
) -> NDArray[np.float32]:  # fmt: skip
    """The true density of each voxel, mgHA/cm3.

    Args:
        quanta: bone, 0..255 a voxel.
        mineral: mineralisation of that bone, 0..255.
        full_mg_per_cm3: density of fully mineralised bone.
        marrow_mg_per_cm3: reading of the scanner in marrow.
    """
    bone = quanta.astype(np.float32) / np.float32(FULL)
    tissue = mineral.astype(np.float32) * np.float32(full_mg_per_cm3 / FULL)
    return bone * tissue + (1 - bone) * np.float32(marrow_mg_per_cm3)


def seen(
    density: NDArray[np.float32], voxel_um: float, scanner: Scanner, seed: int, day: int
) -> NDArray[np.float32]:
    """The grey values a scanner gives, mgHA/cm3, at its own voxels (same corner).

    Outside the block lies its mirror image, as in the simulation: it completes the last voxel
    where at least half of that lies in the block; a smaller rest at the far faces is cut.

    Args:
        density: true density, (nz, ny, nx) at `voxel_um`.
        voxel_um: edge of a voxel of `density`.
        scanner: settings.
        seed, day: which noise.

    Raises:
        InputError: see `scanned_shape`.
    """
    counts = scanned_shape(density.shape, voxel_um, scanner)
    step = scanner.voxel_um / voxel_um
    grey = density
    if scanner.blur_um > 0.0:
        grey = ndimage.gaussian_filter(grey, scanner.blur_um / voxel_um, mode="reflect")
    for axis, count in enumerate(counts):
        grey = box_means(grey, step, count, axis)
    grey = np.ascontiguousarray(grey, dtype=np.float32)
    if scanner.noise_mg_per_cm3 > 0.0:
        voxel_noise(Seed(seed), Day(day), identity_of("image"), grey.reshape(-1),
                    np.float64(scanner.noise_mg_per_cm3))  # fmt: skip
    return grey


def scanned_shape(shape: tuple[int, ...], voxel_um: float, scanner: Scanner) -> tuple[int, ...]:
    """The voxels a scan of a lattice has along each axis.

    Raises:
        InputError: the block is too small for such voxels, or they are finer than makes sense.
    """
    step = scanner.voxel_um / voxel_um
    if step < 0.5:
        raise InputError(
            f"voxels of {scanner.voxel_um:g} um are finer than half of the run's {voxel_um:g} um "
            f"and add no detail; give at least {0.5 * voxel_um:g} um"
        )
    # Half a voxel and more is rounded up, to one; Python's own rounding would make 2.5 into 2.
    counts = tuple(int(np.floor(length / step + 0.5 + 1e-6)) for length in shape)
    if min(counts) < FEWEST_VOXELS:
        most = min(shape) * voxel_um / FEWEST_VOXELS
        raise InputError(
            f"the block has fewer than {FEWEST_VOXELS} voxels of {scanner.voxel_um:g} um along an "
            f"edge; give voxels of at most {most:g} um, or simulate a larger block"
        )
    return counts


def box_means(
    values: NDArray[np.float32], step: float, count: int, axis: int
) -> NDArray[np.float32]:
    """Means over `count` boxes of `step` voxels along an axis; the sum is conserved.

    Any ratio is exact, parts of voxels included: the running sum is linear within a voxel. Boxes
    that reach past the end use the mirror image there.
    """
    if step == 1.0 and count == values.shape[axis]:
        return values
    lines = np.moveaxis(values, axis, 0)
    beyond = int(np.ceil(count * step - 1e-6)) - lines.shape[0]
    if beyond > 0:
        lines = np.concatenate((lines, lines[: -beyond - 1 : -1]))
    sums = np.zeros((lines.shape[0] + 1, *lines.shape[1:]), np.float64)
    np.cumsum(lines, axis=0, dtype=np.float64, out=sums[1:])
    edges = np.minimum(np.arange(count + 1) * step, lines.shape[0])
    low = np.minimum(edges.astype(np.int64), lines.shape[0] - 1)
    part = (edges - low).reshape(-1, *[1] * (lines.ndim - 1))
    at_edges = sums[low] + part * lines[low]
    return np.moveaxis((np.diff(at_edges, axis=0) / step).astype(np.float32), 0, axis)


def bone_mask(grey: NDArray[np.float32], scanner: Scanner) -> NDArray[np.uint8]:
    """1 at or above the threshold of the scanner."""
    return (grey >= scanner.threshold_mg_per_cm3).astype(np.uint8)


def truth_between(earlier: NDArray[np.uint8], later: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Change of each voxel between two days, codes of `TRUTH`, at the run's own voxels.

    Two states are compared, as two scans are: bone resorbed and formed again in between counts
    as quiescent.
    """
    before, after = earlier >= BONE, later >= BONE
    truth = np.zeros(before.shape, np.uint8)
    truth[before & after] = TRUTH["quiescent"]
    truth[~before & after] = TRUTH["formed"]
    truth[before & ~after] = TRUTH["resorbed"]
    return truth
