"""Loads at which a block of bone yields and fails, scaled from the strains under one load.

    failure   Pistoia's criterion: 2 % of the bone's volume beyond 7000 microstrain
    yield     an apparent strain of 0.75 %

Effective strain is sqrt(2 U / E), U strain energy density and E the tissue's modulus. Both of
Pistoia's numbers were found for radius images of 165 um elements: they depend on the voxel size
(Arias-Moreno 2019), so failure loads compare blocks of one voxel size, not scanners. Sources:
Pistoia 2002; apparent yield strain 0.7 to 0.8 %, nearly the same in all trabecular bone (Morgan
2001).
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.parameters import Parameters


class StrengthParameters(Parameters):
    """Criteria of failure and yield."""

    critical_strain: Annotated[
        float, Field(gt=0, lt=0.1, description="effective strain of failing tissue; Pistoia 2002")
    ] = 0.007
    critical_volume_percent: Annotated[
        float, Field(gt=0, lt=100, description="of bone beyond it when a block fails; Pistoia 2002")
    ] = 2.0
    yield_strain: Annotated[
        float, Field(gt=0, lt=0.1, description="apparent strain at yield; .7-.8 % (Morgan 2001)")
    ] = 0.0075


def effective_strain(
    energy_mpa: NDArray[np.floating], modulus_mpa: NDArray[np.floating]
) -> NDArray[np.float64]:
    """sqrt(2 U / E) of each element; energy density and modulus of the same volume."""
    return np.sqrt(2.0 * np.asarray(energy_mpa, np.float64) / modulus_mpa)


def strain_quantiles(
    strain: NDArray[np.floating], volume: NDArray[np.floating], shares: Sequence[float]
) -> list[float]:
    """Effective strains that these shares (0..1) of the bone do not exceed; NaN without bone.

    `volume`: bone in each element, any unit.
    """
    order = np.argsort(strain)
    below = np.cumsum(np.asarray(volume, np.float64)[order])
    if below.size == 0:
        return [float("nan")] * len(shares)
    places = np.searchsorted(below, np.asarray(shares) * below[-1])
    return [float(strain[order[place]]) for place in np.minimum(places, below.size - 1)]


def failure_factor(
    strain: NDArray[np.floating], volume: NDArray[np.floating], p: StrengthParameters
) -> float:
    """How many times the load under which bone has these effective strains makes it fail.

    `volume`: bone in each element, any unit. NaN if nothing is strained.
    """
    (at_limit,) = strain_quantiles(strain, volume, [1.0 - 0.01 * p.critical_volume_percent])
    return p.critical_strain / at_limit if at_limit > 0.0 else float("nan")
