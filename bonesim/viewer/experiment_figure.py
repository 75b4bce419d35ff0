"""What the scripts of experiments share: a study's folder in, a table, its CSV and a figure out.

Nothing is simulated here: an experiment's script says which numbers answer its question, and
`answer` prints them as its README has them and draws them.
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

#: Lines of one panel are drawn side by side, so far apart (of its width), or bars would cover bars.
ASIDE = 0.006


def answer(
    about: str, picture: str,
    table_of: "Callable[[pd.DataFrame], pd.DataFrame]",
    words_of: "Callable[[pd.DataFrame], str]",
    draw: "Callable[[pd.DataFrame], Figure]",
    arguments: Sequence[str] | None = None,
) -> None:  # fmt: skip
    """The command line `answer.py FOLDER -o PICTURE`: print the answer, draw it, keep its numbers.

    Args:
        about: what `--help` says, the script's own docstring.
        picture: the PNG's usual name; the table becomes a CSV of the same name.
        table_of: the table that answers, from a study's results.
        words_of: what is printed of it, e.g. Markdown.
        draw: its figure.
        arguments: instead of the command line's.

    Raises:
        SystemExit: what is wrong with folder or picture, in one line, with its exit code.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="what `bonesim sweep run -o` made")
    parser.add_argument("-o", "--output", type=Path, default=Path(picture), help="picture (.png)")
    given = parser.parse_args(arguments)
    try:
        check_picture(given.output)
        table = table_of(_results(given.folder))
        print(words_of(table))
        write_picture(
            draw(table), given.output, {given.output.with_suffix(".csv"): flat(table).to_csv()}
        )
    except BonesimError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def _results(path: Path) -> "pd.DataFrame":
    """A study's table; says if it is not yet whole."""
    folder = Folder(path)
    wanted, (done, _) = folder.points()["point"].nunique(), folder.status()
    if len(done) < wanted:
        print(f"{len(done)} of {wanted} runs are done; this is of those", file=sys.stderr)
    return folder.results()


def flat(table: "pd.DataFrame") -> "pd.DataFrame":
    """Columns (name, "mean"), (name, "ci") ... as name, name_ci ...: one header line in a CSV."""
    names = [column if isinstance(column, tuple) else (column, "mean") for column in table]
    return table.set_axis(
        [str(name) if of == "mean" else f"{name}_{of}" for name, of in names], axis="columns"
    )


def panels(count: int, width: float = 5.2, height: float = 3.9) -> "tuple[Figure, list[Axes]]":
    """A figure of so many panels side by side, each `width` x `height` inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(count * width, height), dpi=120, layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def draw_lines(axis: "Axes", table: "pd.DataFrame", name: str, line: str, x: str) -> None:
    """Means with bars of their 95 % CI against one level of the index, a line for each of another.

    Args:
        axis: where.
        table: of `comparison.summary`; columns (name, "mean") and (name, "ci").
        name: what is drawn.
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
