"""What a run costs before it starts: memory, disk and time, and whether the machine has as much.

One definition for a run, a sweep and a look at a scan. All of it is a function of the lattice (after
cropping and resampling), of its bone and of the config.

Memory is the peak of the process. Terms per voxel, per surface voxel and per node are the arrays that
are in use at that moment, a snapshot's measures; a part is what the allocator keeps. Checked against the
peak of real runs, within 15 % (`tests/engine/test_cost.py`).

Time counts operations whose number does not depend on the machine (days x voxels, solves x nodes,
snapshots x voxels) at the rates of a reference machine, by how fast this one is at a small task.
The range that is printed is a factor of `SPREAD` either way: other processes, turnover, and load
that needs more cycles to solve.
"""

import math
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bonesim.config.config import Config
from bonesim.engine.machine import free_disk_bytes, memory_bytes
from bonesim.engine.time_left import in_words
from bonesim.errors import ResourceError
from bonesim.specimens import (
    Grey,
    LibraryParameters,
    ScanParameters,
    ScanSize,
    Specimen,
    SpecimenParameters,
    SyntheticParameters,
    grow,
    read_grey,
    read_published,
    read_scan,
    size_of_published,
    size_of_scan,
)
from bonesim.specimens.field import MARGIN, SPACING_UM
from bonesim.units import BONE, DAYS_PER_YEAR

__all__ = [
    "Cost",
    "Size",
    "cost_of",
    "planned",
    "refuse_what_cannot_fit",
    "size_of",
    "size_of_read_scan",
    "size_text",
    "speed",
]

#: Interpreter, libraries and machine code; more with the code that solves load.
BASE_BYTES = 336e6
MECHANICS_BYTES = 14e6
#: Before the first day: no code of cells or of measures yet.
BASE_OF_MAKING_BYTES = 275e6
#: Lattice (quanta twice, region, day of formation, owner, slot: 15), a snapshot's five images and
#: what its measures hold (labels, distances, the filtered image: 20), what the allocator keeps (4).
BYTES_PER_VOXEL = 44.0
#: Slot, triangles of the surface mesh (vertices, normals, faces, as float32 and again as float64).
BYTES_PER_SURFACE_VOXEL = 700.0
#: Displacement of three cases (54), vectors and levels of a solve that the allocator keeps.
BYTES_PER_NODE = 250.0
#: Growing a synthetic bone: the distance and its smoothed copy, float64; quanta and labels.
BYTES_PER_GRID_NODE, BYTES_PER_GROWN_VOXEL = 16.0, 7.0
#: Reading a scan: the file's values, grey values, padded and filtered copies, spline coefficients.
BYTES_PER_SCAN_VOXEL = 24.0
#: What is left of washed-out lattices when losses are decomposed (none exists while measures are taken).
BYTES_PER_VOXEL_DECOMPOSED = 8.0
#: A burn-in's end that a run and its twin share in memory.
BYTES_PER_VOXEL_SHARED = 6.0
#: The compiler, if kernels are not in the cache.
COMPILE_BYTES = 250e6

#: Bone of the presets, share of voxels; a scan's is counted.
BONE_SHARE = {"elderly_vertebra": 0.085, "young_vertebra": 0.125}
#: Surface voxels per bone voxel and um of voxel: bone 130 to 150 um thick has BS/BV about 25/mm.
SURFACE_PER_BONE_UM = 0.0175
#: Elements with enough bone, over bone voxels; nodes per element.
ELEMENTS_PER_BONE, NODES_PER_ELEMENT = 1.09, 1.73

#: Seconds on the reference machine (one core of a 2-core cloud machine, Intel Xeon, 2026).
START_SECONDS = 4.0
#: All kernels of a day and the panel: 105 s of processor time.
COMPILE_SECONDS = 100.0
MAKE_SECONDS_PER_MEGAVOXEL = 0.4
SECONDS_PER_DAY = 1.5e-3
#: From 150 days of suppression of the main job (200^3, 0.24 million surface voxels, one thread): 21 ms a
#: day without mechanics, 1.1 s a solve.
SECONDS_PER_DAY_AND_MEGASURFACE = 0.08
#: One mechanical solve (three cases) that starts from the previous one; the first is COLD_SOLVES (18 to
#: 22 cycles for 11 along the main axis).
SECONDS_PER_SOLVE_AND_MEGANODE = 7.0
COLD_SOLVES = 2
#: The quick panel: 4.85 s of processor time for 8 megavoxels where `_small_task` took 13.7 ms (two busy
#: cores of a cloud machine, an Intel Xeon, 2026-11-28), so 0.64 on the reference machine; half of that
#: for R, Tb.Th after 40 um and the closed measures (2.0 s for 1.36 s, 128^3); images and writing 0.06,
#: assumed.
SNAPSHOT_SECONDS_PER_MEGAVOXEL = 1.0
CHECKPOINT_SECONDS_PER_MEGAVOXEL = 0.12
#: `_small_task` on that machine.
REFERENCE_TASK_SECONDS = 0.0145
#: The time is between the estimate over and times this.
SPREAD = 1.6

#: Bytes of a run file: per voxel and snapshot (compressed), per cell row, per day of the table.
SNAPSHOT_BYTES_PER_VOXEL = 0.05
SNAPSHOT_BYTES_PER_BONE_VOXEL = 3.5
TABLE_BYTES_PER_DAY = 450.0
FILE_BYTES = 130e3
#: Compressed state: a checkpoint, and a burn-in in the cache.
STATE_BYTES_PER_BONE_VOXEL, STATE_BYTES_PER_NODE = 16.0, 50.0
#: Share of memory or disk that may be used up.
MEMORY_SHARE, DISK_SHARE = 0.9, 0.95
SMALLER = "use larger voxels (specimen.voxel_um, or `resample_um` of a scan) or a smaller block"


class Size(NamedTuple):
    """A bone as it will be simulated.

    Attributes:
        shape: voxels along z, y, x, after cropping and resampling.
        voxel_um: edge of a voxel.
        bone_share: of the voxels, those that are bone; of a synthetic one, its preset's.
        making_bytes: memory that making the bone takes at its peak.
    """

    shape: tuple[int, int, int]
    voxel_um: float
    bone_share: float
    making_bytes: float

    @property
    def voxels(self) -> float:
        """Voxels of the lattice."""
        return float(math.prod(self.shape))


class Cost(NamedTuple):
    """What a run takes: bytes at their peak, seconds on one core of the reference machine.

    `burn_in_seconds` holds its mechanical solves; those of the days are `solves_seconds`. `mm3_years` is
    volume times time on record.
    """

    size: Size
    memory_bytes: float
    run_file_bytes: float
    checkpoint_bytes: float
    burn_in_bytes: float
    start_seconds: float
    burn_in_seconds: float
    days_seconds: float
    solves_seconds: float
    snapshots_seconds: float
    compile_seconds: float
    mm3_years: float = 0.0

    @property
    def disk_bytes(self) -> float:
        """Run file, two checkpoints (one is written beside the other), the cached burn-in."""
        return self.run_file_bytes + 2.0 * self.checkpoint_bytes + self.burn_in_bytes

    @property
    def seconds(self) -> float:
        """All of it, compiling included."""
        return (
            self.start_seconds + self.burn_in_seconds + self.days_seconds + self.solves_seconds
            + self.snapshots_seconds + self.compile_seconds
        )  # fmt: skip

    def text(self, fast: float | None = None) -> str:
        """As lines for the user; `fast`: see `speed`, which is measured if it is not given."""
        fast = fast or speed()
        z, y, x = self.size.shape
        low, high = self.seconds / fast / SPREAD, self.seconds / fast * SPREAD
        parts = [
            f"{name} {in_words(value / fast)}"
            for name, value in (
                ("compiling", self.compile_seconds), ("start", self.start_seconds),
                ("burn-in", self.burn_in_seconds), ("days", self.days_seconds),
                ("load", self.solves_seconds), ("snapshots", self.snapshots_seconds),
            )
            if value
        ]  # fmt: skip
        return (
            f"voxels   {x} x {y} x {z} (x, y, z) of {self.size.voxel_um:g} um, "
            f"{100 * self.size.bone_share:.0f} % bone\n"
            f"memory   {size_text(self.memory_bytes)}\n"
            f"disk     {size_text(self.disk_bytes)}: run file {size_text(self.run_file_bytes)}, "
            f"checkpoints {size_text(2 * self.checkpoint_bytes)}, burn-in "
            f"{size_text(self.burn_in_bytes)}\n"
            f"time     about {in_words(low)} to {in_words(high)} here ({', '.join(parts)})"
        )


def planned(
    specimen: SpecimenParameters, bone: Specimen | None = None,
    note: Callable[[str], None] | None = None,
) -> tuple[Size, Callable[[], Specimen]]:  # fmt: skip
    """The lattice of a config's specimen, and a function that makes the bone.

    A scan is read and segmented; making its bone does not read it again. A bone of the library is
    fetched when it is made, not before; `note` receives a line then. If there is a `bone` already, it
    is that.

    Raises:
        InputError, CorruptFileError: as `make_specimen`, for a scan.
    """
    if bone is not None:
        return size_of(bone), lambda: bone
    if isinstance(specimen, SyntheticParameters):
        x, y, z = (max(1, round(1000.0 * edge / specimen.voxel_um)) for edge in specimen.size_mm)
        grid = math.prod(1000.0 * edge / SPACING_UM + 2 * MARGIN + 1 for edge in specimen.size_mm)
        making = BYTES_PER_GRID_NODE * grid + BYTES_PER_GROWN_VOXEL * x * y * z
        size = Size((z, y, x), specimen.voxel_um, BONE_SHARE[specimen.preset], making)
        return size, partial(grow, specimen)
    if isinstance(specimen, LibraryParameters):
        return _size_of(size_of_published(specimen)), partial(read_published, specimen, note)
    grey = read_grey(specimen)
    return size_of_read_scan(specimen, grey), partial(read_scan, specimen, grey)


def size_of_read_scan(parameters: ScanParameters, grey: Grey) -> Size:
    """The lattice of a scan whose grey values are read.

    Raises:
        InputError: the voxel size is not allowed.
    """
    return _size_of(size_of_scan(parameters, grey))


def _size_of(scan: ScanSize) -> Size:
    """The lattice of a scan of this size."""
    making = BYTES_PER_SCAN_VOXEL * scan.voxels + BYTES_PER_GROWN_VOXEL * math.prod(scan.shape)
    return Size(scan.shape, scan.voxel_um, scan.bone_share, making)


def size_of(bone: Specimen) -> Size:
    """The lattice of a bone that is at hand."""
    z, y, x = bone.quanta.shape
    share = np.count_nonzero(bone.quanta >= BONE) / max(bone.quanta.size, 1)
    return Size((z, y, x), bone.voxel_um, share, 0.0)


def cost_of(
    size: Size, config: Config, *, files: int = 1, decompose: bool = False, compiled: bool = True,
    until_day: int | None = None,
) -> Cost:  # fmt: skip
    """What a config costs on a lattice.

    Args:
        size: of the lattice (the config's own specimen is not looked at).
        config: what is to be simulated.
        files: 2 for a run and its twin, one after the other on one burn-in.
        decompose: whether losses are decomposed, which takes a second lattice.
        compiled: whether the kernels are in the cache.
        until_day: the day the run stops, if it is not the config's last.
    """
    schedule, mega = config.schedule, size.voxels / 1e6
    days = schedule.duration_day if until_day is None else min(until_day, schedule.duration_day)
    snapshots = sum(day <= days for day in schedule.kept_days())
    bone, nodes = size.bone_share * size.voxels, _nodes(size, config)
    state = STATE_BYTES_PER_BONE_VOXEL * bone + STATE_BYTES_PER_NODE * nodes
    per_day = SECONDS_PER_DAY + SECONDS_PER_DAY_AND_MEGASURFACE * _surface(size) / 1e6
    per_solve = SECONDS_PER_SOLVE_AND_MEGANODE * nodes / 1e6
    solves_a_day = 1.0 / max(config.mechanics.interval_day, 1)
    checkpoints = days // schedule.checkpoint_every_day + 1
    return Cost(
        size=size,
        memory_bytes=_memory(size, nodes, files, decompose, compiled),
        run_file_bytes=files * (
            FILE_BYTES + days * TABLE_BYTES_PER_DAY + snapshots * (
                SNAPSHOT_BYTES_PER_VOXEL * size.voxels + SNAPSHOT_BYTES_PER_BONE_VOXEL * bone)),
        checkpoint_bytes=state,
        burn_in_bytes=state if schedule.burn_in_day else 0.0,
        start_seconds=(START_SECONDS + MAKE_SECONDS_PER_MEGAVOXEL * mega),
        burn_in_seconds=schedule.burn_in_day * (per_day + per_solve * solves_a_day)
        + COLD_SOLVES * per_solve,
        days_seconds=files * (
            days * per_day + checkpoints * CHECKPOINT_SECONDS_PER_MEGAVOXEL * mega),
        solves_seconds=files * days * per_solve * solves_a_day,
        snapshots_seconds=files * snapshots * SNAPSHOT_SECONDS_PER_MEGAVOXEL * mega,
        compile_seconds=0.0 if compiled else COMPILE_SECONDS,
        mm3_years=files * size.voxels * (size.voxel_um / 1000.0) ** 3 * days / DAYS_PER_YEAR,
    )  # fmt: skip


def refuse_what_cannot_fit(cost: Cost, place: Path) -> None:
    """Raise ResourceError if a run of this cost has not enough memory, or disk at `place`."""
    memory, free = memory_bytes(), free_disk_bytes(place)
    z, y, x = cost.size.shape
    what = f"{x} x {y} x {z} voxels of {cost.size.voxel_um:g} um"
    if cost.memory_bytes > MEMORY_SHARE * memory:
        raise ResourceError(
            f"{what} need about {size_text(cost.memory_bytes)} of memory, and this machine has "
            f"{size_text(memory)}; {SMALLER}"
        )
    if cost.disk_bytes > DISK_SHARE * free:
        raise ResourceError(
            f"{place}: {what} need about {size_text(cost.disk_bytes)} of disk, and "
            f"{size_text(free)} are free; keep fewer schedule.snapshots_day, or {SMALLER}"
        )


@cache
def speed() -> float:
    """How fast this machine is now at a small task, over the reference machine."""
    return REFERENCE_TASK_SECONDS / min(_small_task() for _ in range(5))


def _small_task() -> float:
    """Seconds of this thread for transforms and sorting in memory of a few megabytes."""
    values = np.linspace(0.0, 1.0, 1 << 18).reshape(64, 64, 64)
    begun = time.perf_counter()
    spectrum = np.fft.rfftn(values)
    np.sort((values * spectrum.real.sum() * 1e4 % 1.0).ravel())
    np.fft.irfftn(spectrum)
    return time.perf_counter() - begun


def _memory(size: Size, nodes: float, files: int, decompose: bool, compiled: bool) -> float:
    """The peak of a process that makes the bone and simulates it, bytes."""
    per_voxel = BYTES_PER_VOXEL + BYTES_PER_VOXEL_DECOMPOSED * decompose
    per_voxel += BYTES_PER_VOXEL_SHARED * (files > 1)
    running = (
        BASE_BYTES + per_voxel * size.voxels + BYTES_PER_SURFACE_VOXEL * _surface(size)
        + (MECHANICS_BYTES + BYTES_PER_NODE * nodes if nodes else 0.0)
        + (0.0 if compiled else COMPILE_BYTES)
    )  # fmt: skip
    return max(running, BASE_OF_MAKING_BYTES + size.making_bytes)


def _surface(size: Size) -> float:
    """Surface voxels."""
    bone = size.bone_share * size.voxels
    return bone * min(1.0, SURFACE_PER_BONE_UM * size.voxel_um)


def _nodes(size: Size, config: Config) -> float:
    """Nodes of the finest level of a mechanical solve; 0 if there is none."""
    p = config.mechanics
    if p.interval_day == 0:
        return 0.0
    bone = size.bone_share * size.voxels
    return NODES_PER_ELEMENT * ELEMENTS_PER_BONE * bone / p.voxels_per_element**3


def size_text(amount: float) -> str:
    """Bytes for reading: "870 MB"."""
    if amount < 999.5e3:
        return f"{math.ceil(amount / 1e3)} kB"
    if amount < 999.5e6:
        return f"{amount / 1e6:.0f} MB"
    return f"{amount / 1e9:.1f} GB" if amount < 999.5e9 else f"{amount / 1e12:.1f} TB"
