"""Whether a hole has closed follows from crossings, not from the voxel it was logged at."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bonesim.engine.event_table import EVENT_COLUMNS, event_table
from bonesim.lattice import ledger as m
from bonesim.lattice.event_log import EVENT_STATUSES, FINAL, EventLog
from bonesim.lattice.mineral import MineralParameters
from bonesim.lattice.tissue import Tissue
from bonesim.lattice.topology import EVENT_KINDS
from bonesim.loss.reclosure import final_breaks, may_have_closed
from bonesim.units import BONE, FULL

MAKER, OTHER, NO_BMU = np.uint64(1), np.uint64(2), np.uint64(0)
RING = [(y, x) for y in (6, 7, 8) for x in (6, 7, 8) if (y, x) != (7, 7)]


class Plate:
    """A plate one voxel thick with a hole of 3 x 3 by BMU `MAKER`, judged final; and its later changes."""

    def __init__(self) -> None:
        quanta = np.zeros((15, 15, 15), np.uint8)
        quanta[7] = FULL
        self.tissue = Tissue(quanta, 20.0, MineralParameters(), 1)
        self.log = EventLog()
        self.erode([(7, 7), *RING], 10, MAKER)
        self.log.columns()["status"][:1] = FINAL

    def _voxel(self, y: int, x: int) -> int:
        return int(np.ravel_multi_index((8, y + 1, x + 1), self.tissue.padded_shape))

    def _logged(self, day: int) -> "Plate":
        drained, _ = self.tissue.drain_events()
        self.log.add(day, drained, self.tissue.places_um(drained["voxel"]))
        return self

    def erode(self, places: Sequence[tuple[int, int]], day: int, bmu: np.uint64) -> "Plate":
        """Take whole voxels of the plate."""
        for y, x in places:
            m.take(self.tissue.lattice, self._voxel(y, x), FULL, day, 20.0, 20.0, bmu)
        return self._logged(day)

    def form(self, places: Sequence[tuple[int, int]], day: int, bmu: np.uint64) -> "Plate":
        """Fill voxels of the plate."""
        for y, x in places:
            m.give(self.tissue.lattice, self._voxel(y, x), FULL, day, 20.0, bmu)
        return self._logged(day)

    def closed(self, since_day: float = 400.0) -> bool:
        """Whether the hole may have closed."""
        events = self.log.columns()
        rows = final_breaks(events)
        assert rows.tolist() == [0]
        return bool(may_have_closed(events, rows, since_day)[0])

    def middle_is_bone(self) -> bool:
        """Whether the voxel the hole was logged at is bone."""
        return bool(self.tissue.lattice.quanta[self._voxel(7, 7)] >= BONE)


def test_a_hole_left_alone_and_one_grown_over_its_middle_are_open() -> None:
    assert not Plate().closed()
    grown = Plate().form([(7, 8), (7, 7)], 500, OTHER)
    assert grown.middle_is_bone()
    assert not grown.closed()


def test_a_hole_that_is_filled_has_closed_whoever_filled_it() -> None:
    for builder in (OTHER, NO_BMU):
        plate = Plate().form([*RING, (7, 7)], 500, builder)
        assert plate.closed()
        assert not plate.closed(since_day=600.0)
    # Also where the last voxel is another than the first that broke.
    assert Plate().form([(7, 7), *RING], 500, OTHER).closed()


def test_what_no_bmu_did_is_not_summed_up() -> None:
    """Modelling closes the hole; another crossing without a BMU must not make up for it."""
    plate = Plate().form([*RING, (7, 7)], 500, NO_BMU).erode([(11, 11)], 500, NO_BMU)
    assert plate.closed()


def test_a_break_healed_by_its_own_bmu_closes_no_other_hole() -> None:
    plate = Plate().erode([(11, 11)], 500, OTHER).form([(11, 11)], 600, OTHER)
    assert plate.tissue.euler == Plate().tissue.euler
    assert not plate.closed()


def test_codes_and_names_are_read_alike() -> None:
    log = Plate().form([*RING, (7, 7)], 500, OTHER).log
    table = pd.DataFrame({name: column.copy() for name, column in event_table(log).items()})
    assert list(table) == [column.name for column in EVENT_COLUMNS]
    for name, codes in (("kind", EVENT_KINDS), ("status", EVENT_STATUSES)):
        table[name] = pd.Categorical.from_codes(table[name].astype(np.int64), list(codes))
    rows = final_breaks(table)
    assert rows.tolist() == final_breaks(log.columns()).tolist() == [0]
    assert may_have_closed(table, rows, 400.0).tolist() == [True]
    assert may_have_closed(table, rows[:0], 400.0).size == 0
