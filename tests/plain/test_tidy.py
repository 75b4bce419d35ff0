"""Records put in order: other rows, the same cavities; and what depends on nothing of it."""

from typing import Any

import numpy as np
import pytest

from bonesim.cells.cavity import CavityTables, records_by_site, shares_centre
from bonesim.cells.population import new_row
from bonesim.cells.site import FORMING
from bonesim.engine import simulation as engine
from bonesim.engine.simulation import Simulation
from bonesim.engine.state import put_back, state_of
from tests.plain.conftest import Busy, alive, lists_of, records_of


@pytest.fixture
def working(at_work: Simulation) -> Simulation:
    """The bone at work, to be changed."""
    other = Simulation(at_work.config, at_work.specimen)
    put_back(other, state_of(at_work))
    other.cavities.make_room()
    return other


def cavities_of(s: Simulation) -> tuple[dict[int, list[Any]], np.ndarray]:
    """What the list of each site has, in its order; and at each voxel the site that owns it."""
    records, owner = s.cavities.columns.records, s.tissue.lattice.owner
    lists = lists_of(s.tissue.lattice, s.cavities.columns)
    return lists, np.where(owner >= 0, records.site[owner], -1)


def test_rows_are_renamed_and_nothing_else(working: Simulation) -> None:
    before, owners = cavities_of(working)
    count, capacity = len(working.cavities.records), working.cavities.records.columns.alive.size
    assert not in_order(working.cavities)
    working.cavities.tidy(working.tissue.lattice)
    after, owners_now = cavities_of(working)
    assert after == before
    np.testing.assert_array_equal(owners, owners_now)
    records = working.cavities.records.columns
    assert in_order(working.cavities)
    assert len(working.cavities.records) == count == int(records.alive.sum())
    assert records.alive.size == capacity
    assert int(new_row(records)) == count


def in_order(cavities: CavityTables) -> bool:
    """Whether each list is a run of rows."""
    columns = cavities.columns
    lists = [np.array(records_of(columns, site)) for site in alive(columns.sites)]
    return all((np.diff(rows) == 1).all() for rows in lists)


def test_all_records_are_found_in_their_order(busy: Busy) -> None:
    rows = np.full(int(busy.cavities.records.alive.sum()), -1)
    assert records_by_site(busy.cavities, rows) == rows.size
    expected = [r for site in alive(busy.cavities.sites) for r in records_of(busy.cavities, site)]
    assert rows.tolist() == expected


def test_a_record_in_no_list_is_reported(working: Simulation) -> None:
    records: Any = working.cavities.records.columns
    new_row(records)
    with pytest.raises(RuntimeError, match="lost"):
        working.cavities.tidy(working.tissue.lattice)


def test_results_do_not_depend_on_when(
    at_work: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for every in (1, 1000):
        monkeypatch.setattr(engine, "TIDY_DAY", every)
        s = Simulation(at_work.config, at_work.specimen)
        put_back(s, state_of(at_work))
        for _ in range(40):
            s.step()
        found.append(s)
    one, other = found
    assert cavities_of(one)[0] == cavities_of(other)[0]
    for name in ("quanta", "formed_day", "counts", "sums"):
        mine, theirs = (getattr(s.tissue.lattice, name) for s in found)
        np.testing.assert_array_equal(mine, theirs)
    for name in one.tables():
        mine, theirs = (s.tables()[name].alive_columns() for s in found)
        for column in mine:
            np.testing.assert_array_equal(mine[column], theirs[column])


def test_a_centre_is_shared_only_with_a_team_of_today(busy: Busy) -> None:
    sites = busy.cavities.sites
    site, other = alive(sites)[:2]
    assert not shares_centre(sites, site, 500)
    sites.voxel[other] = sites.voxel[site]
    assert not shares_centre(sites, site, 500)
    sites.phase[[site, other]] = FORMING
    sites.phase_day[other] = 499
    assert not shares_centre(sites, site, 500)
    sites.phase_day[other] = 500
    assert shares_centre(sites, site, 500)
