"""Whole days: absolute rates are printed, gated are counts and the scaling with empty volume."""

import time

import numpy as np

from benchmarks.conftest import YOUNG, ratio_of_minima
from bonesim.cells import bmu, osteoblast, osteoclast, osteocyte, precursors
from bonesim.cells.secretion import sources_of
from bonesim.engine.simulation import Simulation
from bonesim.specimens import Specimen

#: Bytes of lattice arrays per voxel: quanta, region, formed_day, owner, surface slot, surface,
#: and the mark of the fragment search.
MOST_BYTES_PER_VOXEL = 19.0
#: The same bone in twice the volume may cost this much more; the target is 1.2, noise added.
MOST_SCALING = 1.35
#: Share of a life that the messengers' fields may take.
MOST_FIELDS = 0.25


def test_one_day(benchmark, living: Simulation) -> None:
    benchmark(living.step)
    voxels = living.specimen.quanta.size
    print(f"\n{voxels} voxels, {living.tissue.surface_area_mm2():.0f} mm2 of surface, "
          f"{len(living.bmus)} BMUs, {len(living.cavities.sites)} sites")  # fmt: skip


def test_one_year(benchmark, young_bone: Specimen) -> None:
    simulation = Simulation(YOUNG, young_bone)

    def year() -> None:
        for _ in range(365):
            simulation.step()

    benchmark.pedantic(year, rounds=1)
    seconds = benchmark.stats.stats.min if benchmark.stats else float("nan")
    share = 256**3 / young_bone.quanta.size
    print(f"\na year {seconds:.1f} s; 5 years of 256^3 by volume: {5 * seconds * share:.0f} s")


def test_share_of_the_fields(living: Simulation) -> None:
    """What a solve costs against the days until the next; by volume, so the same at any size."""
    s, p = living, living.config.signals

    def solve() -> None:
        found = sources_of(s.tissue, s.cavities, s.osteocytes, p, s.day)
        s.signals.solve(found, max(s.day, 1))

    def days() -> None:
        for _ in range(p.interval_day):
            s.step()

    share = 1.0 / ratio_of_minima(solve, days)
    print(f"\nthe fields take {100 * share:.0f} % of a life at a solve every {p.interval_day} days")
    assert share <= MOST_FIELDS


def test_bytes_per_voxel(living: Simulation) -> None:
    lattice = living.tissue.lattice
    per_voxel = [a for a in lattice if isinstance(a, np.ndarray) and a.size == lattice.quanta.size]
    total = sum(array.nbytes for array in per_voxel) + lattice.quanta.size
    assert total / lattice.quanta.size <= MOST_BYTES_PER_VOXEL


def test_each_kernel_is_compiled_once(living: Simulation) -> None:
    assert living.day >= 200
    daily = (
        bmu.originate, bmu.advance, osteoclast.resorb, osteoclast.smooth, osteoblast.start_teams,
        osteoblast.form, osteoblast.leave, osteocyte.age, precursors.renew,
    )  # fmt: skip
    assert {k.py_func.__name__: len(k.signatures) for k in daily} == {
        k.py_func.__name__: 1 for k in daily
    }


def test_cost_follows_surface_not_volume(young_bone: Specimen) -> None:
    nz, ny, nx = young_bone.quanta.shape
    empty = np.zeros((nz, ny, nx), np.uint8)
    doubled = Specimen(
        np.concatenate([young_bone.quanta, empty], axis=2), young_bone.voxel_um, "doubled", ()
    )
    small, large = Simulation(YOUNG, young_bone), Simulation(YOUNG, doubled)
    for simulation in (small, large):
        for _ in range(200):
            simulation.step()
    best = [float("inf"), float("inf")]
    for _ in range(25):
        for place, simulation in enumerate((small, large)):
            # Two lives differ in how many BMUs are at work: cost is taken per site at work.
            sites = len(simulation.cavities.sites)
            begun = time.perf_counter()
            for _ in range(8):
                simulation.step()
            best[place] = min(best[place], (time.perf_counter() - begun) / sites)
    print(f"\ntwice the volume, same bone: {best[1] / best[0]:.2f} x the time for a site")
    assert best[1] / best[0] <= MOST_SCALING
