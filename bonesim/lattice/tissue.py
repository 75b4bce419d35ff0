"""One specimen's tissue: the lattice arrays, the measures kept current, and the event buffer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.chance import MINERAL_AGE, uniform
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Day, Seed, Voxel
from bonesim.lattice.ledger import (
    BONE_QUANTA,
    CORNER_PAIRS,
    COUNTS,
    EDGE_PAIRS,
    EULER,
    EVENT_CAPACITY,
    EVENTS,
    FACE_PAIRS,
    FLOORLESS,
    INTERIOR,
    INTERIOR_QUANTA,
    OUTSIDE,
    RIM,
    RIM_WIDTH,
    SLOW_DEFICIT,
    SUMS,
)
from bonesim.lattice.mineral import MineralParameters, mineral_fraction
from bonesim.lattice.surface import SURFACE, exposed_faces, put_on_surface
from bonesim.lattice.topology import (
    AREA_PER_CORNER_PAIR,
    AREA_PER_EDGE_PAIR,
    AREA_PER_FACE_PAIR,
    bone_bits,
    euler_number,
    pair_counts,
)
from bonesim.units import BONE, FULL

#: Columns of an event in the lattice's buffer, in the order of `Tissue.drain_events`.
EVENT_ARRAYS = ("voxel", "kind", "euler", "quanta", "thickness_um", "depth_um", "bmu")
#: Columns of a voxel that was found floorless.
FLOORLESS_ARRAYS = ("voxel", "quanta", "bmu", "event")


@lean_kernel
def count_start(lattice: Lattice) -> None:
    """Fill surface set, pairs, quanta sums and Euler number of a fresh lattice, in one sweep.

    Writes:
        lattice
    """
    counts = lattice.counts
    y, z = lattice.stride_y, lattice.stride_z
    first = z + y + 1
    for k in range(first, lattice.quanta.size - first):
        voxel = Voxel(k)
        q = np.int64(lattice.quanta[voxel])
        if q == 0:
            continue
        counts[BONE_QUANTA] += q
        if lattice.region[voxel] == INTERIOR:
            counts[INTERIOR_QUANTA] += q
        if q < BONE:
            continue
        if exposed_faces(lattice, voxel) > 0:
            put_on_surface(lattice, voxel)
        if lattice.region[voxel] == INTERIOR:
            inside = np.int64(0)
            place = 0
            for dz in range(-1, 2):
                for dy in range(-1, 2):
                    for dx in range(-1, 2):
                        there = voxel + dz * z + dy * y + dx
                        if lattice.region[there] == INTERIOR and place != 13:
                            inside |= np.int64(1) << place
                        place += 1
            marrow = inside & ~bone_bits(lattice.quanta, voxel, y, z)
            faces, edges, corners = pair_counts(marrow)
            counts[FACE_PAIRS] += faces
            counts[EDGE_PAIRS] += edges
            counts[CORNER_PAIRS] += corners
    counts[EULER] = euler_number(lattice.quanta, y, z)


@lean_kernel
def age_start(lattice: Lattice, seed: Seed, mean_age_day: float, day: Day) -> None:
    """Give the bone of a fresh lattice exponential ages on `day`, and sum their slow deficits.

    Neighbouring voxels get independent ages: the sums are right, the pattern is not tissue-like
    until turnover has replaced it.

    Args:
        mean_age_day: mean age, days.

    Writes:
        lattice
    """
    total = 0.0
    for k in range(lattice.quanta.size):
        voxel = Voxel(k)
        q = lattice.quanta[voxel]
        if q > 0:
            age = -mean_age_day * np.log(1.0 - uniform(seed, Day(0), voxel, MINERAL_AGE))
            lattice.formed_day[voxel] = day - min(age, 30000.0)
            if lattice.region[voxel] == INTERIOR:
                age = day - np.float64(lattice.formed_day[voxel])
                total += q * np.exp(-age / lattice.slow_mineral_tau_day)
    lattice.sums[SLOW_DEFICIT] = total


class Tissue:
    """The tissue of one specimen.

    Args:
        quanta: bone, uint8, shape (nz, ny, nx), 0..255 quanta a voxel.
        voxel_um: edge of a voxel.
        mineral: how bone mineralises.
        seed: for the ages the bone starts with.
        day: the day it starts.
    """

    def __init__(
        self, quanta: NDArray[np.uint8], voxel_um: float, mineral: MineralParameters, seed: int,
        day: int = 0,
    ) -> None:  # fmt: skip
        self.shape = quanta.shape
        nz, ny, nx = quanta.shape
        self.padded_shape = (nz + 2, ny + 2, nx + 2)
        self.mineral = mineral
        region = np.full(self.padded_shape, OUTSIDE, np.uint8)
        region[1:-1, 1:-1, 1:-1] = RIM
        inner = slice(1 + RIM_WIDTH, -1 - RIM_WIDTH)
        region[inner, inner, inner] = INTERIOR
        self.measured_voxels = int(np.count_nonzero(region == INTERIOR))
        flat = np.pad(quanta, 1).reshape(-1)
        size = flat.size
        self.lattice = Lattice(
            quanta=flat,
            region=region.reshape(-1),
            formed_day=np.zeros(size, np.float32),
            owner=np.full(size, -1, np.int32),
            surface_slot=np.full(size, -1, np.int32),
            surface=np.zeros(size, np.int32),
            counts=np.zeros(COUNTS, np.int64),
            sums=np.zeros(SUMS, np.float64),
            event_voxel=np.zeros(EVENT_CAPACITY, np.int64),
            event_kind=np.zeros(EVENT_CAPACITY, np.uint8),
            event_euler=np.zeros(EVENT_CAPACITY, np.int16),
            event_quanta=np.zeros(EVENT_CAPACITY, np.int32),
            event_thickness_um=np.zeros(EVENT_CAPACITY, np.float32),
            event_depth_um=np.zeros(EVENT_CAPACITY, np.float32),
            event_bmu=np.zeros(EVENT_CAPACITY, np.uint64),
            lost_voxel=np.zeros(EVENT_CAPACITY, np.int64),
            lost_quanta=np.zeros(EVENT_CAPACITY, np.int32),
            lost_bmu=np.zeros(EVENT_CAPACITY, np.uint64),
            lost_event=np.zeros(EVENT_CAPACITY, np.uint8),
            shape=self.padded_shape,
            stride_y=self.padded_shape[2],
            stride_z=self.padded_shape[1] * self.padded_shape[2],
            voxel_um=float(voxel_um),
            slow_mineral_tau_day=mineral.slow_tau_day,
        )
        count_start(self.lattice)
        age_start(self.lattice, Seed(seed), mineral.start_mean_age_day, Day(day))

    @property
    def voxel_um(self) -> float:
        """Edge of a voxel, um."""
        return self.lattice.voxel_um

    def inner(self, flat: NDArray[Any]) -> NDArray[Any]:
        """A flat padded array as a view of shape (nz, ny, nx), padding left out."""
        return flat.reshape(self.padded_shape)[1:-1, 1:-1, 1:-1]

    def places_um(self, voxels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Centres of voxels (flat padded indices), um, shape (n, 3) in the order z, y, x."""
        places = np.stack(np.unravel_index(voxels, self.padded_shape), axis=1)
        return np.asarray((places - 0.5) * self.voxel_um, np.float64)

    def volume_mm3(self) -> float:
        """Measured tissue volume (TV: interior without the rim), mm3."""
        return self.measured_voxels * (self.voxel_um / 1000.0) ** 3

    def bone_volume_fraction(self) -> float:
        """BV/TV of the interior, from quanta (partial volume included), 0..1."""
        return int(self.lattice.counts[INTERIOR_QUANTA]) / (FULL * self.measured_voxels)

    def surface_area_mm2(self) -> float:
        """BS of the interior by Crofton's formula in 13 directions, mm2.

        Unbiased over orientations; 7 % low for a plane along the lattice's axes.
        """
        c = self.lattice.counts
        faces = (
            AREA_PER_FACE_PAIR * int(c[FACE_PAIRS])
            + AREA_PER_EDGE_PAIR * int(c[EDGE_PAIRS])
            + AREA_PER_CORNER_PAIR * int(c[CORNER_PAIRS])
        )
        return float(faces) * (self.voxel_um / 1000.0) ** 2

    def age_one_day(self) -> None:
        """The slow mineral pool of all bone fills for one day."""
        self.lattice.sums[SLOW_DEFICIT] *= np.exp(-1.0 / self.mineral.slow_tau_day)

    def drain_events(self) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Today's events (columns EVENT_ARRAYS) and floorless voxels (FLOORLESS_ARRAYS); cleared.

        Raises:
            OverflowError: more in one day than the buffers hold; a sign of a bug.
        """
        counts = self.lattice.counts
        rows, lost = int(counts[EVENTS]), int(counts[FLOORLESS])
        if max(rows, lost) > EVENT_CAPACITY:
            raise OverflowError(
                f"{rows} topological events and {lost} floorless voxels in one day; the buffers "
                f"hold {EVENT_CAPACITY} of each"
            )
        columns = {
            name: getattr(self.lattice, f"event_{name}")[:rows].copy() for name in EVENT_ARRAYS
        }
        floorless = {
            name: getattr(self.lattice, f"lost_{name}")[:lost].copy() for name in FLOORLESS_ARRAYS
        }
        counts[EVENTS] = counts[FLOORLESS] = 0
        return columns, floorless

    def mineral_image(self, day: int) -> NDArray[np.uint8]:
        """Mineralisation of each voxel's bone on a day, 0..255 (z, y, x); 0 in marrow."""
        quanta = self.inner(self.lattice.quanta)
        image = np.zeros(quanta.shape, np.uint8)
        bone = quanta > 0
        age = np.float32(day) - self.inner(self.lattice.formed_day)[bone]
        image[bone] = np.round(FULL * mineral_fraction(age, self.mineral))
        return image

    @property
    def euler(self) -> int:
        """Euler number of all bone, kept current."""
        return int(self.lattice.counts[EULER])

    @property
    def surface_voxels(self) -> NDArray[np.int32]:
        """The surface set (flat padded indices), in no meaningful order."""
        return self.lattice.surface[: int(self.lattice.counts[SURFACE])]
