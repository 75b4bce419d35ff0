"""Look at what there is: the content of a run, structure, stiffness, a clinic's record, scans."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from numpy.typing import ArrayLike, NDArray

from bonesim.api.closed import closed_bones_of_run
from bonesim.api.inputs import (
    AnyRun,
    ScanOptions,
    as_labels,
    as_quanta,
    as_region,
    as_voxel_um,
    opened,
    scan_parameters,
)
from bonesim.errors import InputError
from bonesim.images.geometry import Grid
from bonesim.images.kinds import is_image
from bonesim.morphometry import panel
from bonesim.morphometry.panel import Measure
from bonesim.morphometry.spheres import Progress
from bonesim.specimens.bones import (
    Bone,
    bone_of_scan,
    bones_of_run,
    grid_of_array,
    grid_of_run,
    labels_of_image,
    region_of_image,
)
from bonesim.specimens.specimen import Specimen
from bonesim.storage.reader import Run

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "clinic",
    "doctor",
    "info",
    "measure",
    "measure_stiffness",
    "scan_like",
    "story",
]


def info(run: AnyRun) -> "pd.DataFrame":
    """The main outcomes of a run on its first day, each snapshot's and its last: one row per day.

    `attrs["run"]` describes the run, `attrs["events"]` counts its topological events.

    Args:
        run: a run file's path, or what `open_run` gives.

    Raises:
        InputError: no such file. CorruptFileError: damaged.
    """
    from bonesim.reports import run as report

    with opened(run) as file:
        return report.table(file)


def doctor() -> "pd.DataFrame":
    """Whether all that bonesim needs of this machine is there and works: one row for each thing.

    Columns: part, name, value, state, remedy. The state is "ok", "missing" (only some commands need
    it) or "failed" (needed, and does not work). Nothing is changed.
    """
    from bonesim.reports import doctor as report

    return report.table()


@overload
def measure(
    bone: str | Path | Run, voxel_um: float | None = None, region: ArrayLike | str | Path | None = None,
    quick: bool = False, *, threshold: float | None = None, smooth_voxel: float | None = None,
    quanta: bool = False, per_label: bool = False, closed: bool = False,
    scanner: str | None = None, progress: Progress | None = None, **scan: Unpack[ScanOptions],
) -> "pd.DataFrame": ...  # fmt: skip


@overload
def measure(
    bone: NDArray[Any] | Specimen, voxel_um: float | None = None,
    region: ArrayLike | str | Path | None = None, quick: bool = False, *,
    threshold: float | None = None, smooth_voxel: float | None = None, quanta: bool = False,
    per_label: Literal[False] = False, closed: Literal[False] = False,
    scanner: str | None = None, progress: Progress | None = None,
    **scan: Unpack[ScanOptions],
) -> dict[str, Measure]: ...  # fmt: skip


@overload
def measure(
    bone: NDArray[Any] | Specimen, voxel_um: float | None = None,
    region: ArrayLike | str | Path | None = None, quick: bool = False, *,
    threshold: float | None = None, smooth_voxel: float | None = None, quanta: bool = False,
    per_label: Literal[True], closed: Literal[False] = False, progress: Progress | None = None,
) -> "pd.DataFrame": ...  # fmt: skip


def measure(
    bone: ArrayLike | Specimen | str | Path | Run, voxel_um: float | None = None,
    region: ArrayLike | str | Path | None = None, quick: bool = False, *,
    threshold: float | None = None, smooth_voxel: float | None = None, quanta: bool = False,
    per_label: bool = False, closed: bool = False, scanner: str | None = None,
    progress: Progress | None = None, **scan: Unpack[ScanOptions],
) -> "dict[str, Measure] | pd.DataFrame":  # fmt: skip
    """Structure of bone: BV/TV, Tb.Th, Tb.Sp, Conn.D, SMI, DA, plates and rods (Bouxsein 2010).

    Args:
        bone: an array (z, y, x) or a Specimen; or a run file (each snapshot is measured) or the path
            of an image or of a folder of slices. A bool array, or numbers 0 and 1 or 0 and 255, is a
            mask; other numbers are grey values and need a `threshold`.
        voxel_um: edge of a voxel, um; needed for an array, and for an image whose header has none;
            replaces what the header has, which is noted.
        region: what to measure where it is not 0: an array of the same size, or an image of the same
            place by its own header; default all but a rim of two voxels.
        quick: only the measures a run takes at each snapshot.
        threshold: grey value at and above which a voxel is bone; for an image Otsu's if None.
        smooth_voxel: SD of a Gaussian on the grey values of an image first, voxels.
        quanta: the array is uint8 and holds the bone of each voxel in 1/255, as `run.quanta` gives it.
        per_label: measure the voxels of each number in `region` by themselves.
        closed: measure a copy of each snapshot of a run in which all open cavities are filled again.
            Without it a run's table also has the few closed measures of its snapshot table.
        scanner: measure what this scanner would see, at its own voxels: "micro_ct_20",
            "hr_pqct_61", "hr_pqct_82" or "qct", as `scan_like` does it.
        progress: receives the share of the work that is done, 0..1.
        scan: for images: see `ScanOptions`.

    Returns:
        Of an array or Specimen: name -> Measure (value, unit, symbol, method). Of a file, or with
        `per_label`: a table, one row per measure (and day, and label); `attrs["notes"]` lists what
        was done to the image. With a region, nothing outside it takes part.

    Raises:
        InputError: an array, image, region or argument that will not do.
        CorruptFileError: a damaged file.
    """
    from bonesim.reports import structure

    _closed_is_of_runs(bone, closed)
    if scanner is not None and (region is not None or per_label):
        raise InputError(
            "has voxels of its own, which a region does not fit; leave one out", parameter="scanner"
        )
    if isinstance(bone, Specimen) or not isinstance(bone, str | Path | Run):
        block = block_of(bone, voxel_um, threshold, quanta, smooth_voxel=smooth_voxel, **scan)
        block = next(as_seen([block], scanner))
        place, _ = region_in(region, block.quanta.shape, grid_of_array(block), labels=per_label)
        if per_label:
            return structure.table([block], place, quick=quick, per_label=True, progress=progress)
        return panel.measure(block.quanta, block.voxel_um, place, quick, progress)
    name = region.name if isinstance(region, Path) else "region"
    given = {"voxel_um": voxel_um, "threshold": threshold, "smooth_voxel": smooth_voxel, **scan}
    if not is_run(bone):
        one = bone_of_scan(scan_parameters(bone, **given), partial_volume=True)  # type: ignore[arg-type]
        place, notes = region_in(region, one.quanta.shape, one.grid, one.crop, labels=per_label)
        one = one._replace(notes=(*one.notes, *notes))
        return structure.table(
            as_seen([one], scanner), place, name, quick=quick, per_label=per_label,
            progress=progress,
        )  # fmt: skip
    only_for_scans(bone, **given)
    with opened(bone) as run:
        place, notes = region_in(region, run.shape, grid_of_run(run), labels=per_label)
        bones = closed_bones_of_run(run) if closed else bones_of_run(run)
        table = structure.table(
            as_seen(bones, scanner, run), place, name, quick=quick, per_label=per_label, progress=progress,
            count=len(run.snapshot_days),
        )  # fmt: skip
        table.attrs["notes"] += notes
        return table


def measure_stiffness(
    bone: ArrayLike | Specimen | str | Path | Run, voxel_um: float | None = None, *,
    tensor: bool = False, closed: bool = False, threshold: float | None = None,
    smooth_voxel: float | None = None, quanta: bool = False, **options: Any,
) -> "pd.DataFrame":  # fmt: skip
    """Stiffness and strength by voxel finite elements: the block is compressed by 1 %.

    Args:
        bone, voxel_um, threshold, smooth_voxel, quanta: as for `measure`.
        tensor: also the whole stiffness tensor, six load cases.
        closed: of a run: with all open cavities filled again; new bone is as mineralised as the
            nearest.
        options: for images those of `ScanOptions`; and parameters of the test, see
            `bonesim.mechanics.apparent.ApparentParameters`: axis, ends, sides, tissue_modulus_mpa,
            poisson, habitual_stress_mpa, voxels_per_element, tolerance, ...; of a run, the material
            is the run's own if not given.

    Returns:
        A table, one row per measure (and day, of a run).

    Raises:
        InputError: bone or parameters that will not do, bone that carries no load.
        ResourceError, NumericalError: too large a block; no convergence.
    """
    from bonesim.reports import mechanics

    _closed_is_of_runs(bone, closed)
    scan = {name: options.pop(name, None) for name in ScanOptions.__annotations__}
    if isinstance(bone, Specimen) or not isinstance(bone, str | Path | Run):
        p = mechanics.parameters_of(options)
        block = block_of(bone, voxel_um, threshold, quanta, smooth_voxel=smooth_voxel, **scan)
        return mechanics.table([block], p, tensor=tensor)
    given = {"voxel_um": voxel_um, "threshold": threshold, "smooth_voxel": smooth_voxel, **scan}
    if not is_run(bone):
        p = mechanics.parameters_of(options)
        one = bone_of_scan(scan_parameters(bone, **given), partial_volume=False)  # type: ignore[arg-type]
        return mechanics.table([one], p, tensor=tensor)
    only_for_scans(bone, **given)
    with opened(bone) as run:
        p = mechanics.parameters_of(options, run)
        bones = closed_bones_of_run(run) if closed else bones_of_run(run)
        return mechanics.table(bones, p, tensor=tensor)


def _closed_is_of_runs(bone: object, closed: bool) -> None:
    """Refuse `closed` for what no cell has worked on."""
    if closed and not (isinstance(bone, str | Path | Run) and is_run(bone)):
        raise InputError(
            "is for run files, which have the open cavities; leave it out", parameter="closed"
        )


def clinic(
    run: AnyRun, *, changes: Mapping[str, Any] | None = None, seed: int | None = None,
    every_day: bool = False,
) -> "pd.DataFrame":  # fmt: skip
    """What DXA, QCT and turnover markers would read of a run, with their noise.

    Args:
        run: a run file's path, or what `open_run` gives.
        changes: dotted path -> value, e.g. {"density.k_dxa": 0.4}.
        seed: of the readings' noise; the run's own if None.
        every_day: every day instead of the days of the snapshots.

    Returns:
        One row per visit and quantity: true value, reading, change, and whether the change is beyond
        the least significant change.

    Raises:
        InputError: parameters that are not allowed; a run without a snapshot. CorruptFileError.
    """
    from bonesim.reports import clinic as report

    parameters = report.parameters_of(changes or {})
    with opened(run) as file:
        return report.table(file, parameters, seed, every_day=every_day)


def story(run: AnyRun, bmu: int) -> "pd.DataFrame":
    """What a run file holds of one remodelling unit: birth, snapshots, topological events, end.

    Args:
        run: a run file's path, or what `open_run` gives.
        bmu: its id, as in `run.events["bmu"]` and `run.cells("bmus", day)["id"]`.

    Raises:
        InputError: no such unit on file. CorruptFileError: a damaged file.
    """
    from bonesim.reports import story as report

    with opened(run) as file:
        return report.table(file, bmu)


def scan_like(
    run: AnyRun, folder: str | Path, days: Iterable[int] | None = None, *,
    scanner: str = "hr_pqct_61", voxel_um: float | None = None, seed: int | None = None,
    overwrite: bool = False,
) -> "pd.DataFrame":  # fmt: skip
    """Write what a scanner would see of the snapshots (NRRD), and the truth between them.

    Args:
        run: a run file's path, or what `open_run` gives.
        folder: made if it is not there.
        days: snapshots; all of them if None.
        scanner: "micro_ct_20", "hr_pqct_61", "hr_pqct_82" or "qct".
        voxel_um: instead of the scanner's own.
        seed: of the noise; the run's own if None.
        overwrite: replace images that are in the folder already.

    Returns:
        One row per scan: file names, BV/TV and mean density, seen and true; `attrs["scan"]` has what
        is in scan.json.

    Raises:
        InputError: no such scanner or snapshot, voxels that do not fit, a folder that cannot be.
    """
    from bonesim.reports import scan_like as report

    with opened(run) as file:
        chosen = None if days is None else list(days)
        return report.write(
            file, Path(folder), chosen, scanner, voxel_um, seed, overwrite=overwrite
        )


def as_seen(bones: Iterable[Bone], scanner: str | None, run: Run | None = None) -> Iterator[Bone]:
    """Bones as a scanner sees them, those of a run with its mineral and noise; unchanged if None."""
    from bonesim.reports import scan_like as report
    from bonesim.reports.clinic import seed_of

    if scanner is None:
        return iter(bones)
    if run is None:
        return report.bones_seen(bones, scanner, None, 1)
    return report.bones_seen(bones, scanner, report.full_density(run), seed_of(run, None))


def block_of(
    bone: ArrayLike | Specimen, voxel_um: float | None, threshold: float | None, quanta: bool,
    **of_images: object,
) -> Bone:  # fmt: skip
    """An array or a specimen as a block of bone."""
    for name, value in of_images.items():
        if value is not None:
            raise InputError("is for images; smooth or choose from the array first", parameter=name)
    if isinstance(bone, Specimen):
        if voxel_um is not None or threshold is not None:
            raise InputError(
                "a Specimen knows its voxels and its bone; leave `voxel_um` and `threshold` out"
            )
        return Bone(bone.quanta, bone.voxel_um)
    size = as_voxel_um(voxel_um)
    return Bone(as_quanta(bone, size, threshold, quanta=quanta), size)


def region_in(
    region: ArrayLike | str | Path | None, shape: tuple[int, ...], grid: Grid | None,
    crop: Any = None, *, labels: bool = False,
) -> tuple[NDArray[Any] | None, list[str]]:  # fmt: skip
    """The region of interest of an array or an image, or its labels; and notes."""
    if region is None:
        return None, []
    if isinstance(region, str | Path):
        assert grid is not None
        return (labels_of_image if labels else region_of_image)(Path(region), grid, crop)
    return (as_labels if labels else as_region)(region, shape, "region"), []


def is_run(bone: str | Path | Run) -> bool:
    """Whether a file is taken for a run: all that is no image by its name or content."""
    return isinstance(bone, Run) or not is_image(Path(bone))


def only_for_scans(bone: str | Path | Run, **given: object) -> None:
    """Refuse what describes a scan, of a run."""
    for name, value in given.items():
        if value is not None:
            path = bone.path if isinstance(bone, Run) else bone
            raise InputError(
                f"is for scans; {path} is taken for a run, which knows its own", parameter=name
            )
