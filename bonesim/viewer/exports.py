"""A snapshot in files of other programs: surfaces (STL, PLY, OBJ, glTF) and images (VTI, NRRD, TIFF).

All places are in the frame of the run, (0, 0, 0) at the corner of the lattice, the loading axis z: in mm,
in glTF in metres with y up, as its standard has it. Places of events on file are the same numbers in um.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.images.vti import UNIT_FIELD
from bonesim.reports.scan_like import write_nrrd
from bonesim.storage.durable import failures_explained, write_durably
from bonesim.storage.reader import Run
from bonesim.units import FULL
from bonesim.viewer.surface import Box, cells_of, closed_surface

if TYPE_CHECKING:
    import pandas as pd
    import pyvista as pv

#: Image of a snapshot that is exported if none is chosen.
BONE_IMAGE = "quanta"


class Part(NamedTuple):
    """What is exported: a part of a run's snapshot.

    Attributes:
        run: an open run file.
        day: of a snapshot.
        box: voxel ranges along z, y, x.
        array: which image of the snapshot, in formats that hold one.
    """

    run: Run
    day: int
    box: Box
    array: str = BONE_IMAGE

    @property
    def voxel_mm(self) -> float:
        """Edge of a voxel."""
        return self.run.voxel_um / 1000.0

    @property
    def corner_mm(self) -> tuple[float, float, float]:
        """(x, y, z) of the lowest corner."""
        z, y, x = (side.start * self.voxel_mm for side in self.box)
        return x, y, z

    def values(self) -> NDArray[np.uint8]:
        """The chosen image, (z, y, x)."""
        return np.ascontiguousarray(self.run.field(self.array, self.day)[self.box])

    def bvtv_percent(self) -> float:
        """Bone as % of the part's volume, partial volume included."""
        return 100.0 * float(self.run.quanta(self.day)[self.box].mean()) / FULL

    def words(self) -> str:
        """What it is."""
        return f"bonesim {self.array} of day {self.day}"


class Written(NamedTuple):
    """How many triangles, voxels or breaks a file has, and its bone as % of the part's volume."""

    number: int
    bvtv_percent: float


class Format(NamedTuple):
    """A format of files.

    Attributes:
        name: what it is called.
        unit: of its places.
        write: writes a part into a file.
        holds: "triangles", "voxels" or "breaks".
    """

    name: str
    unit: str
    write: Callable[[Part, Path], Written]
    holds: str


def _surface_of(part: Part) -> "pv.PolyData":
    return closed_surface(part.run.quanta(part.day), part.voxel_mm, part.box)


def _enclosed(part: Part, surface: "pv.PolyData") -> Written:
    """The triangles, and the volume that they enclose."""
    block = float(np.prod([(side.stop - side.start) * part.voxel_mm for side in part.box]))
    return Written(int(surface.n_cells), 100.0 * float(surface.volume) / block)


def _polydata(part: Part, path: Path) -> Written:
    """STL, PLY (both binary) or OBJ; the number of triangles."""
    surface = _surface_of(part)
    _through_a_file(path, lambda place: surface.save(place))
    return _enclosed(part, surface)


def _gltf(part: Part, path: Path) -> Written:
    """glTF: metres, y up; the number of triangles."""
    import pyvista as pv

    from bonesim.viewer import palette
    from bonesim.viewer.camera import choose_window

    surface = _surface_of(part)
    x, y, z = np.asarray(surface.points, np.float64).T / 1000.0
    turned = pv.PolyData(np.stack([x, z, -y], axis=1), surface.faces)
    turned = turned.compute_normals(split_vertices=False)
    choose_window()
    plotter = pv.Plotter(off_screen=True)
    try:
        plotter.add_mesh(turned, color=palette.BONE, smooth_shading=True)
        _through_a_file(path, lambda place: plotter.export_gltf(place, rotate_scene=False))
    finally:
        plotter.close()
    return _enclosed(part, surface)


def _vti(part: Part, path: Path) -> Written:
    """All images of the snapshot as cell data; the number of voxels."""
    import pyvista as pv

    image = part.run.image(part.day)
    z, y, x = part.box
    cut = pv.ImageData(
        dimensions=tuple(side.stop - side.start + 1 for side in (x, y, z)),
        spacing=image.spacing, origin=part.corner_mm,
    )  # fmt: skip
    cut.field_data[UNIT_FIELD] = np.array([1000.0])
    cut.field_data["TimeValue"] = np.array([float(part.day)])
    for name in image.cell_data:
        cut.cell_data[name] = np.ascontiguousarray(cells_of(image, name)[part.box]).ravel()
    cut.cell_data.active_scalars_name = BONE_IMAGE
    _through_a_file(path, lambda place: cut.save(place))
    return Written(int(cut.n_cells), part.bvtv_percent())


def _nrrd(part: Part, path: Path) -> Written:
    values = part.values()
    centre = [corner + part.voxel_mm / 2.0 for corner in part.corner_mm]
    write_nrrd(path, values, part.run.voxel_um, part.words(), centre)
    return Written(int(values.size), part.bvtv_percent())


def _tiff(part: Part, path: Path) -> Written:
    """A stack of slices as ImageJ reads it, spacing in mm; it has no place for the corner."""
    import io

    import tifffile

    values, made = part.values(), io.BytesIO()
    tifffile.imwrite(
        made, values, imagej=True, resolution=(1.0 / part.voxel_mm, 1.0 / part.voxel_mm),
        metadata={"axes": "ZYX", "spacing": part.voxel_mm, "unit": "mm", "content": part.words()},
    )  # fmt: skip
    with failures_explained(path):
        write_durably(path, made.getbuffer())
    return Written(int(values.size), part.bvtv_percent())


def _through_a_file(path: Path, save: Callable[[str], Any]) -> None:
    """Let a library write a file of its own, then put its bytes into place, all or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"made{path.suffix.lower()}"
        save(str(made))
        data = made.read_bytes()
    with failures_explained(path):
        write_durably(path, data)


#: Ending of the file's name -> format.
FORMATS: dict[str, Format] = {
    ".stl": Format("STL", "mm", _polydata, "triangles"),
    ".ply": Format("PLY", "mm", _polydata, "triangles"),
    ".obj": Format("OBJ", "mm", _polydata, "triangles"),
    ".gltf": Format("glTF", "m", _gltf, "triangles"),
    ".vti": Format("VTI", "mm", _vti, "voxels"),
    ".nrrd": Format("NRRD", "mm", _nrrd, "voxels"),
    ".tif": Format("TIFF", "mm", _tiff, "voxels"),
    ".tiff": Format("TIFF", "mm", _tiff, "voxels"),
}


def format_of(path: Path) -> Format:
    """The format that a name stands for.

    Raises:
        InputError: none.
    """
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise InputError(f"{path}: the name of an export ends in one of {', '.join(FORMATS)}")
    return found


def check_array(part: Part, file: Format) -> None:
    """Refuse an image that the run lacks or that the format does not choose from.

    Raises:
        InputError: see there.
    """
    known = [field.name for field in part.run.fields]
    if part.array not in known:
        raise InputError(
            f"no image {part.array!r} in {part.run.path}; there are {', '.join(known)}",
            parameter="array",
        )
    if part.array != BONE_IMAGE and (file.holds != "voxels" or file.name == "VTI"):
        holds = "all images" if file.name == "VTI" else "the bone alone"
        raise InputError(f"is for NRRD and TIFF; {file.name} has {holds}", parameter="array")


def breaks_csv(part: Part) -> str:
    """The holes and cuts that are there on the day, places in mm in the frame of the exports."""
    rows = part.run.breaks_there(part.day)
    import pandas as pd

    found = pd.DataFrame({"id": rows.get("id", rows.index), "kind": rows["kind"]})
    found["day"] = rows["day"]
    for axis in "xyz":
        found[f"{axis}_mm"] = rows[f"{axis}_um"] / 1000.0
    return found.to_csv(index=False)


def table(part: Part, path: Path, file: Format, written: Written) -> "pd.DataFrame":
    """What was written: one row."""
    import pandas as pd

    row = {
        "file": path.name, "format": file.name, "day": part.day, "unit": file.unit,
        "holds": file.holds, "number": written.number,
        "voxel_um": part.run.voxel_um, "bvtv_percent": written.bvtv_percent,
    }  # fmt: skip
    made = pd.DataFrame([row])
    known = {"voxel_um": "um", "bvtv_percent": "%", "day": "d"}
    made.attrs["units"] = {name: known.get(name, "") for name in map(str, made)}
    made.attrs["notes"] = _notes(part, file)
    return made


def _notes(part: Part, file: Format) -> list[str]:
    """What the reader of the file has to know."""
    if file.name == "glTF":
        return [
            "places are in metres, y up (glTF's standard): (x, z, -y) of the run's mm, over 1000"
        ]
    if file.holds == "breaks":
        return ["the macro opens the run file itself, which has to stay where it is; places in mm"]
    frame = f"places are in {file.unit} in the frame of the run; its events are the same in um"
    if file.holds == "triangles":
        return [f"{frame}; {file.name} has no unit of its own"]
    place_less = "voxel size in mm; TIFF has no place for its corner"
    return [place_less if file.name == "TIFF" else frame]
