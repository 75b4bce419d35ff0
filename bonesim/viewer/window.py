"""A window with a run: the bone can be turned, a slider selects the day, keys colour and layers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.viewer import palette
from bonesim.viewer.camera import (
    COLOUR_LOOK,
    LOOK,
    OCCLUSION_MM,
    View,
    add_block,
    aim,
    choose_window,
    has_screen,
    light,
)
from bonesim.viewer.colouring import known_colour
from bonesim.viewer.markers import marked_breaks, places_mm
from bonesim.viewer.moments import day_text
from bonesim.viewer.region import snapshot_day
from bonesim.viewer.scene import bar_length, bar_text, view_of_part
from bonesim.viewer.surface import ColourBy, bone_block, paint, whole

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
#: Size of a picture, pixels; where the names begin, as a share of its width; room above and below the
#: block, as shares of its height.
PICTURE_PX = (1500, 1100)
NAMES_FROM, ROOM_ABOVE, ROOM_BELOW = 0.76, 0.1, 0.14
COLOUR_KEY, EVENTS_KEY = "c", "x"
HELP = "keys: c colour, o osteoclasts, b osteoblasts, u remodelling units, x events"


def view(
    run: Run, *, off_screen: bool = False, day: int | None = None, colour: str = "bone"
) -> "pv.Plotter":
    """Show the run; returns when the window is closed, or at once with `off_screen`.

    Args:
        run: an open run file.
        off_screen: no window and none of its controls: a picture.
        day: of a snapshot; the first if None.
        colour: one of `COLOURS`.

    Raises:
        InputError: no screen, no snapshot in the file or none on that day, an unknown colour.
    """
    if not off_screen and not has_screen():
        raise InputError("there is no screen to open a window on; make a picture: bonesim render")
    asked = snapshot_day(run, day)
    first = run.snapshot_days[0] if day is None else asked
    chosen = known_colour(colour, tuple(COLOURS))
    import pyvista as pv

    choose_window()
    plotter = pv.Plotter(
        off_screen=off_screen, title=f"bonesim {run.path.name}",
        window_size=list(PICTURE_PX) if off_screen else None,
        lighting="none" if off_screen else "light kit",
    )  # fmt: skip
    window = Window(plotter, run, chosen)
    if off_screen:
        window.show(first)
        plotter.enable_ssao(radius=OCCLUSION_MM, bias=0.01, kernel_size=128, blur=True)
        light(plotter, window.view)
        window.add_scale_bar()
        return plotter
    add_controls(window, first)
    window.add_scale_bar()
    plotter.show()
    return plotter


def add_controls(window: "Window", first: int) -> None:
    """The slider over the days, and the keys; shows the day `first`."""
    plotter, days = window.plotter, window.run.snapshot_days
    if len(days) > 1:
        # The slider's text is the day, not the number of the snapshot.
        texts = [day_text(day) for day in days]
        window.has_slider = True
        plotter.add_text_slider_widget(
            lambda text: window.show(days[texts.index(text)]), texts, value=days.index(first),
            color=palette.INK, pointa=(0.62, 0.93), pointb=(0.96, 0.93),
        )  # fmt: skip
    window.show(first)
    plotter.add_key_event(COLOUR_KEY, window.next_colour)
    plotter.add_key_event(EVENTS_KEY, lambda: window.turn("events"))
    for name, (_, _, key) in CELLS.items():
        plotter.add_key_event(key, lambda name=name: window.turn(name))
    plotter.add_text(HELP, name="help", position="lower_left", color=palette.INK, font_size=8)


class Window:
    """What the window shows: a day, a colour of the bone, and layers.

    Args:
        plotter: draws it.
        run: an open run file with a snapshot.
        colour: of the bone, one of `COLOURS`.

    Attributes:
        view: the camera that covers the block, the scale bar below it and the names beside it.
        has_slider: the slider shows the day, so that no other text does.
    """

    def __init__(self, plotter: "pv.Plotter", run: Run, colour: ColourBy = "bone") -> None:
        self.plotter, self.run = plotter, run
        self.day = run.snapshot_days[0]
        self.colour: ColourBy = colour
        self.layers = {"events"}
        self.has_slider = False
        self.block_view = view_of_part(run, whole(run.shape))
        self.view = _with_room(self.block_view, plotter.window_size)

    def show(self, day: int) -> None:
        """Show a snapshot's day."""
        self.day = day
        self._draw_bone()
        self._draw_events()
        for name in CELLS:
            self._draw_cells(name)
        if not self.has_slider:
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
        names = [*_legend(self.colour), ["cut face", palette.CUT_FACE]]
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
        look = LOOK if self.colour == "bone" else COLOUR_LOOK
        add_block(self.plotter, block, look)
        self._draw_legend()

    def _draw_legend(self) -> None:
        self.plotter.add_text(
            COLOURS[self.colour], name="colour", position=(NAMES_FROM, 0.82), viewport=True,
            color=palette.INK, font_size=10,
        )  # fmt: skip
        for place in range(MAX_NAMES):
            self.plotter.remove_actor(f"legend {place}", render=False)
        for place, (label, colour) in enumerate(self._names()):
            # Each name on its colour; VTK's own legend writes pale names on white.
            actor = self.plotter.add_text(
                f" {label} ", name=f"legend {place}", position=(NAMES_FROM, 0.76 - 0.045 * place),
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

    def add_scale_bar(self) -> None:
        """Aim the camera, and draw a bar of a round length below the block, with the length beside it."""
        import numpy as np

        block = self.block_view
        length = bar_length(block)
        # As near as the block's front: nothing is before the bar.
        corner = (
            block.centre_mm
            - 0.5 * block.width_mm * block.right
            - (0.5 + 0.5 * ROOM_BELOW) * block.height_mm * block.up
            - 0.5 * block.depth_mm * block.forward
        )
        ends = np.array([corner, corner + length * block.right])
        self.plotter.add_lines(ends, color=palette.INK, width=6, name="scale bar")
        self.plotter.add_point_labels(
            ends[1:] + 0.02 * block.width_mm * block.right, [bar_text(length)], name="scale",
            shape=None, font_size=18, text_color=palette.INK, show_points=False,
            always_visible=True, reset_camera=False, justification_vertical="center",
        )  # fmt: skip
        aim(self.plotter, self.view)


def _with_room(block: View, size_px: Sequence[int]) -> View:
    """The camera of a window of some size: the block, room below it and room on the right."""
    aspect = size_px[0] / size_px[1]
    height = max(
        (1.0 + ROOM_BELOW + ROOM_ABOVE) * block.height_mm, block.width_mm / (NAMES_FROM * aspect)
    )
    width = height * aspect
    middle = (
        block.centre_mm
        + 0.5 * (1.0 - NAMES_FROM) * width * block.right
        - 0.5 * (ROOM_BELOW - ROOM_ABOVE) * block.height_mm * block.up
    )
    return block._replace(centre_mm=middle, width_mm=width, height_mm=height)


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
