"""Exports: what is written is the bone of the run, in the stated unit, and can be measured again."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pyvista as pv
from matplotlib.image import imread
from numpy.typing import NDArray

import bonesim
from bonesim.errors import InputError
from bonesim.storage.reader import Run, open_run
from bonesim.units import BONE

#: With a threshold of one's own the partial voxels of grey values are estimated again, relative.
GREY_WITHIN = 0.01
#: The volume that a surface encloses, relative to the voxels'.
VOLUME_WITHIN = 0.025


def again(path: Path, **options: float) -> dict[str, float]:
    table = bonesim.measure(path, quick=True, **options)  # type: ignore[arg-type]
    return dict(zip(table["measure"], table["value"], strict=True))


def ends_um(bone: NDArray[np.bool_], edge: float) -> tuple[list[float], list[float]]:
    """The corners (x, y, z) of the box around the bone."""
    places = np.argwhere(bone)[:, ::-1]
    return (places.min(axis=0) * edge).tolist(), ((places.max(axis=0) + 1) * edge).tolist()


@pytest.fixture(scope="module")
def of_run(small_run: Path) -> dict[str, float]:
    with open_run(small_run) as run:
        found = bonesim.measure(run.quanta(60), run.voxel_um, quick=True, quanta=True)
    return {name: one.value for name, one in found.items()}


@pytest.mark.parametrize("ending", ["vti", "nrrd", "tif"])
def test_an_image_is_measured_again(
    small_run: Path, tmp_path: Path, ending: str, of_run: dict[str, float]
) -> None:
    """No voxel size, array or threshold needs to be given, and nothing is lost on the way."""
    place = tmp_path / f"bone.{ending}"
    row = bonesim.export(small_run, place, 60).iloc[0]
    assert (row["day"], row["unit"], row["holds"]) == (60, "mm", "voxels")
    found = again(place)
    for name in ("bvtv_percent", "tb_th_um", "tb_sp_um", "conn_d_per_mm3"):
        assert found[name] == of_run[name], name
    found = again(place, threshold=127.5)
    for name in ("bvtv_percent", "tb_th_um"):
        assert found[name] == pytest.approx(of_run[name], rel=GREY_WITHIN)


@pytest.mark.parametrize(
    ("ending", "um"), [("stl", 1e3), ("ply", 1e3), ("obj", 1e3), ("gltf", 1e6)]
)
def test_a_surface_encloses_the_bone(
    small_run: Path, tmp_path: Path, ending: str, um: float
) -> None:
    place = tmp_path / f"bone.{ending}"
    row = bonesim.export(small_run, place, 60).iloc[0]
    read = pv.read(place)
    surface = read.clean() if isinstance(read, pv.PolyData) else (
        read.combine().extract_surface(algorithm="geometry").clean()
    )  # fmt: skip
    assert surface.n_open_edges == 0
    with open_run(small_run) as run:
        quanta, edge = run.quanta(60), run.voxel_um
    bone_um3 = quanta.sum() / 255 * edge**3
    assert surface.volume * um**3 == pytest.approx(bone_um3, rel=VOLUME_WITHIN)
    assert row["bvtv_percent"] == pytest.approx(
        100 * surface.volume * um**3 / (quanta.size * edge**3), rel=1e-3
    )
    low, high = ends_um(quanta >= BONE, edge)
    wanted = np.array([low, high]).T
    if ending == "gltf":
        wanted = np.array([wanted[0], wanted[2], -wanted[1, ::-1]])
    bounds = np.array(tuple(surface.bounds)).reshape(3, 2) * um
    np.testing.assert_allclose(bounds, wanted, atol=edge)
    at_cut_face = wanted == 0.0
    assert at_cut_face.any()
    np.testing.assert_allclose(bounds[at_cut_face], 0.0, atol=1e-3)


def test_a_part_stays_in_its_place(small_run: Path, tmp_path: Path) -> None:
    """In the frame of the run: voxels 10 to 40 along x begin at 0.2 mm."""
    crop = "10:40,5:35,:"
    bonesim.export(small_run, tmp_path / "p.vti", 60, crop=crop)
    read = pv.read(tmp_path / "p.vti")
    with open_run(small_run) as run:
        wanted = run.quanta(60)[:, 5:35, 10:40]
    np.testing.assert_array_equal(np.asarray(read.cell_data["quanta"]), wanted.ravel())
    np.testing.assert_allclose(read.origin, [0.2, 0.1, 0.0])
    bonesim.export(small_run, tmp_path / "m.nrrd", 60, crop="0.2:0.8,0.1:0.7,0: mm")
    from bonesim.images.reading import read_image

    image = read_image(tmp_path / "m.nrrd")
    np.testing.assert_array_equal(image.values, wanted)
    bonesim.export(small_run, tmp_path / "p.stl", 60, crop=crop)
    low, high = ends_um(wanted >= BONE, 20.0)
    bounds = np.array(tuple(pv.read(tmp_path / "p.stl").bounds)).reshape(3, 2) * 1e3
    np.testing.assert_allclose(bounds[:, 0], np.add(low, [200, 100, 0]), atol=20)
    np.testing.assert_allclose(bounds[:, 1], np.add(high, [200, 100, 0]), atol=20)
    assert image.geometry.origin_um == pytest.approx((210.0, 110.0, 10.0))


def test_another_image(small_run: Path, tmp_path: Path) -> None:
    import nrrd

    bonesim.export(small_run, tmp_path / "m.nrrd", 0, array="mineral")
    with open_run(small_run) as run:
        np.testing.assert_array_equal(
            nrrd.read(str(tmp_path / "m.nrrd"), index_order="C")[0], run.field("mineral", 0)
        )


@pytest.mark.parametrize("name", ["m.nrrd", "m.py"])
def test_breaks_are_in_the_unit_of_the_lattice(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    there = pd.DataFrame(
        {"id": [4, 9], "kind": ["hole", "cut"], "day": [3, 50], "x_um": [100.0, 210.0],
         "y_um": [5.0, 6.0], "z_um": [7.0, 1000.0]}
    )  # fmt: skip
    monkeypatch.setattr(Run, "breaks_there", lambda run, day: there[there["day"] <= day])
    row = bonesim.export(small_run, tmp_path / name, 60, events=True).iloc[0]
    breaks = pd.read_csv(tmp_path / "m_breaks.csv")
    assert breaks["id"].tolist() == [4, 9]
    assert breaks["kind"].tolist() == ["hole", "cut"]
    np.testing.assert_allclose(
        breaks[["x_mm", "y_mm", "z_mm"]] * 1e3, there[["x_um", "y_um", "z_um"]]
    )
    assert name == "m.nrrd" or row["number"] == 2


@pytest.mark.parametrize(("version", "words"), [((5, 12), ""), ((5, 11), "does not read")])
def test_the_macro_is_python_and_finds_its_files(
    small_run: Path, tmp_path: Path, version: tuple[int, int], words: str
) -> None:
    """ParaView is not here: a stand-in records what the macro asks it for."""
    bonesim.export(small_run, tmp_path / "show.py", 60)
    (tmp_path / "paraview").mkdir()
    (tmp_path / "paraview" / "__init__.py").write_text("")
    (tmp_path / "paraview" / "simple.py").write_text(
        "from unittest.mock import MagicMock\nasked = []\n"
        f"def GetParaViewVersion():\n    return {version}\n"
        "def OpenDataFile(name):\n    asked.append(name)\n    return MagicMock()\n"
        "def __getattr__(name):\n    raise AttributeError(name)\n"
        + "".join(
            f"{name} = MagicMock()\n"
            for name in ("CellDatatoPointData", "Contour", "GetActiveViewOrCreate", "Show",
                         "CSVReader", "TableToPoints", "Glyph", "GetAnimationScene", "Render")
        )
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "import runpy, paraview.simple as s; runpy.run_path('show.py'); "
         "print(s.asked[0])"], cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if words:
        assert done.returncode == 1 and words in done.stderr.splitlines()[-1]
        return
    assert done.stdout.strip() == str(small_run.resolve()), done.stderr


@pytest.mark.slow  # needs a screen of its own, which a second one at the same time takes away
@pytest.mark.skipif(shutil.which("pvpython") is None, reason="no ParaView on the path")
def test_the_macro_draws_in_paraview(small_run: Path, tmp_path: Path) -> None:
    """The bone's surface and the balls, of a VTI: Debian's ParaView reads no run file."""
    screen = shutil.which("xvfb-run")
    if screen is None:
        pytest.skip("no screen for ParaView: apt-get install xvfb xauth")
    bonesim.export(small_run, tmp_path / "show.py", 60)
    bonesim.export(small_run, tmp_path / "bone.vti", 60)
    (tmp_path / "show_breaks.csv").write_text("x_mm,y_mm,z_mm\n0.6,0.5,0.5\n")
    macro = (tmp_path / "show.py").read_text()
    macro = macro.replace(repr(str(small_run.resolve())), "'bone.vti'")
    macro = re.sub(r"if GetParaViewVersion.*\n.*\n", "", macro)
    empty = re.search(r"getsize\(BREAKS\) > (\d+)", macro)
    assert empty is not None and int(empty[1]) > 0 and "'bone.vti'" in macro
    macro = macro.replace(empty[0], "getsize(BREAKS) > 15")
    (tmp_path / "shot.py").write_text(
        macro + "view.ViewSize = [400, 300]\nSaveScreenshot('shot.png', view)\n"
    )
    done = subprocess.run(
        [screen, "-a", "pvpython", "shot.py"], cwd=tmp_path, capture_output=True, text=True,
        timeout=240, check=False, env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    red, green, blue = np.moveaxis(np.asarray(imread(tmp_path / "shot.png"))[..., :3], -1, 0)
    assert ((red > green) & (green > blue) & (red - blue > 0.06)).mean() > 0.05, "bone"
    assert ((red > 0.4) & (green < 0.25)).mean() > 0.0005, "a ball"


def test_the_same_export_has_the_same_bytes(small_run: Path, tmp_path: Path) -> None:
    """Also a second later: no clock is in any."""
    endings = ("stl", "ply", "obj", "gltf", "vti", "nrrd", "tif", "py")
    for place in (tmp_path / "a", tmp_path / "b"):
        place.mkdir()
        for ending in endings:
            bonesim.export(small_run, place / f"bone.{ending}", 0, crop="0:20,0:20,0:20")
        time.sleep(1.1)
    for ending in endings:
        one, other = ((tmp_path / name / f"bone.{ending}").read_bytes() for name in "ab")
        assert one == other, ending


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("b.xyz", {}, "the name of an export ends in one of .stl, .ply"),
        ("b.stl", {"day": 61}, "no snapshot of day 61; there are 0, 60, 120"),
        ("b.stl", {"array": "mineral"}, "is for NRRD and TIFF"),
        ("b.nrrd", {"array": "grey"}, "no image 'grey' in .*; there are quanta"),
        ("b.nrrd", {"crop": "0:9"}, 'got "0:9"; give x0:x1'),
        ("b.nrrd", {"crop": "0:900,:,:"}, "reaches outside the image"),
        ("b.nrrd", {"crop": "9:5,:,:"}, "each from must be 0 or more and below its to"),
        ("no/b.stl", {}, "there is no folder"),
    ],
)
def test_what_cannot_be_exported(
    small_run: Path, tmp_path: Path, name: str, options: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        bonesim.export(small_run, tmp_path / name, **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_replaced_unasked(small_run: Path, tmp_path: Path) -> None:
    place = tmp_path / "b.nrrd"
    bonesim.export(small_run, place)
    with pytest.raises(InputError, match="exists"):
        bonesim.export(small_run, place)
    bonesim.export(small_run, place, overwrite=True)


def test_a_surface_is_refused_where_voxels_are_needed(small_run: Path, tmp_path: Path) -> None:
    bonesim.export(small_run, tmp_path / "b.stl", 0, crop="0:20,0:20,0:20")
    with pytest.raises(InputError, match="is a surface of triangles"):
        bonesim.measure(tmp_path / "b.stl")
