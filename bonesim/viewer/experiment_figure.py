"""Command line of the experiments' scripts: from a study's folder to a table, its CSV and a figure.

Nothing is simulated here. An experiment's script defines the table and the figure;
`table_and_figure` prints the table, as in the experiment's README, and writes the figure.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bonesim.errors import BonesimError
from bonesim.sweeps.folder import Folder
from bonesim.viewer import palette
from bonesim.viewer.picture import check_picture, write_picture

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Horizontal offset between lines of one panel, share of its width, so that bars do not overlap.
ASIDE = 0.006


def table_and_figure(
    about: str, picture: str,
    table_of: "Callable[[pd.DataFrame], pd.DataFrame]",
    words_of: "Callable[[pd.DataFrame], str]",
    draw: "Callable[[pd.DataFrame], Figure]",
    arguments: Sequence[str] | None = None,
) -> None:  # fmt: skip
    """The command line `answer.py FOLDER -o PICTURE`: print the table, draw it, write its numbers.

    Args:
        about: the text of the help, usually the script's docstring.
        picture: default name of the PNG; the table is written to a CSV of the same name.
        table_of: makes the table from a study's results.
        words_of: makes the printed text from the table, e.g. Markdown.
        draw: makes the figure from the table.
        arguments: used instead of the command line's.

    Raises:
        SystemExit: folder or picture are not usable; one line on stderr, with its exit code.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder made by `bonesim sweep run`")
    parser.add_argument(
        "-o", dest="output", type=Path, default=Path(picture), help="picture (.png)"
    )
    given = parser.parse_args(arguments)
    try:
        check_picture(given.output, overwrite=True)
        table = table_of(_results(given.folder))
        print(words_of(table))
        beside = {given.output.with_suffix(".csv"): flat(table).to_csv()}
        write_picture(draw(table), given.output, beside, overwrite=True)
    except BonesimError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def _results(path: Path) -> "pd.DataFrame":
    """A study's table; a note on stderr if it is not complete."""
    folder = Folder(path)
    wanted, (done, _) = folder.points()["point"].nunique(), folder.status()
    if len(done) < wanted:
        print(f"{len(done)} of {wanted} runs are done; the table is of these", file=sys.stderr)
    return folder.results()


def flat(table: "pd.DataFrame") -> "pd.DataFrame":
    """Columns (name, "mean"), (name, "ci") ... as name, name_ci ...: one header line in a CSV."""
    names = [column if isinstance(column, tuple) else (column, "mean") for column in table]
    return table.set_axis(
        [str(name) if of == "mean" else f"{name}_{of}" for name, of in names], axis="columns"
    )


def panels(count: int, width: float = 5.2, height: float = 3.9) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels side by side, each `width` x `height` inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(count * width, height), dpi=120, layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def draw_lines(axis: "Axes", table: "pd.DataFrame", name: str, line: str, x: str) -> None:
    """Means with bars of their 95 % CI: index level `x` across, a line for each value of `line`.

    Args:
        axis: axes to draw into.
        table: of `paired.summary`; columns (name, "mean") and (name, "ci").
        name: first level of the columns drawn.
        line, x: levels of the index.
    """
    places = table.index.get_level_values(x).to_numpy(float)
    width = ASIDE * (np.ptp(places) or 1.0)
    groups = table[name].groupby(level=line, sort=False)
    for k, (label, rows) in enumerate(groups):
        place = rows.index.get_level_values(x).to_numpy(float) + (k - groups.ngroups / 2) * width
        axis.errorbar(
            place, rows["mean"], yerr=rows["ci"].fillna(0.0), marker="o", ms=4, capsize=2,
            color=palette.DRUGS[k % len(palette.DRUGS)], label=str(label),
        )  # fmt: skip
    axis.axhline(0.0, color=palette.INK, lw=0.8, ls=":")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8)
