"""Every change of bone and stock at a site, booked in all accounts by the function that makes it.

The accounts are the ledger (`lattice.ledger`), the site's own sums, the stock of a record, what it is
granted, and the running totals. A caller says what is to change, and has nothing to book.

    resorb_bone  bone goes into the stock of the voxel's owner
    form_bone    bone comes from a record's stock, then from its grant
    fill_void    bone comes where nobody has stock
    lose_stock   stock and the rest of its bone are gone for ever
    forgo_stock  stock that is not to be returned
    arrest_site, take_up, close_site    a site stops, goes on, ends, and its stock with it
"""

import numpy as np

from bonesim.cells.bmu_parameters import BmuColumns
from bonesim.cells.cavity import (
    AREA_CLOSED,
    CLOSED_ERODED,
    CLOSED_FORMED,
    QUANTA_ADDED,
    QUANTA_ARRESTED,
    QUANTA_ERODED,
    QUANTA_FLOORLESS,
    QUANTA_FORMED,
    QUANTA_MODELLED,
    SITES_ARRESTED,
    SITES_CLOSED,
    Cavities,
    drop_record,
)
from bonesim.cells.population import free_row
from bonesim.cells.site import ARRESTED, arrest, pass_to
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Count, Day, Record, Row, Site, Voxel
from bonesim.lattice.ledger import INTERIOR, give, log_floorless, take
from bonesim.units import BONE, FULL


@lean_kernel
def take_bone(
    lattice: Lattice, cavities: Cavities, site: Site, voxel: Voxel, amount: Count, day: Day,
    thickness_um: float, depth_um: float,
) -> Count:  # fmt: skip
    """Bone goes at a site, from no stock and to none: callers are those of this file.

    Args:
        amount: quanta, at most.
        thickness_um: local thickness, um; NaN if the topology stays.
        depth_um: erosion depth, um; NaN if the topology stays.

    Writes:
        lattice, cavities

    Returns:
        The quanta removed.
    """
    sites = cavities.sites
    moved = take(lattice, voxel, amount, day, thickness_um, depth_um, sites.bmu_id[site])
    sites.removed_quanta[site] += moved
    cavities.tally[QUANTA_ERODED] += moved
    return moved


@lean_kernel
def give_bone(
    lattice: Lattice, cavities: Cavities, site: Site, voxel: Voxel, amount: Count, day: Day,
    depth_um: float,
) -> Count:  # fmt: skip
    """Bone comes at a site, from no stock: callers are those of this file.

    Args:
        amount: quanta, at most.
        depth_um: erosion depth, um; NaN if there was none.

    Writes:
        lattice, cavities

    Returns:
        The quanta formed.
    """
    sites = cavities.sites
    moved = give(lattice, voxel, amount, day, depth_um, sites.bmu_id[site])
    sites.formed_quanta[site] += moved
    cavities.tally[QUANTA_FORMED] += moved
    return moved


@lean_kernel
def resorb_bone(
    lattice: Lattice, cavities: Cavities, record: Record, amount: Count, day: Day,
    thickness_um: float, depth_um: float,
) -> Count:  # fmt: skip
    """A site's cells take bone from the voxel of its record: it is stock of the voxel's owner.

    A voxel of nobody becomes the record's own.

    Args:
        amount: quanta, at most.
        thickness_um: local thickness, um; NaN if the topology stays.
        depth_um: erosion depth, um; NaN if the topology stays.

    Writes:
        lattice, cavities

    Returns:
        The quanta removed.
    """
    sites, records = cavities.sites, cavities.records
    site, voxel = Site(records.site[record]), Voxel(records.voxel[record])
    moved = take_bone(lattice, cavities, site, voxel, amount, day, thickness_um, depth_um)
    if moved <= 0:
        return moved
    if lattice.owner[voxel] < 0:
        lattice.owner[voxel] = record
    owner = lattice.owner[voxel]
    records.stock[owner] += moved
    if sites.phase[records.site[owner]] == ARRESTED and lattice.region[voxel] == INTERIOR:
        cavities.tally[QUANTA_ARRESTED] += moved
    return moved


@lean_kernel
def form_bone(
    lattice: Lattice, cavities: Cavities, record: Record, amount: Count, day: Day, depth_um: float
) -> Count:
    """A site's team deposits bone in the voxel of its record: of its stock first, then of the grant.

    Args:
        amount: quanta, at most.
        depth_um: erosion depth, um.

    Writes:
        lattice, cavities

    Returns:
        The quanta formed.
    """
    records = cavities.records
    site, voxel = Site(records.site[record]), Voxel(records.voxel[record])
    moved = give_bone(lattice, cavities, site, voxel, amount, day, depth_um)
    of_stock = min(moved, np.int64(records.stock[record]))
    records.stock[record] -= of_stock
    added = min(moved - of_stock, np.int64(records.granted[record]))
    records.granted[record] -= added
    if lattice.region[voxel] == INTERIOR:
        cavities.tally[QUANTA_ADDED] += added
    return moved


@lean_kernel
def fill_void(lattice: Lattice, cavities: Cavities, site: Site, voxel: Voxel, day: Day) -> Count:
    """A site's team fills a voxel of nobody: all of it is added bone. Returns the quanta formed.

    Writes:
        lattice, cavities
    """
    moved = give_bone(lattice, cavities, site, voxel, FULL, day, np.nan)
    if lattice.region[voxel] == INTERIOR:
        cavities.tally[QUANTA_ADDED] += moved
    return moved


@lean_kernel
def lose_stock(lattice: Lattice, cavities: Cavities, record: Record, day: Day) -> None:
    """A voxel has no floor: its stock is lost for ever, and what little bone is left in it goes.

    Writes:
        lattice, cavities
    """
    sites, records = cavities.sites, cavities.records
    site, voxel = Site(records.site[record]), Voxel(records.voxel[record])
    residue: Count = np.int64(0)
    if lattice.quanta[voxel] < BONE:
        residue = take_bone(lattice, cavities, site, voxel, FULL, day, np.nan, np.nan)
    lost = np.int64(records.stock[record]) + residue
    cavities.tally[QUANTA_FLOORLESS] += lost
    log_floorless(lattice, voxel, lost, sites.bmu_id[site], records.event[record])
    records.stock[record] = 0


@lean_kernel
def forgo_stock(cavities: Cavities, record: Record, returned: Count) -> Count:
    """Only part of a record's stock is to be returned, and the rest is stock no more.

    Args:
        returned: quanta that are left of it, at most what there is.

    Writes:
        cavities

    Returns:
        The quanta that are not to be returned.
    """
    stock = np.int64(cavities.records.stock[record])
    cavities.records.stock[record] = returned
    return stock - returned


@lean_kernel
def interior_stock(lattice: Lattice, cavities: Cavities, site: Site) -> Count:
    """Stock of a site in the interior, quanta."""
    stock = np.int64(0)
    record = cavities.sites.first[site]
    while record >= 0:
        if lattice.region[cavities.records.voxel[record]] == INTERIOR:
            stock += cavities.records.stock[record]
        record = cavities.records.next[record]
    return stock


@lean_kernel
def arrest_site(
    lattice: Lattice, cavities: Cavities, bmus: BmuColumns, site: Site, day: Day
) -> None:
    """No team has come to a site: it is arrested (`site.arrest`), and its stock with it.

    Writes:
        cavities, bmus
    """
    arrest(cavities.sites, bmus, site, day)
    cavities.tally[SITES_ARRESTED] += 1
    cavities.tally[QUANTA_ARRESTED] += interior_stock(lattice, cavities, site)


@lean_kernel
def take_up(
    lattice: Lattice, cavities: Cavities, bmus: BmuColumns, row: Row, site: Site, day: Day
) -> None:
    """A BMU reaches an arrested site: it becomes one of its own, in reversal, and keeps its stock.

    Writes:
        cavities, bmus
    """
    pass_to(cavities.sites, bmus, site, row, day)
    cavities.tally[QUANTA_ARRESTED] -= interior_stock(lattice, cavities, site)


@lean_kernel
def close_site(lattice: Lattice, cavities: Cavities, site: Site) -> None:
    """End a site: its voxels are nobody's again. Its stock has been returned, or is lost.

    Writes:
        lattice, cavities
    """
    record = cavities.sites.first[site]
    while record >= 0:
        following = cavities.records.next[record]
        drop_record(lattice, cavities, record)
        record = following
    cavities.sites.first[site] = -1
    if cavities.sites.bmu[site] < 0:
        cavities.tally[QUANTA_MODELLED] += cavities.sites.formed_quanta[site]
    else:
        cavities.tally[AREA_CLOSED] += cavities.sites.area_um2[site]
        cavities.tally[CLOSED_ERODED] += cavities.sites.removed_quanta[site]
        cavities.tally[CLOSED_FORMED] += cavities.sites.formed_quanta[site]
        cavities.tally[SITES_CLOSED] += 1
    free_row(cavities.sites, site)
