"""What people have, as the rest of the package takes it: configurations, run files, arrays.

An array is taken for what it holds:

    bool; numbers 0 and 1; numbers 0 and 255     a mask: bone where it is not 0
    other numbers                                grey values, if a threshold is given
    uint8 with `quanta=True`                     bone of each voxel in 1/255, as `run.quanta` gives it

Everything else is refused: grey values without a threshold, another number of dimensions, NaN.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationError

from bonesim.config.changes import changed
from bonesim.config.config import Config, load_config, tree_of, validated, with_changes
from bonesim.config.explain import explain
from bonesim.config.modules import named_by_user
from bonesim.config.renamed import translated
from bonesim.errors import InputError
from bonesim.images.geometry import MAX_VOXEL_UM, MIN_VOXEL_UM
from bonesim.specimens.crop import crop_fields
from bonesim.specimens.masks import as_mask
from bonesim.specimens.scan import ScanParameters, quanta_of_grey
from bonesim.storage.file_kind import kind_of
from bonesim.storage.provenance import parameters_changed
from bonesim.storage.reader import Run, open_run
from bonesim.units import FULL

AnyConfig = Config | Mapping[str, Any] | str | Path
AnyRun = Run | str | Path

#: Fields of a scan that are given together.
DENSITY = ("density_slope", "density_intercept")


def as_config(
    config: AnyConfig, changes: Mapping[str, Any] | None = None, seed: int | None = None
) -> Config:
    """A configuration from an object, a nested dict or a TOML file.

    Args:
        config: which.
        changes: dotted path -> value, e.g. {"cells.osteoclast.dig_um_per_day": 3.0}.
        seed: instead of the configuration's.

    Raises:
        InputError: no such file, an unknown key, a value out of range.
    """
    new = dict(changes or {}) | ({} if seed is None else {"seed": seed})
    if isinstance(config, Config):
        return validated(named_by_user(changed(tree_of(config), new)), "changes") if new else config
    if isinstance(config, Mapping):
        return validated(named_by_user(with_changes(dict(config), new)), "config")
    if isinstance(config, str | Path):
        return load_config(config, new)
    raise InputError(
        f"got {type(config).__name__}; give a Config, a dict or the path of a TOML file",
        parameter="config",
    )


def as_config_or_run(
    config: AnyConfig, changes: Mapping[str, Any] | None = None, seed: int | None = None
) -> Config:
    """As `as_config`; the path may also be that of a run file, whose configuration is taken.

    Raises:
        InputError: as `as_config`; a branch in which parameters changed: no configuration gives it.
        CorruptFileError: the run file is damaged.
    """
    if isinstance(config, str | Path) and kind_of(Path(config)) == "run":
        with open_run(config) as run:
            if paths := parameters_changed(run.provenance):
                raise InputError(
                    f"{config}: is a branch in which {', '.join(paths)} changed on the way: its "
                    "configuration from the start is another run; give a configuration or its parent"
                )
            config = validated(translated(run.config), str(config))
    return as_config(config, changes, seed)


class ScanOptions(TypedDict, total=False):
    """How an image is read, in addition to its voxel size, threshold and smoothing.

    Attributes:
        crop: "x0:x1,y0:y1,z0:z1" in voxels, or with mm behind it; or six numbers in voxels.
        threshold_mg: instead of `threshold`, mgHA/cm3, for a calibrated image.
        density_slope, density_intercept: calibration instead of the file's: mgHA/cm3 for each grey
            value, and at grey value 0.
        index: which volume of a file with several, from 0.
        array: which array of a VTI file with several.
    """

    crop: str | Sequence[float] | None
    threshold_mg: float | None
    density_slope: float | None
    density_intercept: float | None
    index: int | None
    array: str | None


def scan_parameters(
    path: str | Path, crop: str | Sequence[float] | None = None, **given: Any
) -> ScanParameters:
    """The parameters of a scan from what a user gives, checked.

    Args:
        path: image or folder of slices.
        crop: "x0:x1,y0:y1,z0:z1" in voxels or with mm behind it, or six numbers in voxels.
        given: other fields of `ScanParameters`; those that are None are left out.

    Raises:
        InputError: a field that is not allowed.
    """
    some = {name: value for name, value in given.items() if value is not None} | crop_fields(crop)
    if {"threshold", "threshold_mg"} <= some.keys():
        raise InputError("and `threshold_mg` exclude each other; give one", parameter="threshold")
    for one, other in (DENSITY, DENSITY[::-1]):
        if one in some and other not in some:
            raise InputError(f"needs `{other}` as well; give both", parameter=one)
    try:
        return ScanParameters.model_validate({"path": str(path), **some})
    except ValidationError as error:
        raise InputError(explain(error, str(path), ScanParameters)) from None


def files_of(config: AnyConfig, changes: Mapping[str, Any] | None = None) -> tuple[Path, ...]:
    """The files that a configuration is read from and names: never an output's place.

    One that is not allowed names none: whoever uses it reports why.
    """
    named = [Path(value) for value in (changes or {}).values() if isinstance(value, str) and value]
    if isinstance(config, str | Path):
        named.append(Path(config))
    try:
        return (*named, *as_config(config).files())
    except InputError:
        return tuple(named)


@contextmanager
def opened(run: AnyRun) -> Iterator[Run]:
    """A run file that is open already, or opened here and closed afterwards.

    Raises:
        InputError, CorruptFileError: see `open_run`.
    """
    if isinstance(run, Run):
        yield run
    elif isinstance(run, str | Path):
        with open_run(run) as file:
            yield file
    else:
        raise InputError(
            f"got {type(run).__name__}; give the path of a run file or what open_run gives",
            parameter="run",
        )


def as_quanta(
    bone: ArrayLike, voxel_um: float, threshold: float | None = None, *, quanta: bool = False,
    parameter: str = "bone",
) -> NDArray[np.uint8]:  # fmt: skip
    """Bone as uint8 quanta (0..255, 255: all of the voxel is bone), shape (nz, ny, nx).

    Args:
        bone: 3-D array, axes (z, y, x): a mask, grey values or quanta; see the module.
        voxel_um: edge of a voxel, to place the surface between grey values.
        threshold: grey value at and above which a voxel is bone.
        quanta: the array is uint8 quanta.
        parameter: what the caller's user calls the array.

    Raises:
        InputError: an array that is none of these; the message has what to do.
    """
    values = _real(bone, parameter)
    if quanta:
        if values.dtype != np.uint8 or threshold is not None:
            raise InputError(
                f"`quanta` are uint8 without a `threshold`; got {values.dtype}", parameter=parameter
            )
        return np.ascontiguousarray(values)
    mask = as_mask(values)
    if threshold is None:
        if mask is None:
            raise InputError(
                f"has grey values from {values.min():g} to {values.max():g}; give the `threshold` at "
                "and above which a voxel is bone (run.quanta: give quanta=True)",
                parameter=parameter,
            )
        return mask.astype(np.uint8) * np.uint8(FULL)
    low, high = float(values.min()), float(values.max())
    if not low < threshold <= high:
        raise InputError(
            f"got {threshold:g}; grey values go from {low:g} to {high:g}; give a value between "
            "them", parameter="threshold",
        )  # fmt: skip
    if mask is not None:
        return mask.astype(np.uint8) * np.uint8(FULL)
    return quanta_of_grey(values.astype(np.float32), threshold, voxel_um, voxel_um)


def as_region(region: ArrayLike, shape: tuple[int, ...], parameter: str) -> NDArray[np.bool_]:
    """Where an array is not 0, as bool.

    Raises:
        InputError: another shape, numbers that are not finite, or 0 everywhere.
    """
    return np.asarray(as_labels(region, shape, parameter) != 0)


def as_labels(labels: ArrayLike, shape: tuple[int, ...], parameter: str) -> NDArray[Any]:
    """An array that marks regions by their labels, 0 outside.

    Raises:
        InputError: another shape, numbers that are not finite, or 0 everywhere.
    """
    values = _real(labels, parameter)
    if values.shape != shape:
        raise InputError(
            f"has {_size(values.shape)} voxels (z, y, x), the bone {_size(shape)}; they must match",
            parameter=parameter,
        )
    if not np.any(values != 0):
        raise InputError("is 0 everywhere; mark what to measure", parameter=parameter)
    return values


def as_voxel_um(voxel_um: float | None, parameter: str = "voxel_um") -> float:
    """The edge of a voxel, checked.

    Raises:
        InputError: none given, or no length a voxel of bone can have.
    """
    if voxel_um is None:
        raise InputError("an array has no voxel size; give it, um", parameter=parameter)
    try:
        size = float(voxel_um)
    except (TypeError, ValueError):
        size = float("nan")
    if not MIN_VOXEL_UM <= size <= MAX_VOXEL_UM:
        raise InputError(
            f"got {voxel_um}; allowed {MIN_VOXEL_UM:g} to {MAX_VOXEL_UM:g} um; check the "
            "unit (0.02 mm are 20 um)", parameter=parameter,
        )  # fmt: skip
    return size


def _real(values: ArrayLike, parameter: str) -> NDArray[Any]:
    """A 3-D array of finite real numbers or bools."""
    array = np.asarray(values)
    if array.dtype.kind not in "buif":
        raise InputError(
            f"holds values of type {array.dtype}; give bool or real numbers", parameter=parameter
        )
    if array.ndim != 3 or array.size == 0:
        raise InputError(
            f"has shape {array.shape}; give a 3-D array, axes (z, y, x)", parameter=parameter
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = array.size - int(np.isfinite(array).sum())
        raise InputError(
            f"{bad} of {array.size} voxels are NaN or infinite; replace them first",
            parameter=parameter,
        )
    return array


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
