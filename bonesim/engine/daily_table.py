"""The daily table: every column's name, unit, ASBMR symbol, meaning, and how it is read off.

Referents are 3-D. Running totals count from day 0; rates are over the trailing year, or since
day 0 if that is shorter.

A symbol of ASBMR is given to what sections would show in the mean (`bonesim biopsy` has both). The area
of a site is the area it claimed, which is its area by geometry: E.De, W.Th, Ac.f and ES/BS have their
names. Surface with a team is not OS/BS: osteoid stays until it is mineral.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

from bonesim.cells.cavity import (
    AREA_CLOSED,
    AREA_MODELLED,
    AREA_STARTED,
    BMUS_BORN,
    CLOSED_ERODED,
    CLOSED_FORMED,
    QUANTA_MODELLED,
)
from bonesim.cells.site import ARRESTED, ERODED, FORMING
from bonesim.engine.breaks import CUT, HOLE
from bonesim.lattice.ledger import FORMED, FRAGMENTS, RESORBED
from bonesim.lattice.topology import FRAGMENT_FREED
from bonesim.storage.layout import Column
from bonesim.units import DAYS_PER_YEAR, FULL

Reporter = Callable[[Any], float]
TRAILING_DAYS = 365


def _total(place: int) -> Reporter:
    return lambda s: float(s.cavities.tally[place])


def _ledger(place: int) -> Reporter:
    return lambda s: int(s.tissue.lattice.counts[place])


def _share_of_surface(*phases: int) -> Reporter:
    """Share of the surface in these phases of remodelling, %."""

    def share(s: Any) -> float:
        surface_um2 = s.tissue.surface_area_mm2() * 1e6 * np.prod(s.tissue.shape)
        surface_um2 /= s.tissue.measured_voxels
        busy = s.cavities.areas_um2()[list(phases)].sum()
        return float(100.0 * busy / surface_um2) if surface_um2 > 0 else float("nan")

    return share


def _trailing(s: Any, name: str, now: float) -> tuple[float, float]:
    """Change of a running total over the trailing year, and the years it covers."""
    rows = s.datacollector.model_vars[name]
    days = min(TRAILING_DAYS, len(rows))
    past = rows[-days] if days else now
    return now - past, days / DAYS_PER_YEAR


def _activation_frequency(s: Any) -> float:
    started, years = _trailing(s, "area_started_mm2", s.cavities.tally[AREA_STARTED] * 1e-6)
    whole = s.tissue.surface_area_mm2() * np.prod(s.tissue.shape) / s.tissue.measured_voxels
    return float(started / whole / years) if years > 0 and whole > 0 else float("nan")


def _turnover(s: Any) -> float:
    eroded, years = _trailing(s, "resorbed_quanta", int(s.tissue.lattice.counts[RESORBED]))
    bone = s.bone_quanta()
    return float(100.0 * eroded / bone / years) if years > 0 and bone > 0 else float("nan")


def _answer(name: str) -> Reporter:
    """A number of the last mechanical solve; NaN if there was none."""
    return lambda s: s.mechanics.results[name]


def _mean_thickness(closed: int, column: str) -> Reporter:
    """Depth or wall of the sites that ended in the trailing year, um."""

    def mean(s: Any) -> float:
        volume = s.tissue.voxel_um**3 / FULL * 1e-9
        moved, _ = _trailing(s, column, s.cavities.tally[closed] * volume)
        area, _ = _trailing(s, "area_closed_mm2", s.cavities.tally[AREA_CLOSED] * 1e-6)
        return float(1000.0 * moved / area) if area > 0 else float("nan")

    return mean


def _volume(place: int) -> Reporter:
    return lambda s: float(s.cavities.tally[place] * s.tissue.voxel_um**3 / FULL * 1e-9)


_TABLE: tuple[tuple[Column, Reporter], ...] = (
    (Column("day", "d", "", "days since the end of the burn-in"), lambda s: s.day),
    (Column("e2_pg_per_ml", "pg/mL", "E2", "serum estradiol, day's mean"),
     lambda s: s.drive.e2_pg_per_ml),
    (Column("t_ng_per_dl", "ng/dL", "T", "serum testosterone"), lambda s: s.drive.t_ng_per_dl),
    (Column("e2_deficit", "", "l", "estradiol deficit of births, logarithmic, 0 in youth"),
     lambda s: s.drive.deficit),
    (Column("setpoint_pg_per_ml", "pg/mL", "", "estradiol at which births sense no deficit"),
     lambda s: s.response.setpoint_pg_per_ml),
    (Column("activation_multiplier", "", "", "births of BMUs relative to health"),
     lambda s: s.drive.activation),
    (Column("depth_multiplier", "", "", "depth that osteoclasts dig, relative to health"),
     lambda s: s.drive.depth),
    (Column("bvtv_percent", "%", "BV/TV", "bone volume fraction, partial volume included"),
     lambda s: 100.0 * s.tissue.bone_volume_fraction()),
    (Column("bmd_mg_per_cm3", "mgHA/cm3", "vBMD", "mineral per tissue volume"),
     lambda s: s.bmd_mg_per_cm3()),
    (Column("bstv_per_mm", "1/mm", "BS/TV", "surface per volume (Crofton, 13 directions)"),
     lambda s: s.tissue.surface_area_mm2() / s.tissue.volume_mm3()),
    (Column("euler", "", "", "Euler number of all bone, 26-connected"), lambda s: s.tissue.euler),
    (Column("conn_d_raw_per_mm3", "1/mm3", "Conn.D raw",
            "(1 - Euler)/V of the whole lattice, unpurified, no filter"),
     lambda s: (1 - s.tissue.euler) / (np.prod(s.tissue.shape) * (s.tissue.voxel_um / 1000.0) ** 3)),
    (Column("es_bs_percent", "%", "ES/BS",
            "eroded surface, as claimed: osteoclasts, mononuclear, reversal, arrested"),
     _share_of_surface(*ERODED)),
    (Column("os_bs_percent", "%", "Ob.S/BS",
            "surface with an osteoblast team; OS/BS is more, by osteoid's lag"),
     _share_of_surface(FORMING)),
    (Column("arrested_bs_percent", "%", "arrested Rv.S/BS", "arrested reversal surface"),
     _share_of_surface(ARRESTED)),
    (Column("ac_f_per_year", "1/y", "Ac.f", "area claimed by BMUs, per surface and year"),
     _activation_frequency),
    (Column("turnover_percent_per_year", "%/y", "turnover", "bone resorbed per bone and year"), _turnover),
    (Column("e_de_um", "um", "E.De", "erosion depth: volume eroded over area claimed, of sites that ended"),
     _mean_thickness(CLOSED_ERODED, "closed_eroded_mm3")),
    (Column("w_th_um", "um", "W.Th", "wall: volume formed over area claimed, of sites that ended, "
            "with perforated ones, which have none"),
     _mean_thickness(CLOSED_FORMED, "closed_formed_mm3")),
    (Column("osteoclasts", "", "N.Oc", "osteoclasts"), lambda s: len(s.osteoclasts)),
    (Column("osteoblasts", "", "N.Ob", "osteoblasts"), lambda s: len(s.osteoblasts)),
    (Column("osteocyte_lacunae", "", "N.Lc", "osteocyte lacunae, empty ones too"),
     lambda s: len(s.osteocytes)),
    (Column("osteocytes_viable", "", "N.Ot", "living osteocytes"), lambda s: s.osteocytes.viable),
    (Column("bmus", "", "", "remodelling units at work"), lambda s: len(s.bmus)),
    (Column("precursor_pool", "", "", "osteoblast precursors, mean of blocks; 1 in health"),
     lambda s: float(s.precursors.pool.mean())),
    (Column("sclerostin", "", "", "sclerostin relative to health"), lambda s: s.drive.sclerostin),
    (Column("load_percent", "%", "", "load over the habitual one"),
     lambda s: s.config.load_percent(s.day)),
    (Column("strain_mean", "", "u", "strain stimulus at quiescent surface over the baseline, mean"),
     lambda s: s.signals.fields.load_level * s.signals.mean_surface_strain),
    (Column("apparent_modulus_z_mpa", "MPa", "E_z", "apparent modulus, sides free of stress; last solve"),
     _answer("apparent_modulus_z_mpa")),
    (Column("apparent_modulus_y_mpa", "MPa", "E_y", "apparent modulus, sides free of stress; last solve"),
     _answer("apparent_modulus_y_mpa")),
    (Column("apparent_modulus_x_mpa", "MPa", "E_x", "apparent modulus, sides free of stress; last solve"),
     _answer("apparent_modulus_x_mpa")),
    (Column("yield_load_n", "N", "", "load along z at the apparent yield strain; last solve"),
     _answer("yield_load_n")),
    (Column("failure_load_n", "N", "", "load along z by Pistoia's criterion; last solve"),
     _answer("failure_load_n")),
    (Column("load_to_strength", "", "", "habitual over failure load; last solve"),
     _answer("load_to_strength")),
    (Column("mechanics_cycles", "", "", "V-cycles of the last solve, three cases"),
     _answer("mechanics_cycles")),
    (Column("bone_quanta", "quanta", "", "all bone of the lattice"), lambda s: s.bone_quanta()),
    (Column("formed_quanta", "quanta", "", "bone formed since day 0"), _ledger(FORMED)),
    (Column("resorbed_quanta", "quanta", "", "bone resorbed since day 0"), _ledger(RESORBED)),
    (Column("fragments_quanta", "quanta", "", "bone lost as loose pieces since day 0"),
     _ledger(FRAGMENTS)),
    (Column("bmus_born", "", "", "remodelling units born since day 0"), _total(BMUS_BORN)),
    (Column("area_started_mm2", "mm2", "", "surface activated since day 0"),
     lambda s: float(s.cavities.tally[AREA_STARTED] * 1e-6)),
    (Column("area_closed_mm2", "mm2", "", "surface of ended sites since day 0"),
     lambda s: float(s.cavities.tally[AREA_CLOSED] * 1e-6)),
    (Column("area_modelled_mm2", "mm2", "", "surface taken for formation without resorption so far"),
     lambda s: float(s.cavities.tally[AREA_MODELLED] * 1e-6)),
    (Column("modelled_mm3", "mm3", "", "bone formed without resorption, of ended sites, so far"),
     _volume(QUANTA_MODELLED)),
    (Column("closed_eroded_mm3", "mm3", "", "bone eroded in ended sites since day 0"),
     _volume(CLOSED_ERODED)),
    (Column("closed_formed_mm3", "mm3", "", "bone formed in ended sites since day 0"),
     _volume(CLOSED_FORMED)),
    (Column("holes", "", "holes", "holes in plates, of breaks there at the last look"),
     lambda s: s.breaks.there(HOLE)),
    (Column("cuts", "", "cuts", "cuts of rods, of breaks there at the last look"),
     lambda s: s.breaks.there(CUT)),
    (Column("fragments_freed", "", "fragments freed", "loose pieces removed so far"),
     lambda s: s.events.final_count(FRAGMENT_FREED)),
)  # fmt: skip

COLUMNS: tuple[Column, ...] = tuple(column for column, _ in _TABLE)


class DailyTable(mesa.DataCollector):
    """The columns of all days so far, as Mesa's `model_vars`: compact, 8 bytes a number.

    Args:
        columns: earlier days, column by column; none at first.
        measures: further columns, after bonesim's own (`engine.measures`).
    """

    def __init__(
        self, columns: Mapping[str, NDArray[Any]] | None = None, measures: Sequence[Any] = ()
    ) -> None:
        own = {column.name: reporter for column, reporter in _TABLE}
        super().__init__(model_reporters=own | {one.name: one for one in measures})
        #: What the columns are, in order.
        self.described = (*COLUMNS, *(one.column for one in measures))
        for name, values in (columns or {}).items():
            code = "q" if values.dtype.kind in "iu" else "d"
            self.model_vars[name] = array(code, values.tolist())

    def collect(self, model: Any) -> None:
        """Add a day."""
        for name, reporter in self.model_reporters.items():
            value, rows = reporter(model), self.model_vars[name]
            whole = isinstance(value, int | np.integer)
            if not rows:
                rows = array("q" if whole else "d")
            elif rows.typecode == "q" and not whole:
                rows = array("d", rows)
            rows.append(value)
            self.model_vars[name] = rows

    def columns(self, first_row: int = 0) -> dict[str, NDArray[Any]]:
        """The days from `first_row` on, column by column; int64 where all are whole numbers."""
        return {c.name: np.array(self.model_vars[c.name][first_row:]) for c in self.described}

    def last_day_measured(self, model: Any, measures: Sequence[Any]) -> "DailyTable":
        """The same table with further columns, which begin on its last day: it has no earlier one."""
        table = DailyTable(self.columns(), measures)
        for one in measures:
            table.model_vars[one.name] = array("d", [one(model)])
        return table
