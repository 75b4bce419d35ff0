"""The snapshots of a run within a page: voxels, not surfaces; the page makes surfaces of them.

Bone has 16 levels a voxel, so that its half (128 quanta) is kept exactly. What bone is made of is
written for bone voxels only, in their order. Large lattices are coarsened, which the page states.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.morphometry.thickness import local_thickness
from bonesim.page.blobs import Blobs
from bonesim.page.tables import packed_table
from bonesim.storage import layout
from bonesim.storage.reader import Run
from bonesim.units import BONE, FULL

#: Lattices of more voxels are coarsened.
MAX_VOXELS = 8_000_000
#: Quanta in a level of bone, and the first level that is bone.
QUANTA_PER_LEVEL = 16
BONE_LEVEL = BONE // QUANTA_PER_LEVEL
#: Codes of the surface state up to this one follow from the bone itself: marrow, interior, quiescent.
QUIESCENT = 2
#: Fields with a place of their own in the page; any other field of the file is shown as numbers.
KNOWN = ("quanta", "mineral", "surface_state", "osteocyte_viability")
#: Steps of a number over its range; quantiles of bone at the ends of its colours.
STEPS = 64
ENDS = (0.01, 0.99)

Voxels = NDArray[np.uint8]


def coarsening(shape: tuple[int, ...]) -> int:
    """How many voxels along each axis become one in the page."""
    n = 1
    while np.prod(shape) / n**3 > MAX_VOXELS:
        n += 1
    return n


class Lattice:
    """The lattice of one snapshot as the page holds it.

    Args:
        run: an open run file.
        day: of a snapshot.
    """

    def __init__(self, run: Run, day: int) -> None:
        self.run, self.day, self.n = run, day, coarsening(run.shape)
        quanta = run.quanta(day)
        self.quanta = quanta if self.n == 1 else self._mean(quanta).astype(np.uint8)
        self.levels: Voxels = self.quanta // np.uint8(QUANTA_PER_LEVEL)
        self.bone = self.quanta >= BONE

    def activity(self) -> Voxels:
        """Surface state where cells are at work, else 0; of coarse voxels the highest code."""
        state = self.run.field("surface_state", self.day)
        active = np.where(state > QUIESCENT, state, np.uint8(0))
        return active if self.n == 1 else self._cubes(active).max(axis=(1, 3, 5))

    def share(self, name: str) -> NDArray[np.float32]:
        """A field of the file over bone voxels, 0..1; of coarse voxels the mean over their bone."""
        values = self.run.field(name, self.day).astype(np.float32) / FULL
        if self.n > 1:
            weight = self.run.quanta(self.day).astype(np.float32)
            values = self._mean(values * weight) / np.maximum(self._mean(weight), 1e-6)
        return np.asarray(values[self.bone], np.float32)

    def thickness_um(self) -> NDArray[np.float32]:
        """Local thickness over bone voxels, um."""
        found = local_thickness(self.bone) * np.float32(self.run.voxel_um * self.n)
        return np.asarray(found[self.bone], np.float32)

    def _cubes(self, values: NDArray[Any]) -> NDArray[Any]:
        """Cubes of n voxels along axes 1, 3, 5; an incomplete last layer is left out."""
        nz, ny, nx = (size // self.n for size in values.shape)
        whole = values[: nz * self.n, : ny * self.n, : nx * self.n]
        return whole.reshape(nz, self.n, ny, self.n, nx, self.n)

    def _mean(self, values: NDArray[Any]) -> NDArray[np.float32]:
        return np.asarray(self._cubes(values).mean(axis=(1, 3, 5), dtype=np.float32))


def packed_snapshots(blobs: Blobs, run: Run) -> list[dict[str, Any]]:
    """All snapshots of a run for the page, in order of days."""
    found: list[dict[str, Any]] = []
    before: Voxels | None = None
    for day in run.snapshot_days:
        lattice = Lattice(run, day)
        found.append(
            {
                "day": day,
                "shape": list(lattice.levels.shape),
                "levels": _levels(blobs, lattice.levels, before),
                "activity": blobs.add(lattice.activity()),
                "numbers": _numbers(blobs, lattice),
                "osteocytes": _osteocytes(blobs, run, day),
                "cells": {
                    name: packed_table(blobs, run.cells(name, day))
                    for name in populations(run) if name != "osteocytes"
                },
            }
        )  # fmt: skip
        before = lattice.levels
    return found


def populations(run: Run) -> list[str]:
    """The populations of cells that a run's file holds."""
    return [str(name) for name in run.cells().columns if name != "day"]


def _levels(blobs: Blobs, levels: Voxels, before: Voxels | None) -> dict[str, Any]:
    """Levels of bone, or their difference to the snapshot before if that takes less room."""
    plain = blobs.add(levels) | {"after": False}
    if before is None:
        return plain
    first = blobs.texts.pop()
    change = blobs.add((levels - before) % np.uint8(QUANTA_PER_LEVEL)) | {"after": True}
    if len(blobs.texts[-1]) < len(first):
        return change
    blobs.texts[-1] = first
    return plain


def _numbers(blobs: Blobs, lattice: Lattice) -> dict[str, Any]:
    """Numbers over bone: name -> label, unit, range, and steps of the range at each bone voxel."""
    found = {
        "mineral": _steps(blobs, 100.0 * lattice.share("mineral"), "mineralisation", "% of full"),
        "thickness": _steps(blobs, lattice.thickness_um(), "local thickness", "um"),
    }
    for field in layout.FIELDS:
        if field.name not in KNOWN:
            values = lattice.share(field.name) * FULL
            found[field.name] = _steps(blobs, values, field.meaning, field.unit)
    return found


def _steps(blobs: Blobs, values: NDArray[np.float32], label: str, unit: str) -> dict[str, Any]:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    high = max(high, low + 1e-6)
    steps = np.rint(np.clip((values - low) / (high - low), 0.0, 1.0) * (STEPS - 1))
    ends = [float(np.quantile(finite, q)) for q in ENDS] if finite.size else [low, high]
    return {
        "label": label, "unit": unit, "low": low, "high": high, "steps": STEPS, "ends": ends,
        **blobs.add(steps.astype(np.uint8)),
    }  # fmt: skip


def _osteocytes(blobs: Blobs, run: Run, day: int) -> dict[str, Any]:
    """Voxel of each lacuna in order (differences) and whether its osteocyte is alive."""
    if "osteocytes" not in populations(run):
        return {"count": 0}
    table = run.cells("osteocytes", day)
    places = [
        np.clip(np.floor(table[f"{axis}_um"].to_numpy() / run.voxel_um).astype(np.int64), 0, size - 1)
        for axis, size in zip("zyx", run.shape, strict=True)
    ]  # fmt: skip
    voxel = np.ravel_multi_index(tuple(places), run.shape)
    order = np.argsort(voxel, kind="stable")
    between = np.diff(voxel[order], prepend=0).astype(np.int32)
    alive = table["viable"].to_numpy().astype(np.uint8)[order]
    return {"count": len(table), "voxel": blobs.add(between), "viable": blobs.add(alive)}
