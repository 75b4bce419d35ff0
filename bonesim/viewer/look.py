"""A scan in one picture: three slices with the bone's outline, histogram, BV/TV against threshold."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.reports.look import Looked, RunOnScan, curve, is_mask
from bonesim.specimens.density import UNIT
from bonesim.viewer import palette
from bonesim.viewer.picture import Drawing
from bonesim.viewer.print_size import TWO_COLUMNS_MM, at_print_size, lettered, print_figure
from bonesim.viewer.slices import bar_below, bar_length_mm, name_axes, planes_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Outline of the bone on the slices.
OUTLINE = "#E69F00"
#: Lines of the thresholds in order: colour (Wong 2011) and dashes.
LINES = (
    (OUTLINE, "-"), ("#0072B2", "--"), ("#CC79A7", "-."), ("#009E73", ":"),
)  # fmt: skip
#: Heights of the slices, of the curves below, and of the words in their place for a mask, mm.
SLICES_MM, CURVES_MM, MASK_MM = 67.0, 58.0, 20.0
#: More pixels along an edge are not drawn.
_MOST_PIXELS = 900


@at_print_size
def draw(looked: Looked, cost: RunOnScan) -> Drawing:
    """The figure, and the numbers of its curves as CSV."""
    masked = is_mask(looked.grey.values)
    below_mm = MASK_MM if masked else CURVES_MM
    figure = print_figure(TWO_COLUMNS_MM, SLICES_MM + below_mm)
    parts: Any = figure.subfigures(2, 1, height_ratios=(SLICES_MM, below_mm))
    slices, below = parts
    grey = looked.grey
    x, y, z = grey.values.shape[::-1]
    drawn = "a mask" if masked else f"outline: grey value {grey.threshold:.4g}"
    slices.suptitle(
        f"{looked.name}: {x} x {y} x {z} voxels (x, y, z) of {grey.voxel_um:g} um; {drawn}"
    )
    _slices(slices.subplots(1, 3), looked, outlined=not masked)
    if masked:
        words, cost_axis = below.subplots(1, 2)
        _mask_words(words, looked)
        _cost_words(cost_axis, cost, top=True)
        return Drawing(figure, {".csv": curve(looked).to_csv(index=False)})
    histogram, bvtv, words = below.subplots(1, 3, width_ratios=(1.0, 1.0, 0.78))
    _histogram(histogram, looked)
    _curve(bvtv, looked)
    _words(words, looked, cost)
    return Drawing(figure, {".csv": curve(looked).to_csv(index=False)})


def _slices(axes: Any, looked: Looked, *, outlined: bool) -> None:
    """The middle slice along each axis; z upwards, as the body stands."""
    values, voxel_um = looked.grey.values, looked.grey.voxel_um
    nz, ny, nx = values.shape
    low, high = (
        float(number) for number in np.percentile(values[:: max(1, nz // 64)], (0.1, 99.9))
    )
    length_mm = bar_length_mm(values.shape, voxel_um)
    middle = planes_at(values, (nz // 2, ny // 2, nx // 2))
    for letter, axis, plane in zip("abc", axes, middle, strict=True):
        step = max(1, -(-max(plane.pixels.shape) // _MOST_PIXELS))
        shown = plane.pixels[::step, ::step]
        axis.imshow(
            shown, cmap="gray", origin=plane.origin, vmin=low, vmax=max(high, low + 1e-9),
            interpolation="nearest",
        )  # fmt: skip
        if outlined and shown.min() < looked.grey.threshold <= shown.max():
            axis.contour(shown, levels=[looked.grey.threshold], colors=OUTLINE, linewidths=0.8)
        lettered(axis, letter, f"across {plane.name}, at voxel {plane.voxel}")
        name_axes(axis, plane)
        bar_below(axis, step * voxel_um / 1e3, length_mm, size=7.0)


def _histogram(axis: "Axes", looked: Looked) -> None:
    axis.stairs(looked.share_percent, looked.edges, fill=True, color="#B8B8B8")
    _threshold_lines(axis, looked)
    axis.set_yscale("log")
    axis.set_ylabel("voxels in a bin (%, log)")
    lettered(axis, "d", "grey values")
    _grey_axis(axis, looked)


def _curve(axis: "Axes", looked: Looked) -> None:
    axis.plot(looked.edges, looked.bvtv_percent, color=palette.BVTV, linewidth=1.2)
    for one, (colour, _) in zip(looked.thresholds, LINES, strict=False):
        axis.plot(
            one.grey, one.bvtv_percent, "o", color=colour, markeredgecolor=palette.INK, markersize=4
        )
    _threshold_lines(axis, looked)
    axis.set_ylabel("voxels at the threshold or above (%)")
    axis.set_ylim(0, 100)
    lettered(axis, "e", "BV/TV against threshold")
    _grey_axis(axis, looked)


def _threshold_lines(axis: "Axes", looked: Looked) -> None:
    for one, (colour, dashes) in zip(looked.thresholds, LINES, strict=False):
        axis.axvline(one.grey, color=colour, linestyle=dashes, linewidth=1.2, label=one.name)


def _grey_axis(axis: "Axes", looked: Looked) -> None:
    """Grey values below; densities above, if they are known."""
    axis.set_xlabel("grey value")
    axis.set_xlim(looked.edges[0], looked.edges[-1])
    axis.spines[["top", "right"]].set_visible(False)
    calibration = looked.grey.calibration
    if calibration is not None:
        slope, intercept, _ = calibration

        def forth(grey: Any) -> Any:
            return slope * np.asarray(grey) + intercept

        def back(density: Any) -> Any:
            return (np.asarray(density) - intercept) / slope

        above = axis.secondary_xaxis("top", functions=(forth, back))
        above.set_xlabel(f"density ({UNIT})")


def _words(axis: "Axes", looked: Looked, cost: RunOnScan) -> None:
    """Thresholds as a legend with numbers, and what a run would cost."""
    axis.set_axis_off()
    handles = [
        axis.plot([], [], color=colour, linestyle=dashes, linewidth=2)[0]
        for _, (colour, dashes) in zip(looked.thresholds, LINES, strict=False)
    ]
    calibration = looked.grey.calibration
    names = []
    for one in looked.thresholds:
        density = "" if calibration is None else f" ({calibration.density(one.grey):.4g} {UNIT})"
        names.append(f"{one.name} {one.grey:.5g}{density}\nBV/TV {one.bvtv_percent:.1f} %")
    axis.legend(
        handles, names, loc="upper left", frameon=False, title="Thresholds", handlelength=3.2,
        alignment="left", borderaxespad=0.0, labelspacing=0.7,
    )  # fmt: skip
    _cost_words(axis, cost)


def _mask_words(axis: "Axes", looked: Looked) -> None:
    """What a mask is: no threshold matters."""
    values = looked.grey.values
    low, high = float(values.min()), float(values.max())
    share = 100.0 * float(np.mean(values == np.float32(high)))
    axis.set_axis_off()
    axis.text(
        0.0, 1.0,
        f"A mask: its voxels have two values, {low:g} and {high:g}.\n"
        f"{high:g} is bone: BV/TV {share:.1f} %.\nAny threshold between them gives the same bone.",
        transform=axis.transAxes, va="top", ha="left", linespacing=1.5,
    )  # fmt: skip


def _cost_words(axis: "Axes", cost: RunOnScan, *, top: bool = False) -> None:
    """What a run would cost."""
    axis.set_axis_off()
    lines = ["A run on it would take about"] if np.isfinite(cost.voxels) else ["A run on it"]
    if np.isfinite(cost.voxels):
        lines += [
            f"{cost.voxels:,.0f} voxels of {cost.voxel_um:g} um",
            f"{cost.memory_gb:.2g} GB of memory",
            f"{cost.minutes_per_year:.2g} minutes for each year (one core)",
        ]
    lines += _wrapped(cost.note)
    axis.text(
        0.0, float(top), "\n".join(lines), transform=axis.transAxes, va="top" if top else "bottom",
        ha="left", linespacing=1.5,
    )  # fmt: skip


def _wrapped(note: str) -> list[str]:
    import textwrap

    return textwrap.wrap(note, 46)
