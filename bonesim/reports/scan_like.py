"""The snapshots of a run as a scanner would see them, and the truth between them."""

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from bonesim.config.explain import explain
from bonesim.config.renamed import translated
from bonesim.errors import CorruptFileError, InputError
from bonesim.instruments.density import marrow_mg_per_cm3, relative
from bonesim.instruments.imaging import (
    TRUTH,
    Scanner,
    bone_mask,
    density_image,
    scanned_shape,
    scanner_named,
    seen,
    truth_between,
)
from bonesim.instruments.visits import ClinicParameters
from bonesim.lattice.mineral import MineralParameters
from bonesim.reports.clinic import seed_of
from bonesim.specimens.bones import Bone
from bonesim.storage.durable import failures_explained, write_durably
from bonesim.storage.outputs import check_outputs
from bonesim.storage.reader import Run
from bonesim.units import BONE, FULL

if TYPE_CHECKING:
    import pandas as pd


def write(
    run: Run, folder: Path, days: list[int] | None = None, scanner: str = "hr_pqct_61",
    voxel_um: float | None = None, seed: int | None = None,
    p: ClinicParameters | None = None, *, overwrite: bool = False,
) -> "pd.DataFrame":  # fmt: skip
    """Write what a scanner would give of a run's snapshots, and the truth between them.

    Args:
        run: the run.
        folder: made if it is not there; gets day_D.nrrd (mgHA/cm3), day_D_bone.nrrd (0 or 1),
            truth_D_E.nrrd (codes of TRUTH) and scan.json, which has all of this.
        days: snapshots; all of them if None.
        scanner: a name in SCANNERS.
        voxel_um: instead of the scanner's own.
        seed: of the noise; the run's own if None.
        p: parameters (the marrow's density is used).
        overwrite: replace images and scan.json that are in the folder already.

    Returns:
        One row per scan; `attrs["scan"]` has what is in scan.json.

    Raises:
        InputError: no such scanner or snapshot, voxels that do not fit, a folder that cannot be.
    """
    settings = scanner_named(scanner)
    p = p or ClinicParameters()
    if voxel_um is not None:
        try:
            settings = Scanner.model_validate(settings.model_dump() | {"voxel_um": voxel_um})
        except ValidationError as error:
            message = explain(error, "", Scanner).removeprefix("voxel_um: ")
            raise InputError(message, parameter="voxel_um") from None
    chosen = sorted(set(run.snapshot_days if days is None else days))
    if not chosen:
        raise InputError(f"{run.path}: holds no snapshot yet, nothing to scan; let it run on")
    missing = [day for day in chosen if day not in run.snapshot_days]
    if missing:
        raise InputError(
            f"{run.path}: no snapshot of day {missing[0]}; there are "
            f"{', '.join(map(str, run.snapshot_days)) or 'none'}"
        )
    scanned_shape(run.shape, run.voxel_um, settings)  # before a folder is made in vain
    with failures_explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    names = [f"day_{day}{end}.nrrd" for day in chosen for end in ("", "_bone")]
    names += [f"truth_{earlier}_{later}.nrrd" for earlier, later in pairwise(chosen)]
    check_outputs([folder / name for name in (*names, "scan.json")], overwrite, (run.path,))
    done = _done(run, scanner, settings, seed_of(run, seed))
    full = full_density(run)
    first = float(run.quanta(run.snapshot_days[0]).mean(dtype=np.float64))
    for day in chosen:
        quanta = run.quanta(day)
        density, marrow = _density(quanta, run.field("mineral", day), first, full, p)
        grey = seen(density, run.voxel_um, settings, done["seed"], day)
        mask = bone_mask(grey, settings)
        image, bone = f"day_{day}.nrrd", f"day_{day}_bone.nrrd"
        write_nrrd(folder / image, grey, settings.voxel_um, f"mgHA/cm3, day {day}, {scanner}")
        write_nrrd(folder / bone, mask, settings.voxel_um, f"bone 1, day {day}, {scanner}")
        done["scans"].append(
            {
                "day": day, "grey": image, "bone": bone, "voxels_xyz": grey.shape[::-1],
                "marrow_mg_per_cm3": marrow,
                "true_mean_mg_per_cm3": float(density.mean(dtype=np.float64)),
                "seen_mean_mg_per_cm3": float(grey.mean(dtype=np.float64)),
                "true_bvtv_percent": 100.0 * float(quanta.mean(dtype=np.float64)) / FULL,
                "seen_bvtv_percent": 100.0 * float(mask.mean(dtype=np.float64)),
            }
        )  # fmt: skip
    for earlier, later in pairwise(chosen):
        name = f"truth_{earlier}_{later}.nrrd"
        truth = truth_between(run.quanta(earlier), run.quanta(later))
        write_nrrd(folder / name, truth, run.voxel_um, f"truth from day {earlier} to {later}")
        count = np.bincount(truth.reshape(-1), minlength=len(TRUTH))
        voxels = {what: int(count[code]) for what, code in TRUTH.items()}
        done["truths"].append(
            {"from_day": earlier, "to_day": later, "file": name, "voxels": voxels}
        )
    place = folder / "scan.json"
    with failures_explained(place):
        write_durably(place, (json.dumps(done, indent=2) + "\n").encode())
    return table(done)


def bones_seen(
    bones: Iterable[Bone], scanner: str, full_mg_per_cm3: float | None, seed: int
) -> Iterator[Bone]:
    """Bones as a scanner sees them: its voxels, its noise, its threshold; as `write` does it.

    Args:
        bones: what is scanned; the first is the baseline that marrow fat is of.
        scanner: a name in SCANNERS.
        full_mg_per_cm3: density of fully mineralised bone; the default of a configuration if None.
            Bone whose mineral is not known is fully mineralised.
        seed: of the noise.

    Raises:
        InputError: no such scanner, or voxels that do not fit.
    """
    settings, p, first = scanner_named(scanner), ClinicParameters(), None
    full = (
        MineralParameters().full_density_mg_per_cm3 if full_mg_per_cm3 is None else full_mg_per_cm3
    )
    for bone in bones:
        first = float(bone.quanta.mean(dtype=np.float64)) if first is None else first
        mineral = np.full_like(bone.quanta, FULL) if bone.mineral is None else bone.mineral
        density, _ = _density(bone.quanta, mineral, first, full, p)
        mask = bone_mask(seen(density, bone.voxel_um, settings, seed, bone.day or 0), settings)
        note = f"as {scanner} sees it: voxels of {settings.voxel_um:g} um"
        yield bone._replace(
            quanta=mask * np.uint8(FULL), voxel_um=settings.voxel_um, mineral=None, stock=None,
            notes=(*bone.notes, note), grid=None, crop=None,
        )  # fmt: skip


def _density(
    quanta: NDArray[np.uint8], mineral: NDArray[np.uint8], first: float, full: float,
    p: ClinicParameters,
) -> tuple[NDArray[np.float32], float]:  # fmt: skip
    """The true density of a bone, and what the scanner reads in its marrow, mgHA/cm3.

    `first`: mean quanta of the baseline.
    """
    share = relative(np.array([first, float(quanta.mean(dtype=np.float64))]))
    marrow = float(marrow_mg_per_cm3(share, p.density)[1])
    return density_image(quanta, mineral, full, marrow), marrow


def table(done: dict[str, Any]) -> "pd.DataFrame":
    """The scans of scan.json, one row each."""
    import pandas as pd

    found = pd.DataFrame(done["scans"])
    found.attrs["scan"] = done
    return found


def text(table: "pd.DataFrame") -> str:
    """One line for each scan: what was seen, what is true."""
    return "\n".join(
        f"day {scan['day']}: BV/TV {scan['seen_bvtv_percent']:.2f} % seen, "
        f"{scan['true_bvtv_percent']:.2f} % true; mean {scan['seen_mean_mg_per_cm3']:.1f} "
        f"mgHA/cm3 ({scan['grey']})"
        for scan in table.to_dict("records")
    )


def write_nrrd(
    path: Path, values: NDArray[Any], voxel_um: float, content: str,
    centre_mm: Sequence[float] | None = None,
) -> None:  # fmt: skip
    """A (z, y, x) image with its voxel size in mm; NRRD's fastest axis is x.

    Args:
        path: of the file.
        values: of the voxels.
        voxel_um: edge of a voxel.
        content: what it is, in words.
        centre_mm: (x, y, z) of the first voxel's centre; not stated if None.

    Raises:
        InputError, ResourceError: it cannot be written.
    """
    import nrrd

    mm = voxel_um / 1000.0
    header: dict[str, Any] = {
        "content": content,
        "space dimension": 3,
        "space directions": np.diag([mm, mm, mm]),
        "space units": ["mm", "mm", "mm"],
    }
    if centre_mm is not None:
        header["space origin"] = np.array(centre_mm, np.float64)
    made = io.BytesIO()
    nrrd.write(made, values, header, index_order="C")  # type: ignore[arg-type]
    # Without the line that states when: the same image has the same bytes.
    without_clock = re.sub(rb"(?m)^# on [^\n]*\n", b"", made.getvalue(), count=1)
    with failures_explained(path):
        write_durably(path, without_clock)


def _done(run: Run, name: str, settings: Scanner, seed: int) -> dict[str, Any]:
    """The head of scan.json: what is the same for all days."""
    return {
        "run": run.path.name,
        "title": run.config.get("title", ""),
        "run_identity": run.identity(),
        "bonesim": run.provenance.get("bonesim", ""),
        "run_voxel_um": run.voxel_um,
        "scanner": name,
        **settings.model_dump(),
        "full_density_mg_per_cm3": full_density(run),
        "seed": seed,
        "steps": [
            "density = bone x mineralisation x full density + marrow (negative: fat)",
            "Gaussian blur, mirrored at the faces",
            "means over the scanner's voxels, from the same corner; at the far faces the mirror "
            "image completes a voxel, and less than half of one is cut",
            "independent normal noise on each voxel",
            "bone = grey value at or above the threshold; nothing else is done to the mask",
        ],
        "axes": "files are x fastest, z slowest, z the loading axis; spacing in mm",
        "truth_codes": TRUTH,
        "truth": f"voxels of the run, bone at {BONE} of {FULL} quanta or more, two states compared",
        "scans": [],
        "truths": [],
    }


def full_density(run: Run) -> float:
    """Density of fully mineralised bone of a run, mgHA/cm3.

    Raises:
        CorruptFileError: its configuration has none.
    """
    try:
        return float(translated(run.config)["tissue"]["mineral"]["full_density_mg_per_cm3"])
    except (LookupError, TypeError, ValueError):
        raise CorruptFileError(
            f"{run.path}: its config has no tissue.mineral.full_density_mg_per_cm3; "
            "take another copy or run it again"
        ) from None
