"""The bones of the library: what each is, what is measured of it, and whether its file is there.

    python -m bonesim.reports.bones FOLDER      measure all bones again, from the files in a folder

That writes the measures in `bonesim/specimens/library.toml`.
"""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import tomli_w

from bonesim.errors import InputError
from bonesim.specimens.fetching import FETCHED, IN_FOLDER, VARIABLE, cache_folder, located, state_of
from bonesim.specimens.published import (
    PLACE,
    LibraryParameters,
    PublishedBone,
    bone_named,
    published_bones,
    read_published,
)
from bonesim.units import units_of

if TYPE_CHECKING:
    import pandas as pd

    from bonesim.specimens.fetching import Progress

#: What is measured of each bone; names of `morphometry.panel.PANEL`.
MEASURES = (
    "bvtv_percent", "tb_th_um", "tb_sp_um", "bstv_per_mm", "conn_d_per_mm3", "smi", "da",
    "plate_share_percent", "nodes_per_mm3", "free_ends_per_mm3",
)  # fmt: skip
#: Significant digits of a measure in the list.
DIGITS = 5
#: Stands for every bone.
ALL = "all"
#: Columns of the text -> head, unit, digits behind the point.
SHOWN = {
    "bvtv_percent": ("BV/TV", "%", 1), "tb_th_um": ("Tb.Th", "um", 0),
    "tb_sp_um": ("Tb.Sp", "um", 0), "conn_d_per_mm3": ("Conn.D", "1/mm3", 2),
    "smi": ("SMI", "", 2), "da": ("DA", "", 2), "plate_share_percent": ("plates", "%", 0),
}  # fmt: skip


def fetched(
    names: Iterable[str], *, folder: str | Path | None = None, mirror: str | None = None,
    progress: "Progress | None" = None,
) -> dict[str, Path]:  # fmt: skip
    """Where the files of bones are, each fetched if it is not there yet.

    Args:
        names: of bones; "all" for every one.
        folder, mirror, progress: as `fetching.located`.

    Raises:
        InputError: no such bone; also, and others, as `fetching.located`.
    """
    from bonesim.morphometry.spheres import part_of

    wanted: list[PublishedBone] = []
    for name in names:
        try:
            wanted += published_bones().values() if name == ALL else [bone_named(name)]
        except InputError as error:
            raise InputError(str(error), parameter="fetch") from None
    return {
        bone.name: located(
            bone, folder=folder, mirror=mirror,
            progress=part_of(progress, n / len(wanted), (n + 1) / len(wanted)),
        )
        for n, bone in enumerate(wanted)
    }  # fmt: skip


def table(found: Mapping[str, Path] = MappingProxyType({})) -> "pd.DataFrame":
    """One row for each bone: what it is, measures of its specimen, state and place of its file.

    The state is "fetched", "in folder", "not fetched" or "damaged".

    Args:
        found: files that were just checked, by the bone's name.

    Raises:
        InputError: what the environment names cannot be.
    """
    import pandas as pd

    rows = []
    for bone in published_bones().values():
        state, place = state_of(bone)
        if bone.name in found:
            place = found[bone.name]
            state = FETCHED if place.parent == cache_folder() else IN_FOLDER
        row: dict[str, Any] = {
            "name": bone.name, "donor": bone.donor, "site": bone.site,
            **{name: bone.measures.get(name, float("nan")) for name in MEASURES},
            "state": state, "path": str(place),
            "edge_mm": bone.shape[0] * bone.voxel_um / 1000.0, "published_voxel_um": bone.voxel_um,
            "threshold": bone.threshold, "bytes": bone.bytes, "sha256": bone.sha256,
            "licence": bone.licence, "citation": bone.citation, "address": bone.address,
        }  # fmt: skip
        rows.append(row)
    listed = pd.DataFrame(rows)
    listed.attrs["units"] = units_of(listed.columns) | {"bytes": "B"}
    return listed


def text(table: "pd.DataFrame") -> str:
    """The table for reading."""
    width = max(map(len, table["name"]))
    lines = [
        f"{'':{width}}" + "".join(f"{head:>8}" for head, _, _ in SHOWN.values()) + "  file",
        f"{'':{width}}" + "".join(f"{unit:>8}" for _, unit, _ in SHOWN.values()),
    ]
    for row in table.to_dict("records"):
        values = "".join(f"{row[name]:8.{digits}f}" for name, (_, _, digits) in SHOWN.items())
        lines.append(f"{row['name']:{width}}{values}  {row['state']}")
    first = table.iloc[0]
    lines += [
        "",
        f"Cubes of {first['edge_mm']:g} mm, voxels of {first['published_voxel_um']:g} um; measured is "
        "what a run takes by default,",
        "the centre of 3.2 mm at 20 um (after cleaning). Site: "
        + "; ".join(table["site"].unique()) + ".",
        *(f"{citation} ({licence})" for citation, licence in
          table[["citation", "licence"]].drop_duplicates().to_numpy().tolist()),
        "",
        f'In a config: [specimen] kind = "library", name = "{first["name"]}".',
        f"Files are kept in {cache_folder()}; {VARIABLE} names a folder or an address instead.",
    ]  # fmt: skip
    return "\n".join(lines)


def measures_of(parameters: LibraryParameters) -> dict[str, float]:
    """What the list has of a bone: measures of its specimen, rounded."""
    from bonesim.morphometry import panel

    bone = read_published(parameters)
    found = panel.measure(bone.quanta, bone.voxel_um)
    return {name: float(f"{found[name].value:.{DIGITS}g}") for name in MEASURES}


def with_measures(tree: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The list with every bone measured again, from the files in a folder.

    Raises:
        InputError, CorruptFileError: a file is not there or is another.
    """
    bones = []
    for one in tree["bone"]:
        parameters = LibraryParameters(name=one["name"], folder=str(folder))
        bones.append(one | {"measures": measures_of(parameters)})
    return tree | {"bone": bones}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m bonesim.reports.bones FOLDER: measure the bones whose files are there")
    listed = tomllib.loads(PLACE.read_text(encoding="utf-8"))
    PLACE.write_text(tomli_w.dumps(with_measures(listed, Path(sys.argv[1]))), encoding="utf-8")
