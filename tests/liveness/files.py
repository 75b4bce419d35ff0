"""The files that worlds read: scans, two published bones, levels of hormones, modules."""

import hashlib
from pathlib import Path
from xml.sax.saxutils import quoteattr

import nrrd
import numpy as np
import tomli_w

GREY = Path(__file__).parents[1] / "golden" / "grey_60um.npy"
EDGE = 24
MODULE = '''
def bone_mean(day):
    """Mean of all quanta."""
    return float(day.quanta.mean())


def bone_sum(day):
    """Sum of all quanta."""
    return float(day.quanta.sum())
'''
DRUG = MODULE.replace("Antibody", "Shot").replace("antibody", "shot")


def written(folder: Path) -> None:
    """Write them all."""
    grey = np.load(GREY)
    np.save(folder / "one.npy", grey)
    np.save(folder / "other.npy", grey[::-1, :, ::-1])
    np.save(folder / "mask.npy", (grey > 90).astype(np.uint8))
    np.save(folder / "two.npy", np.stack([grey, grey[::-1]]))
    (folder / "arrays.vti").write_text(_vti({"grey": grey, "turned": grey[::-1]}))
    (folder / "levels.csv").write_text("day,e2_pg_per_ml\n0,25\n3,10\n")
    (folder / "others.csv").write_text("day,e2_pg_per_ml\n0,25\n3,15\n")
    (folder / "mine.py").write_text(MODULE)
    (folder / "other.py").write_text(MODULE.replace("return ", "return 0.5 * "))
    (folder / "drug.py").write_text(DRUG)
    (folder / "slower.py").write_text(DRUG.replace("0.05", "0.03"))
    (folder / "empty").mkdir()
    _library(folder)


def _vti(arrays: dict[str, np.ndarray]) -> str:
    """VTK's XML image data with arrays as text, voxels of 60 um."""
    nz, ny, nx = next(iter(arrays.values())).shape
    extent = f"0 {nx - 1} 0 {ny - 1} 0 {nz - 1}"
    data = "".join(
        f'<DataArray type="UInt8" Name={quoteattr(name)} format="ascii">'
        + " ".join(map(str, values.ravel().tolist())) + "</DataArray>"
        for name, values in arrays.items()
    )  # fmt: skip
    return (
        '<?xml version="1.0"?><VTKFile type="ImageData" version="1.0" byte_order="LittleEndian">'
        f'<ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="0.06 0.06 0.06">'
        f'<Piece Extent="{extent}"><PointData>{data}</PointData></Piece></ImageData></VTKFile>'
    )


def _library(folder: Path) -> None:
    """Two made bones, and the list of them."""
    source = {
        "title": "Made", "address": "http://127.0.0.1:9/nowhere", "licence": "CC0-1.0",
        "citation": "Nobody. Made bone", "site": "none",
    }  # fmt: skip
    bones = []
    for number, plates in ((1, (4, 12, 19)), (2, (6, 15))):
        grey = np.zeros((EDGE,) * 3, np.uint8)
        for x in plates:
            grey[x : x + 2] = 255
            grey[x - 1], grey[x + 2] = 150, 110
        grey[:, 10:13, 8:11] = 255
        file = folder / f"made_{number}.nrrd"
        nrrd.write(str(file), grey)
        content = file.read_bytes()
        bones.append({
            "name": f"made-{number}", "source": "made", "donor": "0", "file": file.name,
            "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(),
            "shape": [EDGE] * 3, "voxel_um": 50.0, "threshold": 127.5,
            "crop_voxel": [2, 22] * 3, "measures": {"bvtv_percent": 40.0},
        })  # fmt: skip
    (folder / "list.toml").write_text(tomli_w.dumps({"source": {"made": source}, "bone": bones}))
