"""Command line of the experiments' scripts: from a study's folder to a table, its CSV and a figure.

Nothing is simulated here. An experiment's script defines the table and the figure;
`table_and_figure` prints the table, as in the experiment's README, and writes the figure.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING

import numpy as np

from bonesim.errors import BonesimError, InputError
from bonesim.sweeps.folder import Folder
from bonesim.viewer import palette
from bonesim.viewer.picture import check_picture, write_picture
from bonesim.viewer.print_size import (
    MM_PER_INCH,
    TWO_COLUMNS_MM,
    at_print_size,
    lettered,
    print_figure,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Horizontal offset between lines of one panel, share of its width, so that bars do not overlap.
ASIDE = 0.006
#: Room for the legends below the panels, mm.
LEGENDS_MM = 15.0


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
    parser.add_argument(
        "folder", type=Path,
        help="folder made by `bonesim sweep run`; or the CSV of an earlier call, to draw it again",
    )  # fmt: skip
    parser.add_argument(
        "-o", dest="output", type=Path, default=Path(picture), help="picture (.png)"
    )
    given = parser.parse_args(arguments)
    try:
        check_picture(given.output, overwrite=True)
        if given.folder.suffix == ".csv":
            table, beside = unflat(_csv(given.folder)), {}
        else:
            table = table_of(_results(given.folder))
            beside = {given.output.with_suffix(".csv"): flat(table).to_csv()}
            print(words_of(table))
        write_picture(at_print_size(draw)(table), given.output, beside, overwrite=True)
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


def _csv(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None


def unflat(flattened: "pd.DataFrame") -> "pd.DataFrame":
    """The table that `flat` has written: the columns before the first with an interval are its index."""
    import pandas as pd

    columns = list(map(str, flattened))
    first = next((k for k, name in enumerate(columns) if f"{name}_ci" in columns), 0)
    if not first:
        raise InputError("the CSV is no table of an experiment: no column has an interval (_ci)")
    keyed = flattened.set_index(columns[:first])
    parts = {
        f"{name}_{of}": (name, of)
        for name in columns
        for of in ("ci", "n")
        if f"{name}_ci" in columns
    }
    keyed.columns = pd.MultiIndex.from_tuples(
        [parts.get(name, (name, "mean")) for name in columns[first:]]
    )
    return keyed


def panels(count: int, width: float = 5.2, height: float = 3.9) -> "tuple[Figure, list[Axes]]":
    """A figure of `count` panels side by side, each `width` x `height` inches; smaller to fit print."""
    across = min(count * width * MM_PER_INCH, TWO_COLUMNS_MM)
    figure = print_figure(across, height * across / (count * width) + LEGENDS_MM)
    axes = list(figure.subplots(1, count, squeeze=False)[0])
    for axis, letter in zip(axes, ascii_lowercase if count > 1 else "", strict=False):
        lettered(axis, letter)
    return figure, axes


def legend_below(axis: "Axes", title: str = "", columns: int = 1) -> None:
    """A legend below the axes: lines and bars may be anywhere within them."""
    axis.legend(
        frameon=False, loc="upper left", bbox_to_anchor=(0.0, -0.22), ncols=columns, title=title,
        alignment="left",
    )  # fmt: skip


def draw_lines(
    axis: "Axes", table: "pd.DataFrame", name: str, line: str, x: str, among: Sequence[str] = ()
) -> None:
    """Means with bars of their 95 % CI: index level `x` across, a line for each value of `line`.

    Args:
        axis: axes to draw into.
        table: of `paired.summary`; columns (name, "mean") and (name, "ci").
        name: first level of the columns drawn.
        line, x: levels of the index.
        among: lines of all panels, so that one has the same colour in each; those of `table` if empty.
    """
    places = table.index.get_level_values(x).to_numpy(float)
    width = ASIDE * (np.ptp(places) or 1.0)
    groups = table[name].groupby(level=line, sort=False)
    for k, (label, rows) in enumerate(groups):
        place = rows.index.get_level_values(x).to_numpy(float) + (k - groups.ngroups / 2) * width
        axis.errorbar(
            place, rows["mean"], yerr=rows["ci"].fillna(0.0), marker="o", ms=4, capsize=2,
            color=palette.DRUGS[(among.index(str(label)) if among else k) % len(palette.DRUGS)],
            label=str(label),
        )  # fmt: skip
    axis.axhline(0.0, color=palette.INK, lw=0.8, ls=":")
    axis.spines[["top", "right"]].set_visible(False)
    n = table[name].get("n")
    number = "" if n is None else f"{n.min():.0f}" + f" to {n.max():.0f}" * bool(n.min() < n.max())
    legend_below(axis, f"mean, 95 % CI, n = {number}" if number else "")
