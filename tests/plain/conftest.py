"""What all comparisons of kernels with plain twins share."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import settings

from bonesim.lattice.mineral import MineralParameters
from bonesim.lattice.tissue import Tissue

# The first call of a kernel compiles it: no example can be held to a time.
settings.register_profile("plain", deadline=None)
settings.load_profile("plain")


@pytest.fixture(scope="session")
def make_tissue() -> Callable[..., Tissue]:
    """Quanta of shape (nz, ny, nx) -> their tissue of voxels of 20 um."""

    def make(quanta: np.ndarray, seed: int = 7) -> Tissue:
        return Tissue(np.ascontiguousarray(quanta, np.uint8), 20.0, MineralParameters(), seed)

    return make
