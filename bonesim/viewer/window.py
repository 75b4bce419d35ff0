"""A window with a run: the bone can be turned, a slider selects the day, keys colour and layers."""

from typing import TYPE_CHECKING

from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.viewer import palette
from bonesim.viewer.camera import add_block, choose_window, has_screen
from bonesim.viewer.markers import marked_breaks, places_mm
from bonesim.viewer.moments import day_text
from bonesim.viewer.scene import BARS_MM, bar_text
from bonesim.viewer.surface import ColourBy, bone_block, paint

if TYPE_CHECKING:
    import pyvista as pv

#: Radius of the ball that marks an event, mm.
MARK_MM = 0.05
#: A larger lattice is coarsened, so that it turns smoothly.
MAX_VOXELS = 8_000_000
#: Colours of the bone, in the order of the key, and what they are called.
COLOURS: dict[ColourBy, str] = {
    "bone": "plain bone",
    "surface_state": "surface state",
    "mineral": "mineralisation, % of full",
}
#: Population -> colour, radius of its balls in mm, key that shows or hides it.
CELLS: dict[str, tuple[str, float, str]] = {
    "osteoclasts": (palette.CELLS["osteoclast"][1], 0.022, "o"),
    "osteoblasts": (palette.CELLS["osteoblast"][1], 0.008, "b"),
    "bmus": (palette.CELLS["bmu"][1], 0.03, "u"),
}
#: What they are called in the legend; and the most names that it can have.
LABELS = {
    "osteoclasts": "osteoclast (ball)",
    "osteoblasts": "osteoblast (ball)",
    "bmus": "BMU (ball)",
}
MAX_NAMES = 12
COLOUR_KEY, EVENTS_KEY = "c", "x"
HELP = "keys: c colour, o osteoclasts, b osteoblasts, u remodelling units, x events"


def view(run: Run, *, off_screen: bool = False) -> "pv.Plotter":
    """Show the run; returns when the window is closed, or at once with `off_screen`.

    Raises:
        InputError: no screen, or no snapshot in the file.
    """
    if not off_screen and not has_screen():
        raise InputError("there is no screen to open a window on; make a picture: bonesim render")
    if not run.snapshot_days:
        raise InputError(f"{run.path}: holds no snapshot yet; let the run go on")
    import pyvista as pv

    choose_window()
    plotter = pv.Plotter(off_screen=off_screen, title=f"bonesim {run.path.name}")
    window = Window(plotter, run)
    days = run.snapshot_days
    if len(days) > 1:
        # The slider's text is the day, not the number of the snapshot.
        texts = [day_text(day) for day in days]
        plotter.add_text_slider_widget(
            lambda text: window.show(days[texts.index(text)]), texts, value=0, color=palette.INK,
            pointa=(0.62, 0.93), pointb=(0.96, 0.93),
        )  # fmt: skip
    window.show(days[0])
    plotter.add_key_event(COLOUR_KEY, window.next_colour)
    plotter.add_key_event(EVENTS_KEY, lambda: window.turn("events"))
    for name, (_, _, key) in CELLS.items():
        plotter.add_key_event(key, lambda name=name: window.turn(name))
    plotter.add_text(HELP, name="help", position="lower_left", color=palette.INK, font_size=8)
    _add_scale_bar(plotter, run)
    plotter.reset_camera()
    plotter.enable_parallel_projection()
    if not off_screen:
        plotter.show()
    return plotter


class Window:
    """What the window shows: a day, a colour of the bone, and layers.

    Args:
        plotter: draws it.
        run: an open run file with a snapshot.
    """

    def __init__(self, plotter: "pv.Plotter", run: Run) -> None:
        self.plotter, self.run = plotter, run
        self.day = run.snapshot_days[0]
        self.colour: ColourBy = "bone"
        self.layers = {"events"}

    def show(self, day: int) -> None:
        """Show a snapshot's day."""
        self.day = day
        self._draw_bone()
        self._draw_events()
        for name in CELLS:
            self._draw_cells(name)
        self.plotter.add_text(day_text(day), name="day", color=palette.INK, font_size=12)

    def next_colour(self) -> None:
        """Colour the bone by the next of `COLOURS`."""
        names = list(COLOURS)
        self.colour = names[(names.index(self.colour) + 1) % len(names)]
        self._draw_bone()

    def turn(self, layer: str) -> None:
        """Show a layer that is hidden, hide one that is shown: "events", or a population."""
        self.layers ^= {layer}
        if layer == "events":
            self._draw_events()
        else:
            self._draw_cells(layer)
        self._draw_legend()

    def _names(self) -> list[list[str]]:
        """Names and colours of all that is shown."""
        names = _legend(self.colour)
        if "events" in self.layers:
            names += [[mark.name, mark.colour] for mark in palette.EVENTS.values()]
        shown = (cells for cells in CELLS if cells in self.layers)
        return names + [[LABELS[cells], CELLS[cells][0]] for cells in shown]

    def _draw_bone(self) -> None:
        nz, ny, nx = self.run.shape
        coarsen = 1
        while nz * ny * nx / coarsen**3 > MAX_VOXELS:
            coarsen += 1
        block = bone_block(self.run.quanta(self.day), self.run.voxel_um / 1000.0, coarsen=coarsen)
        paint(block, self.run.image(self.day), self.colour)
        # A mesh that was coloured by an array would keep its colours.
        self.plotter.remove_actor("bone", render=False)
        add_block(self.plotter, block)
        self._draw_legend()

    def _draw_legend(self) -> None:
        self.plotter.add_text(
            COLOURS[self.colour], name="colour", position="lower_right", color=palette.INK,
            font_size=10,
        )  # fmt: skip
        for place in range(MAX_NAMES):
            self.plotter.remove_actor(f"legend {place}", render=False)
        for place, (label, colour) in enumerate(self._names()):
            # Each name on its colour; VTK's own legend writes pale names on white.
            actor = self.plotter.add_text(
                f" {label} ", name=f"legend {place}", position=(0.8, 0.56 - 0.045 * place),
                viewport=True, color=_readable_on(colour), font_size=9,
            )  # fmt: skip
            actor.prop.background_color = colour
            actor.prop.background_opacity = 1.0

    def _draw_events(self) -> None:
        import pyvista as pv

        events = marked_breaks(self.run, self.day)
        for kind, mark in palette.EVENTS.items():
            chosen = events[events["kind"] == kind]
            self.plotter.remove_actor(kind, render=False)
            if len(chosen) and "events" in self.layers:
                self._add_balls(pv.PolyData(places_mm(chosen)), kind, mark.colour, MARK_MM)

    def _draw_cells(self, name: str) -> None:
        import pyvista as pv

        self.plotter.remove_actor(name, render=False)
        if name not in self.layers:
            return
        cells = self.run.cells(name, self.day)
        if len(cells):
            colour, radius, _ = CELLS[name]
            places = cells[["x_um", "y_um", "z_um"]].to_numpy(dtype=float) / 1000.0
            self._add_balls(pv.PolyData(places), name, colour, radius)

    def _add_balls(self, places: "pv.PolyData", name: str, colour: str, radius_mm: float) -> None:
        import pyvista as pv

        ball = pv.Sphere(radius=radius_mm, theta_resolution=10, phi_resolution=10)
        balls = places.glyph(geom=ball, scale=False, orient=False)
        self.plotter.add_mesh(balls, name=name, color=colour)


def _add_scale_bar(plotter: "pv.Plotter", run: Run) -> None:
    """A line of a round length along x before the front's lower edge, and its length as text."""
    import numpy as np

    width = run.shape[2] * run.voxel_um / 1000.0
    gap, length = (
        0.05 * width,
        max((bar for bar in BARS_MM if bar <= 0.5 * width), default=BARS_MM[0]),
    )
    ends = np.array([[0.0, -gap, -gap], [length, -gap, -gap]])
    plotter.add_lines(ends, color=palette.INK, width=6, name="scale bar")
    plotter.add_point_labels(
        ends[1:] + np.array([gap / 2, 0.0, 0.0]), [f"{bar_text(length)} along x"], name="scale",
        shape=None, font_size=14,
        text_color=palette.INK, show_points=False, always_visible=True, reset_camera=False,
        justification_vertical="center",
    )  # fmt: skip


def _legend(colour: ColourBy) -> list[list[str]]:
    """Names and colours of what the bone is coloured by."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    if colour == "surface_state":
        return [list(palette.STATES[code]) for code in palette.SURFACE_STATES]
    if colour == "mineral":
        colours = colormaps[palette.NUMBER_MAP]
        return [
            [f"{share} % mineral", to_hex(colours(share / 100))] for share in (100, 75, 50, 25, 0)
        ]
    return []


def _readable_on(colour: str) -> str:
    """Ink, or the background's white on a dark colour."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
    return palette.INK if light else palette.BACKGROUND
