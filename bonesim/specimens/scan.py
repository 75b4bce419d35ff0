"""Trabecular bone from a user's micro-CT image; all processing steps are recorded in notes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator
from scipy import ndimage

from bonesim.errors import InputError
from bonesim.parameters import Parameters
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
        Field(description="part to read: x from, to, y from, to, z from, to (to excluded); input"),
    ] = None

    @field_validator("crop_voxel")
    @classmethod
    def _in_order(cls, crop: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if crop and any(not 0 <= crop[n] < crop[n + 1] for n in (0, 2, 4)):
            raise ValueError(f"got {list(crop)}; each from must be 0 or more and below its to")
        return crop


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
    """

    values: NDArray[np.float32]
    voxel_um: float
    threshold: float
    notes: list[str]


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
    grey = _cropped(image.values, parameters, path, notes)
    threshold = parameters.threshold
    if parameters.mask is not None:
        if threshold is not None:
            raise InputError(f"{path}: got both a threshold and a mask; give one of them")
        grey = _masked(image.values.shape, parameters, notes)
        threshold = 0.5
    grey = _finite(grey, path)
    if parameters.smooth_voxel > 0:
        grey = ndimage.gaussian_filter(grey, parameters.smooth_voxel, mode="nearest")
        notes.append(f"smoothed with a Gaussian of {parameters.smooth_voxel:g} voxels")
    if threshold is None:
        threshold = _otsu(grey, path, notes)
    else:
        _check_threshold(grey, threshold, path)
    return Grey(grey, voxel_um, threshold, notes)


def read_scan(parameters: ScanParameters, grey: Grey | None = None) -> Specimen:
    """Read, crop, smooth, resample, threshold and clean a scan; `grey` if it is read already.

    Raises:
        InputError: the image or the parameters do not allow it; the message gives a remedy.
        CorruptFileError: the file is damaged.
    """
    path = Path(parameters.path)
    grey = grey or read_grey(parameters)
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


def size_of_scan(parameters: ScanParameters, grey: Grey) -> ScanSize:
    """How large the bone of a scan will be, which is read already; the bone is not made.

    Raises:
        InputError: the voxel size is not allowed.
    """
    target_um = _target_um(grey.voxel_um, parameters, Path(parameters.path))
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


def _cropped(
    values: NDArray[Any], parameters: ScanParameters, path: Path, notes: list[str]
) -> NDArray[Any]:
    crop = parameters.crop_voxel
    if crop is None:
        return values
    x0, x1, y0, y1, z0, z1 = crop
    if z1 > values.shape[0] or y1 > values.shape[1] or x1 > values.shape[2]:
        raise InputError(
            f"{path}: crop_voxel {list(crop)} reaches outside the image of {_size(values)} "
            "voxels (x, y, z); lower its ends"
        )
    part = values[z0:z1, y0:y1, x0:x1]
    if min(part.shape) < 3:
        raise InputError(f"{path}: crop_voxel leaves {_size(part)} voxels; keep 3 along each axis")
    notes.append(f"cropped to x {x0}-{x1}, y {y0}-{y1}, z {z0}-{z1}")
    return part


def _masked(
    shape: tuple[int, ...], parameters: ScanParameters, notes: list[str]
) -> NDArray[np.float32]:
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
    bone: NDArray[np.float32] = (_cropped(mask, parameters, path, []) != 0).astype(np.float32)
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


def _otsu(grey: NDArray[np.float32], path: Path, notes: list[str]) -> float:
    """Otsu's threshold (Otsu 1979), recorded in the notes."""
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
    threshold = 0.5 * (float(lower) + float(upper))
    notes.append(
        f"no threshold given: Otsu's method chose {threshold:.6g} of grey values {low:g} to "
        f"{high:g}; look at the picture and give threshold to fix it"
    )
    return threshold


def _check_threshold(grey: NDArray[np.float32], threshold: float, path: Path) -> None:
    low, high = float(grey.min()), float(grey.max())
    if low < threshold <= high:
        return
    what = "no voxel" if threshold > high else "every voxel"
    raise InputError(
        f"{path}: threshold {threshold:g} makes {what} bone; grey values go from {low:g} to "
        f"{high:g}; give a threshold between them, or none for Otsu's method"
    )
