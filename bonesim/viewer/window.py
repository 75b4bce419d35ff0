"""A window with a run: the bone can be turned, a slider selects the snapshot."""

from typing import TYPE_CHECKING

from bonesim.errors import InputError
from bonesim.storage.reader import Run
from bonesim.viewer import palette
from bonesim.viewer.camera import add_block, choose_window, has_screen
from bonesim.viewer.markers import final_events, places_mm
from bonesim.viewer.moments import day_text
from bonesim.viewer.surface import bone_block

if TYPE_CHECKING:
    import pyvista as pv

#: Radius of the ball that marks an event, mm.
MARK_MM = 0.05
#: A larger lattice is coarsened, so that it turns smoothly.
MAX_VOXELS = 8_000_000


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
    days = run.snapshot_days

    def show(value: float) -> None:
        show_day(plotter, run, days[min(round(value), len(days) - 1)])

    if len(days) > 1:
        plotter.add_slider_widget(
            show, [0, len(days) - 1], value=0, title="snapshot", fmt="%.0f", color=palette.INK
        )
    show(0.0)
    plotter.reset_camera()
    plotter.enable_parallel_projection()
    if not off_screen:
        plotter.show()
    return plotter


def show_day(plotter: "pv.Plotter", run: Run, day: int) -> None:
    """Add the bone of one snapshot, and the final events up to it, to the plotter."""
    import pyvista as pv

    nz, ny, nx = run.shape
    coarsen = 1
    while nz * ny * nx / coarsen**3 > MAX_VOXELS:
        coarsen += 1
    add_block(plotter, bone_block(run.quanta(day), run.voxel_um / 1000.0, coarsen=coarsen))
    events = final_events(run.events, day)
    for kind, mark in palette.EVENTS.items():
        chosen = events[events["kind"] == kind]
        plotter.remove_actor(kind, render=False)
        if len(chosen):
            balls = pv.PolyData(places_mm(chosen)).glyph(
                geom=pv.Sphere(radius=MARK_MM), scale=False, orient=False
            )
            plotter.add_mesh(balls, name=kind, color=mark.colour)
    plotter.add_text(day_text(day), name="day", color=palette.INK, font_size=12)
