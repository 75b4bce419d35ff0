"""Trabecular bone from a user's micro-CT image; all processing steps are recorded in notes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator
from scipy import ndimage

from bonesim.errors import InputError
from bonesim.parameters import Parameters
from bonesim.specimens.crop import checked_ends, cropped
from bonesim.specimens.density import (
    Calibration,
    calibration_of,
    grey_threshold,
    threshold_note,
)
from bonesim.specimens.image import Image, read_image
from bonesim.specimens.raster import quanta_of
from bonesim.specimens.specimen import Specimen, cleaned

#: Voxel sizes for which the tissue rules hold; coarser ones are resampled, see `_target_um`.
FINEST_UM, COARSEST_UM = 10.0, 40.0
#: The coarsest scan that still shows trabeculae (two voxels in a plate of 130 um).
COARSEST_SCAN_UM = 65.0
#: Header and given voxel size may differ by this share (rounding), and axes among each other.
SAME_SHARE = 0.01
_PAD = 2  # voxels mirrored around the image, so that the spline reaches its edge


class ScanParameters(Parameters):
    """A block of trabecular bone from an image; array axes are (z, y, x), z the loading axis."""

    kind: Literal["scan"] = "scan"
    path: Annotated[
        str,
        Field(
            min_length=1,
            description="image file or folder of TIFF slices, relative to the config; input",
        ),
    ]
    voxel_um: Annotated[
        float | None,
        Field(gt=0, le=1000, description="edge of a voxel if the header has none; input"),
    ] = None
    threshold: Annotated[
        float | None,
        Field(description="grey value at and above which a voxel is bone; default Otsu 1979"),
    ] = None
    mask: Annotated[
        str | None,
        Field(description="second image, same size: bone where not 0, replaces threshold; input"),
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


@dataclass(frozen=True)
class Grey:
    """Grey values of a scan, ready to be segmented into bone and marrow.

    Attributes:
        values: (nz, ny, nx), finite, cropped and smoothed as asked for.
        voxel_um: edge of a voxel.
        threshold: grey value at and above which a voxel is bone.
        notes: what was done, one line each.
        calibration: from grey value to density, if it is known.
    """

    values: NDArray[np.float32]
    voxel_um: float
    threshold: float
    notes: list[str]
    calibration: Calibration | None = None


def read_grey(parameters: ScanParameters) -> Grey:
    """Read, crop and smooth a scan, and choose its threshold.

    Raises:
        InputError: the image or the parameters do not allow it; the message gives a remedy.
        CorruptFileError: the file is damaged.
    """
    path = Path(parameters.path)
    image = read_image(path)
    voxel_um = _voxel_um(image, parameters, path)
    notes = [f"read {_size(image.values)} voxels (x, y, z) of {voxel_um:g} um; {image.axes}"]
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
    if parameters.mask is not None:
        if threshold is not None:
            raise InputError(f"{path}: got both a threshold and a mask; give one of them")
        part = _masked(image.values.shape, parameters, crop, notes)
        threshold, calibration = 0.5, None
    grey = _finite(part, path)
    if parameters.smooth_voxel > 0:
        grey = ndimage.gaussian_filter(grey, parameters.smooth_voxel, mode="nearest")
        notes.append(f"smoothed with a Gaussian of {parameters.smooth_voxel:g} voxels")
    if threshold is None:
        threshold = otsu(grey, path)
        notes.append(
            f"no threshold given: Otsu's method chose {threshold:.6g} of grey values "
            f"{float(grey.min()):g} to {float(grey.max()):g}; look at the picture and give threshold "
            "to fix it"
        )
    else:
        _check_threshold(grey, threshold, path)
    note = threshold_note(threshold, calibration)
    return Grey(grey, voxel_um, threshold, [*notes, note] if note else notes, calibration)


def read_scan(parameters: ScanParameters) -> Specimen:
    """Read, crop, smooth, resample, threshold and clean a scan.

    Raises:
        InputError: the image or the parameters do not allow it; the message gives a remedy.
        CorruptFileError: the file is damaged.
    """
    path = Path(parameters.path)
    grey = read_grey(parameters)
    voxel_um, threshold, notes = grey.voxel_um, grey.threshold, grey.notes
    target_um = _target_um(voxel_um, parameters, path)
    quanta = quanta_of_grey(grey.values, threshold, voxel_um, target_um)
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
    z, y, x = (max(1, int(np.floor(length / step + 1e-6))) for length in grey.shape)
    first_um = (0.5 - _PAD) * voxel_um
    quanta: NDArray[np.uint8] = quanta_of(coefficients, voxel_um, first_um, (z, y, x), target_um)
    return quanta


def _size(values: NDArray[Any]) -> str:
    return " x ".join(str(length) for length in values.shape[::-1])


def _voxel_um(image: Image, parameters: ScanParameters, path: Path) -> float:
    """The voxel size on which the header and the user agree."""
    given, header = parameters.voxel_um, image.spacing_um
    if header is None:
        if given is None:
            raise InputError(f"{path}: the file has no voxel size; give `voxel_um`")
        return given
    if max(header) > min(header) * (1.0 + SAME_SHARE):
        z, y, x = header
        raise InputError(
            f"{path}: voxels are not cubes ({x:g} x {y:g} x {z:g} um in the header); resample "
            "the image to equal edges first"
        )
    size = round(sum(header) / 3.0, 6)
    if given is not None and abs(given - size) > SAME_SHARE * size:
        raise InputError(
            f"{path}: the header has voxels of {size:g} um but voxel_um is {given:g}; correct "
            "one of them (leave voxel_um out to use the header)"
        )
    return given if given is not None else size


def _target_um(voxel_um: float, parameters: ScanParameters, path: Path) -> float:
    """The voxel size to simulate at."""
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


def _masked(
    shape: tuple[int, ...], parameters: ScanParameters,
    crop: Callable[..., tuple[NDArray[Any], str]], notes: list[str],
) -> NDArray[np.float32]:  # fmt: skip
    """The mask as grey values 0 and 1, cropped as the image is."""
    path = Path(str(parameters.mask))
    mask = read_image(path).values
    if mask.shape != shape:
        size = " x ".join(str(length) for length in shape[::-1])
        raise InputError(
            f"{path}: the mask has {_size(mask)} voxels (x, y, z) but the image has {size}; "
            "they must match"
        )
    notes.append(f"bone taken from the mask {path.name} (not 0)")
    bone: NDArray[np.float32] = (crop(mask, path=path)[0] != 0).astype(np.float32)
    return bone


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
