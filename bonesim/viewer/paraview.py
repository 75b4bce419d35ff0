"""A macro for ParaView: opens the run file, draws the bone's surface, and marks holes and cuts."""

from pathlib import Path

from bonesim.storage.durable import failures_explained, write_durably
from bonesim.viewer import palette
from bonesim.viewer.exports import Format, Part, Written, breaks_csv
from bonesim.viewer.surface import CONTOUR_QUANTA

#: Ending of a macro's name.
ENDING = ".py"
#: The oldest that read all snapshots of a run file (VTKHDF 2.0 with steps).
OLDEST_PARAVIEW, OLDEST_VTK = (5, 12), "9.3"
#: Radius of the ball at a break, mm.
MARK_MM = 0.05

_MACRO = """\
# ParaView {paraview} (VTK {vtk}) or later: Macros, Import new macro, or pvpython FILE.
# Time is in days, places are in mm. A research tool, not for clinical decisions.
import os

from paraview.simple import *

HERE = os.path.dirname(os.path.abspath(globals().get("__file__", ".")))
RUN, BREAKS = {run!r}, {breaks!r}
RUN, BREAKS = (name if os.path.isabs(name) else os.path.join(HERE, name) for name in (RUN, BREAKS))

if GetParaViewVersion() < {oldest}:
    raise RuntimeError(f"ParaView {{GetParaViewVersion()}} does not read {{RUN}}: {paraview} does")
bone = OpenDataFile(RUN)
points = CellDatatoPointData(Input=bone)
points.PassCellData = 1
surface = Contour(Input=points)
surface.ContourBy = ["POINTS", "quanta"]
surface.Isosurfaces = [{contour}]
surface.ComputeNormals = 1

view = GetActiveViewOrCreate("RenderView")
shown = Show(surface, view)
shown.ColorArrayName = ["POINTS", ""]
shown.AmbientColor = shown.DiffuseColor = {bone}
view.CameraParallelProjection = 1

# Holes and cuts that are there on day {day}.
if os.path.getsize(BREAKS) > {empty}:
    table = CSVReader(FileName=[BREAKS])
    places = TableToPoints(Input=table)
    places.XColumn, places.YColumn, places.ZColumn = "x_mm", "y_mm", "z_mm"
    balls = Glyph(Input=places, GlyphType="Sphere")
    balls.GlyphType.Radius = {radius}
    balls.ScaleFactor = 1.0
    balls.ScaleArray = ["POINTS", "No scale array"]
    balls.GlyphMode = "All Points"
    marks = Show(balls, view)
    marks.ColorArrayName = ["POINTS", ""]
    marks.AmbientColor = marks.DiffuseColor = {mark}

scene = GetAnimationScene()
scene.UpdateAnimationUsingDataTimeSteps()
scene.AnimationTime = {day}
# From the front, z up.
view.CameraPosition, view.CameraFocalPoint, view.CameraViewUp = [0, -1, 0], [0, 0, 0], [0, 0, 1]
view.ResetCamera()
Render(view)
"""


def write_macro(part: Part, path: Path) -> Written:
    """Write the macro, with the run's name if it is in the same folder; the number of breaks."""
    from matplotlib.colors import to_rgb

    run, beside = Path(part.run.path).resolve(), path.resolve().parent
    text = breaks_csv(part)
    macro = _MACRO.format(
        paraview=".".join(map(str, OLDEST_PARAVIEW)), oldest=OLDEST_PARAVIEW, vtk=OLDEST_VTK,
        contour=CONTOUR_QUANTA, day=float(part.day),
        run=run.name if run.parent == beside else str(run),
        breaks=f"{path.stem}_breaks.csv", empty=len(text.splitlines()[0]) + 1,
        bone=[round(one, 3) for one in to_rgb(palette.BONE)], radius=MARK_MM,
        mark=[round(one, 3) for one in to_rgb(palette.EVENTS["plate_perforation"].colour)],
    )  # fmt: skip
    with failures_explained(path):
        write_durably(path, macro.encode())
    return Written(len(text.splitlines()) - 1, part.bvtv_percent())


FORMAT = Format("ParaView macro", "mm", write_macro, "breaks")
