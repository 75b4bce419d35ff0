"""A doubly labelled biopsy: histomorphometry of 2-D sections, beside the true 3-D values.

Three numbers for each measure (ASBMR nomenclature, Dempster 2013):

    true      the whole interior in 3-D: areas of the mesh, all sites of a year
    sections  from plane sections with labels and cement lines, as in histomorphometry
    cells     from the daily table, where the area of a site is the area its cells claimed

Ac.f has two true values. Neither uses labels, apposition or walls. The first is of the same weeks as
the labels: OS/BS over the mean formation period of all sites (Little's law). The second is a count
over the whole period of observation: geometric area of the completed sites, over BS. In steady state
they agree, but for the walls of sites still open, which have a little more surface. In one small
block a few weeks differ from a year. (A count of the packets that still exist at the end
would miss those that later packets have overlapped.)

    MS/BS   (dLS + sLS / 2) / BS                        BFR/BS  MAR x MS/BS
    MAR     distance between labels / interval,         Ac.f    BFR/BS / W.Th
            where both labels are                       FP      W.Th / Aj.AR
    MS/OS   MS/BS / (OS/BS)                             Aj.AR   MAR x MS/OS
    W.Th    distance from a packet's surface to its cement line
    E.De    distance from the surface there was to the floor, resorption ended, no team yet
    Rs.P, Rv.P, EP   FP x surface in that state / OS    (all in steady state only)

Widths are distances, as a reader measures them (Dempster 2013: mean distance), not area over
length: on convex bone area over length is less. The upright walls of a cavity that fills take no label.

Matrix becomes mineral `tissue.mineral.lag_day` after it is formed. So osteoid stays as long after its
team as surface under osteoid, the formation period has these days too, and a label lies in the
matrix that was formed as many days before it was given. Teams that rest have osteoid and take up no
label: MS/OS and Aj.AR are for them.

Left out: shrinkage, the section's thickness (except for counting cells), labels that are missed, a
reader's error.
Sources: Frost 1983; Parfitt 1983, Parfitt 1987; Recker 2011; Dempster 2013; Goff 2012 (`cavities`).
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from bonesim.cells.site import ARRESTED, ERODED, FORMING, MONONUCLEAR, OSTEOCLAST, REVERSAL
from bonesim.config.config import Config
from bonesim.engine.simulation import Simulation
from bonesim.errors import InputError
from bonesim.histology.bench import Specimen, osteoid_day, specimen
from bonesim.histology.cavities import cavity_measures
from bonesim.histology.sections import (
    PERIMETER_TO_SURFACE,
    Surface,
    sections_through,
    widths_um,
)
from bonesim.histology.surface_state import boxed
from bonesim.histology.tracker import FIRST, SECOND, Tracker
from bonesim.lattice.ledger import RIM_WIDTH
from bonesim.parameters import Parameters
from bonesim.units import DAYS_PER_YEAR, FULL


class BiopsyParameters(Parameters):
    """How a biopsy is labelled and sectioned."""

    interval_day: Annotated[
        int,
        Field(ge=1, le=60, description="from the first label to the second; Recker 2011, 10-14"),
    ] = 12
    wait_day: Annotated[
        int,
        Field(ge=0, le=60, description="from the second label to the biopsy; Recker 2011, 5-14"),
    ] = 7
    packets_day: Annotated[
        int,
        Field(
            ge=1,
            le=3650,
            description="walls completed in so many days before the biopsy are measured, and all sites "
            "of that time give the true values; assumed: a year",
        ),
    ] = 365
    spacing_um: Annotated[
        float, Field(ge=100, le=5000, description="between sections; Recker 2011, 150-250")
    ] = 150.0

    @model_validator(mode="after")
    def _labels_within(self) -> "BiopsyParameters":
        if self.packets_day < self.interval_day + self.wait_day:
            raise ValueError(
                f"packets_day is {self.packets_day}, shorter than interval_day + wait_day = "
                f"{self.interval_day + self.wait_day}; raise it"
            )
        return self


#: Symbol -> (unit, meaning), in the order of the table.
MEASURES = {
    "BS/TV": ("1/mm", "bone surface per volume"),
    "ES/BS": ("%", "eroded surface: osteoclasts, mononuclear cells, reversal, arrested"),
    "Oc.S/BS": ("%", "surface under osteoclasts"),
    "Rv.S/BS": ("%", "reversal surface, waiting for osteoblasts"),
    "Ar.S/BS": ("%", "arrested eroded surface"),
    "OS/BS": ("%", "osteoid: surface with a forming team, or not mineral yet"),
    "Ob.S/BS": ("%", "surface covered by living osteoblasts"),
    "MS/BS": ("%", "mineralising surface: double and half of single label"),
    "MAR": ("um/d", "mineral apposition rate, between two labels"),
    "MS/OS": ("%", "share of osteoid that mineralises"),
    "Aj.AR": ("um/d", "adjusted apposition rate, averaged over osteoid"),
    "BFR/BS": ("um3/um2/y", "bone formation rate"),
    "W.Th": ("um", "wall thickness of completed packets"),
    "E.De": ("um", "erosion depth where resorption has ended"),
    "Ac.f": ("1/y", "activation frequency; true: OS/BS over the mean time a site forms"),
    "Ac.f past": (
        "1/y",
        "the same; true: surface completed per surface in the period of observation",
    ),
    "FP": ("d", "formation period, until the last osteoid is mineral"),
    "Rs.P": ("d", "resorption period, mononuclear phase included"),
    "Rv.P": ("d", "reversal period"),
    "N.Oc/BS": ("1/mm2", "osteoclasts; sections: centres within one voxel's thickness"),
    "N.Ob/BS": ("1/mm2", "osteoblasts; sections: centres within one voxel's thickness"),
    "N.Cv/TV": ("1/mm3", "open cavities: touching eroded sites of one BMU, a territory or more"),
    "Cv.De": ("um", "deepest point of a cavity, mean"),
    "Cv.S": ("um2", "eroded surface of a cavity, mean"),
    "Cv.V": ("um3", "volume of a cavity, mean"),
}


class Reading(NamedTuple):
    """One measure; NaN where it has no meaning or no value."""

    symbol: str
    true: float
    sections: float
    cells: float
    unit: str
    meaning: str

    @property
    def difference_percent(self) -> float:
        """Difference of the sections from the true value."""
        return 100.0 * (self.sections / self.true - 1.0) if self.true else float("nan")


def biopsy(simulation: Simulation, p: BiopsyParameters) -> list[Reading]:
    """Simulate `packets_day` more days with two labels, and take a biopsy at the end.

    Raises:
        InputError: the bone is too small for a section, or has no surface, or is burning in.
    """
    if not simulation.counting:
        raise InputError(f"day {simulation.day} is in the burn-in; take a biopsy from day 0 on")
    check_size(simulation.tissue.shape, simulation.tissue.voxel_um, p)
    check_days(simulation.config, p)
    tracker = Tracker(simulation)
    since = p.wait_day + osteoid_day(simulation.config)
    tracker.follow(p.packets_day - p.interval_day - since)
    tracker.label()
    tracker.follow(p.interval_day)
    tracker.label()
    tracker.follow(since)
    bench = specimen(tracker)
    true = _true(tracker, bench, p)
    seen = _seen(simulation, bench, p)
    cells = _cells(simulation, p)
    nan = float("nan")
    return [
        Reading(
            symbol, true.get(symbol, nan), seen.get(symbol, nan), cells.get(symbol, nan), *about
        )
        for symbol, about in MEASURES.items()
    ]


def check_days(config: Config, p: BiopsyParameters) -> None:
    """Refuse days that do not hold both labels, and a label that no team is served after.

    Raises:
        InputError: they are too few.
    """
    lag, step = osteoid_day(config), config.cells.osteoblast.step_day
    needed = p.interval_day + p.wait_day + lag
    if p.packets_day < needed:
        raise InputError(
            f"biopsy.packets_day is {p.packets_day}: matrix that takes up the first label is formed "
            f"{needed} days before the biopsy (interval_day {p.interval_day} + wait_day {p.wait_day} "
            f"+ tissue.mineral.lag_day {lag}); raise biopsy.packets_day"
        )
    if p.wait_day + lag < step:
        raise InputError(
            f"biopsy.wait_day is {p.wait_day}: with tissue.mineral.lag_day {lag} the last label is "
            f"settled only if they are {step} days or more (cells.osteoblast.step_day); raise "
            "biopsy.wait_day"
        )


def check_size(shape: tuple[int, ...], voxel_um: float, p: BiopsyParameters) -> None:
    """Refuse a bone that no section fits into, before a year is simulated.

    Raises:
        InputError: it is too small.
    """
    edge_um = (min(shape) - 2 * RIM_WIDTH - 1) * voxel_um
    if edge_um < p.spacing_um:
        raise InputError(
            f"a bone of {' x '.join(map(str, shape))} voxels of {voxel_um:g} um is too small for a "
            f"biopsy: {max(edge_um, 0.0):g} um are left without the rim, and sections are "
            f"{p.spacing_um:g} um apart; enlarge it (specimen.size_mm) or lower biopsy.spacing_um"
        )


def _of_surface(bench: Specimen) -> dict[str, NDArray[Any]]:
    """Symbol -> what each triangle has of it, for all measures that are shares of surface."""
    phase = bench.state.phase
    eroded = np.isin(phase, ERODED)
    return {
        "ES/BS": eroded,
        "Oc.S/BS": phase == OSTEOCLAST,
        "Rv.S/BS": phase == REVERSAL,
        "Ar.S/BS": phase == ARRESTED,
        "OS/BS": bench.osteoid,
        "Ob.S/BS": bench.covered,
    }


def _true(tracker: Tracker, bench: Specimen, p: BiopsyParameters) -> dict[str, float]:
    """True values in 3-D."""
    tissue, surface = tracker.simulation.tissue, bench.state.surface
    first, second = tracker.taken
    box_mm3 = tissue.measured_voxels * (tissue.voxel_um / 1000.0) ** 3
    per_volume = surface.area_um2.sum() * 1e-6 / surface.volume_mm3
    labelled = (first.surface_um2 + second.surface_um2) / 2.0 * 1e-6 / surface.volume_mm3 * box_mm3
    formed_um3 = (second.formed_quanta - first.formed_quanta) / FULL * tissue.voxel_um**3
    counts = _cells_inside(tracker.simulation)
    shares = {name: 100.0 * bench.state.share(has) for name, has in _of_surface(bench).items()}
    formation = tracker.periods[FORMING].mean_day + osteoid_day(tracker.simulation.config)
    mineralising = 50.0 * (first.share + second.share)
    both = bench.label == FIRST | SECOND
    apposition = _mean_width_um(bench.between, surface, both) / p.interval_day
    per_osteoid = _over(mineralising, shares["OS/BS"])
    return {
        "BS/TV": per_volume,
        **shares,
        "Ac.f": shares["OS/BS"] / 100.0 / formation * DAYS_PER_YEAR,
        "MS/BS": mineralising,
        "MAR": apposition,
        "MS/OS": 100.0 * per_osteoid,
        "Aj.AR": apposition * per_osteoid,
        "BFR/BS": formed_um3 / (labelled * 1e6) / p.interval_day * DAYS_PER_YEAR,
        "W.Th": _mean_width_um(bench.wall, surface, bench.packet > 0, bench.whose),
        "E.De": tracker.eroded.thickness_um,
        "Ac.f past": tracker.completed.area_um2 * 1e-6 / labelled / tracker.days * DAYS_PER_YEAR,
        "FP": formation,
        "Rs.P": tracker.periods[OSTEOCLAST].mean_day,
        "Rv.P": tracker.periods[REVERSAL].mean_day,
        **{name: len(where) / box_mm3 / per_volume for name, where in counts.items()},
        **cavity_measures(tracker.simulation),
    }


def _mean_width_um(
    share: NDArray[np.float32], surface: Surface, of: NDArray[np.bool_],
    whose: NDArray[np.int32] | None = None,
) -> float:  # fmt: skip
    """Mean thickness beneath some triangles in 3-D; NaN without any."""
    chosen = np.flatnonzero(of)
    area = surface.area_um2[chosen]
    widths = widths_um(share, surface, chosen, surface.into[chosen], whose)
    return _over(float((widths * area).sum()), float(area.sum()))


def _seen(s: Simulation, bench: Specimen, p: BiopsyParameters) -> dict[str, float]:
    """Values from plane sections, by the formulas above."""
    surface = bench.state.surface
    cut = sections_through(surface, p.spacing_um, 0.5)
    perimeter = cut.trace_um(np.ones(len(surface.beneath)))
    section_um2 = cut.section_um2()
    both = bench.label == FIRST | SECOND
    double = cut.trace_um(both)
    single = cut.trace_um((bench.label == FIRST) | (bench.label == SECOND))
    waiting = bench.before.phase == REVERSAL
    before = sections_through(bench.before.surface, p.spacing_um, 0.5)
    per_volume = PERIMETER_TO_SURFACE * perimeter / section_um2 * 1000.0
    seen = {
        "BS/TV": per_volume,
        **{n: 100.0 * cut.trace_um(has) / perimeter for n, has in _of_surface(bench).items()},
        "MS/BS": 100.0 * (double + single / 2.0) / perimeter,
        "MAR": cut.mean_width_um(bench.between, surface, both) / p.interval_day,
        "W.Th": cut.mean_width_um(bench.wall, surface, bench.packet > 0, bench.whose),
        "E.De": before.mean_width_um(bench.cavity, bench.before.surface, waiting),
    }
    seen["BFR/BS"] = seen["MAR"] * seen["MS/BS"] / 100.0 * DAYS_PER_YEAR
    seen["Ac.f"] = seen["Ac.f past"] = _over(seen["BFR/BS"], seen["W.Th"])
    seen["MS/OS"] = 100.0 * _over(seen["MS/BS"], seen["OS/BS"])
    seen["Aj.AR"] = seen["MAR"] * seen["MS/OS"] / 100.0
    formation = _over(seen["W.Th"], seen["Aj.AR"])
    per_osteoid = _over(formation, seen["OS/BS"])
    resorbing = cut.trace_um(np.isin(bench.state.phase, (OSTEOCLAST, MONONUCLEAR)))
    seen["FP"] = formation
    seen["Rs.P"] = per_osteoid * 100.0 * resorbing / perimeter
    seen["Rv.P"] = per_osteoid * seen["Rv.S/BS"]
    volume_mm3 = section_um2 * s.tissue.voxel_um * 1e-9
    for name, where in _cells_inside(s).items():
        found = sum(int((where[:, axis] == layer).sum()) for axis, layer in cut.layers())
        seen[name] = found / volume_mm3 / per_volume
    return seen


def _cells_inside(s: Simulation) -> dict[str, NDArray[np.int64]]:
    """Where osteoclasts and osteoblasts of the interior are, voxels of the box."""
    tissue = s.tissue
    inside = np.array(boxed(tissue, tissue.lattice.quanta).shape)
    found = {}
    for name, rows in (("N.Oc/BS", s.osteoclasts.rows), ("N.Ob/BS", s.osteoblasts.rows)):
        voxel = rows.alive_columns()["voxel"]
        place = np.stack(np.unravel_index(voxel, tissue.padded_shape), axis=1) - 1 - RIM_WIDTH
        found[name] = place[((place >= 0) & (place < inside)).all(axis=1)]
    return found


def _cells(s: Simulation, p: BiopsyParameters) -> dict[str, float]:
    """Values from the daily table."""
    table: dict[str, list[float]] = s.datacollector.model_vars
    now = {name: float(values[-1]) for name, values in table.items()}
    surface_mm2 = s.tissue.surface_area_mm2() / s.tissue.measured_voxels * np.prod(s.tissue.shape)
    per_quantum_um3 = s.tissue.voxel_um**3 / FULL
    since = p.wait_day + osteoid_day(s.config)
    past = table["formed_quanta"][-1 - p.interval_day - since]
    then = table["formed_quanta"][-1 - since]
    return {
        "BS/TV": now["bstv_per_mm"],
        "ES/BS": now["es_bs_percent"],
        "Ar.S/BS": now["arrested_bs_percent"],
        "OS/BS": now["os_bs_percent"],
        "BFR/BS": (then - past)
        * per_quantum_um3
        / (surface_mm2 * 1e6)
        / p.interval_day
        * DAYS_PER_YEAR,
        "W.Th": now["w_th_um"],
        "E.De": now["e_de_um"],
        "Ac.f past": now["ac_f_per_year"],
        "N.Oc/BS": now["osteoclasts"] / surface_mm2,
        "N.Ob/BS": now["osteoblasts"] / surface_mm2,
    }


def _over(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0.0 else float("nan")
