"""How much each place of a cavity gets back: all that was taken, less a film, or more.

    film     = depth dug - wall;   wall = planned x ((1 + u) / 2)^n, u > 1 the strain stimulus there
    forgone  = (1 - ((1 + u) / 2)^n') of what is formed while u < 1

A wall thinner than its cavity is a surface that lies deeper by the same amount everywhere. Were the team
only to stop early, the places that fill last would stay open, and the surface would be rougher after
every cavity. So the film is taken off the stock: the old surface, moved inwards by the film. A film below
0 is bone beyond the old surface (`apposition.grant`). Strain is read voxel by voxel, so neighbouring
sites meet without a step.
"""

import numpy as np

from bonesim.cells.accounts import forgo_stock
from bonesim.cells.cavity import Cavities
from bonesim.cells.column import left_of, span_um
from bonesim.cells.osteoblast_parameters import OsteoblastParameters
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Count, Shape, Site, Voxel
from bonesim.signals.fields import Fields, strain_in

#: Bounds of (1 + u) / 2, what strain does to the wall; assumed (guide M4).
MIN_WALL, MAX_WALL = 0.5, 2.0
#: A film less thick is rounding: all is returned, and nothing beyond.
LEAST_FILM_UM = 1e-3


@lean_kernel
def strained_wall(
    fields: Fields, numbers: OsteoblastParameters, voxel: Voxel, shape: Shape
) -> float:
    """What strain at a voxel does to wall thickness."""
    half = 0.5 * (1.0 + strain_in(fields, voxel, shape))
    half = min(max(half, MIN_WALL), MAX_WALL)
    return half ** (numbers.strain_wall_exponent if half > 1.0 else numbers.disuse_exponent)


@lean_kernel
def plan_film(
    fields: Fields,
    cavities: Cavities,
    site: Site,
    planned_um: float,
    numbers: OsteoblastParameters,
    shape: Shape,
) -> float:
    """Write the film of each voxel of a site; `planned_um` is its wall where strain is as usual.

    Returns the mean film, um.

    Args:
        planned_um: wall where strain is as usual, um.

    Writes:
        cavities
    """
    sites, records = cavities.sites, cavities.records
    dug = np.float64(sites.open_um[site])
    least, total, count = float(dug), 0.0, 0
    record = sites.first[site]
    while record >= 0:
        strained = max(strained_wall(fields, numbers, records.voxel[record], shape), 1.0)
        film = max(dug - planned_um * strained, -numbers.overfill_um)
        if abs(film) < LEAST_FILM_UM:
            film = np.float64(0.0)
        records.film_um[record] = film
        least = min(least, film)
        total += film
        count += 1
        record = records.next[record]
    sites.film_um[site] = least
    return total / max(count, 1)


@lean_kernel
def peel(lattice: Lattice, cavities: Cavities, site: Site) -> Count:
    """Take the film off a site's stock. Returns the quanta that will not be returned.

    Writes:
        cavities
    """
    sites, records = cavities.sites, cavities.records
    span = span_um(lattice, sites.nz[site], sites.ny[site], sites.nx[site])
    taken = np.int64(0)
    record = sites.first[site]
    while record >= 0:
        stock = np.int64(records.stock[record])
        if stock > 0:
            film = np.float64(records.film_um[record])
            surface = left_of(film, np.float64(records.below_um[record]), span)
            there = surface - np.int64(lattice.quanta[records.voxel[record]])
            returned = min(stock, max(there, np.int64(0)))
            taken += forgo_stock(cavities, record, returned)
        record = records.next[record]
    return taken


@lean_kernel
def forgo(
    lattice: Lattice,
    fields: Fields,
    cavities: Cavities,
    site: Site,
    depth_um: float,
    numbers: OsteoblastParameters,
) -> None:
    """Where strain is less than usual, part of `depth_um` is not formed: the old surface moves inwards.

    Only where the floor is still below the film.

    Args:
        depth_um: what the team would form, um.

    Writes:
        cavities
    """
    sites, records = cavities.sites, cavities.records
    left = np.float64(sites.open_um[site])
    lower = False
    record = sites.first[site]
    while record >= 0:
        to_form = min(depth_um, left - np.float64(records.film_um[record]))
        if to_form > 0.0:
            strained = strained_wall(fields, numbers, records.voxel[record], lattice.shape)
            if strained < 1.0:
                records.below_um[record] -= to_form * (1.0 - strained)
                lower = True
        record = records.next[record]
    if lower:
        peel(lattice, cavities, site)
