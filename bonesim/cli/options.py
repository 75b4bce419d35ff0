"""Arguments and options that several commands share, each defined once."""

from pathlib import Path
from typing import Annotated

import typer

#: Panels of the list of commands.
SIMULATE, LOOK, MANY = "Simulate", "Look at runs and scans", "Many runs"
LARGEST_SEED = 2**63 - 1

ConfigFile = Annotated[Path, typer.Argument(help="Configuration, TOML.", show_default=False)]
RunFile = Annotated[Path, typer.Argument(help="Run file (.vtkhdf).", show_default=False)]
RunOutput = Annotated[Path, typer.Option("--output", "-o", help="Run file to make (.vtkhdf).")]
Picture = Annotated[
    Path, typer.Option("--output", "-o", help="Picture to make (.png, .svg, .pdf), CSV beside it.")
]
PictureIfAny = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Picture to make (.png, .svg, .pdf), CSV beside it."),
]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any parameter: path=value, e.g. schedule.duration_day=365."),
]
Seed = Annotated[
    int | None, typer.Option(min=0, max=LARGEST_SEED, help="Instead of the config's seed.")
]
NoiseSeed = Annotated[
    int | None,
    typer.Option(
        min=0, max=LARGEST_SEED, help="Of the readings' noise; the run's own if not given."
    ),
]
UntilDay = Annotated[
    int | None, typer.Option(min=0, help="Stop after this day; resume goes on from there.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")]
DryRun = Annotated[bool, typer.Option(help="Print the cost and stop.")]
Overwrite = Annotated[bool, typer.Option(help="Replace the output if it exists.")]
VoxelUm = Annotated[
    float | None, typer.Option(help="Voxel size of the scan, um, instead of its header's.")
]
VolumeIndex = Annotated[
    int | None, typer.Option("--index", min=0, help="Which volume of a file with several, from 0.")
]
ArrayName = Annotated[
    str | None, typer.Option("--array", help="Which array of a VTI file with several.")
]
Threshold = Annotated[
    float | None, typer.Option(help="Bone is at this grey value or more; default Otsu's.")
]
ThresholdMg = Annotated[
    float | None, typer.Option(help="Threshold in mgHA/cm3, for calibrated images.")
]
DensitySlope = Annotated[
    float | None, typer.Option(help="mgHA/cm3 for each grey value, instead of the file's.")
]
DensityIntercept = Annotated[
    float | None, typer.Option(help="mgHA/cm3 at grey value 0, instead of the file's.")
]
Crop = Annotated[
    str | None,
    typer.Option(
        help='Part to read, "x0:x1,y0:y1,z0:z1" in voxels, or in mm: "1:3,1:3,0:2 mm".',
        metavar="ENDS",
    ),
]
Camera = Annotated[
    str | None,
    typer.Option(
        show_default=False,
        help='Where the viewer stands: "azimuth,elevation" in degrees (default "24,16"), or front, '
        "right, back, left, top, bottom.",
    ),
]
Slab = Annotated[
    str | None,
    typer.Option(
        show_default=False, metavar="ENDS",
        help='Part that is drawn: "x0:x1,y0:y1,z0:z1" in voxels or with mm behind it, or whole; default '
        "the slab with most breaks in a picture, all of it in a film.",
    ),
]  # fmt: skip
SmoothVoxel = Annotated[
    float | None, typer.Option(help="Gaussian on the grey values first, SD in voxels.")
]
Json = Annotated[bool, typer.Option("--json", help="JSON records on stdout.")]
Csv = Annotated[str | None, typer.Option(help="Write the table as CSV: a file, or - for stdout.")]
Parquet = Annotated[Path | None, typer.Option(help="Write the table as Parquet.")]
Posterior = Annotated[
    int | None,
    typer.Option(
        min=1, help="Over so many members of the posterior: medians and bands; -o is a folder."
    ),
]
Folder = Annotated[Path, typer.Option("--output", "-o", help="Folder of the results.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; one a core.")]
Scheduler = Annotated[str | None, typer.Option(help="A running Dask scheduler, tcp://host:port.")]
Cluster = Annotated[str | None, typer.Option(help="Job queue: slurm, pbs, ...")]
