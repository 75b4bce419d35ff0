"""How osteocytes feel load: strain energy around them against what they are used to.

    felt      U (load / 100 %)^2, U at habitual load where the cell is, and never less than a share
              of the specimen's mean: below that no cell can tell
    stimulus  (felt / set-point)^n, at most a few: with n = 0.5 linear in strain and so in load, no
              lazy zone (Christen 2014)
    set-point what a cell feels when it is first asked; from then on it drifts towards what it
              feels (tau 5 y). In the burn-in it follows at every look, until so long before day 0
              that what scatters about the set-points (the mean of u is then above 1, because
              cells are asked about bone that changes) is there before anything is counted

Between solves U is held as solved. Load scales it at once and exactly: bone is elastic.
Source: guide M4; Lerebours 2016 (set-points are embedded with new bone).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve

from bonesim.cells.lacuna import OsteocyteColumns
from bonesim.kernel import kernel, lean_kernel
from bonesim.lattice.indices import Voxel


def smoothed(energy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each element's mean with its face neighbours that are bone: the staircase makes noise."""
    cross = np.zeros((3, 3, 3))
    cross[1, 1] = cross[1, :, 1] = cross[:, 1, 1] = 1.0
    total = convolve(energy.astype(np.float64), cross, mode="nearest")
    bone = convolve((energy > 0).astype(np.float64), cross, mode="nearest")
    return np.where(energy > 0, total / np.maximum(bone, 1.0), 0.0).astype(np.float32)


class StrainEnergy(NamedTuple):
    """Strain energy as osteocytes feel it, at habitual load."""

    energy: NDArray[np.float32]  # strain energy density, MPa, of each element (z, y, x)
    min_mpa: float  # below that no cell can tell
    voxels_per_element: int
    shape: tuple[int, int, int]  # padded: voxels along z, y, x


@lean_kernel
def energy_at(strain: StrainEnergy, voxel: Voxel) -> float:
    """Strain energy density (MPa) at a padded flat voxel, at habitual load; at least `min_mpa`."""
    shape, per = strain.shape, strain.voxels_per_element
    z = voxel // (shape[1] * shape[2])
    rest = voxel - z * shape[1] * shape[2]
    y = rest // shape[2]
    x = rest - y * shape[2]
    there = np.float64(strain.energy[(z - 1) // per, (y - 1) // per, (x - 1) // per])
    return max(there, strain.min_mpa)


@kernel
def stimuli(
    cells: OsteocyteColumns, strain: StrainEnergy, exponent: float, max_stimulus: float
) -> NDArray[np.float32]:
    """What each cell feels at habitual load over what it is used to; 1 if it has not been asked.

    Args:
        exponent: of strain energy.
        max_stimulus: most one cell feels of the usual.
    """
    stimulus = np.ones(cells.used[0], np.float32)
    for row in range(stimulus.size):
        if cells.alive[row] == 1 and cells.viable[row] == 1 and cells.setpoint_mpa[row] > 0.0:
            here = energy_at(strain, cells.voxel[row])
            stimulus[row] = min((here / cells.setpoint_mpa[row]) ** exponent, max_stimulus)
    return stimulus


@lean_kernel
def adapt_setpoints(
    cells: OsteocyteColumns, strain: StrainEnergy, load2: float, share: float, first: int, step: int
) -> None:
    """Every `step`-th cell from `first` gets used to what it feels, by a `share` of the difference.

    One that has no set-point yet takes what it feels; `load2` is the square of load over the
    habitual one.

    Args:
        load2: square of load over the habitual one.
        share: of the difference, 0 to 1.
        first: the first row.
        step: rows from one cell to the next.

    Writes:
        cells
    """
    for row in range(first, cells.used[0], step):
        if cells.alive[row] == 0 or cells.viable[row] == 0:
            continue
        sensed = load2 * energy_at(strain, cells.voxel[row])
        sensed = max(sensed, strain.min_mpa)
        if cells.setpoint_mpa[row] == 0.0:
            cells.setpoint_mpa[row] = sensed
        else:
            cells.setpoint_mpa[row] += share * (sensed - cells.setpoint_mpa[row])
