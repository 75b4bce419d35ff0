"""Every change of bone and stock at a site: what it moves is in each account, and in no other."""

import numpy as np
import pytest

from bonesim.cells.accounts import (
    arrest_site,
    close_site,
    fill_void,
    forgo_stock,
    form_bone,
    give_bone,
    lose_stock,
    resorb_bone,
    take_bone,
    take_up,
)
from bonesim.cells.cavity import (
    QUANTA_ADDED,
    QUANTA_ARRESTED,
    QUANTA_ERODED,
    QUANTA_FLOORLESS,
    QUANTA_FORMED,
    SITES_ARRESTED,
    TALLIES,
    add_record,
)
from bonesim.cells.site import ARRESTED, FORMING, arrest
from bonesim.lattice.ledger import FLOORLESS, FORMED, INTERIOR, RESORBED
from bonesim.units import BONE, FULL
from tests.plain.conftest import Busy, alive, assert_same, records_of

DAY = 300
Sums = dict[str, int]


def sums(busy: Busy) -> Sums:
    """All accounts of a specimen, each summed over sites and voxels."""
    lattice, (sites, records, tally) = busy.lattice, busy.cavities
    used = records.alive == 1
    held = records.stock[used].astype(int)
    arrested = (sites.phase[records.site[used]] == ARRESTED) & (
        lattice.region[records.voxel[used]] == INTERIOR
    )
    return {
        "bone": int(lattice.quanta.sum(dtype=int)),
        "ledger": int(lattice.counts[FORMED] - lattice.counts[RESORBED]),
        "sites": int((sites.formed_quanta - sites.removed_quanta)[sites.alive == 1].sum()),
        "formed less eroded": int(tally[QUANTA_FORMED] - tally[QUANTA_ERODED]),
        "stock": int(held.sum()),
        "granted": int(records.granted[used].sum()),
        "floorless": int(tally[QUANTA_FLOORLESS]),
        "added": int(tally[QUANTA_ADDED]),
        "arrested": int(tally[QUANTA_ARRESTED]) - int(held[arrested].sum()),
    }


def changes(before: Sums, busy: Busy) -> Sums:
    """What has changed since, without what has not."""
    return {name: now - before[name] for name, now in sums(busy).items() if now != before[name]}


def of_bone(quanta: int) -> Sums:
    """The same change in all accounts of bone."""
    return dict.fromkeys(("bone", "ledger", "sites", "formed less eroded"), quanta)


def without_zeros(change: Sums) -> Sums:
    return {name: quanta for name, quanta in change.items() if quanta}


def some_records(busy: Busy) -> list[int]:
    """Records of some sites, each the owner of its voxel in the interior."""
    lattice, records = busy.lattice, busy.cavities.records
    return [
        record
        for site in alive(busy.cavities.sites)[::7]
        for record in records_of(busy.cavities, site)[::5]
        if lattice.owner[records.voxel[record]] == record
        and lattice.region[records.voxel[record]] == INTERIOR
    ]


@pytest.mark.parametrize("amount", [0, 3, 90, FULL])
def test_bone_is_taken_into_stock_and_comes_back_from_it(busy: Busy, amount: int) -> None:
    lattice, cavities = busy.lattice, busy.cavities
    moved = 0
    for record in some_records(busy):
        held, before = int(lattice.quanta[cavities.records.voxel[record]]), sums(busy)
        gone = int(resorb_bone(lattice, cavities, record, amount, DAY, np.nan, np.nan))
        assert gone == min(amount, held)
        assert changes(before, busy) == without_zeros(of_bone(-gone) | {"stock": gone})
        before = sums(busy)
        come = int(form_bone(lattice, cavities, record, gone, DAY, np.nan))
        assert come == gone
        assert changes(before, busy) == without_zeros(of_bone(come) | {"stock": -come})
        moved += come
    assert (moved > 0) == (amount > 0)


def test_a_guest_s_bone_is_the_owner_s_stock(busy: Busy) -> None:
    """Of an arrested owner it is arrested stock; a voxel of nobody becomes the guest's own."""
    lattice, cavities = busy.lattice, busy.cavities
    records, sites = cavities.records, cavities.sites
    owner = next(one for one in some_records(busy) if lattice.quanta[records.voxel[one]] > 40)
    voxel, theirs = int(records.voxel[owner]), int(records.site[owner])
    site = next(one for one in alive(sites) if one != theirs)
    guest = int(add_record(lattice, cavities, site, voxel, True))
    stock = int(records.stock[owner])
    assert resorb_bone(lattice, cavities, guest, 9, DAY, np.nan, np.nan) == 9
    assert (records.stock[owner], records.stock[guest]) == (stock + 9, 0)
    sites.phase[theirs] = ARRESTED
    before = busy.cavities.tally[QUANTA_ARRESTED]
    assert resorb_bone(lattice, cavities, guest, 5, DAY, np.nan, np.nan) == 5
    assert cavities.tally[QUANTA_ARRESTED] == before + 5
    lattice.owner[voxel] = -1
    assert resorb_bone(lattice, cavities, guest, 0, DAY, np.nan, np.nan) == 0
    assert lattice.owner[voxel] == -1
    assert resorb_bone(lattice, cavities, guest, 4, DAY, np.nan, np.nan) == 4
    assert (lattice.owner[voxel], records.stock[guest]) == (guest, 4)
    assert records.stock[owner] == stock + 14


def test_beyond_its_stock_bone_is_added(busy: Busy) -> None:
    lattice, records = busy.lattice, busy.cavities.records
    added = 0
    for record in some_records(busy):
        records.granted[record] = 20
        room = FULL - int(lattice.quanta[records.voxel[record]])
        stock, before = int(records.stock[record]), sums(busy)
        come = int(form_bone(lattice, busy.cavities, record, stock + 15, DAY, np.nan))
        assert come == min(stock + 15, room)
        of_stock = min(stock, come)
        beyond = come - of_stock
        expected = {"stock": -of_stock, "granted": -beyond, "added": beyond}
        assert changes(before, busy) == without_zeros(of_bone(come) | expected)
        added += beyond
    assert added > 0


def test_a_void_of_nobody_is_filled_with_added_bone(busy: Busy) -> None:
    lattice, site = busy.lattice, alive(busy.cavities.sites)[3]
    inside = (lattice.region == INTERIOR) & (lattice.owner < 0) & (lattice.quanta < BONE)
    for voxel in np.flatnonzero(inside)[::4000]:
        before, room = sums(busy), FULL - int(lattice.quanta[voxel])
        assert fill_void(lattice, busy.cavities, site, voxel, DAY) == room
        assert changes(before, busy) == of_bone(room) | {"added": room}


def test_stock_is_lost_or_forgone(busy: Busy) -> None:
    lattice, cavities = busy.lattice, busy.cavities
    records, lost = cavities.records, lattice.counts[FLOORLESS]
    chosen = [r for r in some_records(busy) if records.stock[r] > 2]
    chosen = [r for r in chosen if cavities.sites.phase[records.site[r]] != ARRESTED]
    for number, record in enumerate(chosen):
        stock, rest = int(records.stock[record]), int(lattice.quanta[records.voxel[record]])
        rest = rest if rest < BONE else 0
        before = sums(busy)
        if number % 2:
            assert forgo_stock(cavities, record, 1) == stock - 1
            assert changes(before, busy) == {"stock": 1 - stock}
        else:
            lose_stock(lattice, cavities, record, DAY)
            expected = of_bone(-rest) | {"stock": -stock, "floorless": stock + rest}
            assert changes(before, busy) == without_zeros(expected)
    assert lattice.counts[FLOORLESS] - lost == (len(chosen) + 1) // 2 > 3


def test_stock_is_arrested_and_taken_up_with_its_site(busy: Busy) -> None:
    lattice, cavities, bmus = busy.lattice, busy.cavities, busy.bmus
    sites, row = cavities.sites, alive(busy.bmus)[0]
    total = 0.0
    for site in [s for s in alive(sites)[::5] if sites.bmu[s] >= 0 and sites.phase[s] != ARRESTED]:
        plain, before = busy.copy(), cavities.tally.copy()
        arrest_site(lattice, cavities, bmus, site, DAY)
        assert sums(busy)["arrested"] == 0
        arrest(plain.cavities.sites, plain.bmus, site, DAY)
        assert_same(busy.cavities.sites, plain.cavities.sites)
        assert_same(busy.bmus, plain.bmus)
        total += cavities.tally[QUANTA_ARRESTED] - before[QUANTA_ARRESTED]
        take_up(lattice, cavities, bmus, row, site, DAY)
        before[SITES_ARRESTED] += 1
        np.testing.assert_array_equal(cavities.tally, before)
    assert total > 0


def test_a_closed_site_is_in_the_totals_of_its_kind(busy: Busy) -> None:
    cavities = busy.cavities
    for site in alive(cavities.sites)[::6]:
        cavities.sites.phase[site] = FORMING
        before = cavities.tally.copy()
        close_site(busy.lattice, cavities, site)
        changed = {place for place in range(TALLIES) if cavities.tally[place] != before[place]}
        assert not changed & {QUANTA_ERODED, QUANTA_FORMED, QUANTA_FLOORLESS, QUANTA_ADDED}
        assert cavities.sites.alive[site] == 0


def test_what_has_no_stock_is_in_the_accounts_of_bone(busy: Busy) -> None:
    lattice, cavities, site = busy.lattice, busy.cavities, alive(busy.cavities.sites)[0]
    for voxel in np.flatnonzero((lattice.quanta > 150) & (lattice.region == INTERIOR))[:20]:
        before = sums(busy)
        assert take_bone(lattice, cavities, site, voxel, 30, DAY, np.nan, np.nan) == 30
        assert changes(before, busy) == of_bone(-30)
        before = sums(busy)
        assert give_bone(lattice, cavities, site, voxel, 30, DAY, np.nan) == 30
        assert changes(before, busy) == of_bone(30)
