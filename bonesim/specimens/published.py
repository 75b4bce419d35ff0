"""Real bone by name: the cubes that others have published, and a specimen made of one.

`library.toml` is the list: of each cube the address, size and SHA-256 of its file, licence and citation,
how it is read by default, and measures of the specimen that this gives. The measures are written by
`python -m bonesim.reports.bones FOLDER`, never by hand.
"""

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bonesim.errors import InputError
from bonesim.parameters import Parameters
from bonesim.specimens.crop import checked_ends, cropped
from bonesim.specimens.fetching import Note, checked_mirror, located
from bonesim.specimens.scan import (
    COARSEST_UM,
    FINEST_UM,
    ScanParameters,
    ScanSize,
    read_scan,
    resampled,
)
from bonesim.specimens.specimen import Specimen

#: The list of bones.
PLACE = Path(__file__).with_name("library.toml")
#: More names than this are not listed in a message.
LONGEST_LIST = 12
Ends = tuple[int, int, int, int, int, int]


class PublishedBone(BaseModel):
    """A cube of bone that is published as one file.

    Attributes:
        name: by which it is chosen.
        source: short name of who published it.
        donor: the donor's number; several cubes can be of one donor.
        site: where in the body it is from, as far as that is stated.
        file: name of the file.
        address: where the file is, whole.
        bytes: its size.
        sha256: SHA-256 of its content, hexadecimal.
        licence: its terms, an SPDX identifier.
        citation: how to cite it.
        shape: voxels along x, y, z.
        voxel_um: edge of a voxel.
        threshold: grey value at and above which a voxel is bone, by default.
        crop_voxel: the part that is read by default, ends as those of a scan.
        measures: name -> value, of the specimen with default settings; empty if not measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str
    donor: str
    site: str
    file: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
    address: str
    bytes: Annotated[int, Field(gt=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    licence: str
    citation: str
    shape: tuple[int, int, int]
    voxel_um: float
    threshold: float
    crop_voxel: Ends
    measures: dict[str, float] = {}

    def provenance(self) -> dict[str, str]:
        """What a run file records of it."""
        names = ("name", "sha256", "licence", "citation", "address")
        return {name: str(getattr(self, name)) for name in names}


@dataclass(frozen=True, repr=False)
class PublishedSpecimen(Specimen):
    """A specimen made of a published bone.

    Attributes:
        published: the bone.
    """

    published: PublishedBone


class LibraryParameters(Parameters):
    """A real bone of the library; its file is fetched into the user's cache when it is needed."""

    kind: Literal["library"] = "library"
    name: Annotated[
        str, Field(description="which bone; bonesim bones lists them with their measures; input")
    ]
    voxel_um: Annotated[
        float,
        Field(ge=FINEST_UM, le=COARSEST_UM, description="edge of a voxel to simulate at; assumed"),
    ] = 20.0
    crop_voxel: Annotated[
        Ends | None,
        Field(
            description="part to read: x from, to, y from, to, z from, to (to excluded, -1: all), in "
            "voxels of the bone as published; default: its centre of 3.2 mm"
        ),
    ] = None
    crop_mm: Annotated[
        tuple[float, float, float, float, float, float] | None,
        Field(description="as crop_voxel, from the cube's corner, nearest voxels; input"),
    ] = None
    threshold: Annotated[
        float | None,
        Field(description="grey value at and above which a voxel is bone; default: the bone's own"),
    ] = None
    folder: Annotated[
        str | None,
        Field(
            min_length=1,
            description="folder with the bone's file, relative to the config, instead of the network; "
            "input",
        ),
    ] = None
    mirror: Annotated[
        str | None,
        Field(description="http or https address to fetch from, not the publisher's; input"),
    ] = None

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            bone_named(name)
        except InputError as error:
            raise ValueError(str(error)) from None
        return name

    @field_validator("crop_voxel", "crop_mm")
    @classmethod
    def _in_order(cls, crop: tuple[float, ...] | None) -> tuple[float, ...] | None:
        checked_ends(crop)
        return crop

    @field_validator("mirror")
    @classmethod
    def _an_address(cls, mirror: str | None) -> str | None:
        return None if mirror is None else checked_mirror(mirror)

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for one, other in (("crop_voxel", "crop_mm"), ("folder", "mirror")):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise ValueError(f"{one} and {other} exclude each other; give one of them")
        return self

    def crop(self) -> dict[str, Any]:
        """The fields of `ScanParameters` for the part that is read: what is given, or the bone's."""
        if self.crop_mm is not None:
            return {"crop_mm": self.crop_mm}
        return {"crop_voxel": self.crop_voxel or bone_named(self.name).crop_voxel}

    def as_scan(self, path: Path) -> ScanParameters:
        """How the bone's file is read, which is at `path`."""
        bone = bone_named(self.name)
        return ScanParameters(
            path=str(path), voxel_um=bone.voxel_um, resample_um=self.voxel_um,
            threshold=bone.threshold if self.threshold is None else self.threshold, **self.crop(),
        )  # fmt: skip


@cache
def published_bones() -> dict[str, PublishedBone]:
    """Every bone of the library by its name, in order."""
    tree = tomllib.loads(PLACE.read_text(encoding="utf-8"))
    found = [PublishedBone.model_validate(_whole(tree, one)) for one in tree["bone"]]
    return {one.name: one for one in found}


def _whole(tree: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """A bone of the list with what it has of its source."""
    source = tree["source"][one["source"]]
    shared = {name: source[name] for name in ("licence", "citation", "site")}
    return shared | one | {"address": f"{source['address']}/{one['file']}"}


def bone_named(name: str) -> PublishedBone:
    """The bone of this name.

    Raises:
        InputError: there is none; the message has the nearest names.
    """
    bones = published_bones()
    if name in bones:
        return bones[name]
    near = difflib.get_close_matches(name.lower(), bones, n=2, cutoff=0.5)
    some = [*bones][:LONGEST_LIST]
    more = ", ..." if len(bones) > LONGEST_LIST else ""
    advice = f"Did you mean {' or '.join(near)}?" if near else f"Allowed: {', '.join(some)}{more}"
    shown = name if len(name) <= 60 else f"{name[:60]}..."
    raise InputError(f"got {shown!r}; there is no such bone in the library. {advice}")


def size_of_published(parameters: LibraryParameters) -> ScanSize:
    """How large the specimen will be, by the list alone: nothing is fetched or read.

    Its share of bone is that of the default part.

    Raises:
        InputError: a part that reaches outside the cube.
    """
    bone = bone_named(parameters.name)
    there = np.broadcast_to(np.uint8(0), bone.shape[::-1])
    scan = parameters.as_scan(Path(bone.file))
    part, _ = cropped(there, scan.crop_voxel, scan.crop_mm, bone.voxel_um, Path(bone.name))
    shape = resampled(part.shape, parameters.voxel_um / bone.voxel_um)
    share = bone.measures.get("bvtv_percent", 100.0) / 100.0
    return ScanSize(shape, parameters.voxel_um, share, part.size)


def read_published(parameters: LibraryParameters, note: Note | None = None) -> PublishedSpecimen:
    """The specimen that a bone of the library gives; its file is fetched if it is not there yet.

    Args:
        parameters: which bone, and how it is read.
        note: receives a line before something is fetched.

    Raises:
        InputError: no such file in the folder, a part outside the cube, a cache that cannot be written.
        ResourceError: the file cannot be fetched.
        CorruptFileError: a file that is not the published one.
    """
    bone = bone_named(parameters.name)
    size_of_published(parameters)  # an impossible part is an error before anything is fetched
    path = located(bone, folder=parameters.folder, mirror=parameters.mirror, note=note)
    read = read_scan(parameters.as_scan(path))
    voxels = " x ".join(map(str, read.quanta.shape[::-1]))
    origin = f"library {bone.name}, {voxels} voxels (x, y, z) of {read.voxel_um:g} um"
    notes = (f"{bone.citation}; {bone.licence}; sha256 {bone.sha256}", *read.notes)
    return PublishedSpecimen(read.quanta, read.voxel_um, origin, notes, bone)
