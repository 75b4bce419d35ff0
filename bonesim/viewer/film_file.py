"""Frames into a file: MP4 (H.264, by the optional PyAV) or GIF (by Pillow)."""

import io
import tempfile
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.storage.durable import failures_explained, write_durably
from bonesim.viewer import palette
from bonesim.viewer.film import Film, Frame

#: Endings of a film's name.
ENDINGS = (".mp4", ".gif")
#: A GIF counts in hundredths of a second, and viewers slow down what is quicker than two.
HUNDREDTHS, QUICKEST = 100, 2
#: Quality of H.264: 0 is lossless, 51 the worst.
CRF = "18"
#: Colours that a GIF has in any case.
KEPT = (
    *(mark.colour for mark in palette.EVENTS.values()),
    *(palette.STATES[code][1] for code in palette.SURFACE_STATES), palette.E2, palette.INK,
    palette.BACKGROUND,
)  # fmt: skip


def check_film(path: Path) -> None:
    """Refuse a name that is no film's, and MP4 where PyAV is not installed.

    Raises:
        InputError: see there.
    """
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: a film's name ends in .mp4 or .gif")
    if path.suffix.lower() == ".mp4" and find_spec("av") is None:
        raise InputError(
            f"{path}: MP4 needs PyAV, which is not installed: pip install 'bonesim[film]'; or make a .gif"
        )


def write_film(film: Film, path: Path) -> int:
    """Write a film, all of it or nothing; the number of frames in the file.

    A GIF shows a picture that stands still as one frame of that length.

    Raises:
        InputError, ResourceError: it cannot be written.
    """
    encode = _gif if path.suffix.lower() == ".gif" else _mp4
    data, count = encode(film)
    with failures_explained(path):
        write_durably(path, data)
    return count


def _mp4(film: Film) -> tuple[bytes, int]:
    import av

    count = 0
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.mp4"
        with av.open(str(made), mode="w", options={"movflags": "+faststart"}) as file:
            stream = file.add_stream("libx264", rate=film.fps)
            # One thread: the same film has the same bytes.
            stream.codec_context.thread_count = 1
            stream.options = {"crf": CRF, "preset": "medium"}
            stream.pix_fmt = "yuv420p"
            stream.width = stream.height = film.size_px
            for pixels in _each(film.frames):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
                count += 1
            file.mux(stream.encode(None))
        return made.read_bytes(), count


def indexed(pixels: NDArray[np.uint8]) -> Any:
    """A picture of 256 colours, those of marks and states among them, though few pixels have them."""
    from matplotlib.colors import to_rgb
    from PIL import Image

    rows, columns, _ = pixels.shape
    shades = np.rint(255 * np.array([to_rgb(one) for one in KEPT])).astype(np.uint8)
    strip = np.repeat(
        np.repeat(shades, -(-columns // len(KEPT)), axis=0)[None, :columns], rows // 8, 0
    )
    chosen = Image.fromarray(np.concatenate((pixels, strip))).quantize(
        256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    return Image.fromarray(pixels).quantize(palette=chosen, dither=Image.Dither.NONE)


def _gif(film: Film) -> tuple[bytes, int]:
    each = max(QUICKEST, round(HUNDREDTHS / film.fps))
    pictures, lengths = [], []
    for frame in film.frames:
        pictures.append(indexed(frame.pixels))
        lengths.append(10 * each * frame.times)
    made = io.BytesIO()
    pictures[0].save(
        made, format="GIF", save_all=True, append_images=pictures[1:], duration=lengths, loop=0,
        disposal=1, optimize=False,
    )  # fmt: skip
    return made.getvalue(), len(pictures)


def _each(frames: Iterable[Frame]) -> Iterator[NDArray[np.uint8]]:
    return chain.from_iterable([frame.pixels] * frame.times for frame in frames)
