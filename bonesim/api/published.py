"""Bones that others have published: what there is, and fetching it."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from bonesim.specimens.fetching import Progress

__all__ = ["bones"]


def bones(
    fetch: str | Iterable[str] = (), *, folder: str | Path | None = None, mirror: str | None = None,
    progress: "Progress | None" = None,
) -> "pd.DataFrame":  # fmt: skip
    """The real bones that `specimen.kind = "library"` can take: one row each, with measures.

    Measures are of the specimen with default settings, by `bonesim.measure`. `state` is that of the
    bone's file: "fetched", "in folder" (that BONESIM_LIBRARY names), "not fetched" or "damaged"; `path`
    is where it is or would be. Nothing is fetched but what `fetch` names.

    Args:
        fetch: names of bones whose files are to be there, each checked by its SHA-256; "all".
        folder: take these from here alone.
        mirror: http or https address to fetch them from, not the publisher's.
        progress: receives the share that is fetched, 0..1.

    Raises:
        InputError: no such bone, a folder without it, a cache that cannot be written.
        ResourceError: it cannot be fetched. CorruptFileError: another file than the published one.
    """
    from bonesim.errors import InputError
    from bonesim.reports import bones as report
    from bonesim.specimens.fetching import checked_mirror

    if folder is not None and mirror is not None:
        raise InputError("and `mirror` exclude each other; give one", parameter="folder")
    if mirror is not None:
        try:
            mirror = checked_mirror(mirror)
        except ValueError as error:
            raise InputError(str(error), parameter="mirror") from None
    names = [fetch] if isinstance(fetch, str) else list(fetch)
    found = report.fetched(names, folder=folder, mirror=mirror, progress=progress)
    return report.table(found)
