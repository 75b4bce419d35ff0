"""Total hip by DXA: mostly cortex, which remodels for itself; the rest follows the block.

    aBMD(t) / aBMD(0) = 1 + s (cortex(t) / cortex(0) - 1) + (1 - s) (mineral(t) / mineral(0) - 1)

cortex is the mineral of the shell (`instruments.cortex`), mineral that of the block. s, the share of cortex
in the mineral of the region, was set from the literature before any run was read, like k of the spine,
and is never fitted. What the hip regains after a loss is a prediction.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.instruments.cortex import CortexParameters, cortical_shell
from bonesim.instruments.density import relative
from bonesim.parameters import Parameters

#: Range of the share that is reported beside it.
SHARE_LOWEST, SHARE_HIGHEST = 0.50, 0.80


class HipParameters(Parameters):
    """Densitometry of the total hip, its cortex, and its precision."""

    cortical_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of cortex in the mineral of the total hip; assumed, never fitted; .50-.80",
        ),
    ] = 0.65
    baseline_abmd_g_per_cm2: Annotated[
        float, Field(gt=0, le=3, description="total hip aBMD on day 0; assumed")
    ] = 0.90
    dxa_cv: Annotated[
        float,
        Field(
            ge=0,
            le=0.2,
            description="CV of one total hip DXA between visits; assumed, .010-.018",
        ),
    ] = 0.013
    cortex: CortexParameters = CortexParameters()


def hip_abmd(
    mineral: NDArray[np.float64], activation: NDArray[np.float64], depth: NDArray[np.float64],
    p: HipParameters,
) -> NDArray[np.float64]:  # fmt: skip
    """Areal density of the total hip by DXA, g/cm2, without noise.

    Args:
        mineral: trabecular mineral day by day, any unit; the first is the baseline.
        activation: births of BMUs relative to health, on the same days.
        depth: depth under osteoclasts relative to health, on the same days.
        p: parameters.

    Raises:
        InputError: no mineral on the first day; cavities that take all of the cortex.
    """
    shell = relative(cortical_shell(activation, depth, p.cortex).mineral)
    return p.baseline_abmd_g_per_cm2 * by_share(shell, relative(mineral), p.cortical_share)


def by_share(
    shell: NDArray[np.float64], block: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """The hip over its first day, from cortex and block over theirs."""
    return 1.0 + share * (shell - 1.0) + (1.0 - share) * (block - 1.0)
