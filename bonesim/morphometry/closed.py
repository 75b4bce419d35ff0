"""Closed measures: bone as it would be if every cavity that is open now were filled again.

The *stock* of a voxel is what cells took there and are to put back. The closed lattice is a copy
with all of it put back, at most a full voxel. Measures of it distinguish what is open today from
what is changed for good; a simulation knows the stock exactly, a scanner does not.

Rules of thumb (measured, second edition of the mechanism): open space alone makes R about closed
R x (1 + 1.3 x the open share of BV), and Tb.Th lose about 1.6 % for each percent of BV open.
"""

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError
from bonesim.morphometry.domain import domain_of
from bonesim.morphometry.panel import Measure
from bonesim.morphometry.roughness import after_gaussian, roughness
from bonesim.morphometry.shape import surface_mesh
from bonesim.morphometry.thickness import mean_thickness
from bonesim.units import BONE, FULL, unit_of

_CLOSED = "every open cavity's stock put back in a copy"

#: Name -> (symbol, method) of every closed measure, in order; the unit is the name's suffix.
CLOSED = {
    "closed_bvtv_percent": ("BV/TV closed", f"{_CLOSED}; quanta, partial volume included"),
    "open_bv_percent": ("open Cv.V/BV", "stock of open cavities over closed bone volume"),
    "closed_tb_th_um": ("Tb.Th closed", f"as Tb.Th; {_CLOSED}"),
    "closed_roughness": ("roughness R closed", f"as R; {_CLOSED}"),
}


def closed_lattice(quanta: NDArray[np.uint8], stock: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of a lattice with the stock put back, at most full.

    Args:
        quanta: bone, 0..255 quanta a voxel.
        stock: quanta that cells took from each voxel and are to put back, same shape.

    Raises:
        InputError: shapes that differ.
    """
    if stock.shape != quanta.shape:
        raise InputError(
            f"`stock` has {stock.shape} voxels but the lattice {quanta.shape}; they must match"
        )
    return quanta + np.minimum(stock, np.uint8(FULL) - quanta)


def closed_measures(
    quanta: NDArray[np.uint8],
    stock: NDArray[np.uint8],
    voxel_um: float,
    region: NDArray[np.bool_] | None = None,
) -> dict[str, Measure]:
    """Measure the closed lattice: the names of `CLOSED`.

    Args:
        quanta: bone, 0..255 quanta a voxel, shape (nz, ny, nx).
        stock: quanta taken from each voxel and not yet put back, same shape.
        voxel_um: edge of a voxel.
        region: voxels to measure, as for `measure`.

    Without bone all but BV/TV are NaN, without marrow R and Tb.Th.

    Raises:
        InputError: shapes that differ, a lattice too small, or a region empty.
    """
    domain = domain_of(closed_lattice(quanta, stock), region)
    counted = domain.region
    now = int(quanta[domain.box][counted].sum(dtype=np.int64))
    filled = int(domain.quanta[counted].sum(dtype=np.int64))
    bone = domain.quanta >= BONE
    values = dict.fromkeys(CLOSED, float("nan"))
    values["closed_bvtv_percent"] = 100.0 * filled / (FULL * int(counted.sum()))
    if filled:
        values["open_bv_percent"] = 100.0 * (filled - now) / filled
    if bone[counted].any() and not bone[counted].all():
        values["closed_tb_th_um"] = mean_thickness(bone, counted, domain.known) * voxel_um
        smooth = after_gaussian(domain.quanta, voxel_um, counted)
        surface = surface_mesh(domain.quanta, counted)
        values["closed_roughness"] = roughness(surface, smooth, counted)
    return {name: Measure(values[name], unit_of(name), *CLOSED[name]) for name in CLOSED}
