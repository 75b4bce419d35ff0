"""The page of a run: one file to open from an e-mail, without a server and without Python."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bonesim.api.inputs import AnyRun, opened
from bonesim.errors import InputError
from bonesim.storage.outputs import check_ending, check_output
from bonesim.storage.reader import Run

if TYPE_CHECKING:
    from bonesim.page.document import Page

__all__ = ["report"]


def report(
    run: AnyRun, twin: AnyRun | None = None, output: str | Path | None = None, *,
    alone: bool = False, overwrite: bool = False,
) -> "Page":  # fmt: skip
    """A run as one HTML file: bone, cells and events in 3-D and in slices, curves, tables.

    The file holds all its data and loads nothing: it works offline and without a server. The same
    run gives the same bytes. Lattices of more than 8 million voxels are coarsened, which it states.

    Args:
        run: a run file's path, or what `open_run` gives; it has a snapshot. Or the folder of a sweep
            or trial: its points, what failed, its figures and tables, as far as it has got.
        twin: another run of the same lattice to compare with: the untreated twin or another arm. If
            None, the untreated twin beside the run (out_twin.vtkhdf of out.vtkhdf), if it is there.
        alone: without the twin beside the run.
        output: HTML file to write; none if None.
        overwrite: replace the output if it exists; what is read is never replaced.

    Returns:
        The page; in a notebook it is shown. `html` is its text, `write` puts it into a file.

    Raises:
        InputError: no snapshot yet, a twin of another lattice, a twin and `alone`, an output that
            cannot be written.
        CorruptFileError: a damaged file.
    """
    from bonesim.page import page_of_folder, page_of_run

    if alone and twin is not None:
        raise InputError("leaves out the twin; give the one or the other", parameter="alone")
    beside = None if alone or twin is not None else _beside(run)
    inputs = [path for path in map(_path, (run, twin, beside)) if path is not None]
    if output is not None:
        check_output(Path(output), overwrite, inputs)
        check_ending(Path(output), (".html", ".htm"), "a page")
    if isinstance(run, str | Path) and Path(run).is_dir():
        if twin is not None:
            raise InputError("is for a run; leave it out for a folder", parameter="twin")
        return _written(page_of_folder(Path(run)), output, overwrite, inputs)
    with ExitStack() as files:
        first = files.enter_context(opened(run))
        second = None if twin is None else files.enter_context(opened(twin))
        if beside is not None:
            second = _if_twin(first, files.enter_context(opened(beside)))
        page = page_of_run(first, second)
    return _written(page, output, overwrite, inputs)


def _beside(run: AnyRun) -> Path | None:
    """Where the untreated twin of a run is, if there is a file."""
    from bonesim.engine.twins import twin_path

    place = None if isinstance(run, str | Path) and Path(run).is_dir() else _path(run)
    return twin_path(place) if place is not None and twin_path(place).is_file() else None


def _if_twin(run: Run, other: Run) -> Run | None:
    """The other run, if it is the untreated twin and has a snapshot: a file of that name may be old."""
    from bonesim.page.untreated import is_untreated_twin

    same = (other.shape, other.voxel_um) == (run.shape, run.voxel_um)
    return other if other.snapshot_days and same and is_untreated_twin(run, other) else None


def _written(
    page: "Page", output: str | Path | None, overwrite: bool, inputs: list[Path]
) -> "Page":
    if output is not None:
        page.write(output, overwrite=overwrite, inputs=inputs)
    return page


def _path(run: AnyRun | None) -> Path | None:
    return None if run is None else run.path if isinstance(run, Run) else Path(run)
