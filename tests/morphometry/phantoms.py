"""Bodies of known shape, sampled with partial volume, at any resolution, place and turn."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

Floats = NDArray[np.float64]


def places(edge: int) -> Floats:
    """(z, y, x) of the voxels of a cube, from its middle, voxels; shape (3, n, n, n)."""
    return np.indices((edge,) * 3) - (edge - 1) / 2.0


def turned(place: Floats, degree: float) -> Floats:
    """The same places in axes turned about the diagonal (Rodrigues)."""
    angle = np.radians(degree)
    axis = np.ones(3) / np.sqrt(3.0)
    z, y, x = axis
    cross = np.array([[0, -x, y], [x, 0, -z], [-y, z, 0]])
    matrix = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return np.einsum("ij,j...->i...", matrix, place)


def sampled(depth: Floats) -> NDArray[np.uint8]:
    """Quanta from the depth below the surface, voxels; boundary voxels are partly full."""
    return np.round(255 * np.clip(depth + 0.5, 0, 1)).astype(np.uint8)


def slab(place: Floats, half: float) -> Floats:
    return half - np.abs(place[0])


def rod(place: Floats, radius: float) -> Floats:
    return radius - np.hypot(place[1], place[2])


def ball(place: Floats, radius: float) -> Floats:
    return radius - np.sqrt((place**2).sum(axis=0))


def gyroid(place: Floats, period: float) -> Floats:
    """Half bone, half marrow, a surface without mean curvature."""
    z, y, x = 2 * np.pi / period * place
    level = np.sin(z) * np.cos(y) + np.sin(y) * np.cos(x) + np.sin(x) * np.cos(z)
    return level * period / (2 * np.pi) / 1.5  # about a distance near the surface


def lattice(place: Floats, pitch: tuple[float, float, float], radius: float) -> Floats:
    """Rods along z, y and x through the points of a grid of these pitches (z, y, x)."""
    z, y, x = (
        (p + half) % (2 * half) - half for p, half in zip(place, np.array(pitch) / 2, strict=True)
    )
    away = np.minimum(np.minimum(np.hypot(y, x), np.hypot(z, x)), np.hypot(z, y))
    return radius - away


#: A voxel and the six nearest.
FACES = np.zeros((3, 3, 3), bool)
FACES[1, 1, :] = FACES[1, :, 1] = FACES[:, 1, 1] = True


def parts_about(around: NDArray[np.bool_]) -> tuple[int, int]:
    """Bone and marrow parts about the middle of a 3 x 3 x 3 block, by labelling."""
    bone = around.copy()
    bone[1, 1, 1] = False
    near = np.abs(np.indices((3, 3, 3)) - 1).sum(axis=0)
    labels, _ = label(~bone & (near > 0) & (near < 3), FACES)
    touching = set(labels[(near == 1) & ~bone]) - {0}
    return label(bone, np.ones((3, 3, 3)))[1], len(touching)
