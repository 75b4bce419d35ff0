"""Maps of local thickness, as arrays and as images."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Unpack

from numpy.typing import ArrayLike

from bonesim.api.inputs import ScanOptions, opened, scan_parameters
from bonesim.api.look import block_of, is_run, only_for_scans, region_in
from bonesim.errors import InputError
from bonesim.morphometry import maps
from bonesim.morphometry.maps import ThicknessMaps
from bonesim.morphometry.spheres import Progress, part_of
from bonesim.reports.scan_like import write_nrrd
from bonesim.specimens.bones import Bone, bone_of_scan, bones_of_run, grid_of_array, grid_of_run
from bonesim.specimens.specimen import Specimen
from bonesim.storage.durable import failures_explained
from bonesim.storage.reader import Run

__all__ = ["thickness_maps"]


def thickness_maps(
    bone: ArrayLike | Specimen | str | Path | Run, voxel_um: float | None = None,
    region: ArrayLike | str | Path | None = None, *, threshold: float | None = None,
    smooth_voxel: float | None = None, quanta: bool = False, folder: str | Path | None = None,
    overwrite: bool = False, progress: Progress | None = None, **scan: Unpack[ScanOptions],
) -> dict[int | None, ThicknessMaps]:  # fmt: skip
    """Local thickness of bone and of marrow, um, at each voxel: what Tb.Th and Tb.Sp are made of.

    Args:
        bone, voxel_um, region, threshold, smooth_voxel, quanta, scan: as for `measure`.
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
    given = {"voxel_um": voxel_um, "threshold": threshold, "smooth_voxel": smooth_voxel, **scan}
    with ExitStack() as opened_runs:
        days: list[int | None] = [None]
        bones: Iterable[Bone]
        grid, crop = None, None
        if isinstance(bone, Specimen) or not isinstance(bone, str | Path | Run):
            block = block_of(bone, voxel_um, threshold, quanta, smooth_voxel=smooth_voxel, **scan)
            bones, grid = [block], grid_of_array(block)
        elif not is_run(bone):
            one = bone_of_scan(scan_parameters(bone, **given), partial_volume=True)  # type: ignore[arg-type]
            bones, grid, crop = [one], one.grid, one.crop
        else:
            only_for_scans(bone, **given)
            run = opened_runs.enter_context(opened(bone))
            bones, days, grid = bones_of_run(run), list(run.snapshot_days), grid_of_run(run)
        files = {} if folder is None else _places(Path(folder), days, overwrite=overwrite)
        found = {}
        for done, one in enumerate(bones):
            place, _ = region_in(region, one.quanta.shape, grid, crop)
            within = part_of(progress, done / len(days), (done + 1) / len(days))
            found[one.day] = maps.thickness_maps(one.quanta, one.voxel_um, place, within)
            if files:
                _write(found[one.day], files[one.day])
        return found


def _places(
    place: Path, days: list[int | None], *, overwrite: bool
) -> dict[int | None, list[Path]]:
    """The files of the maps of each day (None: no run), Tb.Th and Tb.Sp; their folder is made.

    Args:
        place: a folder; or a name that ends in .nrrd, to which measure and day are added.
        days: of the snapshots.
        overwrite: replace files.

    Raises:
        InputError: a file is there already, or the folder cannot be.
    """
    one = place.suffix.lower() == ".nrrd"
    folder = place.parent if one else place
    stem = f"{place.stem}_" if one else ""
    found = {}
    for day in days:
        when = "" if day is None else f"_day_{day}"
        found[day] = [folder / f"{stem}{name}{when}.nrrd" for name in ("tb_th_um", "tb_sp_um")]
    for path in [path for both in found.values() for path in both]:
        if path.exists() and not overwrite:
            raise InputError(f"{path}: exists already; take another place, or give `overwrite`")
    with failures_explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return found


def _write(maps: ThicknessMaps, files: list[Path]) -> None:
    """Write the maps of one bone, Tb.Th and Tb.Sp, as NRRD (float32, um; spacing in mm).

    Raises:
        InputError, ResourceError: it cannot be written.
    """
    for path, name, values in zip(
        files, ("Tb.Th", "Tb.Sp"), (maps.tb_th_um, maps.tb_sp_um), strict=True
    ):
        write_nrrd(path, values, maps.voxel_um, f"{name}, um: largest sphere over each voxel")
