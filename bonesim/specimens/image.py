"""Grey values from an image file: one reader for each format, no guessing.

An `Image` holds values in memory order (z, y, x), x fastest, which is how TIFF stacks (page, row,
column) and NumPy files are read; NRRD, NIfTI, MHA and VTI define which axis is fastest, and that
one becomes x.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import CorruptFileError, InputError

#: More voxels than this are refused before they are read (8 GiB as float32).
MAX_VOXELS = 2**31

_UM_PER_UNIT = {
    "m": 1e6, "meter": 1e6, "mm": 1e3, "millimeter": 1e3, "um": 1.0, "µm": 1.0, "μm": 1.0,
    "micron": 1.0, "micrometer": 1.0, "microns": 1.0, "cm": 1e4,
}  # fmt: skip


@dataclass(frozen=True)
class Image:
    """Grey values as read.

    Attributes:
        values: (nz, ny, nx), any real type.
        spacing_um: size of a voxel along z, y, x if the file has it, else None.
        axes: one line on the axis order, for the user.
    """

    values: NDArray[Any]
    spacing_um: tuple[float, float, float] | None
    axes: str
    mg_per_cm3: tuple[float, float] | None = None


def read_image(path: Path) -> Image:
    """Read a 3-D grey image; the format follows from the file name.

    Args:
        path: .tif/.tiff (a stack) or a folder of them (slices, sorted by name), .nrrd/.nhdr,
            .nii/.nii.gz, .mha/.mhd, .vti, .npy.

    Raises:
        InputError: missing, unsupported, not 3-D, not grey, or too large.
        CorruptFileError: damaged.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; check the path of the scan")
    reader = _read_tiff_folder if path.is_dir() else _reader_for(path)
    try:
        image = reader(path)
    except (InputError, CorruptFileError):
        raise
    except MemoryError:
        raise InputError(f"{path}: does not fit in memory; crop the scan first") from None
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CorruptFileError(
            f"{path}: cannot be read as {path.suffix or 'a folder of TIFF slices'} ({reason}); "
            "the file is damaged or not of the format of its name"
        ) from None
    _check(image.values, path)
    return image


def is_image(path: Path) -> bool:
    """Whether the name is that of a readable image: a known suffix, or a folder of slices."""
    known = tuple(ending for endings in _READERS for ending in endings)
    return path.is_dir() or path.name.lower().endswith(known)


def _reader_for(path: Path) -> Callable[[Path], Image]:
    name = path.name.lower()
    for endings, reader in _READERS.items():
        if name.endswith(endings):
            return reader
    known = ", ".join(ending for endings in _READERS for ending in endings)
    raise InputError(
        f"{path}: unsupported format {path.suffix or '(no suffix)'}; use one of {known}, or a "
        "folder of TIFF slices"
    )


def _check_size(shape: Sequence[int], path: Path) -> None:
    """Refuse absurd dimensions before anything is allocated."""
    count = 1
    for length in shape:
        count *= int(length)
    if count > MAX_VOXELS or count <= 0:
        size = " x ".join(str(length) for length in shape)
        raise InputError(
            f"{path}: has {size} voxels; allowed are 1 to {MAX_VOXELS} in all; crop the scan"
        )


def _check(values: NDArray[Any], path: Path) -> None:
    size = " x ".join(str(length) for length in values.shape)
    if values.ndim == 4 and 2 <= values.shape[-1] <= 4:
        raise InputError(
            f"{path}: is a colour image ({size}); give a grey one with one value per voxel"
        )
    if values.ndim != 3:
        raise InputError(
            f"{path}: has {values.ndim} dimension(s) ({size}); give a 3-D image, (z, y, x)"
        )
    _check_size(values.shape, path)
    if values.dtype.kind not in "buif":
        raise InputError(f"{path}: holds values of type {values.dtype}; allowed are real numbers")
    if min(values.shape) < 3:
        raise InputError(f"{path}: has {size} voxels (z, y, x); at least 3 along each are needed")


def _um(unit: str) -> float | None:
    return _UM_PER_UNIT.get(unit.strip().lower())


def _read_tiff(path: Path) -> Image:
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        _check_size(series.shape, path)
        if file.pages[0].samplesperpixel > 1:  # type: ignore[union-attr]
            raise InputError(
                f"{path}: is a colour image ({file.pages[0].samplesperpixel} values per pixel); "  # type: ignore[union-attr]
                "give a grey one"
            )
        values = np.squeeze(series.asarray()) if len(series.shape) > 3 else series.asarray()
        spacing = _imagej_spacing(file)
    return Image(values, spacing, "TIFF pages are z, rows y, columns x")


def _imagej_spacing(file: Any) -> tuple[float, float, float] | None:
    """Voxel size of an ImageJ stack: z in its own tag, x and y as pixels per unit."""
    imagej = file.imagej_metadata or {}
    factor = _um(str(imagej.get("unit", "")).replace("\\u00B5", "µ"))
    tags = file.pages[0].tags
    if factor is None or "spacing" not in imagej or "XResolution" not in tags:
        return None
    (nx, dx), (ny, dy) = tags["XResolution"].value, tags["YResolution"].value
    if not (nx and ny and dx and dy):
        return None
    return float(imagej["spacing"]) * factor, dy / ny * factor, dx / nx * factor


def _read_tiff_folder(path: Path) -> Image:
    import tifffile

    files = sorted(p for p in path.iterdir() if p.suffix.lower() in (".tif", ".tiff"))
    if not files:
        raise InputError(f"{path}: holds no .tif or .tiff slices; give a folder of them")
    first = tifffile.imread(files[0])
    if first.ndim != 2:
        raise InputError(
            f"{files[0]}: is not a grey 2-D slice (shape {first.shape}); give one slice per file"
        )
    _check_size((len(files), *first.shape), path)
    values = np.empty((len(files), *first.shape), dtype=first.dtype)
    for k, file in enumerate(files):
        page = tifffile.imread(file)
        if page.shape != first.shape or page.dtype != first.dtype:
            raise InputError(
                f"{file}: is {page.shape} of {page.dtype}, but {files[0].name} is {first.shape} "
                f"of {first.dtype}; all slices must be alike"
            )
        values[k] = page
    return Image(values, None, "files sorted by name are z, rows y, columns x")


def _read_nrrd(path: Path) -> Image:
    import nrrd

    header = nrrd.read_header(str(path))
    _check_size(header["sizes"], path)
    values, header = nrrd.read(str(path), index_order="C")
    return Image(values, _nrrd_spacing(header), "NRRD's first (fastest) axis is x, its last z")


def _nrrd_spacing(header: Any) -> tuple[float, float, float] | None:
    """Voxel size (z, y, x) from "space directions" or "spacings"; mm unless units are given."""
    directions = header.get("space directions")
    if directions is not None:
        steps = np.linalg.norm(np.asarray(directions, dtype=float), axis=1)
    elif "spacings" in header:
        steps = np.asarray(header["spacings"], dtype=float)
    else:
        return None
    units = header.get("space units") or header.get("units") or []
    factor = (_um(str(units[0])) if len(units) else None) or 1e3
    if steps.size != 3 or not np.all(np.isfinite(steps)) or np.any(steps <= 0):
        return None
    z, y, x = (float(step) * factor for step in steps[::-1])
    return z, y, x


def _read_vtk(path: Path) -> Image:
    """NIfTI, MHA and VTI through VTK's own readers, which come with the viewer; in mm."""
    import pyvista

    reader: Any = pyvista.get_reader(str(path))  # type: ignore[no-untyped-call]
    vtk_reader: Any = reader.reader
    vtk_reader.UpdateInformation()
    extent = vtk_reader.GetOutputInformation(0).Get(_whole_extent())
    _check_size([extent[2 * n + 1] - extent[2 * n] + 1 for n in range(3)], path)
    mesh: Any = reader.read()
    names = mesh.array_names
    if not isinstance(mesh, pyvista.ImageData) or not names:
        raise CorruptFileError(f"{path}: holds no image data; check the file")
    if len(names) > 1:
        raise InputError(f"{path}: holds {len(names)} arrays ({', '.join(names)}); keep one")
    values = np.asarray(mesh[names[0]])
    if values.ndim > 1:
        raise InputError(
            f"{path}: has {values.shape[1]} values per voxel; give a grey image with one"
        )
    counts = np.array(mesh.dimensions)
    if names[0] in mesh.cell_data:
        counts = counts - 1
    x, y, z = (float(step) * 1e3 for step in mesh.spacing)
    return Image(values.reshape(counts[::-1]), (z, y, x), "from the header; lengths in mm")


def _whole_extent() -> Any:
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline

    return vtkStreamingDemandDrivenPipeline.WHOLE_EXTENT()


def _read_npy(path: Path) -> Image:
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    return Image(values, None, "NPY axes are (z, y, x)")


_READERS: dict[tuple[str, ...], Callable[[Path], Image]] = {
    (".tif", ".tiff"): _read_tiff,
    (".nrrd", ".nhdr"): _read_nrrd,
    (".nii", ".nii.gz"): _read_vtk,
    (".mha", ".mhd"): _read_vtk,
    (".vti",): _read_vtk,
    (".npy",): _read_npy,
}
