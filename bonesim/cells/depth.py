"""How deep a cavity is to be: by its BMU, by each territory, by estradiol.

    osteoclastic depth  = d x F x f x exp(gamma l), l the deficit    F of the BMU, f of the territory
    mononuclear depth   = m x G                                  G of the BMU

F and f are lognormal with mean 1. A real cavity is 300 to 1000 um long and deep or shallow as a whole:
depths drawn for each territory of 60 um alone would average the deep tail away before it could make a
hole. Estradiol acts on the osteoclastic part: 17.8 um before and 25.0 um after its loss, the whole
46.9 and 52.0 um (Eriksen 1999). The CVs are assumed.
"""

from typing import NamedTuple

import numpy as np

from bonesim.cells.bmu_parameters import BmuColumns
from bonesim.cells.site import SiteColumns
from bonesim.chance import BMU_DEPTH, MONONUCLEAR_DEPTH, TERRITORY_DEPTH, normal
from bonesim.kernel import lean_kernel
from bonesim.lattice.indices import Day, Identity, Row, Seed, Site

#: A mononuclear phase is at least this share of the mean.
LEAST_MONONUCLEAR = 0.2


class CavityDepth(NamedTuple):
    """What depths are drawn from, on one day."""

    osteoclast_um: float
    bmu_cv: float
    territory_cv: float
    mononuclear_um: float
    mononuclear_cv: float
    factor_today: float  # of the osteoclastic depth, by estradiol
    excess_today: float  # of it, what the wall does not follow


@lean_kernel
def lognormal(cv: float, standard: float) -> float:
    """A lognormal number of mean 1 and this CV, from a standard normal one.

    Args:
        cv: coefficient of variation.
        standard: a standard normal number.
    """
    variance = np.log(1.0 + cv * cv)
    return np.exp(np.sqrt(variance) * standard - 0.5 * variance)


@lean_kernel
def bmu_factors(depth: CavityDepth, seed: Seed, day: Day, who: Identity) -> tuple[float, float]:
    """F and G of the BMU `who`, born on `day`."""
    factor = lognormal(depth.bmu_cv, normal(seed, day, who, BMU_DEPTH))
    mononuclear = 1.0 + depth.mononuclear_cv * normal(seed, day, who, MONONUCLEAR_DEPTH)
    return factor, max(mononuclear, LEAST_MONONUCLEAR)


@lean_kernel
def set_targets(
    sites: SiteColumns,
    site: Site,
    bmus: BmuColumns,
    row: Row,
    depth: CavityDepth,
    lean: float,
    seed: Seed,
    day: Day,
) -> None:
    """Write how deep a site claimed today is to be, along its normal.

    Depths are of the surface; one that leans from the normal is dug `lean` times as deep along it, its
    area over its area projected on the normal.

    Args:
        lean: area over its projection on the normal.

    Writes:
        sites
    """
    own = lognormal(depth.territory_cv, normal(seed, day, sites.id[site], TERRITORY_DEPTH))
    usual = lean * depth.osteoclast_um * bmus.depth_factor[row] * own
    sites.osteoclast_target_um[site] = usual * depth.factor_today
    sites.depth_excess[site] = depth.excess_today
    sites.mononuclear_target_um[site] = lean * depth.mononuclear_um * bmus.mononuclear_factor[row]
