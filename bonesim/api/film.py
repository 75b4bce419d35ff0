"""Films of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bonesim.api.inputs import AnyRun, opened
from bonesim.storage.outputs import check_output
from bonesim.storage.reader import Run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["film"]


def film(
    run: AnyRun, output: str | Path, kind: str = "time", *, colour: str | None = None,
    day: int | None = None, event: int | str | None = None, seconds: float | None = None,
    fps: int = 20, size_px: int = 720, camera: str | Sequence[float] | None = None,
    slab: str | Sequence[float] | None = None, overwrite: bool = False,
) -> "pd.DataFrame":  # fmt: skip
    """A film as MP4 or GIF: the snapshots in order, the bone turned around, or one hole in close-up.

    Nothing is drawn between snapshots: each stands still until the next. Choose more of them in
    `schedule.snapshots_day` for a smoother film.

    Args:
        run: a run file's path, or what `open_run` gives.
        output: .mp4 (needs the extra `bonesim[film]`) or .gif.
        kind: "time" (all snapshots from one side, with estradiol and BV/TV below), "turntable" (one
            snapshot once around the vertical), or "event" (the plate around a hole, from before it on).
        colour: as for `render`; not of "event", whose colour is thickness.
        day: the snapshot of a turntable; the last if None.
        event: id of a break, or "largest" (default).
        seconds: of one turn (default 8), or of each snapshot (default 1).
        fps: frames a second, 1 to 60.
        size_px: width and height, even, 320 to 2160.
        camera: as for `render`; a turntable begins at its azimuth.
        slab: the part drawn, as for `render`; all of it if None.
        overwrite: replace the output if it exists; what is read is never replaced.

    Returns:
        One row: file, kind, frames (of a GIF: pictures), frames per second, seconds, first and last day.

    Raises:
        InputError: no such kind, day, break, colour or part; MP4 without PyAV; an output that cannot be
            written. CorruptFileError: a damaged file. NumericalError: "sed" does not converge.
    """
    import pandas as pd

    from bonesim.viewer.film import Asked, film_of
    from bonesim.viewer.film_file import check_film, write_film

    path = Path(output)
    check_film(path)
    check_output(path, overwrite, (run.path if isinstance(run, Run) else Path(run),))
    asked = Asked(colour, day, event, seconds, fps, size_px, camera, slab)
    with opened(run) as file:
        made = film_of(file, kind, asked)
        frames = write_film(made, path)
    row = {
        "file": path.name, "kind": made.kind, "frames": frames, "fps": made.fps,
        "seconds": made.total / made.fps, "first_day": made.days[0], "last_day": made.days[-1],
        "snapshots": len(made.days),
    }  # fmt: skip
    table = pd.DataFrame([row])
    known = {"fps": "1/s", "seconds": "s", "first_day": "d", "last_day": "d"}
    table.attrs["units"] = {name: known.get(name, "") for name in row}
    return table
