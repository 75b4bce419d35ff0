"""The files a config reads, by content: a result is of these bytes, not of a name."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from bonesim.config.config import Config
from bonesim.errors import InputError
from bonesim.specimens.published import LibraryParameters, bone_named

#: Bytes of a text header that can name a file of its data.
MAX_HEADER_BYTES = 2**16
#: Headers beside their data -> the words before the data's file name, lower case.
DETACHED = {".mhd": ("elementdatafile",), ".nhdr": ("data file", "datafile")}
#: Pairs of header and data that differ by suffix only.
PAIRED = {".hdr": ".img"}

#: (file, inode, bytes, time of change) -> SHA-256: a large scan is read once in a process.
_HASHES: dict[tuple[str, int, int, int], str] = {}


def inputs_of(config: Config) -> dict[str, str]:
    """SHA-256 of every file the result of a config depends on, by path: tables, scans, masks.

    Of a folder each file counts, with its name. Data beside a header belong to it. A bone of the
    library counts by its name and its published SHA-256.

    Raises:
        InputError: a file cannot be read.
    """
    read = {str(f): file_hash(f) for name in config.files() for f in files_of(name)}
    return read | published_of(config)


def published_of(config: Config) -> dict[str, str]:
    """SHA-256 of the bone of the library that a config names, by the bone's name; else nothing."""
    if not isinstance(config.specimen, LibraryParameters):
        return {}
    bone = bone_named(config.specimen.name)
    return {f"library {bone.name}": bone.sha256}


def digests_of(config: Config) -> dict[str, str]:
    """One SHA-256 for each file, folder or bone that a config names, by its name: for provenance.

    Raises:
        InputError: a file cannot be read.
    """
    found = {}
    for name in config.files():
        hashes = {str(f.relative_to(name.parent)): file_hash(f) for f in files_of(name)}
        found[name.name] = next(iter(hashes.values())) if len(hashes) == 1 else _one(hashes)
    return found | published_of(config)


def digest_of(config: Config, seen: dict[tuple[str, ...], str] | None = None) -> str:
    """One SHA-256 over `inputs_of`; "" without inputs. `seen` keeps digests by names of files."""
    names = (*map(str, config.files()), *published_of(config))
    if not names:
        return ""
    if seen is None or names not in seen:
        digest = _one(inputs_of(config))
        if seen is None:
            return digest
        seen[names] = digest
    return seen[names]


def _one(hashes: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def files_of(path: Path) -> Iterator[Path]:
    """The files that a path stands for: itself, all in a folder, and data beside a header."""
    if path.is_dir():
        yield from (file for file in sorted(path.rglob("*")) if file.is_file())
        return
    yield path
    suffix = path.suffix.lower()
    if suffix in PAIRED:
        yield from (p for p in (path.with_suffix(PAIRED[suffix]),) if p.is_file())
    if suffix in DETACHED:
        yield from _detached(path, DETACHED[suffix])


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content, cached until size, time or place change.

    Raises:
        InputError: it cannot be read or is no regular file.
    """
    try:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; check the path")
        stat = path.stat()
        key = (str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if key not in _HASHES:
            with path.open("rb") as file:
                _HASHES[key] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    return _HASHES[key]


def _detached(header: Path, words: tuple[str, ...]) -> Iterator[Path]:
    """The files of data that a text header names, those that exist in its folder."""
    try:
        with header.open("rb") as file:
            lines = file.read(MAX_HEADER_BYTES).decode("latin-1").splitlines()
    except OSError:
        return  # `file_hash` of the header itself reports it
    for number, line in enumerate(lines):
        word, _, value = line.replace("=", ":", 1).partition(":")
        if word.strip().lower() not in words:
            continue
        names = [value.strip()]
        if names[0].lower().startswith("list"):
            names = [one.strip() for one in lines[number + 1 :]]
        for name in names:
            if "%" in name:  # a pattern with numbers: all that it can mean
                yield from sorted(p for p in header.parent.iterdir() if p.is_file())
                return
            if name and (header.parent / name).is_file():
                yield header.parent / name
