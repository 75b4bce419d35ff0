"""Look at what there is: the content of a run, structure, stiffness, a clinic's record, scans."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationError

from bonesim.api.inputs import AnyRun, as_labels, as_quanta, as_region, as_voxel_um, opened
from bonesim.config.explain import explain
from bonesim.errors import InputError
from bonesim.morphometry import maps, panel
from bonesim.morphometry.maps import ThicknessMaps
from bonesim.morphometry.panel import Measure
from bonesim.morphometry.spheres import Progress, part_of
from bonesim.specimens.bones import (
    Bone,
    bone_of_scan,
    bones_of_run,
    labels_of_image,
    region_of_image,
)
from bonesim.specimens.image import is_image
from bonesim.specimens.scan import ScanParameters
from bonesim.specimens.specimen import Specimen
from bonesim.storage.reader import Run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["clinic", "info", "measure", "measure_stiffness", "scan_like", "thickness_maps"]


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


@overload
def measure(
    bone: str | Path | Run, voxel_um: float | None = None, region: ArrayLike | str | Path | None = None,
    quick: bool = False, *, threshold: float | None = None, smooth_voxel: float | None = None,
    quanta: bool = False, per_label: bool = False, progress: Progress | None = None,
) -> "pd.DataFrame": ...  # fmt: skip


@overload
def measure(
    bone: NDArray[Any] | Specimen, voxel_um: float | None = None,
    region: ArrayLike | str | Path | None = None, quick: bool = False, *,
    threshold: float | None = None, smooth_voxel: float | None = None, quanta: bool = False,
    per_label: Literal[False] = False, progress: Progress | None = None,
) -> dict[str, Measure]: ...  # fmt: skip


@overload
def measure(
    bone: NDArray[Any] | Specimen, voxel_um: float | None = None,
    region: ArrayLike | str | Path | None = None, quick: bool = False, *,
    threshold: float | None = None, smooth_voxel: float | None = None, quanta: bool = False,
    per_label: Literal[True], progress: Progress | None = None,
) -> "pd.DataFrame": ...  # fmt: skip


def measure(
    bone: ArrayLike | Specimen | str | Path | Run, voxel_um: float | None = None,
    region: ArrayLike | str | Path | None = None, quick: bool = False, *,
    threshold: float | None = None, smooth_voxel: float | None = None, quanta: bool = False,
    per_label: bool = False, progress: Progress | None = None,
) -> "dict[str, Measure] | pd.DataFrame":  # fmt: skip
    """Structure of bone: BV/TV, Tb.Th, Tb.Sp, Conn.D, SMI, DA, plates and rods (Bouxsein 2010).

    Args:
        bone: an array (z, y, x) or a Specimen; or a run file (each snapshot is measured) or the path
            of an image or of a folder of slices. A bool array, or numbers 0 and 1 or 0 and 255, is a
            mask; other numbers are grey values and need a `threshold`.
        voxel_um: edge of a voxel, um; needed for an array, and for an image whose header has none.
        region: what to measure, an array or image of the same size, where it is not 0; default all
            but a rim of two voxels.
        quick: only the measures a run takes at each snapshot.
        threshold: grey value at and above which a voxel is bone; for an image Otsu's if None.
        smooth_voxel: SD of a Gaussian on the grey values of an image first, voxels.
        quanta: the array is uint8 and holds the bone of each voxel in 1/255, as `run.quanta` gives it.
        per_label: measure the voxels of each number in `region` by themselves.
        progress: receives the share of the work that is done, 0..1.

    Returns:
        Of an array or Specimen: name -> Measure (value, unit, symbol, method). Of a file, or with
        `per_label`: a table, one row per measure (and day, and label); `attrs["notes"]` lists what
        was done to the image. With a region, nothing outside it takes part.

    Raises:
        InputError: an array, image, region or argument that will not do.
        CorruptFileError: a damaged file.
    """
    from bonesim.reports import structure

    if isinstance(bone, Specimen) or not isinstance(bone, str | Path | Run):
        block = _block(bone, voxel_um, threshold, smooth_voxel, quanta)
        place = _region(region, block.quanta.shape, labels=per_label)
        if per_label:
            return structure.table([block], place, quick=quick, per_label=True, progress=progress)
        return panel.measure(block.quanta, block.voxel_um, place, quick, progress)
    name = region.name if isinstance(region, Path) else "region"
    if not _is_run(bone):
        scan = _scan(Path(bone), voxel_um, threshold, smooth_voxel)  # type: ignore[arg-type]
        one = bone_of_scan(scan, partial_volume=True)
        place = _region(region, one.quanta.shape, labels=per_label)
        return structure.table(
            [one], place, name, quick=quick, per_label=per_label, progress=progress
        )
    _only_for_scans(bone, voxel_um=voxel_um, threshold=threshold, smooth_voxel=smooth_voxel)
    with opened(bone) as run:
        place = _region(region, run.shape, labels=per_label)
        return structure.table(
            bones_of_run(run), place, name, quick=quick, per_label=per_label, progress=progress,
            count=len(run.snapshot_days),
        )  # fmt: skip


def thickness_maps(
    bone: ArrayLike | Specimen | str | Path | Run, voxel_um: float | None = None,
    region: ArrayLike | str | Path | None = None, *, threshold: float | None = None,
    smooth_voxel: float | None = None, quanta: bool = False, folder: str | Path | None = None,
    overwrite: bool = False, progress: Progress | None = None,
) -> dict[int | None, ThicknessMaps]:  # fmt: skip
    """Local thickness of bone and of marrow, um, at each voxel: what Tb.Th and Tb.Sp are made of.

    Args:
        bone, voxel_um, region, threshold, smooth_voxel, quanta: as for `measure`.
        folder: also write the maps there as NRRD, tb_th_um.nrrd and tb_sp_um.nrrd (of a run with
            the day); a name that ends in .nrrd is the beginning of their names instead.
        overwrite: replace files.
        progress: receives the share of the work that is done, 0..1.

    Returns:
        Day of each snapshot, or None of other bone -> its maps.

    Raises:
        InputError: an array, image, region or argument that will not do; a file that exists.
        CorruptFileError: a damaged file.
    """
    from bonesim.reports import maps as report

    with ExitStack() as opened_runs:
        days: list[int | None] = [None]
        bones: Iterable[Bone]
        if isinstance(bone, Specimen) or not isinstance(bone, str | Path | Run):
            bones = [_block(bone, voxel_um, threshold, smooth_voxel, quanta)]
        elif not _is_run(bone):
            scan = _scan(Path(bone), voxel_um, threshold, smooth_voxel)  # type: ignore[arg-type]
            bones = [bone_of_scan(scan, partial_volume=True)]
        else:
            _only_for_scans(bone, voxel_um=voxel_um, threshold=threshold, smooth_voxel=smooth_voxel)
            run = opened_runs.enter_context(opened(bone))
            bones, days = bones_of_run(run), list(run.snapshot_days)
        files = {} if folder is None else report.places(Path(folder), days, overwrite=overwrite)
        found = {}
        for done, one in enumerate(bones):
            place = _region(region, one.quanta.shape)
            within = part_of(progress, done / len(days), (done + 1) / len(days))
            found[one.day] = maps.thickness_maps(one.quanta, one.voxel_um, place, within)
            if files:
                report.write(found[one.day], files[one.day])
        return found


def measure_stiffness(
    bone: ArrayLike | Specimen | str | Path | Run, voxel_um: float | None = None, *,
    tensor: bool = False, threshold: float | None = None, smooth_voxel: float | None = None,
    quanta: bool = False, **test: Any,
) -> "pd.DataFrame":  # fmt: skip
    """Stiffness and strength by voxel finite elements: the block is compressed by 1 %.

    Args:
        bone, voxel_um, threshold, smooth_voxel, quanta: as for `measure`.
        tensor: also the whole stiffness tensor, six load cases.
        test: parameters of the test, see `bonesim.mechanics.apparent.ApparentParameters`: axis,
            ends, sides, tissue_modulus_mpa, poisson, habitual_stress_mpa, voxels_per_element,
            tolerance, ...; of a run, the material is the run's own if not given.

    Returns:
        A table, one row per measure (and day, of a run).

    Raises:
        InputError: bone or parameters that will not do, bone that carries no load.
        ResourceError, NumericalError: too large a block; no convergence.
    """
    from bonesim.reports import mechanics

    if isinstance(bone, Specimen) or not isinstance(bone, str | Path | Run):
        p = mechanics.parameters_of(test)
        block = _block(bone, voxel_um, threshold, smooth_voxel, quanta)
        return mechanics.table([block], p, tensor=tensor)
    if not _is_run(bone):
        p = mechanics.parameters_of(test)
        scan = _scan(Path(bone), voxel_um, threshold, smooth_voxel)  # type: ignore[arg-type]
        return mechanics.table([bone_of_scan(scan, partial_volume=False)], p, tensor=tensor)
    _only_for_scans(bone, voxel_um=voxel_um, threshold=threshold, smooth_voxel=smooth_voxel)
    with opened(bone) as run:
        p = mechanics.parameters_of(test, run)
        return mechanics.table(bones_of_run(run), p, tensor=tensor)


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


def scan_like(
    run: AnyRun, folder: str | Path, days: Iterable[int] | None = None, *,
    scanner: str = "hr_pqct_61", voxel_um: float | None = None, seed: int | None = None,
) -> "pd.DataFrame":  # fmt: skip
    """Write what a scanner would see of the snapshots (NRRD), and the truth between them.

    Args:
        run: a run file's path, or what `open_run` gives.
        folder: made if it is not there.
        days: snapshots; all of them if None.
        scanner: "micro_ct_20", "hr_pqct_61", "hr_pqct_82" or "qct".
        voxel_um: instead of the scanner's own.
        seed: of the noise; the run's own if None.

    Returns:
        One row per scan: file names, BV/TV and mean density, seen and true; `attrs["scan"]` has what
        is in scan.json.

    Raises:
        InputError: no such scanner or snapshot, voxels that do not fit, a folder that cannot be.
    """
    from bonesim.reports import scan_like as report

    with opened(run) as file:
        chosen = None if days is None else list(days)
        return report.write(file, Path(folder), chosen, scanner, voxel_um, seed)


def _block(
    bone: ArrayLike | Specimen, voxel_um: float | None, threshold: float | None,
    smooth_voxel: float | None, quanta: bool,
) -> Bone:  # fmt: skip
    """An array or a specimen as a block of bone."""
    if smooth_voxel is not None:
        raise InputError("is for images; smooth the array first", parameter="smooth_voxel")
    if isinstance(bone, Specimen):
        if voxel_um is not None or threshold is not None:
            raise InputError(
                "a Specimen knows its voxels and its bone; leave `voxel_um` and `threshold` out"
            )
        return Bone(bone.quanta, bone.voxel_um)
    size = as_voxel_um(voxel_um)
    return Bone(as_quanta(bone, size, threshold, quanta=quanta), size)


def _region(
    region: ArrayLike | str | Path | None, shape: tuple[int, ...], *, labels: bool = False
) -> NDArray[Any] | None:
    """The region of interest of an array or an image, or its labels."""
    if region is None:
        return None
    if isinstance(region, str | Path):
        return (labels_of_image if labels else region_of_image)(Path(region), shape)
    return (as_labels if labels else as_region)(region, shape, "region")


def _is_run(bone: str | Path | Run) -> bool:
    """Whether a file is taken for a run: all that has no image's name."""
    return isinstance(bone, Run) or not is_image(Path(bone))


def _scan(
    path: Path, voxel_um: float | None, threshold: float | None, smooth_voxel: float | None
) -> ScanParameters:
    """The parameters of a scan, checked."""
    given = {"voxel_um": voxel_um, "threshold": threshold, "smooth_voxel": smooth_voxel}
    some = {name: value for name, value in given.items() if value is not None}
    try:
        return ScanParameters.model_validate({"path": str(path), **some})
    except ValidationError as error:
        raise InputError(explain(error, str(path), ScanParameters)) from None


def _only_for_scans(bone: str | Path | Run, **given: object) -> None:
    """Refuse what describes a scan, of a run."""
    for name, value in given.items():
        if value is not None:
            path = bone.path if isinstance(bone, Run) else bone
            raise InputError(
                f"is for scans; {path} is taken for a run, which knows its own", parameter=name
            )
