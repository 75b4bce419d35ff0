"""The table of image formats: how each is recognised by its content, and who reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bonesim.errors import CorruptFileError, InputError
from bonesim.images import aim, dicom, folder, isq, mha, nifti, npy, nrrd, tiff, vti
from bonesim.images.opening import head_of, is_packed
from bonesim.images.stored import Stored

__all__ = ["Kind", "is_image", "kind_of"]


class Kind(NamedTuple):
    """A format of image files.

    Attributes:
        name: for messages.
        endings: of file names, lower case. They never decide; they are what a user expects.
        recognises: whether the first bytes (unpacked, if gzip) and the path are of this kind.
        read: path -> Stored; also takes the keywords in `chooses`.
        chooses: "index" if a file may hold several volumes, "array" if several named ones.
    """

    name: str
    endings: tuple[str, ...]
    recognises: Callable[[bytes, Path], bool]
    read: Callable[..., Stored]
    chooses: frozenset[str] = frozenset()


INDEX, ARRAY = frozenset({"index"}), frozenset({"array"})

#: Asked in order. A format without a signature of its own goes last and looks at the path as well.
KINDS: tuple[Kind, ...] = (
    Kind("TIFF", (".tif", ".tiff"), tiff.recognises, tiff.read, INDEX),
    Kind("NRRD", (".nrrd", ".nhdr"), nrrd.recognises, nrrd.read, INDEX),
    Kind("NIfTI", (".nii", ".nii.gz", ".hdr", ".img"), nifti.recognises, nifti.read, INDEX),
    Kind("VTI", (".vti",), vti.recognises, vti.read, ARRAY),
    Kind("NPY", (".npy",), npy.recognises, npy.read, INDEX),
    Kind("ISQ", (".isq", ".isq;1"), isq.recognises, isq.read),
    Kind("AIM", (".aim", ".aim;1"), aim.recognises, aim.read),
    Kind("DICOM", (".dcm", ".dicom"), lambda head, path: dicom.recognises(head), dicom.read, INDEX),
    Kind("MetaImage", (".mha", ".mhd"), mha.recognises, mha.read, INDEX),
)

FOLDER = Kind("a folder of slices", (), lambda head, path: path.is_dir(), folder.read, INDEX)

#: What is no image but is often given for one: signature, what it is, what to do.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "export its image, e.g. as NRRD"),
    (b"PK\x03\x04", "a ZIP archive (.npz?)", "unpack it and give the image in it"),
    (b"%PDF", "a PDF", "give an image"),
)


def kind_of(path: Path) -> Kind:
    """The format of a file by its content, or of a folder.

    Raises:
        InputError: no such file, no plain file, a format that is not supported.
        CorruptFileError: the name is of a supported format, the content of none.
    """
    if path.is_dir():
        return FOLDER
    head = head_of(path)
    for kind in KINDS:
        if kind.recognises(head, path):
            if kind.name != "NIfTI" and is_packed(path):
                raise InputError(f"{path}: is {kind.name} packed with gzip; unpack it first")
            return kind
    for signature, what, remedy in _OTHERS:
        if head.startswith(signature):
            raise InputError(f"{path}: is {what}, no image that can be read; {remedy}")
    for page in folder.PAGES:
        if page.recognises(head):
            raise InputError(f"{path}: is one slice ({page.name}); give the folder of all slices")
    named = named_kind(path)
    if named is not None:
        raise CorruptFileError(
            f"{path}: cannot be read as {named.name}: its content begins with {head[:8]!r}, which is "
            "no format that is known; the file is damaged or of another format"
        )
    raise InputError(
        f"{path}: unsupported format {path.suffix or '(no suffix)'}; use one of "
        f"{', '.join(known_endings())}, or a folder of slices"
    )


def named_kind(path: Path) -> Kind | None:
    """The format that the name of a file stands for."""
    name = path.name.lower()
    return next((kind for kind in KINDS if name.endswith(kind.endings)), None)


def known_endings() -> list[str]:
    """Endings of all formats."""
    return [ending for kind in KINDS for ending in kind.endings]


def is_image(path: Path) -> bool:
    """Whether a path is, or by its name should be, an image or a folder of slices."""
    if path.is_dir() or named_kind(path) is not None:
        return True
    try:
        kind_of(path)
    except (InputError, CorruptFileError):
        return False
    return True
