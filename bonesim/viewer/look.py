"""A scan in one picture: three slices with the bone's outline, histogram, BV/TV against threshold."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.reports.look import Looked, RunOnScan, curve
from bonesim.specimens.density import UNIT
from bonesim.viewer import palette
from bonesim.viewer.picture import Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Outline of the bone on the slices.
OUTLINE = "#E69F00"
#: Lines of the thresholds in order: colour (Wong 2011) and dashes.
LINES = (
    (OUTLINE, "-"), ("#0072B2", "--"), ("#CC79A7", "-."), ("#009E73", ":"),
)  # fmt: skip
#: Lengths of a scale bar, mm.
BARS_MM = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
#: More pixels along an edge are not drawn.
_MOST_PIXELS = 900


def draw(looked: Looked, cost: RunOnScan) -> Drawing:
    """The figure, and the numbers of its curves as CSV."""
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(12.4, 8.2), layout="constrained", facecolor=palette.BACKGROUND, dpi=120
    )
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.12, 1.0))
    slices, below = parts
    grey = looked.grey
    x, y, z = grey.values.shape[::-1]
    slices.suptitle(
        f"{looked.name}: {x} x {y} x {z} voxels (x, y, z) of {grey.voxel_um:g} um", fontsize=12
    )
    _slices(slices.subplots(1, 3), looked)
    histogram, bvtv, words = below.subplots(1, 3, width_ratios=(1.0, 1.0, 0.78))
    _histogram(histogram, looked)
    _curve(bvtv, looked)
    _words(words, looked, cost)
    return Drawing(figure, {".csv": curve(looked).to_csv(index=False)})


def _slices(axes: Any, looked: Looked) -> None:
    """The middle slice along each axis; z upwards, as the body stands."""
    values, voxel_um = looked.grey.values, looked.grey.voxel_um
    nz, ny, nx = values.shape
    low, high = (
        float(number) for number in np.percentile(values[:: max(1, nz // 64)], (0.1, 99.9))
    )
    planes = (
        (values[nz // 2], f"z = {nz // 2}", "x", "y", "upper"),
        (values[:, ny // 2], f"y = {ny // 2}", "x", "z", "lower"),
        (values[:, :, nx // 2], f"x = {nx // 2}", "y", "z", "lower"),
    )
    for axis, (plane, title, across, down, origin) in zip(axes, planes, strict=True):
        step = max(1, -(-max(plane.shape) // _MOST_PIXELS))
        shown = plane[::step, ::step]
        axis.imshow(
            shown, cmap="gray", origin=origin, vmin=low, vmax=max(high, low + 1e-9),
            interpolation="nearest",
        )  # fmt: skip
        if shown.min() < looked.grey.threshold <= shown.max():
            axis.contour(shown, levels=[looked.grey.threshold], colors=OUTLINE, linewidths=0.8)
        axis.set_title(f"slice {title}", fontsize=10)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_xlabel(f"{across} \u2192", fontsize=9)
        axis.set_ylabel(f"\u2190 {down}" if origin == "upper" else f"{down} \u2192", fontsize=9)
        narrowest_mm = min(nx, ny) * voxel_um / 1e3
        length_mm = max((bar for bar in BARS_MM if bar <= 0.3 * narrowest_mm), default=BARS_MM[0])
        _scale_bar(axis, shown.shape, step * voxel_um / 1e3, length_mm)


def _scale_bar(axis: "Axes", shape: tuple[int, ...], pixel_mm: float, length: float) -> None:
    """A bar of a round length on a dark ground of its own."""
    from matplotlib.offsetbox import AnchoredOffsetbox, AuxTransformBox, TextArea, VPacker
    from matplotlib.patches import Rectangle

    bar = AuxTransformBox(axis.transData)
    bar.add_artist(Rectangle((0, 0), length / pixel_mm, 0.012 * shape[0], facecolor="white"))
    name = f"{length:g} mm" if length >= 0.1 else f"{1e3 * length:g} um"
    text = TextArea(name, textprops={"color": "white", "fontsize": 9})
    box = AnchoredOffsetbox(
        "lower right", child=VPacker(children=[bar, text], align="center", pad=0, sep=2),
        pad=0.35, borderpad=0.4, frameon=True,
    )  # fmt: skip
    box.patch.set(facecolor=palette.INK, alpha=0.75, edgecolor="none")
    axis.add_artist(box)


def _histogram(axis: "Axes", looked: Looked) -> None:
    axis.stairs(looked.share_percent, looked.edges, fill=True, color="#B8B8B8")
    _threshold_lines(axis, looked)
    axis.set_yscale("log")
    axis.set_ylabel("voxels in a bin (%)")
    axis.set_title("grey values", fontsize=10)
    _grey_axis(axis, looked)


def _curve(axis: "Axes", looked: Looked) -> None:
    axis.plot(looked.edges, looked.bvtv_percent, color=palette.BVTV, linewidth=1.6)
    for one, (colour, _) in zip(looked.thresholds, LINES, strict=False):
        axis.plot(
            one.grey, one.bvtv_percent, "o", color=colour, markeredgecolor=palette.INK, markersize=6
        )
    _threshold_lines(axis, looked)
    axis.set_ylabel("voxels at the threshold or above (%)")
    axis.set_ylim(0, 100)
    axis.set_title("BV/TV against threshold", fontsize=10)
    _grey_axis(axis, looked)


def _threshold_lines(axis: "Axes", looked: Looked) -> None:
    for one, (colour, dashes) in zip(looked.thresholds, LINES, strict=False):
        axis.axvline(one.grey, color=colour, linestyle=dashes, linewidth=1.6, label=one.name)


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
        above.set_xlabel(f"density ({UNIT})", fontsize=9)
        above.tick_params(labelsize=8)


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
        handles, names, loc="upper left", frameon=False, fontsize=9, title="Thresholds",
        alignment="left", borderaxespad=0.0, labelspacing=0.7,
    )  # fmt: skip
    lines = ["A run on it would take about"] if np.isfinite(cost.voxels) else ["A run on it"]
    if np.isfinite(cost.voxels):
        lines += [
            f"{cost.voxels:,.0f} voxels of {cost.voxel_um:g} um",
            f"{cost.memory_gb:.2g} GB of memory",
            f"{cost.minutes_per_year:.2g} minutes for each year (one core)",
        ]
    lines += _wrapped(cost.note)
    axis.text(
        0.0, 0.0, "\n".join(lines), transform=axis.transAxes, va="bottom", ha="left", fontsize=9,
        linespacing=1.5,
    )  # fmt: skip


def _wrapped(note: str) -> list[str]:
    import textwrap

    return textwrap.wrap(note, 46)
