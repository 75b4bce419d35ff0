"""Writing of pictures: the path is checked before drawing; all files are written or none."""

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bonesim.errors import InputError
from bonesim.storage.durable import failures_explained, write_durably
from bonesim.storage.outputs import check_outputs

if TYPE_CHECKING:
    from matplotlib.figure import Figure


#: Ending of a picture's name -> where its description goes.
KINDS = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}
#: Without these a file of vectors states when it was made: the same picture has the same bytes.
NO_CLOCK: dict[str, dict[str, str | None]] = {
    ".svg": {"Date": None}, ".pdf": {"CreationDate": None},
}  # fmt: skip


class Drawing(NamedTuple):
    """A figure and the texts that belong to it.

    Attributes:
        figure: with its own resolution and background.
        beside: end of a file's name -> its text, e.g. ".csv" or "_curves.csv".
        description: the picture in words, for those who do not see it; kept in the file.
    """

    figure: "Figure"
    beside: Mapping[str, str]
    description: str = ""


def save(
    drawing: Drawing, path: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()
) -> None:
    """Write a drawing: the picture, and beside it files of the same name with other endings.

    Raises:
        InputError, ResourceError: as `write_picture`.
    """
    beside = {path.with_name(path.stem + end): text for end, text in drawing.beside.items()}
    write_picture(
        drawing.figure, path, beside, overwrite=overwrite, inputs=inputs,
        description=drawing.description,
    )  # fmt: skip


def check_picture(path: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()) -> None:
    """Refuse an unusable path of a picture, before anything is computed for it.

    Args:
        path: of the picture; there may be a CSV of the same name beside it.
        overwrite, inputs: as for `check_output`.

    Raises:
        InputError: not a picture's name; as `check_output`.
    """
    if path.suffix.lower() not in KINDS:
        raise InputError(f"{path}: a picture's name ends in .png, .svg or .pdf")
    check_outputs((path, path.with_suffix(".csv")), overwrite, inputs)


def write_picture(
    figure: "Figure", path: Path, beside: Mapping[Path, str], *, overwrite: bool = False,
    inputs: Iterable[Path] = (), description: str = "",
) -> None:  # fmt: skip
    """Write a figure and the texts that belong to it; all of them or none.

    Args:
        figure: the figure.
        path: the picture; its ending chooses PNG, SVG or PDF.
        beside: other files and their texts, e.g. the numbers behind the curves.
        overwrite, inputs: as for `check_output`.
        description: the picture in words, kept in the file.

    Raises:
        InputError, ResourceError: as `check_output`; one cannot be written; new files among them are removed.
    """
    from matplotlib import rc_context

    check_outputs((*beside, path), overwrite, inputs)
    drawn = io.BytesIO()
    kind = path.suffix.lower()
    metadata = dict(NO_CLOCK.get(kind, {}))
    if description:
        metadata[KINDS[kind]] = description
    # The names of things in an SVG are random unless they are salted.
    with rc_context({"svg.hashsalt": "bonesim", "pdf.fonttype": 42}):
        figure.savefig(drawn, format=kind[1:], metadata=metadata)
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
