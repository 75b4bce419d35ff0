"""What cells release: where the sources of each messenger are on one day."""

from typing import Any

import numpy as np

from bonesim.cells.cavity import CavityTables
from bonesim.cells.osteocyte import Osteocytes
from bonesim.cells.site import MONONUCLEAR, OSTEOCLAST, REVERSAL
from bonesim.lattice.tissue import Tissue
from bonesim.signals.messengers import SignalParameters, Sources


def sources_of(
    tissue: Tissue, cavities: CavityTables, osteocytes: Osteocytes, p: SignalParameters, day: int
) -> Sources:
    """Osteocytes, lining cells and eroded sites that have not begun to form, on one day."""
    cells: Any = osteocytes.rows.columns
    there = cells.alive == 1
    living = there & (cells.viable == 1)
    dying = there & (cells.viable == 0) & (day - cells.died_day < p.dying_day)
    surface = tissue.surface_voxels.astype(np.int64)
    sites: Any = cavities.sites.columns
    open_now = (sites.alive == 1) & (
        (sites.phase == OSTEOCLAST) | (sites.phase == MONONUCLEAR) | (sites.phase == REVERSAL)
    )
    reversal = (sites.alive == 1) & (sites.phase == REVERSAL)
    waited = np.where(sites.phase == REVERSAL, day - sites.phase_day, 0)[open_now]
    held = np.rint(sites.removed_quanta[open_now] * np.exp(-waited / p.held_day))
    return Sources(
        living=cells.voxel[living],
        stimulus=osteocytes.stimulus(tissue)[living[: cells.used[0]]],
        dying=cells.voxel[dying],
        lining=np.sort(surface[tissue.lattice.owner[surface] < 0]),
        eroded=sites.voxel[open_now],
        held=held.astype(np.int64),
        reversal=np.sort(sites.voxel[reversal]),
    )
