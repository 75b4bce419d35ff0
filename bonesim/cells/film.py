"""What a team does not return: an even film off the surface there was.

A wall thinner than its cavity is a surface that lies deeper by the same amount everywhere. Were the
team only to stop early, the places that fill last would stay open, and the surface would be rougher
after every cavity. So the difference is taken off the site's stock: the old surface, moved by the
thickness of the film along the site's normal.
"""

import numpy as np

from bonesim.cells.column import left_of, span_um
from bonesim.kernel import lean_kernel


@lean_kernel
def peel(lattice, cavities, site, film_um):  # type: ignore[no-untyped-def]
    """Take a further film of `film_um` off a site's stock. Returns the quanta not to be returned."""
    sites, records = cavities.sites, cavities.records
    span = span_um(lattice, sites.nz[site], sites.ny[site], sites.nx[site])
    film = np.float64(sites.film_um[site]) + film_um
    sites.film_um[site] = film
    taken = np.int64(0)
    record = sites.first[site]
    while record >= 0:
        stock = np.int64(records.stock[record])
        if stock > 0:
            surface = left_of(film, np.float64(records.below_um[record]), span)
            returned = min(stock, max(surface - np.int64(lattice.quanta[records.voxel[record]]), 0))
            records.stock[record] = returned
            taken += stock - returned
        record = records.next[record]
    return taken
