"""The cavity: territories under osteoclasts, and the memory of what was taken from each voxel.

A *site* is the territory of one osteoclast: a patch of bone surface with its own inward normal n,
its true area, and its phase. A *record* is one voxel of a site: it owns the voxel and remembers
the quanta taken there, its *stock*. Rules (design: "the tissue"):

- Erosion follows n: the floor is the old surface moved by the depth dug, in every direction alike
  (`column`). At a voxel whose removal would change the topology
  erosion holds at the threshold, unless no bone remains within three voxels along n: that is a
  breakthrough.
- When resorption ends, one ray along n decides once whether a voxel has a floor. Floorless: its
  stock is lost for ever and the hole stays.
- A site digs the columns under the surface it claimed (`column`): the area it claimed is the area of
  its cavity.
- Filling mirrors erosion: up from the floor, never beyond the stock. A team returns the stock to the
  last quantum, voxel by voxel. What it is not to return is taken off the stock first, as an even
  film along the old surface (`film`).
- Stock of an arrested site is kept: the next BMU that reaches it takes it up.
- Formation on what was marrow before (modelling, and the surplus of a strained site) is granted
  voxel by voxel, from firm bone up, and stops at the threshold where it would change the topology.
- Overlapping cavities add to the stock of the voxel's owner; a voxel has one owner.

Bone and stock change only by the functions of `accounts`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.cells.population import Rows, free_row, new_row
from bonesim.cells.site import FORMING, SiteColumns
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Day, Record, Site, Voxel
from bonesim.units import FULL

# Places in `tally` (float64), running totals since the start.
AREA_STARTED, AREA_CLOSED, QUANTA_ERODED, QUANTA_FORMED, SITES_PERFORATED = 0, 1, 2, 3, 4
SITES_ARRESTED, SITES_CLOSED, QUANTA_FLOORLESS = 5, 6, 7
CLOSED_ERODED, CLOSED_FORMED, BMUS_BORN = 8, 9, 10
AREA_MODELLED, QUANTA_MODELLED = 11, 12
# Of the interior, as mineral is: stock of arrested sites now, and bone formed where marrow was before.
QUANTA_ARRESTED, QUANTA_ADDED = 13, 14
TALLIES = 15
#: Days between two times that the records are put in order; choice: it changes no result.
TIDY_DAY = 28


class RecordColumns(NamedTuple):
    """One row per voxel of a site."""

    alive: NDArray[np.uint8]
    free: NDArray[np.int32]
    used: NDArray[np.int64]
    voxel: NDArray[np.int64]
    site: NDArray[np.int32]
    next: NDArray[np.int32]
    stock: NDArray[np.uint8]  # quanta taken and not yet put back
    foot: NDArray[np.uint8]  # 1 if it was surface when the site claimed it
    below_um: NDArray[np.float32]  # depth of its centre below the old surface (`column`)
    film_um: NDArray[np.float32]  # of the old surface, what is not returned; below 0: more
    event: NDArray[np.uint8]  # 1 if its loss changed the topology
    granted: NDArray[np.uint8]  # quanta it may take up beyond its stock, where marrow was before
    weight: NDArray[np.float32]  # scratch of the present step


class Cavities(NamedTuple):
    """Sites, their records and the running totals, as kernels see them."""

    sites: SiteColumns
    records: RecordColumns
    tally: NDArray[np.float64]


@lean_kernel
def add_record(lattice: Lattice, cavities: Cavities, site: Site, voxel: Voxel, own: bool) -> Record:
    """Put `voxel` at the head of a site's list. Returns its record, or -1 for lack of room.

    With `own` the site owns it if nobody does.

    Args:
        own: own the voxel if nobody does.

    Writes:
        lattice, cavities
    """
    records = cavities.records
    record = new_row(records)
    if record < 0:
        return record
    records.voxel[record] = voxel
    records.site[record] = site
    records.stock[record] = 0
    records.foot[record] = 0
    records.below_um[record] = 0.0
    records.film_um[record] = 0.0
    records.event[record] = 0
    records.granted[record] = 0
    records.weight[record] = 0.0
    records.next[record] = cavities.sites.first[site]
    cavities.sites.first[site] = record
    if own and lattice.owner[voxel] < 0:
        lattice.owner[voxel] = record
    return record


@lean_kernel
def shares_centre(sites: SiteColumns, site: Site, day: Day) -> bool:
    """Whether a team has started today on another site with the same centre."""
    centre = sites.voxel[site]
    others = -1
    for other in range(sites.used[0]):
        others += 1 if sites.voxel[other] == centre else 0
    if others > 0:
        for other in range(sites.used[0]):
            started = sites.phase[other] == FORMING and sites.phase_day[other] == day
            if other != site and started and sites.voxel[other] == centre:
                return True
    return False


@lean_kernel
def records_by_site(cavities: Cavities, rows: NDArray[np.int64]) -> int:
    """Write the rows of all records to `rows`: site after site, each list in its order.

    Returns how many there are.

    Args:
        rows: int64 (most,), receives the rows.

    Writes:
        rows
    """
    sites, records = cavities.sites, cavities.records
    count = 0
    for site in range(sites.used[0]):
        record = sites.first[site] if sites.alive[site] == 1 else -1
        while record >= 0:
            if count < rows.size:
                rows[count] = record
            count += 1
            record = records.next[record]
    return count


@lean_kernel
def has_record(cavities: Cavities, site: Site, voxel: Voxel) -> bool:
    """Whether a voxel is in a site's list already, as owner or as guest."""
    record = cavities.sites.first[site]
    while record >= 0:
        if cavities.records.voxel[record] == voxel:
            return True
        record = cavities.records.next[record]
    return False


@lean_kernel
def drop_record(lattice: Lattice, cavities: Cavities, record: Record) -> None:
    """Forget a record: its stock is lost, its voxel is nobody's. The list is the caller's.

    Writes:
        lattice, cavities
    """
    voxel = cavities.records.voxel[record]
    if lattice.owner[voxel] == record:
        lattice.owner[voxel] = -1
    free_row(cavities.records, record)


@lean_kernel
def eroded_depth_um(lattice: Lattice, sites: SiteColumns, site: Site) -> float:
    """Mean erosion depth of a site so far: volume removed over true area, um."""
    volume = sites.removed_quanta[site] * lattice.voxel_um**3 / FULL
    return volume / sites.area_um2[site]


class CavityTables:
    """The growable tables of sites and records, and the running totals."""

    def __init__(self) -> None:
        self.sites: Rows[SiteColumns] = Rows(SiteColumns, 4096)
        self.records: Rows[RecordColumns] = Rows(RecordColumns, 65536)
        self.tally = np.zeros(TALLIES, np.float64)

    @property
    def columns(self) -> Cavities:
        """What kernels see; valid until the next `make_room`."""
        return Cavities(self.sites.columns, self.records.columns, self.tally)

    def make_room(self) -> None:
        """Room for one day: territories grow by a few voxels a day, far below a doubling."""
        self.sites.make_room(4096 + len(self.sites) // 2)
        self.records.make_room(65536 + len(self.records) // 2)

    def tidy(self, lattice: Lattice) -> None:
        """Put the records of a site side by side: a cell that works through them waits for memory.

        Nothing but their rows' numbers changes, and with them the voxels' `owner`.
        """
        sites: Any = self.sites.columns
        records: Any = self.records.columns
        rows = np.empty(len(self.records), np.int64)
        if records_by_site(self.columns, rows) != rows.size:
            raise RuntimeError("records of cavities are lost, or in the lists of two sites")
        now = np.full(int(records.used[0]) + 1, -1, np.int32)  # the last: of no record
        now[rows] = np.arange(rows.size, dtype=np.int32)
        voxels = records.voxel[rows]
        owned = lattice.owner[voxels] == rows
        lattice.owner[voxels[owned]] = now[rows[owned]]
        records.next[rows] = now[records.next[rows]]
        sites.first[: sites.used[0]] = now[sites.first[: sites.used[0]]]
        self.records.put_in_order(rows)

    def areas_um2(self) -> NDArray[np.float64]:
        """Surface area in each phase, um2, indexed by phase code (0..5)."""
        sites: Any = self.sites.columns
        alive = sites.alive == 1
        weights = sites.area_um2[alive].astype(np.float64)
        return np.asarray(np.bincount(sites.phase[alive], weights, minlength=6), np.float64)
