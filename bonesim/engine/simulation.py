"""One specimen living through its days: the Mesa model.

`Simulation` knows biology's order of a day and nothing of files or pictures. Its populations are
its Mesa agents; its `DataCollector` holds the daily table. Day 0 is the first day after the
burn-in; the simulation begins at day `-burn_in_day`.
"""

from collections.abc import Sequence
from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

from bonesim.cells.bmu import RemodellingUnits
from bonesim.cells.cavity import TIDY_DAY, CavityTables
from bonesim.cells.modelling import Modelling
from bonesim.cells.osteoblast import Osteoblasts
from bonesim.cells.osteoclast import Osteoclasts
from bonesim.cells.osteocyte import Osteocytes
from bonesim.cells.population import Rows
from bonesim.cells.precursors import Precursors
from bonesim.cells.secretion import sources_of
from bonesim.config.config import Config, validated
from bonesim.endocrine.response import Response
from bonesim.engine.ablation import kept_mineralisation, switch_off
from bonesim.engine.breaks import Breaks, Seen
from bonesim.engine.daily_table import DailyTable
from bonesim.engine.seeds import batch_iteration, seed_given, seed_of_iteration
from bonesim.lattice.event_log import JUDGEMENT_DAYS, EventLog
from bonesim.lattice.floorless_log import FloorlessLog
from bonesim.lattice.fragments import Fragments
from bonesim.lattice.ledger import (
    BONE_QUANTA,
    FORMED,
    FRAGMENTS,
    INTERIOR_FORMED,
    INTERIOR_FRAGMENTS,
    INTERIOR_QUANTA,
    INTERIOR_RESORBED,
    RESORBED,
    SLOW_DEFICIT,
)
from bonesim.lattice.mineral import RECENT_DAYS, density_mg_per_cm3, mineral_quanta
from bonesim.lattice.tissue import Tissue
from bonesim.lattice.topology import MIXED, STRUT_CUT
from bonesim.mechanics.habitual import Habitual
from bonesim.morphometry.closed import closed_lattice
from bonesim.signals.fields import Fields
from bonesim.signals.messengers import Signals
from bonesim.specimens import make_specimen
from bonesim.specimens.specimen import Specimen


class Simulation(mesa.Model):
    """A specimen of bone, its cells and its hormones, day by day.

    Args:
        config: everything that decides the result; a nested dict is validated first.
        specimen: the bone, if it is already at hand; else it is made from the config.
        run_seed: overrides the config's seed.
        changes: dotted config path -> value, e.g. `{"cells.osteoclast.dig_um_per_day": 3.0}`.
        seed, rng: as Mesa calls `run_seed`; `rng` may also be a NumPy generator or seed sequence.
        iteration: which repetition with this seed it is; see `bonesim.engine.seeds`. None: that of
            `mesa.batch_run(..., iterations=...)`, elsewhere 0. `run_seed` is then the attribute that
            has the seed of this very run.

    Raises:
        InputError: a parameter or a specimen that is not allowed.
    """

    def __init__(
        self,
        config: Config | dict[str, Any] | None = None,
        specimen: Specimen | None = None,
        run_seed: int | None = None,
        changes: dict[str, Any] | None = None,
        seed: int | None = None,
        rng: Any = None,
        iteration: int | None = None,
    ) -> None:
        whole = config if isinstance(config, Config) else validated(config or {}, "config")
        given = seed_given(run_seed=run_seed, seed=seed, rng=rng)
        if given is not None:
            changes = {**(changes or {}), "seed": given}
        whole = whole.with_changes(changes) if changes else whole
        self.run_seed = seed_of_iteration(
            whole.seed, batch_iteration() if iteration is None else iteration
        )
        same = self.run_seed == whole.seed
        self.config = whole if same else whole.with_changes({"seed": self.run_seed})
        super().__init__(rng=self.run_seed)
        self.specimen = specimen or make_specimen(self.config.specimen)
        self.day = -self.config.schedule.burn_in_day
        cells = self.config.cells
        self.tissue = Tissue(
            self.specimen.quanta, self.specimen.voxel_um, self.config.tissue.mineral,
            self.config.burn_in_seed, self.day,
        )  # fmt: skip
        course = self.config.course()
        self.response = Response(self.config.hormones.response, course)
        self.drive = self.response.drive(
            course.e2_pg_per_ml(self.day), course.t_ng_per_dl(self.day),
            self.response.pth(course.diet(self.day)), course.bone_targets(self.day),
        )  # fmt: skip
        self.cavities = CavityTables()
        self.bmus = RemodellingUnits(self, cells.bmu)
        self.osteoclasts = Osteoclasts(self, cells.osteoclast)
        self.precursors = Precursors(self, cells.precursor, self.tissue, self.config.age_year)
        self.osteoblasts = Osteoblasts(self, cells.osteoblast)
        self.modelling = Modelling(cells.modelling, cells.bmu)
        self.osteocytes = Osteocytes(self, cells.osteocyte)
        self.signals = Signals(self.config.signals, self.tissue)
        self.mechanics = Habitual(self.config.mechanics, self.tissue.shape, self.tissue.voxel_um)
        self.fragments = Fragments(self.config.tissue.fragment, self.tissue)
        self.events = EventLog()
        self.earlier_events = EventLog()
        self.floorless = FloorlessLog()
        self.breaks = self._no_breaks()
        self.recent_deposits = np.zeros(RECENT_DAYS, np.float64)
        self.interior_formed = 0
        self.counting = False
        #: Further columns of the daily table (`engine.measures.Measure`).
        self.measures: tuple[Any, ...] = ()
        self.off: frozenset[str] = frozenset()
        # Mesa 3.3 counts ids by model for ever, and would keep every simulation of a process alive.
        getattr(mesa.Agent, "_ids", {}).pop(self, None)
        self.osteocytes.populate(self.tissue, self.config.burn_in_seed, self.day)
        if self.day == 0:
            self.start_counting()

    # -- one day -------------------------------------------------------------------------------

    def step(self) -> None:
        """Simulate one day.

        In order, because the order matters: blood -> load (solved every so many days) -> osteocytes
        age -> messengers spread -> BMUs are born, travel and recruit osteoclasts -> osteoclasts
        and mononuclear cells resorb -> precursors renew, osteoblasts are recruited, start on
        strained surface, form, are buried -> bone mineralises -> loose pieces go and events are
        judged -> collect.
        """
        self.day += 1
        day = self.day
        seed = self.run_seed if day > 0 else self.config.burn_in_seed
        self.tissue.age_one_day()
        self._switch_off()
        if day > 0:  # until then hormones are held: the drive is the first day's
            self.drive = self.response.next_day(day)

        self._load(day)
        self.osteocytes.age(self.tissue, self.signals.fields, self.drive, seed, day)
        fields = self._listen(day)
        depth = self.osteoclasts.depth(self.drive)
        self.bmus.be_born(self.tissue, fields, self.cavities, self.drive, depth, seed, day)
        ended = self.bmus.travel_and_recruit(
            self.tissue, fields, self.cavities, self.osteoclasts.rows, depth, seed, day
        )
        self.osteoclasts.resorb(self.tissue, fields, self.cavities, self.drive, seed, day)
        self.osteoclasts.smooth(self.tissue, fields, self.cavities, self.bmus.rows, seed, day)
        self.precursors.renew(self.drive, day)
        self.osteoblasts.arrive(
            self.tissue, fields, self.cavities, self.bmus.rows, self.precursors, self.drive,
            seed, day,
        )  # fmt: skip
        self.modelling.start(self.tissue, fields, self.cavities, self.osteoblasts, seed, day)
        self.osteoblasts.form(self.tissue, fields, self.cavities, self.bmus.rows, seed, day)
        self.osteoblasts.leave(self.tissue, self.cavities, self.osteocytes, day)

        if day % TIDY_DAY == 0:
            self.cavities.tidy(self.tissue.lattice)
        self._log_events(ended)
        self._remember_deposits()
        if self.day == 0:
            self.start_counting()
        elif self.day > 0:
            self._look_for_breaks(day)
            self.datacollector.collect(self)

    def _switch_off(self) -> None:
        """End the processes that an ablation ends before today."""
        self.off = switch_off(self)

    def _load(self, day: int) -> None:
        """The slow clock: load every `mechanics.interval_day` days, or when bone has changed.

        Its strain counts `mechanics.delay_day` days later.
        """
        load = self.config.load_percent(day)
        # Without a first solve no strain is known, and there is nothing to keep.
        if "mechanics" not in self.off or self.osteocytes.min_mpa == 0.0:
            self._solve(day)
        self.osteocytes.adapt_setpoints(self.tissue, load, day)
        self.signals.today(self.drive.rankl, self.drive.opg, self.osteocytes.load_level(load))

    def _solve(self, day: int) -> None:
        """Start a solve if one is due; take the answer that counts from today."""
        if self.mechanics.due(day, self.bone_quanta()):
            quanta = self.tissue.inner(self.tissue.lattice.quanta)
            self.mechanics.start(quanta, self.tissue.mineral_image(day), day)
        if self.mechanics.take(day):
            first = self.osteocytes.min_mpa == 0.0
            self.osteocytes.take_strain(self.mechanics)
            if first:
                self.osteocytes.initialise_setpoints(self.tissue)

    def _listen(self, day: int) -> Fields:
        """The messengers' fields as cells sense them today."""
        if self.signals.due(day):
            p = self.config.signals
            self.signals.solve(sources_of(self.tissue, self.cavities, self.osteocytes, p, day), day)
        return self.signals.fields

    def _log_events(self, ended: NDArray[np.uint64]) -> None:
        """Log what happened to the shape of bone today; remove loose pieces; judge old events."""
        self.fragments.remove_due(self.tissue, self.day)
        if self.day % self.config.tissue.fragment.full_search_day == 0:
            self.fragments.remove_all(self.tissue, self.day)
        self._drain()
        for log in (self.events, self.earlier_events):
            log.close_bmus(ended, self.day)
            log.judge(self.tissue, self.day)
        self._check_room()

    def _drain(self) -> None:
        drained, floorless = self.tissue.drain_events()
        self.events.add(self.day, drained, self.tissue.places_um(drained["voxel"]))
        self.floorless.add(self.day, floorless)
        for log in (self.events, self.earlier_events):
            log.mark_floorless(floorless["voxel"][floorless["event"] == 1])
        cuts = (drained["kind"] == STRUT_CUT) | (drained["kind"] == MIXED)
        self.fragments.add_cuts(drained["voxel"][cuts], self.day)

    def _check_room(self) -> None:
        """A birth refused for lack of room would be a silent loss: it is a bug, reported at once."""
        for table in (*self.tables().values(), self.cavities.sites, self.cavities.records):
            if table.refused():
                raise OverflowError(f"day {self.day}: no room for a new {table.kind.__name__} row")

    def conclude(self) -> None:
        """Do what waits for its day: remove loose pieces, judge the events of all ended BMUs."""
        self.fragments.remove_all(self.tissue, self.day)
        self._drain()
        for log in (self.events, self.earlier_events):
            log.judge(self.tissue, self.day + JUDGEMENT_DAYS)

    # -- day zero ------------------------------------------------------------------------------

    def start_counting(self) -> None:
        """Zero the ledger, the logs and the table: this is day 0, after the burn-in.

        Events that wait for their judgement go on waiting, but apart: they are not of this run.
        """
        counts = self.tissue.lattice.counts
        counts[[FORMED, RESORBED, FRAGMENTS]] = 0
        counts[[INTERIOR_FORMED, INTERIOR_RESORBED, INTERIOR_FRAGMENTS]] = 0
        self.interior_formed = 0
        self.cavities.tally[:] = 0.0
        if not self.counting:
            self.earlier_events = self.events.still_open()
        self.events = EventLog()
        self.floorless = FloorlessLog()
        self.counting = True
        self.breaks = self._no_breaks()
        self.breaks.begin(self._seen())
        self.first_quanta = self.bone_quanta()
        self.first_euler = self.tissue.euler
        self.datacollector = DailyTable(measures=self.measures)
        self.datacollector.collect(self)

    def measure_with(self, measures: Sequence[Any]) -> None:
        """Add columns to the daily table, from day 0 on; call it on day 0."""
        self.measures = tuple(measures)
        if measures and self.counting:
            self.datacollector = self.datacollector.last_day_measured(self, self.measures)

    def _look_for_breaks(self, day: int) -> None:
        """Every so many days: which holes and cuts the network has, and how wide they are."""
        if day % self.config.schedule.breaks_every_day == 0:
            self.breaks.look(self._seen(), day)

    def _no_breaks(self) -> Breaks:
        grid = self.signals.fields.strain.shape
        return Breaks(self.tissue.shape, self.tissue.voxel_um, grid)

    def _seen(self) -> Seen:
        """What a look for breaks sees."""
        quanta, stock = self.tissue.inner(self.tissue.lattice.quanta), self.stock()
        lost = self.floorless.columns()
        _, ny, nx = self.tissue.shape
        z, y, x = np.unravel_index(lost["voxel"], self.tissue.padded_shape)
        lost["voxel"] = ((z - 1) * ny + y - 1) * nx + x - 1
        strain = self.signals.fields.strain * np.float32(self.signals.fields.load_level)
        return Seen(closed_lattice(quanta, stock), strain, lost)

    def stock(self) -> NDArray[np.uint8]:
        """Quanta that cells took from each voxel and are to put back, uint8 (nz, ny, nx).

        A voxel's stock is that of the record which owns it: overlapping cavities add to that one.
        """
        owner = self.tissue.inner(self.tissue.lattice.owner)
        stock = np.zeros(owner.shape, np.uint8)
        owned = owner >= 0
        stock[owned] = self.cavities.records.columns.stock[owner[owned]]
        return stock

    def _remember_deposits(self) -> None:
        """The quanta formed today, newest first; the fast part of mineralisation reads them."""
        formed = int(self.tissue.lattice.counts[INTERIOR_FORMED])
        self.recent_deposits[1:] = self.recent_deposits[:-1]
        self.recent_deposits[0] = formed - self.interior_formed
        self.interior_formed = formed

    def tables(self) -> dict[str, Rows[Any]]:
        """The cells of each population, by its name."""
        return {
            "bmus": self.bmus.rows,
            "osteoclasts": self.osteoclasts.rows,
            "osteoblasts": self.osteoblasts.rows,
            "osteocytes": self.osteocytes.rows,
        }

    # -- what the table reports ------------------------------------------------------------------

    def bone_quanta(self) -> int:
        """All bone of the specimen, quanta."""
        return int(self.tissue.lattice.counts[BONE_QUANTA])

    def mineral_quanta(self) -> float:
        """Fully mineralised quanta of the interior: each quantum times its mineralisation."""
        lattice = self.tissue.lattice
        kept = kept_mineralisation(self)
        if kept is not None:
            return kept * float(lattice.counts[INTERIOR_QUANTA])
        return mineral_quanta(
            float(lattice.counts[INTERIOR_QUANTA]), float(lattice.sums[SLOW_DEFICIT]),
            self.recent_deposits, self.config.tissue.mineral,
        )  # fmt: skip

    def bmd_mg_per_cm3(self) -> float:
        """Volumetric mineral density of the interior, mgHA/cm3."""
        return density_mg_per_cm3(
            self.mineral_quanta(), self.tissue.measured_voxels, self.config.tissue.mineral
        )

    def table(self, first_row: int = 0) -> dict[str, NDArray[Any]]:
        """The daily table from `first_row` on, column by column."""
        return self.datacollector.columns(first_row)
