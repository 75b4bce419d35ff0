"""The layer that a site will dig: its volume over its depth is the area it has along its normal."""

from typing import Any

from bonesim.cells.column import add_columns, bone_there_was, left_of, span_um
from bonesim.units import FULL


def area_of_layer(lattice: Any, cavities: Any, site: int, deepest_um: float) -> float:
    """List a site's columns down to a depth; their volume over it, um2."""
    add_columns(lattice, cavities, site, deepest_um)
    sites, records = cavities.sites, cavities.records
    span = span_um(lattice, sites.nz[site], sites.ny[site], sites.nx[site])
    volume, record = 0, int(sites.first[site])
    while record >= 0:
        held = bone_there_was(lattice, cavities, records.voxel[record])
        volume += max(held - left_of(deepest_um, float(records.below_um[record]), span), 0)
        record = int(records.next[record])
    return float(volume) / FULL * lattice.voxel_um**3 / deepest_um
