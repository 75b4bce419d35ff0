"""Osteoblast precursors: a finite pool in each block of marrow.

    dN/dt = growth N (1 - N / N_max) - loss max(0, x) N - recruited

N is about 1 in health, where recruitment keeps it below the capacity N_max.

N_max falls with age (after 60, before it is higher). Recruitment draws on the block around the site.
Whether estradiol loss depletes the pool is a
hypothesis (acutely it even grows, Di Gregorio 2001); every term has a parameter that silences it.
Sources: guide M6 (van Dijk Christiansen 2023, Kristensen 2013); rates assumed.
"""

from typing import Annotated, Any, NamedTuple

import mesa
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.endocrine.response import Drive
from bonesim.kernel import lean_kernel
from bonesim.lattice.indices import Shape, Voxel
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import Parameters
from bonesim.units import DAYS_PER_YEAR

#: The age at which the capacity is as given; the default person's.
USUAL_AGE_YEAR = 60.0


class PrecursorParameters(Parameters):
    """Renewal and use of the precursor pool."""

    block_um: Annotated[
        float, Field(gt=0, le=5000, description="edge of a marrow block; assumed (guide M6)")
    ] = 500.0
    growth_per_day: Annotated[
        float, Field(ge=0, le=1, description="logistic renewal; assumed, .003-.03")
    ] = 0.01
    loss_per_day: Annotated[
        float, Field(ge=0, le=0.1, description="diversion at full deficit; assumed, 0-.001")
    ] = 0.0004
    capacity: Annotated[
        float, Field(gt=0, le=10, description="N_max in health; calibrated to N near 1 in health")
    ] = 1.1
    capacity_loss: Annotated[
        float, Field(ge=0, lt=1, description="capacity x(1-l x), x of the last years; assumed")
    ] = 0.2
    capacity_tau_year: Annotated[
        float, Field(gt=0, le=100, description="memory of the capacity for the deficit; assumed")
    ] = 3.0
    capacity_loss_per_year: Annotated[
        float, Field(ge=0, le=0.1, description="capacity falls so after 60; assumed (guide M6)")
    ] = 0.006
    recruitment_per_mm2: Annotated[
        float, Field(ge=0, le=1000, description="pool drawn per cavity area; assumed (guide M6)")
    ] = 3.0


class Marrow(NamedTuple):
    """The pool of precursors, as kernels see it."""

    pool: NDArray[np.float64]  # N of each block, 1 in health
    blocks: tuple[int, ...]  # how many along z, y, x
    block_um: float
    cost_per_um2: float  # drawn per area of a site


@lean_kernel
def renew(
    pool: NDArray[np.float64], growth_per_day: float, capacity: float, loss_per_day: float
) -> None:
    """One day of every block: logistic growth (exact over the day), then loss.

    Args:
        pool: float64, N of each block.
        growth_per_day: logistic growth, per day.
        capacity: N_max.
        loss_per_day: share lost, per day.

    Writes:
        pool
    """
    for block in range(pool.size):
        n = pool[block]
        if n > 0.0 and capacity > 0.0:
            ratio = (capacity - n) / n
            n = capacity / (1.0 + ratio * np.exp(-growth_per_day))
        pool[block] = n * np.exp(-loss_per_day)


@lean_kernel
def block_of(
    voxel: Voxel, shape: Shape, voxel_um: float, block_um: float, blocks: tuple[int, ...]
) -> int:
    """The marrow block (flat index into `blocks` = (nz, ny, nx)) around a padded flat voxel.

    Args:
        voxel_um: edge of a voxel, um.
        block_um: edge of a block, um.
        blocks: how many along z, y, x.
    """
    plane = shape[1] * shape[2]
    z = voxel // plane
    y = (voxel - z * plane) // shape[2]
    x = voxel - z * plane - y * shape[2]
    scale = voxel_um / block_um
    bz = min(int((z - 0.5) * scale), blocks[0] - 1)
    by = min(int((y - 0.5) * scale), blocks[1] - 1)
    bx = min(int((x - 0.5) * scale), blocks[2] - 1)
    return (bz * blocks[1] + by) * blocks[2] + bx


class Precursors(mesa.Agent):
    """The pool of one specimen: N of each block, 1 in health."""

    def __init__(
        self, model: Any, parameters: PrecursorParameters, tissue: Tissue,
        age_year: float = USUAL_AGE_YEAR,
    ) -> None:  # fmt: skip
        super().__init__(model)
        self.parameters = parameters
        self.older_year = age_year - USUAL_AGE_YEAR
        extent = [n * tissue.voxel_um / parameters.block_um for n in tissue.shape]
        self.blocks = tuple(max(1, round(e)) for e in extent)
        self.pool: NDArray[np.float64] = np.ones(int(np.prod(self.blocks)), np.float64)
        self.slow_deficit = 0.0

    def renew(self, drive: Drive, day: int) -> None:
        """Let the pool of every block grow and be lost for one day."""
        p = self.parameters
        self.slow_deficit += (drive.lack - self.slow_deficit) / (
            p.capacity_tau_year * DAYS_PER_YEAR
        )
        older = self.older_year + max(0.0, day / DAYS_PER_YEAR)
        capacity = p.capacity * (1.0 - p.capacity_loss * self.slow_deficit)
        capacity *= max(0.0, 1.0 - p.capacity_loss_per_year * older)
        loss = p.loss_per_day * drive.lack
        renew(self.pool, p.growth_per_day * drive.precursor_growth, capacity, loss)
