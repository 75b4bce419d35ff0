"""Osteoblasts as kernels read them: parameters of recruitment, work and fate, and their table."""

from collections import namedtuple
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.parameters import Parameters

OSTEOCYTE_FATE, LINING_FATE, APOPTOSIS_FATE = 1, 2, 3
#: Share that the table of cells names lining cells; assumed, .1-.3. They do what those that die do, and
#: nothing depends on it: the lining cells that shelter precursors are the quiescent surface.
LINING_SHARE = 0.18
#: Bounds of what a place can do to recruitment, relative to health; assumed.
MIN_SIGNAL, MAX_SIGNAL = 0.2, 5.0


class OsteoblastParameters(Parameters):
    """Recruitment, work and fate of osteoblasts."""

    reversal_day: Annotated[
        float, Field(gt=0, le=500, description="mean wait for a team in health; assumed, 10-60")
    ] = 50.0
    arrest_day: Annotated[
        float, Field(gt=0, le=2000, description="wait after which a surface is arrested; assumed")
    ] = 730.0
    wall_um: Annotated[
        float, Field(gt=0, le=200, description="reference wall thickness; Lips 1978, Eriksen 1999")
    ] = 47.0
    balance_um: Annotated[
        float,
        Field(
            ge=-20,
            le=5,
            description="formed less eroded where strain is usual; calibrated, -2..+1 (guide M9)",
        ),
    ] = -1.0
    apposition_um_per_day: Annotated[
        float,
        Field(
            gt=0,
            le=5,
            description="speed at the start, a0; fit: MAR .5-.7 by sections, .5-1 (guide M1)",
        ),
    ] = 0.75
    apposition_tau_day: Annotated[
        float, Field(gt=0, le=1000, description="slowing of a reference team; assumed, 60-150")
    ] = 88.0
    area_per_cell_um2: Annotated[
        float, Field(gt=0, le=2000, description="surface under one osteoblast; assumed, 100-250")
    ] = 180.0
    osteocyte_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share buried; 17 k lacunae per mm3 (Mullender 1996) x 47 um x 180 um2",
        ),
    ] = 0.144
    pool_wall_exponent: Annotated[
        float,
        Field(
            ge=0,
            le=2,
            description="wall thickness ~ N^n; assumed 0; guide M6 has .15, without a source",
        ),
    ] = 0.0
    step_day: Annotated[
        int, Field(ge=1, le=14, description="a team is served every so many days; assumed")
    ] = 8
    coupling_exponent: Annotated[
        float,
        Field(ge=0, le=2, description="recruitment ~ (coupling factors)^n; assumed (guide M6)"),
    ] = 0.15
    canopy_exponent: Annotated[
        float,
        Field(
            ge=0,
            le=2,
            description="recruitment ~ (lining cells within reach)^n; assumed, Kristensen 2013",
        ),
    ] = 0.1
    sclerostin_exponent: Annotated[
        float,
        Field(ge=0, le=2, description="recruitment ~ (local sclerostin)^-n; assumed"),
    ] = 0.3
    strain_wall_exponent: Annotated[
        float,
        Field(
            ge=0,
            le=3,
            description="wall ~ ((1+u)/2)^n, u > 1; assumed: +.12 um per 1 % lost (guide M4)",
        ),
    ] = 0.5
    disuse_exponent: Annotated[
        float,
        Field(
            ge=0, le=4, description="formation ~ ((1+u)/2)^n, u < 1; fit to 17 weeks of bed rest"
        ),
    ] = 1.5
    overfill_um: Annotated[
        float,
        Field(
            ge=0, le=20, description="most a strained site forms beyond itself; assumed (guide M10)"
        ),
    ] = 10.0
    grace_day: Annotated[
        float,
        Field(ge=0, le=365, description="time a late team is given to return all; assumed"),
    ] = 60.0
    working_share: Annotated[
        float,
        Field(gt=0, le=1, description="of the time a team forms; about MS/OS .5; assumed, .4-.6"),
    ] = 0.5
    cycle_day: Annotated[
        int, Field(ge=1, le=365, description="one spell of work and one of rest; assumed")
    ] = 64


class OsteoblastColumns(NamedTuple):
    """One row per living osteoblast."""

    alive: NDArray[np.uint8]
    free: NDArray[np.int32]
    used: NDArray[np.int64]
    id: NDArray[np.uint64]
    site: NDArray[np.int32]
    site_id: NDArray[np.uint64]
    voxel: NDArray[np.int64]
    born_day: NDArray[np.int32]
    end_day: NDArray[np.int32]
    fate: NDArray[np.uint8]


class TeamOrders(NamedTuple):
    """What hormones do today to teams that come."""

    wall: float  # multiplies the thickness they are to form
    wall_exponent: float  # the wall falls with local sclerostin to this exponent
    recruitment: float  # multiplies the pace at which they come


OsteoblastNumbers = namedtuple("OsteoblastNumbers", OsteoblastParameters.model_fields)  # type: ignore[misc]
