"""The file of a published bone: in a folder of the user's, in the cache, or fetched into it once.

A file is used only if its SHA-256 is the published one. It is fetched beside its place and renamed
when it is whole and right, so that neither a part of it nor another file is ever in its place. Of
several processes that need it at once, one fetches it and the others wait.
"""

import hashlib
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from bonesim.errors import BonesimError, CorruptFileError, InputError, ResourceError
from bonesim.storage.durable import explained, failures_explained, unreadable
from bonesim.storage.lock import turn

Note = Callable[[str], None]
Progress = Callable[[float], None]

#: Names a folder, or an address, that has the files, where a configuration names none.
VARIABLE = "BONESIM_LIBRARY"
#: Seconds to reach a server, and between two answers of it.
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 20.0
#: A transfer may take this, and the time of its bytes at this rate.
WHOLE_SECONDS, LEAST_BYTES_PER_SECOND = 60.0, 20e3
#: Bytes after which a transfer looks at its time; few, as a slow server makes them last.
CHUNK_BYTES = 64
#: What a killed process left in the cache is removed after so long.
LEFTOVER_SECONDS = 3600.0
#: States of a bone's file.
FETCHED, IN_FOLDER, NOT_FETCHED, DAMAGED = "fetched", "in folder", "not fetched", "damaged"


class PublishedFile(Protocol):
    """What is known of a file before it is fetched."""

    @property
    def name(self) -> str:
        """Of the bone."""

    @property
    def file(self) -> str:
        """Its name, without a folder."""

    @property
    def address(self) -> str:
        """Where it is published."""

    @property
    def bytes(self) -> int:
        """Its size."""

    @property
    def sha256(self) -> str:
        """Of its content, hexadecimal."""


def checked_mirror(mirror: str) -> str:
    """An address to fetch from, without a slash at its end.

    Raises:
        ValueError: no http or https address, or one with a password in it.
    """
    try:
        parts = urlsplit(mirror)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or mirror != mirror.strip():
        raise ValueError(f"got {mirror!r}; give an http or https address, or `folder` for a folder")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must have no user, password, ? or #; run files would record it")
    return mirror.rstrip("/")


def cache_folder() -> Path:
    """Where fetched files are kept; it may be deleted at any time."""
    return user_cache_path("bonesim") / "library"


def elsewhere() -> tuple[str | None, str | None]:
    """Folder and mirror that the environment names; None for what it does not.

    Raises:
        InputError: no address that can be fetched from.
    """
    given = os.environ.get(VARIABLE, "")
    if not given:
        return None, None
    if "://" not in given:
        return str(Path(given).expanduser()), None
    try:
        return None, checked_mirror(given)
    except ValueError as error:
        raise InputError(f"{VARIABLE}: {error}") from None


def state_of(bone: PublishedFile) -> tuple[str, Path]:
    """Whether a bone's file is there, and where it is or would be; nothing is fetched.

    Raises:
        InputError: what the environment names cannot be.
    """
    folder, _ = elsewhere()
    if folder is not None and (found := _found_in(bone, Path(folder))) is not None:
        return IN_FOLDER, found
    place = cache_folder() / bone.file
    if not place.exists():
        return NOT_FETCHED, place
    return (FETCHED if is_published(place, bone) else DAMAGED), place


def located(
    bone: PublishedFile, *, folder: str | Path | None = None, mirror: str | None = None,
    note: Note | None = None, progress: Progress | None = None,
) -> Path:  # fmt: skip
    """The path of a bone's file, which is fetched if it is not there yet.

    Args:
        bone: which.
        folder: take it from here alone; under whatever name it has there.
        mirror: fetch from this address instead of the publisher's.
        note: receives a line before it is fetched.
        progress: receives the share that is fetched, 0..1.

    Raises:
        InputError: a folder without the file; a cache that cannot be written.
        ResourceError: it cannot be fetched, or the disk is full.
        CorruptFileError: what is there, or was sent, is not the published file.
    """
    if folder is None and mirror is None:
        folder, mirror = elsewhere()
    if folder is not None:
        return _required_in(bone, Path(folder))
    place = cache_folder() / bone.file
    if is_published(place, bone):
        return place
    address = bone.address if mirror is None else f"{mirror}/{bone.file}"
    waits: list[str] = []

    def wait() -> None:
        if note is not None and not waits:
            note(f"waiting: another process fetches {bone.name}")
        waits.append(bone.name)

    with turn(place, wait):
        if not is_published(place, bone):
            if note is not None:
                note(f"fetching {bone.name} ({bone.bytes / 1e6:.1f} MB) from {address}")
            _fetch(bone, address, place, progress)
    return place


def is_published(path: Path, bone: PublishedFile) -> bool:
    """Whether the file at a path has a bone's size and content; False if it cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size != bone.bytes:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == bone.sha256
    except OSError:
        return False


def _found_in(bone: PublishedFile, folder: Path) -> Path | None:
    """A file of a folder that is the bone's, whatever its name; the published name first."""
    try:
        others = sorted(folder.iterdir())
    except OSError:
        return None
    return next((one for one in (folder / bone.file, *others) if is_published(one, bone)), None)


def _required_in(bone: PublishedFile, folder: Path) -> Path:
    """As `_found_in`, or why there is none."""
    found = _found_in(bone, folder)
    if found is not None:
        return found
    by_hand = f"fetch {bone.address} by hand and put it there"
    if not folder.is_dir():
        raise InputError(
            f"{folder}: there is no such folder to take {bone.name} from; check the path"
        )
    try:
        there = (folder / bone.file).is_file()
        next(folder.iterdir(), None)
    except OSError as error:
        raise unreadable(error, folder) from None
    if there:
        raise CorruptFileError(
            f"{folder / bone.file}: is not the published file of {bone.name} (another size or "
            f"sha256); {by_hand}"
        )
    raise InputError(
        f"{folder}: has no file of {bone.name} ({bone.file}, {bone.bytes} bytes); {by_hand}"
    )


class _Watch:
    """What pooch takes for a bar of progress: it stops a transfer that is too long or too slow."""

    def __init__(self, bone: PublishedFile, progress: Progress | None) -> None:
        self.total = 0  # set by pooch, by what the server states
        self._bytes, self._most, self._progress = 0, bone.bytes, progress
        self._until = time.monotonic() + WHOLE_SECONDS + bone.bytes / LEAST_BYTES_PER_SECOND

    def update(self, amount: int) -> None:
        """So many bytes more have come."""
        self._bytes += amount
        if self._bytes > self._most + CHUNK_BYTES:
            raise _StoppedError("it is longer than the published file")
        if time.monotonic() > self._until:
            raise _StoppedError("it is too slow")
        if self._progress is not None:
            self._progress(min(1.0, self._bytes / self._most))

    def reset(self) -> None:
        """The transfer is over, whatever was counted."""
        self._bytes = 0

    def close(self) -> None:
        """Nothing is shown here."""


class _StoppedError(Exception):
    """A transfer is given up, for the reason in the message."""


def _fetch(bone: PublishedFile, address: str, place: Path, progress: Progress | None) -> None:
    """Fetch a file into its place.

    Raises:
        as `located`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of requests, on the versions of what it stands on
        import pooch
        from requests import RequestException, Response
    with _silent(pooch.get_logger()):
        with failures_explained(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place.parent):
                _remove_leftovers(place.parent)
        answers: list[Response] = []
        downloader = pooch.HTTPDownloader(
            progressbar=_Watch(bone, progress), chunk_size=CHUNK_BYTES,
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS), headers={"Accept-Encoding": "identity"},
            hooks={"response": lambda answer, **_: answers.append(answer)},
        )  # fmt: skip
        try:
            pooch.retrieve(
                address, f"sha256:{bone.sha256}", fname=place.name, path=place.parent,
                downloader=downloader,
            )  # fmt: skip
        except (RequestException, _StoppedError) as error:
            raise _failure(bone, address, place, _reason(error)) from None
        except OSError as error:
            raise explained(error, place) from None
        except ValueError as error:
            # pooch's word for another content, which it removes, is of a hash.
            if "hash" not in str(error):
                raise _failure(bone, address, place, "no such address") from None
            raise CorruptFileError(
                f"{address}: is not the published file of {bone.name} (another sha256), and was "
                f"discarded; {_by_hand(bone, place)}"
            ) from None
        finally:
            for answer in answers:  # pooch leaves the connection of a transfer that failed open
                answer.close()


def _failure(bone: PublishedFile, address: str, place: Path, reason: str) -> BonesimError:
    return ResourceError(
        f"{address}: {bone.name} cannot be fetched ({reason}); {_by_hand(bone, place)}"
    )


def _by_hand(bone: PublishedFile, place: Path) -> str:
    return (
        f"try again, or fetch {bone.address} by hand and save it as {place}, or set {VARIABLE} to a "
        "folder that has it"
    )


def _reason(error: Exception) -> str:
    """Why a transfer failed, in a few words."""
    from requests import exceptions

    response = getattr(error, "response", None)
    if isinstance(error, exceptions.HTTPError) and response is not None:
        return f"HTTP {response.status_code} {response.reason}"[:60].strip()
    words: list[tuple[type[Exception], str]] = [
        (_StoppedError, str(error)),
        (exceptions.ConnectTimeout, f"no answer within {CONNECT_SECONDS:g} s"),
        (exceptions.ReadTimeout, f"no answer within {ANSWER_SECONDS:g} s"),
        (exceptions.TooManyRedirects, "it redirects without end"),
        (exceptions.ChunkedEncodingError, "the connection ended early"),
        (exceptions.ProxyError, "the proxy refuses"),
        (exceptions.SSLError, "no trusted certificate"),
    ]
    if "timed out" in str(error).lower():
        return f"no answer within {ANSWER_SECONDS:g} s"
    fits = (text for kind, text in words if isinstance(error, kind))
    return next(fits, "no connection")


def _remove_leftovers(folder: Path) -> None:
    """Remove unfinished files of processes that were killed."""
    for one in folder.glob("tmp*"):
        try:
            if time.time() - one.stat().st_mtime > LEFTOVER_SECONDS:
                one.unlink()
        except OSError:
            continue


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Nothing that this logger or those below it report reaches the terminal; errors still rise."""
    loggers = [logger, logging.getLogger("urllib3"), logging.getLogger("requests")]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
