"""What a file is where another kind was wanted: a run file for a config, and the reverse.

Only files that are plainly something else are refused here; damaged ones are the reader's.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal

from bonesim.errors import InputError

Kind = Literal["run", "config", "study", "trial"]

HDF5 = b"\x89HDF\r\n\x1a\n"
#: Groups of which a config has at least one.
CONFIG_GROUPS = {
    "specimen", "protocol", "hormones", "cells", "signals", "mechanics", "tissue", "schedule",
    "ablation",
}  # fmt: skip
#: Endings of surfaces: triangles, which have no voxels.
SURFACES = (".stl", ".ply", ".obj", ".glb", ".gltf")
#: Longer texts are not read to find out what they are.
MAX_TEXT_BYTES = 2**20
#: What a kind is called, and which commands take it.
TAKEN_BY: dict[Kind, tuple[str, str]] = {
    "run": ("a run file", "bonesim info describes it, bonesim resume continues it"),
    "config": ("the config of one run", "bonesim run takes it"),
    "study": ("the study of a sweep", "bonesim sweep run takes it"),
    "trial": ("a simulated trial", "bonesim trial takes it"),
}


def kind_of(path: Path) -> Kind | None:
    """What a file plainly is; None if it is something else, no regular file, or cannot be read."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            head = file.read(MAX_TEXT_BYTES + 1)
    except OSError:
        return None
    if head.startswith(HDF5):
        return "run"
    if len(head) > MAX_TEXT_BYTES or b"\0" in head:
        return None
    try:
        return _kind_of_tree(tomllib.loads(head.decode()))
    except (ValueError, RecursionError):
        return None


def _kind_of_tree(tree: dict[str, Any]) -> Kind | None:
    """Which TOML file of bonesim a tree is, by the groups that only one of them has."""
    if "arm" in tree or "cohort" in tree:
        return "trial"
    if "design" in tree:
        return "study"
    return "config" if "base" not in tree and CONFIG_GROUPS & set(tree) else None


def refuse_other_kind(path: Path, wanted: Kind) -> None:
    """Raise InputError if a file is plainly of another kind than `wanted`."""
    kind = kind_of(path)
    if kind is None and path.suffix.lower() in SURFACES:
        raise InputError(
            f"{path}: is a surface of triangles, not {TAKEN_BY[wanted][0]}, and has no voxels to measure; "
            "give the volume: bonesim export makes .nrrd, .tif and .vti of a run"
        )
    if kind is None or kind == wanted:
        return
    name, command = TAKEN_BY[kind]
    raise InputError(f"{path}: is {name}, not {TAKEN_BY[wanted][0]}; {command}")
