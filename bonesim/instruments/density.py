"""Bone density as measured in a clinic: spine DXA, QCT and HR-pQCT of trabecular bone.

DXA measures more than a block of trabecular bone: cortex and posterior elements lie in the same
projection. So areal density follows the block's mineral by an operator whose k is fixed before
any calibration and never fitted:

    aBMD(t) / aBMD(0) = 1 + k (mineral(t) / mineral(0) - 1)

QCT measures the block itself, but fat in the marrow lowers its reading, and fat rises as bone is
lost: it reads too low, and overestimates a loss.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.errors import InputError
from bonesim.parameters import Parameters

#: Range of k that is reported beside it (guide R1).
K_LOWEST, K_HIGHEST = 0.40, 0.70


class DensityParameters(Parameters):
    """Densitometry of trabecular mineral, and its precision."""

    k_dxa: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="change of spine DXA per change of trabecular mineral; "
            "Smith 2001 corrected for fat, never fitted; .40-.70",
        ),
    ] = 0.50
    baseline_abmd_g_per_cm2: Annotated[
        float,
        Field(gt=0, le=3, description="spine aBMD on day 0; Burnett-Bowie 2009, treated men"),
    ] = 1.121
    dxa_cv: Annotated[
        float,
        Field(
            ge=0,
            le=0.2,
            description="CV of one spine DXA between visits; choice: mean of seven studies of repeats an "
            "hour or more apart, Hologic 1.2 %, Lunar 1.7 % (Wilson & Smith, Hologic)",
        ),
    ] = 0.015
    fat_share: Annotated[
        float,
        Field(
            ge=0, le=1, description="fat in vertebral marrow on day 0; assumed, .5-.65 at 60-70 y"
        ),
    ] = 0.60
    fat_rise: Annotated[
        float,
        Field(
            ge=0,
            le=5,
            description="rise of that share per share of bone lost: .05 for a tenth; assumed",
        ),
    ] = 0.50
    fat_marrow_mg_per_cm3: Annotated[
        float,
        Field(
            ge=-200,
            le=0,
            description="reading of QCT in pure fat; assumed, so that QCT reads a sixth "
            "low as in Sfeir 2018 (17.6 %)",
        ),
    ] = -30.0
    qct_cv: Annotated[
        float, Field(ge=0, le=0.2, description="CV of one QCT; assumed, .010-.020")
    ] = 0.015
    hr_pqct_cv: Annotated[
        float,
        Field(ge=0, le=0.2, description="CV of one HR-pQCT; assumed, below .01 in Burghardt 2013"),
    ] = 0.008


def spine_abmd(mineral: NDArray[np.float64], p: DensityParameters) -> NDArray[np.float64]:
    """Areal density of the lumbar spine by DXA, g/cm2, without noise.

    Args:
        mineral: trabecular mineral day by day, any unit; the first is the baseline.
        p: parameters.

    Raises:
        InputError: no mineral on the first day.
    """
    return p.baseline_abmd_g_per_cm2 * (1.0 + p.k_dxa * (relative(mineral) - 1.0))


def relative(amount: NDArray[np.float64]) -> NDArray[np.float64]:
    """Amounts over the first one.

    Raises:
        InputError: the first is 0 or unknown.
    """
    if not amount.size or not amount[0] > 0.0:
        raise InputError(
            "there is no bone mineral on the first day, so no change can be computed; "
            "use a run that starts with bone"
        )
    return amount / amount[0]


def marrow_mg_per_cm3(bone_share: NDArray[np.float64], p: DensityParameters) -> NDArray[np.float64]:
    """Reading of QCT in the marrow, mgHA/cm3 of marrow.

    Args:
        bone_share: bone over its amount on the first day.
        p: parameters.
    """
    fat = np.clip(p.fat_share + p.fat_rise * (1.0 - bone_share), 0.0, 1.0)
    return fat * p.fat_marrow_mg_per_cm3


def qct_vbmd(
    mineral_mg_per_cm3: NDArray[np.float64], bvtv: NDArray[np.float64], p: DensityParameters
) -> NDArray[np.float64]:
    """Trabecular density by single-energy QCT, mgHA/cm3, fat included, without noise.

    Args:
        mineral_mg_per_cm3: true mineral per tissue volume, day by day.
        bvtv: bone volume fraction, 0..1.
        p: parameters.
    """
    return mineral_mg_per_cm3 + (1.0 - bvtv) * marrow_mg_per_cm3(relative(bvtv), p)
