"""Where results may be put: the one place that decides whether an output may replace a file."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from bonesim.errors import InputError
from bonesim.storage.durable import KINDS, failures_explained

#: What belongs to a run file, beside it.
BESIDE = (".checkpoint", ".journal", ".lock")
#: Bytes of an output's name: systems allow 255, and ".NAME.checkpoint.tmp" must fit too.
MAX_NAME_BYTES = 200


def check_output(path: Path, overwrite: bool, inputs: Iterable[Path] = ()) -> None:
    """Refuse an output that cannot be written or would destroy something, before it is computed.

    Args:
        path: the file to make.
        overwrite: whether it may replace an existing file.
        inputs: what the command reads; never replaced, whatever name or link they go by.

    Raises:
        InputError: a folder, a link, a device; a file that exists (unless `overwrite`); one of the
            inputs; no such folder; a name too long for the temporary files beside it.
    """
    if len(os.fsencode(path.name)) > MAX_NAME_BYTES:
        raise InputError(
            f"{path}: the file's name is too long; give one of at most {MAX_NAME_BYTES} bytes"
        )
    with failures_explained(path):
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no folder {path.parent}; create it first")
        for one in inputs:
            if _belongs(path, one):
                raise InputError(f"{path}: is what this command reads; choose another name")
        try:
            kind = stat.S_IFMT(path.lstat().st_mode)
        except FileNotFoundError:
            return
        if kind == stat.S_IFLNK:
            raise InputError(f"{path}: is a link to {path.readlink()}; give the file itself")
        if kind != stat.S_IFREG:
            raise InputError(f"{path}: is {KINDS.get(kind, 'no regular file')}; give a file name")
        if not overwrite:
            raise InputError(f"{path}: exists; choose another name or give `overwrite`")


def check_outputs(paths: Iterable[Path], overwrite: bool, inputs: Iterable[Path] = ()) -> None:
    """`check_output` of several files that one command writes; no two may be the same.

    Raises:
        InputError: as `check_output`, or two of them are one file.
    """
    known: list[Path] = []
    for path in paths:
        check_output(path, overwrite, inputs)
        if any(_same_place(path, one) for one in known):
            raise InputError(f"{path}: is given for two outputs; choose two names")
        known.append(path)


def check_run_files(paths: Iterable[Path], overwrite: bool, inputs: Iterable[Path] = ()) -> None:
    """`check_outputs` of run files, whose names have their ending.

    Raises:
        InputError: another ending or none; as `check_outputs`.
    """
    paths = tuple(paths)
    check_outputs(paths, overwrite, inputs)
    for path in paths:
        check_ending(path, (".vtkhdf",), "a run file")


def check_ending(path: Path, endings: tuple[str, ...], what: str) -> None:
    """Refuse a name without an ending by which programs know the file.

    Raises:
        InputError: another ending or none.
    """
    if path.suffix.lower() not in endings:
        raise InputError(
            f"{path}: the name of {what} ends in {' or '.join(endings)}; give {path.stem}{endings[0]}"
        )


def _belongs(path: Path, read: Path) -> bool:
    """Whether a file is one that is read, is in a folder that is read, or belongs to a run file."""
    if read.is_dir():
        return path.exists() and _same_place(path.parent, read)
    return any(_same_place(path, read.with_name(read.name + end)) for end in ("", *BESIDE))


def _same_place(one: Path, other: Path) -> bool:
    """Whether two names are of one file: the same path once links are resolved, or one inode."""
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return one.samefile(other)
    except OSError:
        return False
