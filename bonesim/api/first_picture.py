"""The demo: from nothing to a picture of loss and recovery beside the untreated twin."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bonesim.api.inputs import as_config, files_of
from bonesim.engine.days import Observer
from bonesim.errors import InputError
from bonesim.storage.durable import failures_explained
from bonesim.storage.outputs import check_outputs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bonesim.config.config import Config

__all__ = ["demo"]

#: The configuration, shipped with the package.
CONFIG = Path(__file__).parents[1] / "config" / "demo.toml"
#: Its files in the folder.
RUN, PICTURE = "demo.vtkhdf", "demo.png"


class Demo(NamedTuple):
    """What the demo made.

    Attributes:
        table: run against twin, one row per quantity and day; see `reports.against_twin.table`.
        figure: the picture.
        picture, run, twin: the files.
    """

    table: "pd.DataFrame"
    figure: "Figure"
    picture: Path
    run: Path
    twin: Path

    def text(self) -> str:
        """What was lost and what came back, for reading."""
        from bonesim.reports.against_twin import text

        return text(self.table)


def demo(
    folder: str | Path = "bonesim_demo",
    *,
    changes: Mapping[str, Any] | None = None,
    seed: int | None = None,
    overwrite: bool = False,
    observers: Sequence[Observer] = (),
) -> Demo:
    """Two years of anastrozole beside testosterone and a year without, and the untreated twin.

    A block of 1.6 mm of an elderly vertebra: half a minute once kernels are compiled, a minute and a
    half before. Into the folder go demo.png (before, end of suppression, after recovery, the twin on
    that day; curves against the twin), its numbers as demo.csv, and the run files demo.vtkhdf and
    demo_twin.vtkhdf. One small block is one draw of chance, no estimate of a mean.

    Args:
        folder: of the files; made if it is not there.
        changes: of the demo's configuration: dotted path -> value.
        seed: instead of 1: other random numbers on the same bone.
        overwrite: replace files of an earlier demo.
        observers: look at every day of the treated run.

    Raises:
        InputError: files that exist, a folder that cannot be made, changes that are not allowed.
        ResourceError, Stopped: as `bonesim.run`.
    """
    from bonesim.engine.compile_ahead import in_second_process
    from bonesim.engine.days import Observers
    from bonesim.engine.twins import run_twins_at_once, twin_path
    from bonesim.reports.against_twin import table
    from bonesim.storage.reader import open_run
    from bonesim.viewer import twin_scene
    from bonesim.viewer.picture import save

    place = Path(folder)
    run, picture = place / RUN, place / PICTURE
    outputs = (run, twin_path(run), picture, picture.with_suffix(".csv"))
    if place.is_dir():
        check_outputs(outputs, overwrite, files_of(CONFIG, changes))
    config = as_config(CONFIG, changes, seed)
    with in_second_process(Observers(observers)):
        _require_fall_and_return(config)
        with failures_explained(place):
            if place.exists() and not place.is_dir():
                raise InputError(f"{place}: is a file, and a folder is needed; choose another")
            place.mkdir(parents=True, exist_ok=True)
        check_outputs(outputs, overwrite, files_of(CONFIG, changes))
        run, twin = run_twins_at_once(config, run, overwrite=overwrite, observers=observers)
    with open_run(run) as treated, open_run(twin) as untreated:
        days = [moment.day for moment in twin_scene.moments_of(treated)]
        found = table(treated, untreated, days)
        drawing = twin_scene.draw(treated, untreated)
    save(drawing, picture, overwrite=overwrite)
    return Demo(found, drawing.figure, picture, run, twin)


def _require_fall_and_return(config: "Config") -> None:
    """Refuse a course of estradiol that has no end of suppression to show, before it is simulated."""
    import numpy as np

    from bonesim.viewer.moments import weekly
    from bonesim.viewer.twin_scene import moments_in

    course, schedule = config.course(), config.schedule
    day = np.arange(schedule.duration_day + 1)
    e2 = np.array([course.e2_pg_per_ml(float(one)) for one in day], np.float64)
    moments_in(
        day, weekly(e2), [one for one in schedule.kept_days() if one <= schedule.duration_day]
    )
