"""The 26 neighbours of a voxel as bits of one integer, and the adjacency among them.

The 3x3x3 block around a voxel is numbered 0..26 with bit = 9 (dz+1) + 3 (dy+1) + (dx+1); the
centre is bit 13. A neighbourhood is then one int64, and connected parts are found by flooding
with bit masks, without loops over voxels.
"""

import numpy as np

CENTRE = 13
OFFSETS = np.array(
    [(dz, dy, dx) for dz in (-1, 0, 1) for dy in (-1, 0, 1) for dx in (-1, 0, 1)], np.int64
)
#: Outward unit steps of the six faces, in the order -z, +z, -y, +y, -x, +x.
FACES = np.array([(-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)], np.int64)


def _bit(dz: int, dy: int, dx: int) -> int:
    return 9 * (dz + 1) + 3 * (dy + 1) + dx + 1


def _mask(cells: np.ndarray) -> int:
    """The integer with a bit for each (dz, dy, dx) row of `cells`, the centre left out."""
    return sum(1 << _bit(*map(int, cell)) for cell in cells if any(cell))


_order = np.abs(OFFSETS).sum(axis=1)  # 1 face, 2 edge, 3 corner
_distance = np.abs(OFFSETS[:, None, :] - OFFSETS[None, :, :])
_touch_26 = _distance.max(axis=2) == 1
_touch_6 = _distance.sum(axis=2) == 1
_within_18 = (_order >= 1) & (_order <= 2)

FACE_BITS = np.int64(_mask(OFFSETS[_order == 1]))
EDGE_BITS = np.int64(_mask(OFFSETS[_order == 2]))
CORNER_BITS = np.int64(_mask(OFFSETS[_order == 3]))
BITS_18 = np.int64(FACE_BITS | EDGE_BITS)
BITS_26 = np.int64(FACE_BITS | EDGE_BITS | CORNER_BITS)

#: For each of the 27 cells, the mask of the cells it touches by face, edge or corner.
TOUCHES_26 = np.array([_mask(OFFSETS[_touch_26[i]]) for i in range(27)], np.int64)
#: For each cell, the mask of the cells within the 18-neighbourhood it touches by a face.
TOUCHES_6_WITHIN_18 = np.array(
    [_mask(OFFSETS[_touch_6[i] & _within_18]) for i in range(27)], np.int64
)


def _shared(cells: list[tuple[int, int, int]]) -> np.ndarray:
    """For each corner, edge or face of the central cube: the mask of the voxels sharing it."""
    masks = []
    for direction in cells:
        shares = [
            offset
            for offset in OFFSETS
            if all(o in (0, d) if d else o == 0 for o, d in zip(offset, direction, strict=True))
        ]
        masks.append(_mask(np.array(shares)))
    return np.array(masks, np.int64)


_all = [(int(z), int(y), int(x)) for z, y, x in OFFSETS]
#: The other 7 voxels around each of the 8 corners of the central cube.
AROUND_CORNER = _shared([d for d in _all if sum(map(abs, d)) == 3])
#: The other 3 voxels around each of the 12 edges.
AROUND_EDGE = _shared([d for d in _all if sum(map(abs, d)) == 2])
#: The other voxel at each of the 6 faces.
AROUND_FACE = _shared([d for d in _all if sum(map(abs, d)) == 1])
