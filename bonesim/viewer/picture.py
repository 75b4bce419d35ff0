"""Writing of pictures: the path is checked before drawing; all files are written or none."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bonesim.errors import InputError
from bonesim.storage.durable import failures_explained, write_durably

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Drawing(NamedTuple):
    """A figure and the texts that belong to it.

    Attributes:
        figure: with its own resolution and background.
        beside: end of a file's name -> its text, e.g. ".csv" or "_curves.csv".
    """

    figure: "Figure"
    beside: Mapping[str, str]


def save(drawing: Drawing, path: Path) -> None:
    """Write a drawing: the PNG, and beside it files of the same name with other endings.

    Raises:
        InputError, ResourceError: one cannot be written; new files among them are removed.
    """
    beside = {path.with_name(path.stem + end): text for end, text in drawing.beside.items()}
    write_picture(drawing.figure, path, beside)


def check_picture(path: Path) -> None:
    """Refuse an unusable path of a picture, before anything is computed for it.

    Raises:
        InputError: not a PNG's name, or no such folder.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: a picture's name ends in .png")
    check_folder(path)


def check_folder(path: Path) -> None:
    """Refuse a file in a folder that does not exist.

    Raises:
        InputError: no such folder, or the file is a folder itself.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; create it first")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give a file name")


def write_picture(figure: "Figure", path: Path, beside: Mapping[Path, str]) -> None:
    """Write a figure and the texts that belong to it; all of them or none.

    Args:
        figure: the figure.
        path: the PNG.
        beside: other files and their texts, e.g. the numbers behind the curves.

    Raises:
        InputError, ResourceError: one cannot be written; new files among them are removed.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    contents = {**{p: text.encode() for p, text in beside.items()}, path: drawn.getvalue()}
    made: list[Callable[[], None]] = []
    try:
        for place, data in contents.items():
            new = not place.exists()
            with failures_explained(place):
                write_durably(place, data)
            if new:
                made.append(place.unlink)
    except BaseException:
        for undo in made:
            undo()
        raise
