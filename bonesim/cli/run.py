"""The commands run, resume and info."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bonesim.cli.interrupts import ended_at_once
from bonesim.cli.options import (
    ArrayName,
    Change,
    ConfigFile,
    Crop,
    DensityIntercept,
    DensitySlope,
    Overwrite,
    Posterior,
    Quiet,
    RunFile,
    RunOutput,
    Seed,
    SmoothVoxel,
    Threshold,
    ThresholdMg,
    UntilDay,
    VolumeIndex,
    VoxelUm,
)
from bonesim.errors import InputError

if TYPE_CHECKING:
    from bonesim.config.config import Config

PANEL = "A scan instead of the config's specimen"


def run(
    config: ConfigFile,
    output: RunOutput,
    twin: Annotated[
        bool,
        typer.Option("--twin", help="Also the untreated twin: same bone, same random numbers."),
    ] = False,
    posterior: Posterior = None,
    split: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="With --posterior: runs for each part of the spread; a quarter of the members.",
        ),
    ] = None,
    seed: Seed = None,
    change: Change = None,
    until_day: UntilDay = None,
    overwrite: Overwrite = False,
    dry_run: Annotated[
        bool, typer.Option(help="Print the resolved config and what it costs, and stop.")
    ] = False,
    quiet: Quiet = False,
    bone: Annotated[
        Path | None,
        typer.Option(help="Image of any format, or folder of slices.", rich_help_panel=PANEL),
    ] = None,
    voxel_um: VoxelUm = None,
    threshold: Threshold = None,
    mask: Annotated[
        Path | None,
        typer.Option(help="Mask image: bone where it is not 0.", rich_help_panel=PANEL),
    ] = None,
    resample_um: Annotated[
        float | None, typer.Option(help="Simulate at this voxel size, um.", rich_help_panel=PANEL)
    ] = None,
    smooth_voxel: SmoothVoxel = None,
    threshold_mg: ThresholdMg = None,
    density_slope: DensitySlope = None,
    density_intercept: DensityIntercept = None,
    crop: Crop = None,
    index: VolumeIndex = None,
    array: ArrayName = None,
) -> None:
    """Simulate a configuration into a run file."""
    from bonesim.api import simulate
    from bonesim.api.inputs import as_config
    from bonesim.config.changes import parsed_changes
    from bonesim.engine.twins import twin_path
    from bonesim.storage.outputs import check_run_files

    scan = {
        "path": bone, "voxel_um": voxel_um, "threshold": threshold, "mask": mask,
        "resample_um": resample_um, "smooth_voxel": smooth_voxel, "threshold_mg": threshold_mg,
        "density_slope": density_slope, "density_intercept": density_intercept, "crop": crop,
        "index": index, "array": array,
    }  # fmt: skip
    resolved = as_config(config, _scan_changes(scan) | parsed_changes(change or []), seed)
    if split is not None and posterior is None:
        raise InputError("belongs to `posterior`; give that too", parameter="split")
    if posterior is not None:
        given_too = {"twin": twin, "until_day": until_day is not None, "overwrite": overwrite}
        for name, is_given in given_too.items():
            if is_given:
                raise InputError("has no meaning with `posterior`; leave it out", parameter=name)
        _run_posterior(resolved, output, posterior, split, dry_run, quiet)
        return
    if dry_run:
        _print_plan(resolved, output, twin, until_day)
        return
    places = (output, twin_path(output)) if twin else (output,)
    check_run_files(places, overwrite, (config, *resolved.files()))
    given: dict[str, Any] = {
        "overwrite": overwrite, "until_day": until_day, "observers": _observers(quiet, 2 if twin else 1),
    }  # fmt: skip
    paths: tuple[Path, ...]
    with ended_at_once():
        if twin:
            paths = simulate.run_twins(resolved, output, **given)
        else:
            paths = (simulate.run(resolved, output, **given),)
    if not quiet:
        for path in paths:
            print(f"{path}: done; next: bonesim info {path}", file=sys.stderr)


def resume(
    file: RunFile,
    until_day: UntilDay = None,
    quiet: Quiet = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also a run of another version of the program.")
    ] = False,
) -> None:
    """Continue an interrupted run, bit for bit."""
    from bonesim.api import simulate

    with ended_at_once():
        simulate.resume(file, until_day=until_day, observers=_observers(quiet), anyway=anyway)


def info(
    file: RunFile,
    config: Annotated[
        bool, typer.Option("--config", help="Print the run's configuration (TOML) instead.")
    ] = False,
) -> None:
    """What a run file holds and what came out."""
    from bonesim.api import look
    from bonesim.api.inputs import opened
    from bonesim.engine.progress import printable
    from bonesim.reports import run as report

    if config:
        with opened(file) as run:
            sys.stdout.write(printable(run.config_text))
        return
    print(printable(report.text(look.info(file))))


def _run_posterior(
    config: "Config", output: Path, posterior: int, split: int | None, dry_run: bool, quiet: bool
) -> None:
    """Simulate an ensemble into a folder; its bands as text, picture and CSV."""
    from bonesim.analysis.bands import text
    from bonesim.api import pictures
    from bonesim.api import posterior as ensemble
    from bonesim.sweeps.progress import SweepTerminal, exit_if_results_missing, stopped_politely

    if dry_run:
        cost = ensemble.run_posterior_cost(config, output, posterior=posterior, split=split)
        print(cost.text())
        return
    with stopped_politely(output):
        table = ensemble.run_posterior(
            config, output, posterior=posterior, split=split,
            progress=None if quiet else SweepTerminal(),
        )  # fmt: skip
    if len(table):
        pictures.plot_bands(output, output / "bands.png", overwrite=True)
        print(text(table))
    exit_if_results_missing(table.attrs["missing"], output)


def _print_plan(config: "Config", output: Path, twin: bool, until_day: int | None) -> None:
    """Print what a run costs, as comments above its resolved configuration."""
    from bonesim.api import simulate
    from bonesim.config.config import to_toml

    cost = simulate.run_cost(config, output, twin=twin, until_day=until_day)
    for line in cost.text().splitlines():
        sys.stdout.write(f"# {line}\n")
    sys.stdout.write(to_toml(config))


def _scan_changes(scan: dict[str, Any]) -> dict[str, Any]:
    """The specimen as the scan options describe it; nothing if no scan is given.

    Raises:
        InputError: options of a scan without a scan.
    """
    given = {
        name: str(value.absolute()) if isinstance(value, Path) else value
        for name, value in scan.items()
        if value is not None
    }
    if not given:
        return {}
    if "path" not in given:
        raise InputError("describes a scan; give the scan too: `bone`", parameter=next(iter(given)))
    from bonesim.specimens.crop import crop_fields

    ends = {name: list(value) for name, value in crop_fields(given.pop("crop", None)).items()}
    return {"specimen": {"kind": "scan", **given, **ends}}


def _observers(quiet: bool, runs: int = 1) -> list[Any]:
    """What shows progress of so many runs: the terminal, or nothing."""
    if quiet:
        return []
    from bonesim.engine.progress import Terminal

    return [Terminal(runs=runs)]
