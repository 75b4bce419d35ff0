"""Trabecular bone from a user's micro-CT image; all processing steps are recorded in notes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator
from scipy import ndimage

from bonesim.errors import InputError
from bonesim.images.alignment import onto_grid
from bonesim.images.geometry import Grid
from bonesim.images.reading import read_image
from bonesim.parameters import Parameters
from bonesim.specimens.crop import checked_ends, cropped
from bonesim.specimens.density import (
    Calibration,
    calibration_of,
    grey_threshold,
    threshold_note,
)
from bonesim.specimens.masks import as_mask
from bonesim.specimens.raster import quanta_of
from bonesim.specimens.specimen import Specimen, cleaned
from bonesim.units import BONE, FULL

#: Voxel sizes for which the tissue rules hold; coarser ones are resampled, see `simulated_um`.
FINEST_UM, COARSEST_UM = 10.0, 40.0
#: The coarsest scan that still shows trabeculae (two voxels in a plate of 130 um).
COARSEST_SCAN_UM = 65.0
_PAD = 2  # voxels mirrored around the image, so that the spline reaches its edge


class ScanParameters(Parameters):
    """A block of trabecular bone from an image; array axes are (z, y, x), z the loading axis."""

    kind: Literal["scan"] = "scan"
    path: Annotated[
        str,
        Field(
            min_length=1,
            description="image file or folder of slices, relative to the config; input",
        ),
    ]
    voxel_um: Annotated[
        float | None,
        Field(ge=1, le=200, description="edge of a voxel, instead of the header's; input"),
    ] = None
    index: Annotated[
        int | None,
        Field(ge=0, description="which volume of a file with several, from 0; input"),
    ] = None
    array: Annotated[
        str | None,
        Field(min_length=1, description="name of the array of a VTI with several; input"),
    ] = None
    threshold: Annotated[
        float | None,
        Field(description="grey value at and above which a voxel is bone; default Otsu 1979"),
    ] = None
    mask: Annotated[
        str | None,
        Field(description="second image, same place: bone where not 0, replaces threshold; input"),
    ] = None
    smooth_voxel: Annotated[
        float,
        Field(ge=0, le=5, description="SD of a Gaussian on grey values, voxels; assumed 0"),
    ] = 0.0
    resample_um: Annotated[
        float | None,
        Field(
            ge=FINEST_UM,
            le=COARSEST_UM,
            description="voxel edge to simulate at; default: of the scan, 20 to 25 if over 40",
        ),
    ] = None
    crop_voxel: Annotated[
        tuple[int, int, int, int, int, int] | None,
        Field(
            description="part to read: x from, to, y from, to, z from, to (to excluded, -1: all); input"
        ),
    ] = None
    crop_mm: Annotated[
        tuple[float, float, float, float, float, float] | None,
        Field(description="as crop_voxel, from the image's corner, nearest voxels; input"),
    ] = None
    threshold_mg: Annotated[
        float | None,
        Field(description="threshold in mgHA/cm3, for calibrated images; input"),
    ] = None
    density_slope: Annotated[
        float | None,
        Field(gt=0, description="mgHA/cm3 for each grey value, instead of the file's; input"),
    ] = None
    density_intercept: Annotated[
        float | None,
        Field(description="density at grey value 0, mgHA/cm3, instead of the file's; input"),
    ] = None

    @field_validator("crop_voxel", "crop_mm")
    @classmethod
    def _in_order(cls, crop: tuple[float, ...] | None) -> tuple[float, ...] | None:
        checked_ends(crop)
        return crop

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for one, other in (("crop_voxel", "crop_mm"), ("threshold", "threshold_mg")):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise ValueError(f"{one} and {other} exclude each other; give one of them")
        if (self.density_slope is None) != (self.density_intercept is None):
            raise ValueError("density_slope and density_intercept belong together; give both")
        return self


class ScanSize(NamedTuple):
    """A scan as it will be simulated.

    Attributes:
        shape: voxels along z, y, x, after cropping and resampling.
        voxel_um: edge of these.
        bone_share: of the grey values, those at or above the threshold.
        voxels: of the grey values.
    """

    shape: tuple[int, int, int]
    voxel_um: float
    bone_share: float
    voxels: int


@dataclass(frozen=True)
class Grey:
    """Grey values of a scan, ready to be segmented into bone and marrow.

    Attributes:
        values: (nz, ny, nx), finite, cropped and smoothed as asked for.
        voxel_um: edge of a voxel.
        threshold: grey value at and above which a voxel is bone.
        notes: what was done, one line each.
        calibration: from grey value to density, if it is known.
        mask: the values are 0 and 1 and mean marrow and bone; there is no surface between voxels.
        quanta: the values are bone of each voxel in 1/255, as bonesim exported them.
        grid: of the image, for regions of it.
        crop: takes the part that was read out of an array of the whole image.
    """

    values: NDArray[np.float32]
    voxel_um: float
    threshold: float
    notes: list[str]
    calibration: Calibration | None = None
    mask: bool = False
    quanta: bool = False
    grid: Grid | None = None
    crop: Callable[..., tuple[NDArray[Any], str]] | None = None


def read_grey(parameters: ScanParameters) -> Grey:
    """Read, crop and smooth a scan, and choose its threshold.

    Raises:
        InputError: the image or the parameters do not allow it; the message gives a remedy.
        CorruptFileError: the file is damaged.
    """
    path = Path(parameters.path)
    image = read_image(
        path, voxel_um=parameters.voxel_um, index=parameters.index, array=parameters.array
    )
    voxel_um = image.voxel_um
    notes = [f"read {_size(image.values)} voxels (x, y, z) of {voxel_um:g} um", *image.notes]
    crop = partial(
        cropped, crop_voxel=parameters.crop_voxel, crop_mm=parameters.crop_mm, voxel_um=voxel_um
    )
    part, note = crop(image.values, path=path)
    notes += [note] if note else []
    calibration = calibration_of(
        parameters.density_slope, parameters.density_intercept, image.mg_per_cm3
    )
    threshold = parameters.threshold
    if parameters.threshold_mg is not None:
        threshold = grey_threshold(parameters.threshold_mg, calibration, path)
    mask = None
    if parameters.mask is not None:
        if threshold is not None:
            raise InputError(f"{path}: got both a threshold and a mask; give one of them")
        part = mask = crop(_mask_on(image.grid, parameters, notes), path=path)[0]
        threshold, calibration = 0.5, None
    grey = _finite(part, path)
    mask = _mask_of(grey) if mask is None else mask
    smooth = parameters.smooth_voxel > 0
    if smooth:
        grey = ndimage.gaussian_filter(grey, parameters.smooth_voxel, mode="nearest")
        notes.append(f"smoothed with a Gaussian of {parameters.smooth_voxel:g} voxels")
    quanta = image.bone and threshold is None and mask is None and not smooth
    if quanta:
        threshold = BONE - 0.5
        notes.append("bone of each voxel in 1/255, exported by bonesim: taken as it is")
    threshold, note = _threshold(grey, threshold, path)
    if mask is None or smooth:
        notes += [note] if note else []
    else:
        notes.append(
            f"its values are {grey.min():g} and {grey.max():g} only: a mask, not grey values"
            + (f"; threshold {threshold:g} parts them" if parameters.threshold is not None else "")
        )
        grey, threshold, calibration = mask.astype(np.float32), 0.5, None
    note = threshold_note(threshold, calibration)
    notes += [note] if note else []
    is_mask = mask is not None and not smooth
    return Grey(grey, voxel_um, threshold, notes, calibration, is_mask, quanta, image.grid, crop)


def _mask_of(grey: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """The grey values as bool if they are a mask with bone and marrow."""
    mask = as_mask(grey)
    return None if mask is None or mask.all() or not mask.any() else mask


def _threshold(grey: NDArray[np.float32], threshold: float | None, path: Path) -> tuple[float, str]:
    """The threshold, checked, and a note if it was chosen here."""
    if threshold is not None:
        _check_threshold(grey, threshold, path)
        return threshold, ""
    threshold = otsu(grey, path)
    return threshold, (
        f"no threshold given: Otsu's method chose {threshold:.6g} of grey values "
        f"{float(grey.min()):g} to {float(grey.max()):g}; see it with "
        "bonesim look SCAN -o look.png, and give threshold to fix it"
    )


def read_scan(parameters: ScanParameters, grey: Grey | None = None) -> Specimen:
    """Read, crop, smooth, resample, threshold and clean a scan; `grey` if it is read already.

    Raises:
        InputError: the image or the parameters do not allow it; the message gives a remedy.
        CorruptFileError: the file is damaged.
    """
    path = Path(parameters.path)
    grey = grey or read_grey(parameters)
    voxel_um, threshold, notes = grey.voxel_um, grey.threshold, grey.notes
    target_um = simulated_um(voxel_um, parameters, path)
    quanta = quanta_at(grey, target_um)
    if target_um != voxel_um:
        notes.append(
            f"resampled from {voxel_um:g} to {target_um:g} um (cubic spline of grey values), "
            f"now {_size(quanta)} voxels"
        )
    try:
        quanta, done = cleaned(quanta)
    except InputError as error:
        raise InputError(f"{path}: at threshold {threshold:g}: {error}") from None
    origin = f"scan {path.name}, {_size(quanta)} voxels (x, y, z) of {target_um:g} um"
    return Specimen(quanta, target_um, origin, (*notes, *done))


def quanta_at(grey: Grey, target_um: float) -> NDArray[np.uint8]:
    """The bone of a scan in quanta, at voxels of another size if wanted.

    An own export at its own voxel size is taken as it is. A mask there is bone or none, as an array of
    it is; all else has its surface where
    the grey values reach the threshold, see `quanta_of_grey`.
    """
    if grey.quanta and target_um == grey.voxel_um:
        return grey.values.astype(np.uint8)
    if grey.mask and target_um == grey.voxel_um:
        return (grey.values >= grey.threshold).astype(np.uint8) * np.uint8(FULL)
    return quanta_of_grey(grey.values, grey.threshold, grey.voxel_um, target_um)


def where_bone_is(grey: Grey) -> str:
    """Which voxels of a scan are bone, in words; of a mask no threshold counts."""
    return "where the mask is not 0" if grey.mask else f"at {grey.threshold:g} or more"


def size_of_scan(parameters: ScanParameters, grey: Grey) -> ScanSize:
    """How large the bone of a scan will be, which is read already; the bone is not made.

    Raises:
        InputError: the voxel size is not allowed.
    """
    target_um = simulated_um(grey.voxel_um, parameters, Path(parameters.path))
    shape = resampled(grey.values.shape, target_um / grey.voxel_um)
    bone = int(np.count_nonzero(grey.values >= grey.threshold))
    return ScanSize(shape, target_um, bone / grey.values.size, grey.values.size)


def resampled(shape: tuple[int, ...], step: float) -> tuple[int, int, int]:
    """Voxels along z, y, x after resampling: whole ones within the image, `step` old ones long."""
    z, y, x = (max(1, int(np.floor(length / step + 1e-6))) for length in shape)
    return z, y, x


def quanta_of_grey(
    grey: NDArray[np.float32], threshold: float, voxel_um: float, target_um: float
) -> NDArray[np.uint8]:
    """Quanta from grey values, at voxels of another size if wanted (same corner).

    The surface is where the cubic spline through the grey values equals the threshold; partial
    voxels follow from its distance, see `quanta_of`. Grey values are averaged (Gaussian) before
    they are sampled more coarsely.

    Args:
        grey: (nz, ny, nx) at `voxel_um`.
        threshold: grey value of the surface; bone is at or above it.
        voxel_um: present voxel edge.
        target_um: wanted voxel edge.
    """
    step = target_um / voxel_um
    if step > 1.0:
        grey = ndimage.gaussian_filter(grey, 0.5 * np.sqrt(step**2 - 1.0), mode="nearest")
    depth = np.float32(threshold) - np.pad(grey, _PAD, mode="reflect")
    coefficients = ndimage.spline_filter(depth, order=3, output=np.float32, mode="mirror")
    first_um = (0.5 - _PAD) * voxel_um
    quanta: NDArray[np.uint8] = quanta_of(
        coefficients, voxel_um, first_um, resampled(grey.shape, step), target_um
    )
    return quanta


def _size(values: NDArray[Any]) -> str:
    return " x ".join(str(length) for length in values.shape[::-1])


def simulated_um(voxel_um: float, parameters: ScanParameters, path: Path) -> float:
    """The voxel size to simulate a scan at, um.

    Raises:
        InputError: voxels that are too coarse or too fine.
    """
    if voxel_um > COARSEST_SCAN_UM:
        raise InputError(
            f"{path}: voxels of {voxel_um:g} um are too coarse to show trabeculae; at most "
            f"{COARSEST_SCAN_UM:g} um is allowed; check the unit or use a finer scan"
        )
    if parameters.resample_um is not None:
        return parameters.resample_um
    if voxel_um < FINEST_UM:
        raise InputError(
            f"{path}: voxels of {voxel_um:g} um are finer than the {FINEST_UM:g} um the rules "
            "hold for; give `resample_um`, e.g. 20, or check the unit"
        )
    if voxel_um > COARSEST_UM:
        # A whole fraction of the voxel if one lies within 20 to 25 um, else 20 um.
        return voxel_um / 2.0 if 40.0 < voxel_um <= 50.0 else max(20.0, voxel_um / 3.0)
    return voxel_um


def _mask_on(grid: Grid, parameters: ScanParameters, notes: list[str]) -> NDArray[np.bool_]:
    """The mask as bool, on the grid of the image."""
    mask = read_image(Path(str(parameters.mask)))
    values, more = onto_grid(mask, grid)
    notes += [f"bone taken from the mask {mask.path.name} (not 0)", *more]
    return np.asarray(values != 0)


def _finite(values: NDArray[Any], path: Path) -> NDArray[np.float32]:
    grey: NDArray[np.float32] = np.ascontiguousarray(values, dtype=np.float32)
    bad = grey.size - int(np.count_nonzero(np.isfinite(grey)))
    if bad:
        raise InputError(
            f"{path}: {bad} of {grey.size} voxels are NaN or infinite; replace them by the grey "
            "value of marrow first"
        )
    return grey


def otsu(grey: NDArray[np.float32], path: Path) -> float:
    """Otsu's threshold (Otsu 1979), halfway between the classes.

    Raises:
        InputError: every voxel has the same grey value.
    """
    from skimage.filters import threshold_otsu

    low, high = float(grey.min()), float(grey.max())
    if low == high:
        raise InputError(
            f"{path}: every voxel has the grey value {low:g}, so bone and marrow cannot be "
            "segmented; check the file"
        )
    threshold = float(threshold_otsu(grey))  # type: ignore[no-untyped-call]
    # Otsu's is the top of the lower class: halfway to the next grey value parts the two.
    lower, upper = grey[grey <= threshold].max(), grey[grey > threshold].min()
    return 0.5 * (float(lower) + float(upper))


def _check_threshold(grey: NDArray[np.float32], threshold: float, path: Path) -> None:
    low, high = float(grey.min()), float(grey.max())
    if low < threshold <= high:
        return
    what = "no voxel" if threshold > high else "every voxel"
    raise InputError(
        f"{path}: threshold {threshold:g} makes {what} bone; grey values go from {low:g} to "
        f"{high:g}; give a threshold between them, or none for Otsu's method"
    )
