"""Sites: the territory of one osteoclast each, from the first day to the last; their table and phases.

    osteoclast -> mononuclear -> reversal -> forming -> closed (`accounts.close_site`)
                                 reversal -> arrested -> reversal, when the next BMU takes it up
    modelling begins with forming: a site without a BMU

Only this file changes a site's phase, and how many open sites a BMU has.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.cells.bmu_parameters import BmuColumns
from bonesim.cells.population import entity_of, new_row
from bonesim.kernel import lean_kernel
from bonesim.lattice.indices import Day, Identity, Normal, Row, Site, Voxel

# Phases of a site; 0 is no site.
OSTEOCLAST, MONONUCLEAR, REVERSAL, FORMING, ARRESTED = 1, 2, 3, 4, 5
#: Those that are eroded surface.
ERODED = (OSTEOCLAST, MONONUCLEAR, REVERSAL, ARRESTED)


class SiteColumns(NamedTuple):
    """One row per osteoclast territory."""

    alive: NDArray[np.uint8]
    free: NDArray[np.int32]
    used: NDArray[np.int64]
    id: NDArray[np.uint64]
    bmu: NDArray[np.int32]  # row of the BMU; -1: formation without resorption
    bmu_id: NDArray[np.uint64]
    voxel: NDArray[np.int64]  # centre
    nz: NDArray[np.float32]  # unit normal into bone
    ny: NDArray[np.float32]
    nx: NDArray[np.float32]
    area_um2: NDArray[np.float32]
    phase: NDArray[np.uint8]
    phase_day: NDArray[np.int32]  # day the phase began
    waited: NDArray[np.float32]  # in reversal, over the wait that is usual in health
    osteoclast_depth_um: NDArray[np.float32]
    osteoclast_target_um: NDArray[np.float32]
    depth_excess: NDArray[np.float32]  # osteoclast depth over what reference hormones would give
    mononuclear_depth_um: NDArray[np.float32]
    mononuclear_target_um: NDArray[np.float32]
    open_um: NDArray[np.float32]  # present depth of its floor, by its cells' work
    film_um: NDArray[np.float32]  # where the floor is to end, the least of its voxels'
    removed_quanta: NDArray[np.int32]
    wall_um: NDArray[np.float32]  # thickness the team is to form
    formed_quanta: NDArray[np.int32]
    front_voxel: NDArray[np.int64]  # the voxel last turned into bone, or -1
    first: NDArray[np.int32]  # first record, or -1


@lean_kernel
def open_site(
    sites: SiteColumns, who: Identity, bmu: Row, bmu_id: Identity, voxel: Voxel, inward: Normal
) -> Site:
    """A new site that has no voxels yet, or -1 for lack of room; its first phase is the caller's.

    Args:
        bmu: row of its BMU; -1: modelling.
        voxel: its centre.
        inward: unit normal into bone.

    Writes:
        sites

    Returns:
        The new site.
    """
    site = Site(new_row(sites))
    if site < 0:
        return site
    sites.id[site] = who
    sites.bmu[site] = bmu
    sites.bmu_id[site] = bmu_id
    sites.voxel[site] = voxel
    sites.nz[site], sites.ny[site], sites.nx[site] = inward
    sites.osteoclast_depth_um[site] = 0.0
    sites.osteoclast_target_um[site] = 0.0
    sites.depth_excess[site] = 1.0
    sites.mononuclear_depth_um[site] = 0.0
    sites.removed_quanta[site] = 0
    sites.formed_quanta[site] = 0
    sites.front_voxel[site] = -1
    sites.first[site] = -1
    return site


@lean_kernel
def begin_osteoclast(sites: SiteColumns, site: Site, day: Day) -> None:
    """A new site begins with an osteoclast: nothing is dug, and no wall is planned.

    Writes:
        sites
    """
    sites.phase[site] = OSTEOCLAST
    sites.phase_day[site] = day
    sites.waited[site] = 0.0
    sites.wall_um[site] = 0.0
    sites.open_um[site] = 0.0
    sites.film_um[site] = 0.0


@lean_kernel
def begin_modelling(sites: SiteColumns, site: Site, day: Day) -> None:
    """A new site begins with a team that forms: nothing is to be dug.

    Writes:
        sites
    """
    sites.mononuclear_target_um[site] = 0.0
    begin_forming(sites, site, day)


@lean_kernel
def begin_mononuclear(sites: SiteColumns, site: Site, depth_um: float, day: Day) -> None:
    """The osteoclast leaves.

    Args:
        depth_um: how deep it has dug, um.

    Writes:
        sites
    """
    sites.phase[site] = MONONUCLEAR
    sites.phase_day[site] = day
    sites.osteoclast_depth_um[site] = depth_um


@lean_kernel
def begin_reversal(sites: SiteColumns, site: Site, day: Day) -> None:
    """Resorption has ended, or another BMU has taken the site up: it waits for a team from now on.

    Writes:
        sites
    """
    sites.phase[site] = REVERSAL
    sites.phase_day[site] = day
    sites.waited[site] = 0.0


@lean_kernel
def begin_forming(sites: SiteColumns, site: Site, day: Day) -> None:
    """A team begins to form.

    Writes:
        sites
    """
    sites.phase[site] = FORMING
    sites.phase_day[site] = day


@lean_kernel
def arrest(sites: SiteColumns, bmus: BmuColumns, site: Site, day: Day) -> None:
    """No team has come: the surface stays eroded, and its BMU is done with it.

    Writes:
        sites, bmus
    """
    sites.phase[site] = ARRESTED
    sites.phase_day[site] = day
    leave_bmu(sites, bmus, site)


@lean_kernel
def pass_to(sites: SiteColumns, bmus: BmuColumns, site: Site, row: Row, day: Day) -> None:
    """An arrested site becomes one of another BMU, in reversal.

    Writes:
        sites, bmus
    """
    sites.bmu[site] = row
    sites.bmu_id[site] = entity_of(bmus.id[row])
    begin_reversal(sites, site, day)
    join_bmu(sites, bmus, site)


@lean_kernel
def join_bmu(sites: SiteColumns, bmus: BmuColumns, site: Site) -> None:
    """A site's BMU has one more open site.

    Writes:
        bmus
    """
    bmus.open_sites[sites.bmu[site]] += 1


@lean_kernel
def leave_bmu(sites: SiteColumns, bmus: BmuColumns, site: Site) -> None:
    """A site's BMU, if it has one, has one open site less.

    Writes:
        bmus
    """
    if sites.bmu[site] >= 0:
        bmus.open_sites[sites.bmu[site]] -= 1
