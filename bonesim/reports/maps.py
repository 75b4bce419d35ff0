"""Maps of local thickness as images."""

from pathlib import Path

from bonesim.errors import InputError
from bonesim.morphometry.maps import ThicknessMaps
from bonesim.reports.scan_like import write_nrrd
from bonesim.storage.durable import failures_explained


def places(place: Path, days: list[int | None], *, overwrite: bool) -> dict[int | None, list[Path]]:
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


def write(maps: ThicknessMaps, files: list[Path]) -> None:
    """Write the maps of one bone, Tb.Th and Tb.Sp, as NRRD (float32, um; spacing in mm).

    Raises:
        InputError, ResourceError: it cannot be written.
    """
    for path, name, values in zip(
        files, ("Tb.Th", "Tb.Sp"), (maps.tb_th_um, maps.tb_sp_um), strict=True
    ):
        write_nrrd(path, values, maps.voxel_um, f"{name}, um: largest sphere over each voxel")
