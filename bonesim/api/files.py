"""Files as a whole: whether they are what was written."""

from pathlib import Path
from typing import TYPE_CHECKING

from bonesim.errors import CorruptFileError, InputError

if TYPE_CHECKING:
    import pandas as pd

    from bonesim.reports.verify import Check

__all__ = ["verify"]


def verify(path: str | Path) -> "pd.DataFrame":
    """Read everything of a run file or of all in a folder; one row for each thing looked at.

    Looked at: every dataset with its sums, the days, the ledger against the lattice, the numbers of
    cells, checkpoint, journal and twin of a run; study, points, journals and results of a sweep.

    Args:
        path: a run file, a folder of run files, or the folder of a sweep or trial.

    Returns:
        Columns file, what, state: "ok" (with a remark), or what is wrong. `attrs["wrong"]` is how
        many are wrong.

    Raises:
        InputError: no such file, one of another kind, or nothing in the folder. BusyError: a file is
            being written.
    """
    from bonesim.reports.verify import checks_of_run, table
    from bonesim.storage.file_kind import refuse_other_kind
    from bonesim.storage.validation import require_file

    place = Path(path)
    if not place.is_dir():
        require_file(place)
        refuse_other_kind(place, "run")
        return table(checks_of_run(place, place.name))
    checks = _checks_of_sweep(place)
    for file in sorted(place.rglob("*.vtkhdf")):
        if not file.name.startswith("."):
            checks += checks_of_run(file, str(file.relative_to(place)))
    if not checks:
        raise InputError(f"{place}: holds no run file (.vtkhdf) and no sweep; check the path")
    return table(checks)


def _checks_of_sweep(place: Path) -> "list[Check]":
    """The checks of a sweep's own files; none if the folder is no sweep's."""
    from bonesim.reports.verify import looked_at
    from bonesim.sweeps.folder import Folder
    from bonesim.sweeps.journal import JOURNAL, POINTS, RESULTS, STUDY

    if not (place / STUDY).exists():
        return []

    def study() -> str | None:
        from bonesim.config.plain_toml import read_tree

        read_tree(place / STUDY)
        return None

    def points() -> str | None:
        return f"{Folder(place).points()['point'].nunique()} points"

    def journal() -> str | None:
        done, failed = Folder(place).status()
        unknown = (done.keys() | failed.keys()) - set(Folder(place).points()["point"])
        note = f"{len(done)} points done, {len(failed)} failed"
        return f"{note}, {len(unknown)} not of this design" if unknown else note

    def results() -> str | None:
        import numpy as np
        import pandas as pd

        written = place / f"{RESULTS}.csv"
        if not written.exists():
            return "not gathered yet"
        found, wanted = pd.read_csv(written, dtype={"point": str}), Folder(place).results()
        if list(found) != list(wanted) or len(found) != len(wanted):
            raise CorruptFileError(f"{written}: is not what the journal has; gather it again")
        for name in wanted:
            one, other = found[name].to_numpy(), wanted[name].to_numpy()
            if other.dtype.kind in "iuf" and one.dtype.kind in "iuf":
                same = np.allclose(one, other, rtol=1e-12, atol=0.0, equal_nan=True)
            else:
                same = bool((found[name].astype(str) == wanted[name].astype(str)).all())
            if not same:
                raise CorruptFileError(f"{written}: {name} is not what the journal has")
        return None

    return [
        looked_at(STUDY, "study", study),
        looked_at(POINTS, "design", points),
        looked_at(f"{JOURNAL}*.jsonl", "journal", journal),
        looked_at(f"{RESULTS}.csv", "results", results),
    ]
