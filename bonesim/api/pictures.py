"""Pictures: each function returns the figure, and writes it to a file if one is given."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bonesim.api.inputs import AnyConfig, AnyRun, as_config, files_of, opened
from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.viewer.picture import Drawing, check_picture, save

if TYPE_CHECKING:
    import pandas as pd
    import pyvista as pv
    from matplotlib.figure import Figure

    from bonesim.reports.blood import Prescribed
    from bonesim.trials.compare import Comparison

__all__ = [
    "plot_bands", "plot_hormones", "plot_loss", "plot_story", "plot_sweep", "plot_trial", "render", "view",
]  # fmt: skip


def render(
    run: AnyRun,
    output: str | Path | None = None,
    *,
    colour: str = "events",
    twin: AnyRun | None = None,
    days: Sequence[int] | None = None,
    camera: str | Sequence[float] | None = None,
    slab: str | Sequence[float] | None = None,
    width_mm: float | None = None,
    slices: str | Sequence[float] | None = None,
    overwrite: bool = False,
) -> "Figure":
    """The bone before, at the end of suppression and of recovery, and the time courses.

    Args:
        run: a run file's path, or what `open_run` gives; it has a snapshot.
        output: PNG, SVG or PDF to write, with the numbers behind it as CSV beside it; none if None.
        colour: "events" (pale bone with marks), "bone", "mineral", "surface_state", "sed" (strain
            energy density under the habitual load, solved here) or "none".
        twin: the untreated twin's: its bone on the last day beside, and curves against it; bone
            with marks only, no slices.
        days: of up to four snapshots, instead of those three; of up to three beside a twin.
        camera: azimuth and elevation of the viewer, degrees, "24,16" or (24, 16); or "front", "right",
            "back", "left", "top", "bottom".
        slab: the part drawn, "x0:x1,y0:y1,z0:z1" in voxels or with mm behind it, or "whole"; by default
            the slab along y with most breaks.
        width_mm: of the picture in print; default 180.
        slices: instead of 3-D, the slices across z, y and x through "middle" or "x,y,z" in mm, one row
            for each day; colours "bone", "mineral" and "surface_state".
        overwrite: replace the output if it exists; what is read is never replaced.

    Raises:
        InputError: no snapshot, an unknown colour, a lattice without bone, another run's twin, an
        output that cannot be written. CorruptFileError: a damaged file. NumericalError: "sed" does
        not converge.
    """
    from bonesim.viewer import scene, slices_scene, twin_scene

    both = [run] if twin is None else [run, twin]
    place = _checked(
        output, overwrite, *(one.path if isinstance(one, Run) else one for one in both)
    )
    if twin is not None:
        if colour != "events":
            raise InputError('is "events" beside a twin; leave it out', parameter="colour")
        if slices is not None:
            raise InputError(
                "is not for a picture with a `twin`; leave one out", parameter="slices"
            )
    shown = scene.Shown(days, camera, slab, scene.WIDTH_MM if width_mm is None else width_mm)
    with opened(run) as file:
        if slices is not None:
            return _shown(slices_scene.draw(file, colour, slices, shown), place)
        if twin is None:
            return _shown(scene.draw(file, colour, shown), place)
        with opened(twin) as other:
            return _shown(twin_scene.draw(file, other, shown), place)


def view(
    run: AnyRun, *, off_screen: bool = False, day: int | None = None, colour: str = "bone"
) -> "pv.Plotter":
    """Show a run in a window with a slider over the days; returns the plotter.

    Args:
        run: a run file's path, or what `open_run` gives.
        off_screen: open no window: the plotter holds one day in 3-D with names and a scale bar, without
            slider and keys, and can take screenshots (`.screenshot("bone.png")`).
        day: of a snapshot, with which it begins; the first if None.
        colour: of the bone: "bone", "surface_state" or "mineral".

    Raises:
        InputError: no screen, no snapshot in the file or none on that day, an unknown colour.
        CorruptFileError: a damaged file.
    """
    from bonesim.viewer import window

    with opened(run) as file:
        return window.view(file, off_screen=off_screen, day=day, colour=colour)


def plot_hormones(
    config: AnyConfig, output: str | Path | None = None, *,
    changes: Mapping[str, Any] | None = None, people: int = 0, overwrite: bool = False,
) -> "Figure":  # fmt: skip
    """Testosterone, estradiol, LH and drugs of a prescription, with every dose marked.

    Args:
        config, changes, people: as for `hormones`.
        output: PNG, SVG or PDF to write; none if None.
        overwrite: replace the output if it exists; what is read is never replaced.

    Raises:
        InputError: no protocol; an output that cannot be written.
    """
    from bonesim.reports.blood import Prescribed

    place = _checked(output, overwrite, *files_of(config, changes))
    prescribed = Prescribed(as_config(config, changes), people)
    return draw_hormones(prescribed, None if place is None else place.path, overwrite=overwrite)


def draw_hormones(
    prescribed: "Prescribed", output: Path | None, *, overwrite: bool = False
) -> "Figure":
    """As `plot_hormones`, of blood that is computed already."""
    from bonesim.viewer import blood

    return _shown(blood.draw(prescribed), _checked(output, overwrite))


def plot_loss(
    table: "pd.DataFrame", output: str | Path | None = None, *, overwrite: bool = False
) -> "Figure":
    """The parts of a loss on each day, stacked.

    Args:
        table: of `decompose`.
        output: PNG, SVG or PDF to write, with the table as CSV beside it; none if None.
        overwrite: replace the output if it exists; what is read is never replaced.

    Raises:
        InputError: an output that cannot be written.
    """
    from bonesim.viewer import loss

    place = _checked(output, overwrite)
    return _shown(loss.draw(table), place)


def plot_story(
    run: AnyRun, bmu: int, output: str | Path | None = None, *, overwrite: bool = False
) -> "Figure":
    """One remodelling unit: the bone around it before and after, and what is on file of it by day.

    Args:
        run: a run file's path, or what `open_run` gives.
        bmu: its id, as for `story`.
        output: PNG, SVG or PDF to write, with the table as CSV beside it; none if None.
        overwrite: replace the output if it exists; what is read is never replaced.

    Raises:
        InputError: no such unit on file; an output that cannot be written. CorruptFileError.
    """
    from bonesim.viewer import story

    place = _checked(output, overwrite, run.path if isinstance(run, Run) else run)
    with opened(run) as file:
        return _shown(story.draw(file, bmu), place)


def plot_sweep(
    folder: str | Path, output: str | Path | None = None, *, outcome: str = "bvtv_percent",
    moment: str = "change", kind: str | None = None, reference: Any = None, overwrite: bool = False,
) -> "Figure":  # fmt: skip
    """A sweep: heatmap, curves with 95 % CI, Sobol or Morris bars, or pairs.

    If rows share seeds (common random numbers), curves have their paired differences beside, which
    `paired_sweep` gives as a table.

    Args:
        folder: of a sweep.
        output: PNG, SVG or PDF to write, with the numbers as CSV beside it; none if None.
        outcome: column of the results.
        moment: "end" (last snapshot), "start", "change" (end over start, %), or "regained" (share of
            the loss from first to second snapshot that the last has back, %).
        kind: "curves", "heatmap", "sobol", "morris" or "pairs"; what suits the design if None.
        reference: value of the first variable with which rows are compared; that of the first row if
            None.
        overwrite: replace the output if it exists; what is read is never replaced.

    Raises:
        InputError: no such folder, outcome, moment or kind; an output that cannot be written.
    """
    from bonesim.sweeps.folder import Folder
    from bonesim.sweeps.journal import STUDY
    from bonesim.sweeps.study import StudyParameters, read_as
    from bonesim.viewer.sweep_plots import draw

    chosen, place = _checked(output, overwrite), Folder(Path(folder))
    design = read_as(place.path / STUDY, StudyParameters)[0].design
    drawing = draw(
        place.results(), design, outcome=outcome, moment=moment, kind=kind, reference=reference
    )
    return _shown(drawing, chosen)


def plot_trial(
    trial: "str | Path | Comparison", output: str | Path | None = None, *, overwrite: bool = False
) -> "Figure":
    """A trial: change by arm with what was published, P over repeated trials, estradiol.

    Args:
        trial: its folder, or what `trial` or `compare_trial` gives.
        output: PNG, SVG or PDF to write, with curves and repeats as CSV beside it; none if None.
        overwrite: replace the output if it exists; what is read is never replaced.

    Raises:
        InputError: no folder of a trial; no person has all arms yet; an output that cannot be written.
    """
    from bonesim.api.studies import compare_trial
    from bonesim.viewer import trial_plots

    place = _checked(output, overwrite)
    found = compare_trial(trial) if isinstance(trial, str | Path) else trial
    reference = found.parameters.reference.name
    others = [arm.name for arm in found.parameters.arm if arm.name != reference]
    drawing = trial_plots.draw(
        found.estimates, found.curves, found.repeats, [reference, *others], found.parameters.title
    )
    return _shown(drawing, place)


class _Place(NamedTuple):
    """Where a picture goes: the PNG, whether it may replace files, and those it may not."""

    path: Path
    overwrite: bool
    inputs: tuple[Path, ...]


def plot_bands(
    folder: str | Path, output: str | Path | None = None, *, overwrite: bool = False
) -> "Figure":
    """An ensemble: median and 90 % band of each quantity against time, and the parts of the spread.

    Args:
        folder: of `run_posterior`.
        output: PNG, SVG or PDF to write, with the numbers as CSV beside it; none if None.
        overwrite: replace the output if it exists; what is read is never replaced.

    Raises:
        InputError: no folder of an ensemble, no result yet; an output that cannot be written.
    """
    from bonesim.api.posterior import results_of
    from bonesim.viewer.bands import draw

    place = _checked(output, overwrite)
    return _shown(draw(results_of(Path(folder))), place)


def _checked(output: str | Path | None, overwrite: bool, *inputs: str | Path) -> _Place | None:
    """Where a picture goes; refused before anything is drawn if it cannot go there."""
    if output is None:
        return None
    place = _Place(Path(output), overwrite, tuple(map(Path, inputs)))
    check_picture(place.path, overwrite=overwrite, inputs=place.inputs)
    return place


def _shown(drawing: Drawing, place: _Place | None) -> "Figure":
    """The figure of a drawing, written if it is to be."""
    if place is not None:
        save(drawing, place.path, overwrite=place.overwrite, inputs=place.inputs)
    return drawing.figure
