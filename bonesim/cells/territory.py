"""Territories: finding free bone surface, and taking possession of a patch of it."""

import numpy as np

from bonesim.cells.cavity import (
    ARRESTED,
    OSTEOCLAST,
    QUANTA_ARRESTED,
    REVERSAL,
    add_record,
)
from bonesim.cells.column import add_columns, area_there_was, inward_normal, is_old_surface
from bonesim.cells.depth import set_targets
from bonesim.cells.floor import dug_from_behind
from bonesim.cells.population import entity_of, free_row, identity, new_row
from bonesim.kernel import lean_kernel
from bonesim.lattice.ledger import INTERIOR
from bonesim.units import BONE

#: Where the surface is looked for first, voxels.
NEAR_VOXEL = 2.0


@lean_kernel
def free_for_bmu(lattice, cavities, voxel):  # type: ignore[no-untyped-def]
    """Whether nobody works on a voxel: unowned, or on arrested surface, which may be taken up."""
    owner = lattice.owner[voxel]
    return owner < 0 or is_arrested(cavities, owner)


@lean_kernel
def is_arrested(cavities, owner):  # type: ignore[no-untyped-def]
    """Whether the record `owner` belongs to an arrested site."""
    return cavities.sites.phase[cavities.records.site[owner]] == ARRESTED


@lean_kernel
def take_up(lattice, cavities, bmus, row, site, day):  # type: ignore[no-untyped-def]
    """A BMU reaches an arrested site: it becomes one of its own, in reversal, and keeps its stock."""
    sites, records = cavities.sites, cavities.records
    sites.bmu[site] = row
    sites.bmu_id[site] = entity_of(bmus.id[row])
    sites.phase[site] = REVERSAL
    sites.phase_day[site] = day
    sites.waited[site] = 0.0
    record = sites.first[site]
    while record >= 0:
        if lattice.region[records.voxel[record]] == INTERIOR:
            cavities.tally[QUANTA_ARRESTED] -= records.stock[record]
        record = records.next[record]
    bmus.open_sites[row] += 1


@lean_kernel
def faces_against(lattice, voxel, normal):  # type: ignore[no-untyped-def]
    """Whether a bone voxel has a face at marrow that looks clearly against a unit normal."""
    for axis in range(3):
        stride = lattice.stride_z if axis == 0 else (lattice.stride_y if axis == 1 else 1)
        component = normal[axis]
        if abs(component) > 0.3:
            there = voxel + (-stride if component > 0 else stride)
            if lattice.quanta[there] < BONE and lattice.region[there] != 0:
                return True
    return False


@lean_kernel
def nearest_within(lattice, cavities, z, y, x, normal, reach, only_free):  # type: ignore[no-untyped-def]
    """The bone surface voxel nearest to a point (padded voxel coordinates) within `reach`, or -1.

    Only voxels that look against the unit `normal` (z, y, x) are considered: the surface on this
    side of a plate, not on its back. With `only_free`, voxels at work are passed over. Of equal
    distances the first in storage order wins.
    """
    shape = lattice.shape
    best = np.int64(-1)
    best_distance2 = reach * reach
    z0, z1 = max(1, int(np.ceil(z - reach))), min(shape[0] - 2, int(np.floor(z + reach)))
    y0, y1 = max(1, int(np.ceil(y - reach))), min(shape[1] - 2, int(np.floor(y + reach)))
    x0, x1 = max(1, int(np.ceil(x - reach))), min(shape[2] - 2, int(np.floor(x + reach)))
    for k in range(z0, z1 + 1):
        for j in range(y0, y1 + 1):
            plane2 = (k - z) ** 2 + (j - y) ** 2
            if plane2 >= best_distance2:
                continue
            row = (k * shape[1] + j) * shape[2]
            for i in range(x0, x1 + 1):
                if lattice.surface_slot[row + i] < 0:
                    continue
                distance2 = plane2 + (i - x) ** 2
                if distance2 < best_distance2:
                    if not faces_against(lattice, row + i, normal):
                        continue
                    if only_free and not free_for_bmu(lattice, cavities, row + i):
                        continue
                    best_distance2 = distance2
                    best = np.int64(row + i)
    return best


@lean_kernel
def nearest_surface(lattice, cavities, z, y, x, normal, reach, only_free):  # type: ignore[no-untyped-def]
    """As `nearest_within`, looking close by first: mostly that is enough, and 20 times quicker."""
    near = min(reach, NEAR_VOXEL)
    best = nearest_within(lattice, cavities, z, y, x, normal, near, only_free)
    if best < 0 and near < reach:
        best = nearest_within(lattice, cavities, z, y, x, normal, reach, only_free)
    return best


@lean_kernel
def rearmost_free(lattice, cavities, bmus, row, half, window, numbers):  # type: ignore[no-untyped-def]
    """The free surface voxel furthest behind a BMU's front that it can claim, and how far; or -1, 0.

    Within `half` voxels to either side of its track and off its plane, and within `window` (from, to)
    along its direction of travel. Of equal places the first in storage order wins.
    """
    shape = lattice.shape
    nz, ny, nx = np.float64(bmus.nz[row]), np.float64(bmus.ny[row]), np.float64(bmus.nx[row])
    tz, ty, tx = np.float64(bmus.tz[row]), np.float64(bmus.ty[row]), np.float64(bmus.tx[row])
    z, y, x = np.float64(bmus.z[row]), np.float64(bmus.y[row]), np.float64(bmus.x[row])
    best, rear = np.int64(-1), window[1] + 1e-9
    reach = np.sqrt(2.0) * half
    z0, z1 = max(1, int(np.ceil(z - reach))), min(shape[0] - 2, int(np.floor(z + reach)))
    y0, y1 = max(1, int(np.ceil(y - reach))), min(shape[1] - 2, int(np.floor(y + reach)))
    x0, x1 = max(1, int(np.ceil(x - reach))), min(shape[2] - 2, int(np.floor(x + reach)))
    for k in range(z0, z1 + 1):
        for j in range(y0, y1 + 1):
            line = (k * shape[1] + j) * shape[2]
            for i in range(x0, x1 + 1):
                if lattice.surface_slot[line + i] < 0:
                    continue
                dz, dy, dx = k - z, j - y, i - x
                along = dz * tz + dy * ty + dx * tx
                if along < window[0] or along >= rear:
                    continue
                off = dz * nz + dy * ny + dx * nx
                across2 = dz * dz + dy * dy + dx * dx - along * along - off * off
                if abs(off) > half or across2 > half * half:
                    continue
                voxel = np.int64(line + i)
                if not free_for_bmu(lattice, cavities, voxel):
                    continue
                if looks_against(lattice, cavities, bmus, row, voxel, numbers):
                    best, rear = voxel, along
    return best, rear


@lean_kernel
def looks_against(lattice, cavities, bmus, row, voxel, numbers):  # type: ignore[no-untyped-def]
    """Whether the surface at a voxel is not tilted too far from a BMU's normal, nor its own back."""
    nz, ny, nx = bmus.nz[row], bmus.ny[row], bmus.nx[row]
    if lattice.owner[voxel] < 0 and not is_old_surface(lattice, voxel, nz, ny, nx):
        return False
    sz, sy, sx = inward_normal(lattice, cavities, voxel, numbers.normal_radius_voxel)
    if sz * nz + sy * ny + sx * nx < np.cos(np.deg2rad(numbers.widest_tilt_degree)):
        return False
    return not dug_from_behind(lattice, cavities, voxel, entity_of(bmus.id[row]), nz, ny, nx)


@lean_kernel
def claim(world, bmus, row, voxel, index, numbers, depth):  # type: ignore[no-untyped-def]
    """A BMU takes the free surface within an osteoclast's radius of `voxel`: a new site, or -1.

    `depth`: how deep it is to be (`CavityDepth`).

    The site digs along the BMU's normal. The surface there must not be tilted from it by more
    than the BMU's limit: a trench has one side of a strut or plate, it does not close around it.
    """
    lattice, cavities, seed, day = world.lattice, world.cavities, world.seed, world.day
    nz, ny, nx = bmus.nz[row], bmus.ny[row], bmus.nx[row]
    sites = cavities.sites
    site = new_row(sites)
    if site < 0:
        return site
    sites.id[site] = identity(voxel, day, index)
    sites.bmu[site] = row
    sites.bmu_id[site] = entity_of(bmus.id[row])
    sites.voxel[site] = voxel
    sites.nz[site], sites.ny[site], sites.nx[site] = nz, ny, nx
    sites.phase[site] = OSTEOCLAST
    sites.phase_day[site] = day
    sites.waited[site] = 0.0
    sites.osteoclast_depth_um[site] = 0.0
    sites.osteoclast_target_um[site] = 0.0
    sites.depth_excess[site] = 1.0
    sites.mononuclear_depth_um[site] = 0.0
    sites.removed_quanta[site] = 0
    sites.wall_um[site] = 0.0
    sites.open_um[site] = 0.0
    sites.film_um[site] = 0.0
    sites.formed_quanta[site] = 0
    sites.front_voxel[site] = -1
    sites.first[site] = -1
    area, projected = take_patch(lattice, cavities, site, voxel, numbers)
    if area <= 0.0:
        free_row(sites, site)
        return np.int64(-1)
    set_targets(sites, site, bmus, row, depth, area / projected, seed, day)
    deepest = sites.osteoclast_target_um[site] + sites.mononuclear_target_um[site]
    if deepest > 0.0:
        add_columns(lattice, cavities, site, np.float64(deepest))
    sites.area_um2[site] = area
    return site


@lean_kernel
def take_patch(lattice, cavities, site, centre, numbers):  # type: ignore[no-untyped-def]
    """Own every voxel of nobody within `radius_um` of `centre` that has a face against the normal.

    Returns the area of the patch and what it is when projected on the site's normal, um2.
    """
    shape = lattice.shape
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    radius = numbers.territory_radius_um / lattice.voxel_um
    least = np.cos(np.deg2rad(numbers.widest_tilt_degree))
    reach = int(np.floor(radius))
    z0 = centre // lattice.stride_z
    y0 = (centre - z0 * lattice.stride_z) // lattice.stride_y
    x0 = centre - z0 * lattice.stride_z - y0 * lattice.stride_y
    faces, projected = 0.0, 0.0
    for z in range(max(1, z0 - reach), min(shape[0] - 2, z0 + reach) + 1):
        for y in range(max(1, y0 - reach), min(shape[1] - 2, y0 + reach) + 1):
            for x in range(max(1, x0 - reach), min(shape[2] - 2, x0 + reach) + 1):
                if (z - z0) ** 2 + (y - y0) ** 2 + (x - x0) ** 2 > radius * radius:
                    continue
                voxel = np.int64(z * lattice.stride_z + y * lattice.stride_y + x)
                if lattice.quanta[voxel] == 0:
                    continue
                if lattice.owner[voxel] >= 0:
                    continue
                area = area_there_was(lattice, cavities, voxel, nz, ny, nx)
                if area > 0.0:
                    sz, sy, sx = inward_normal(
                        lattice, cavities, voxel, numbers.normal_radius_voxel
                    )
                    if sz * nz + sy * ny + sx * nx < least:
                        continue
                    foot = add_record(lattice, cavities, site, voxel, True)
                    if foot >= 0:
                        records.foot[foot] = 1
                        faces += area_there_was(lattice, cavities, voxel, sz, sy, sx)
                        projected += area
    face = lattice.voxel_um * lattice.voxel_um
    # A voxel's own normal may point away from all faces that look against the site's.
    return (faces if faces > 0.0 else projected) * face, projected * face
