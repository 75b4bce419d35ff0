"""A site from its first day to its last: which columns each transition assigns, and which it leaves."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bonesim.cells.population import entity_of, new_row
from bonesim.cells.site import (
    ARRESTED,
    FORMING,
    MONONUCLEAR,
    OSTEOCLAST,
    REVERSAL,
    arrest,
    begin_forming,
    begin_modelling,
    begin_mononuclear,
    begin_osteoclast,
    begin_reversal,
    join_bmu,
    leave_bmu,
    open_site,
    pass_to,
)
from bonesim.lattice.ledger import FORMED, RESORBED, remove_quanta
from tests.plain.conftest import Busy, alive, assert_same

DAY = 300
BEGUN = {"waited": 0.0}
FIRST = BEGUN | {"wall_um": 0.0, "open_um": 0.0, "film_um": 0.0}


def test_a_new_site_has_no_voxels_and_no_past(busy: Busy) -> None:
    plain = busy.copy()
    site = int(
        open_site(busy.cavities.sites, np.uint64(77), 5, np.uint64(9), 1234, (0.6, 0.0, 0.8))
    )
    sites = plain.cavities.sites
    assert site == new_row(sites)
    for name, value in {
        "id": 77, "bmu": 5, "bmu_id": 9, "voxel": 1234, "nz": 0.6, "ny": 0.0, "nx": 0.8,
        "osteoclast_depth_um": 0, "osteoclast_target_um": 0, "depth_excess": 1,
        "mononuclear_depth_um": 0, "removed_quanta": 0, "formed_quanta": 0, "front_voxel": -1,
        "first": -1,
    }.items():  # fmt: skip
        getattr(sites, name)[site] = value
    assert_same(busy, plain)


def test_there_is_no_site_where_there_is_no_room(busy: Busy) -> None:
    sites = busy.cavities.sites
    while new_row(sites) >= 0:
        pass
    before = busy.copy()
    assert open_site(sites, np.uint64(7), 5, np.uint64(9), 12, (0.6, 0.0, 0.8)) == -1
    before.cavities.sites.used[2] += 1
    assert_same(busy, before)


@pytest.mark.parametrize(
    ("begin", "phase", "others"),
    [
        (begin_osteoclast, OSTEOCLAST, FIRST),
        (begin_modelling, FORMING, {"mononuclear_target_um": 0.0}),
        (begin_reversal, REVERSAL, BEGUN),
        (begin_forming, FORMING, {}),
    ],
)
def test_a_phase_begins(
    busy: Busy, begin: Callable[..., None], phase: int, others: dict[str, float]
) -> None:
    for site in alive(busy.cavities.sites):
        plain = busy.copy()
        begin(busy.cavities.sites, site, DAY)
        sites = plain.cavities.sites
        sites.phase[site], sites.phase_day[site] = phase, DAY
        for name, value in others.items():
            getattr(sites, name)[site] = value
        assert_same(busy.cavities, plain.cavities)


def test_the_osteoclast_leaves_its_depth(busy: Busy) -> None:
    site, plain = alive(busy.cavities.sites)[0], busy.copy()
    begin_mononuclear(busy.cavities.sites, site, 12.5, DAY)
    sites = plain.cavities.sites
    sites.phase[site], sites.phase_day[site] = MONONUCLEAR, DAY
    sites.osteoclast_depth_um[site] = 12.5
    assert_same(busy, plain)


def bmu_and_site(busy: Busy) -> tuple[int, int]:
    """A living BMU, and a site of it."""
    sites = busy.cavities.sites
    site = next(one for one in alive(sites) if sites.bmu[one] >= 0)
    return int(sites.bmu[site]), site


def test_a_bmu_counts_its_open_sites(busy: Busy) -> None:
    row, site = bmu_and_site(busy)
    sites, bmus, plain = busy.cavities.sites, busy.bmus, busy.copy()
    join_bmu(sites, bmus, site)
    plain.bmus.open_sites[row] += 1
    assert_same(busy, plain)
    leave_bmu(sites, bmus, site)
    leave_bmu(sites, bmus, site)
    plain.bmus.open_sites[row] -= 2
    assert_same(busy, plain)
    sites.bmu[site] = -1  # modelling: nobody counts it
    leave_bmu(sites, bmus, site)
    np.testing.assert_array_equal(bmus.open_sites, plain.bmus.open_sites)


def test_a_site_is_arrested_and_taken_up_by_another_bmu(busy: Busy) -> None:
    row, site = bmu_and_site(busy)
    sites, bmus, plain = busy.cavities.sites, busy.bmus, busy.copy()
    arrest(sites, bmus, site, DAY)
    expected = plain.cavities.sites
    expected.phase[site], expected.phase_day[site] = ARRESTED, DAY
    plain.bmus.open_sites[row] -= 1
    assert_same(busy, plain)
    other = next(one for one in alive(bmus) if one != row)
    pass_to(sites, bmus, site, other, DAY + 9)
    expected.bmu[site], expected.bmu_id[site] = other, int(entity_of(bmus.id[other]))
    expected.phase[site], expected.phase_day[site], expected.waited[site] = REVERSAL, DAY + 9, 0.0
    plain.bmus.open_sites[other] += 1
    assert_same(busy, plain)


def test_quanta_that_only_move_are_in_no_account(busy: Busy) -> None:
    lattice: Any = busy.lattice
    voxel = int(np.flatnonzero((lattice.quanta > 150) & (lattice.region == 2))[0])
    before = lattice.counts[[FORMED, RESORBED]].copy()
    assert remove_quanta(lattice, voxel, 20, DAY, np.nan, np.nan, np.uint64(3)) == 20
    np.testing.assert_array_equal(lattice.counts[[FORMED, RESORBED]], before)
