"""BMUs as kernels read them: the parameters of their birth, size and travel, and their table."""

from collections import namedtuple
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.parameters import Parameters

TRAVELLING, FINISHING = 1, 2
#: How far before its middle a front takes territories, voxels.
AHEAD_VOXEL = 1.0
#: By how much of its width the edge of a trench varies from day to day; assumed.
RAGGED = 0.25


class BmuParameters(Parameters):
    """Birth, size and travel of remodelling units."""

    origination_per_mm2_per_year: Annotated[
        float,
        Field(ge=0, le=50, description="births per quiescent area; calibrated to turnover"),
    ] = 2.1
    origination_ceiling: Annotated[
        float,
        Field(ge=1, le=20, description="largest activation multiplier drawn for; assumed"),
    ] = 4.0
    area_median_um2: Annotated[
        float, Field(gt=0, le=1e7, description="median quota of area; 500 x 200 um, Easley 2012")
    ] = 1.0e5
    area_cv: Annotated[float, Field(ge=0, le=2, description="CV of the quota; assumed")] = 0.5
    width_um: Annotated[
        float, Field(gt=0, le=1000, description="width of the trench; Easley 2012, 100-300")
    ] = 200.0
    travel_um_per_day: Annotated[
        float, Field(gt=0, le=100, description="front speed, cancellous; assumed, 5-25")
    ] = 10.0
    wander_per_day: Annotated[
        float, Field(ge=0, le=3, description="turn of the front, radians a day (SD); assumed")
    ] = 0.1
    founders: Annotated[
        int, Field(ge=1, le=50, description="osteoclasts that open a BMU; assumed, 5-8 (guide M1)")
    ] = 6
    widest_tilt_degree: Annotated[
        float,
        Field(gt=0, le=90, description="tilt of surface from the BMU's normal it takes; assumed"),
    ] = 34.0
    patience_day: Annotated[
        int, Field(ge=1, le=100, description="days without free surface that stop a front; assumed")
    ] = 10
    territory_radius_um: Annotated[
        float, Field(gt=0, le=100, description="radius under one osteoclast; assumed, 5-10 nuclei")
    ] = 30.0
    normal_radius_voxel: Annotated[
        int, Field(ge=1, le=8, description="reach of the normal's estimate; assumed (guide M10)")
    ] = 3
    young_bone_day: Annotated[
        float,
        Field(ge=0, le=1000, description="no BMU starts on younger bone; assumed (guide M10)"),
    ] = 60.0
    longest_travel_day: Annotated[
        float, Field(gt=0, le=1000, description="a front older than this stops; assumed")
    ] = 200.0
    death_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="of births, near dying osteocytes; assumed, at most half (guide M4)",
        ),
    ] = 0.2
    strain_bias: Annotated[
        float,
        Field(
            ge=0,
            le=4,
            description="births x exp(-k(u-1)), of those strain tells; calibrated, .2-1 (guide M4)",
        ),
    ] = 1.0
    blind_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="of births that strain does not tell; assumed, at least half (guide M4)",
        ),
    ] = 0.5
    wait_cv: Annotated[
        float,
        Field(ge=0, le=2, description="CV between BMUs of the wait for osteoblasts; assumed"),
    ] = 0.5
    steering_per_day: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="turn of the front per relative difference of RANK occupancy, radians a day; "
            "assumed (Ryser 2010: direction)",
        ),
    ] = 0.5


class BmuColumns(NamedTuple):
    """One row per BMU. Front position in padded voxel coordinates."""

    alive: NDArray[np.uint8]
    free: NDArray[np.int32]
    used: NDArray[np.int64]
    id: NDArray[np.uint64]
    voxel: NDArray[np.int64]  # where it was born
    born_day: NDArray[np.int32]
    phase: NDArray[np.uint8]  # TRAVELLING, FINISHING
    z: NDArray[np.float32]
    y: NDArray[np.float32]
    x: NDArray[np.float32]
    nz: NDArray[np.float32]
    ny: NDArray[np.float32]
    nx: NDArray[np.float32]
    tz: NDArray[np.float32]
    ty: NDArray[np.float32]
    tx: NDArray[np.float32]
    quota_um2: NDArray[np.float32]
    area_um2: NDArray[np.float32]
    owed_um2: NDArray[np.float32]  # front area not yet manned
    depth_factor: NDArray[np.float32]  # of its osteoclasts' depth; mean 1 over all BMUs
    mononuclear_factor: NDArray[np.float32]
    wait_factor: NDArray[np.float32]  # of its reversal; mean 1 over all BMUs
    misses: NDArray[np.int32]
    recruited: NDArray[np.int32]
    open_sites: NDArray[np.int32]


BmuNumbers = namedtuple("BmuNumbers", BmuParameters.model_fields)  # type: ignore[misc]
