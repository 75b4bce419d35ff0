"""The teams of a BMU come in the order in which its osteoclasts left: it has one cavity, not many."""

import numpy as np

from bonesim.cells.site import FORMING, MONONUCLEAR, REVERSAL
from bonesim.histology.cavities import open_cavities
from tests.laws.test_cavity_geometry import made


def test_teams_wait_alike_and_leave_one_cavity() -> None:
    """With a draw for each site waits would scatter as much as their mean, and late sites stay open."""
    s = made("slab", 400, (1, 0, 0), 3)
    s.osteoblasts.numbers = s.osteoblasts.numbers._replace(reversal_day=40.0)
    ended: dict[int, int] = {}
    waits: dict[int, int] = {}
    before: dict[int, int] = {}
    pieces = []
    while not (before and waits.keys() >= ended.keys() and len(ended) == len(before)):
        s.step()
        assert s.day < 600
        sites = s.cavities.sites.columns
        rows = np.flatnonzero(sites.alive)
        now = dict(zip(sites.id[rows].tolist(), sites.phase[rows].tolist(), strict=True))
        for site, phase in now.items():
            if phase == REVERSAL and before.get(site) == MONONUCLEAR:
                ended[site] = s.day
            if phase == FORMING and before.get(site) == REVERSAL:
                waits[site] = s.day - ended[site]
        before = {**before, **now}
        if MONONUCLEAR not in now.values() and REVERSAL in now.values():
            pieces.append(len(open_cavities(s)))
    found = np.array(list(waits.values()))
    assert found.size > 20
    assert found.std() < 0.25 * found.mean()
    assert max(pieces) <= 2
