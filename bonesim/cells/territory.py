"""Territories: finding free bone surface, and taking possession of a patch of it."""

import numpy as np

from bonesim.cells.bmu_parameters import BmuColumns, BmuParameters
from bonesim.cells.cavity import Cavities, add_record
from bonesim.cells.column import add_columns, area_there_was, inward_normal, is_old_surface
from bonesim.cells.depth import CavityDepth, set_targets
from bonesim.cells.floor import dug_from_behind
from bonesim.cells.population import entity_of, free_row, identity
from bonesim.cells.site import ARRESTED, begin_osteoclast, open_site
from bonesim.cells.world import World
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Normal, Record, Row, Site, Voxel
from bonesim.units import BONE

#: Where the surface is looked for first, voxels.
NEAR_VOXEL = 2.0


@lean_kernel
def free_for_bmu(lattice: Lattice, cavities: Cavities, voxel: Voxel) -> bool:
    """Whether nobody works on a voxel: unowned, or on arrested surface, which may be taken up."""
    owner = lattice.owner[voxel]
    return owner < 0 or is_arrested(cavities, owner)


@lean_kernel
def is_arrested(cavities: Cavities, owner: Record) -> bool:
    """Whether the record `owner` belongs to an arrested site."""
    return cavities.sites.phase[cavities.records.site[owner]] == ARRESTED


@lean_kernel
def faces_against(lattice: Lattice, voxel: Voxel, normal: Normal) -> bool:
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
def nearest_within(
    lattice: Lattice,
    cavities: Cavities,
    z: float,
    y: float,
    x: float,
    normal: Normal,
    reach: float,
    only_free: bool,
) -> Voxel:
    """The bone surface voxel nearest to a point (padded voxel coordinates) within `reach`, or -1.

    Only voxels that look against the unit `normal` (z, y, x) are considered: the surface on this
    side of a plate, not on its back. With `only_free`, voxels at work are passed over. Of equal
    distances the first in storage order wins.

    Args:
        z, y, x: padded voxel coordinates.
        reach: how far, voxels.
        only_free: pass over voxels at work.
    """
    shape = lattice.shape
    best = Voxel(-1)
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
                    voxel = Voxel(row + i)
                    if not faces_against(lattice, voxel, normal):
                        continue
                    if only_free and not free_for_bmu(lattice, cavities, voxel):
                        continue
                    best_distance2 = distance2
                    best = voxel
    return best


@lean_kernel
def nearest_surface(
    lattice: Lattice,
    cavities: Cavities,
    z: float,
    y: float,
    x: float,
    normal: Normal,
    reach: float,
    only_free: bool,
) -> Voxel:
    """As `nearest_within`, looking close by first: mostly that is enough, and 20 times quicker.

    Args:
        z, y, x: padded voxel coordinates.
        reach: how far, voxels.
        only_free: pass over voxels at work.
    """
    near = min(reach, NEAR_VOXEL)
    best = nearest_within(lattice, cavities, z, y, x, normal, near, only_free)
    if best < 0 and near < reach:
        best = nearest_within(lattice, cavities, z, y, x, normal, reach, only_free)
    return best


@lean_kernel
def rearmost_free(
    lattice: Lattice,
    cavities: Cavities,
    bmus: BmuColumns,
    row: Row,
    half: float,
    window: tuple[float, float],
    numbers: BmuParameters,
) -> tuple[Voxel, float]:
    """The free surface voxel furthest behind a BMU's front that it can claim, and how far; or -1, 0.

    Within `half` voxels to either side of its track and off its plane, and within `window` (from, to)
    along its direction of travel. Of equal places the first in storage order wins.

    Args:
        half: half width of the front, voxels.
        window: from and to, along the direction of travel, voxels.
    """
    shape = lattice.shape
    nz, ny, nx = np.float64(bmus.nz[row]), np.float64(bmus.ny[row]), np.float64(bmus.nx[row])
    tz, ty, tx = np.float64(bmus.tz[row]), np.float64(bmus.ty[row]), np.float64(bmus.tx[row])
    z, y, x = np.float64(bmus.z[row]), np.float64(bmus.y[row]), np.float64(bmus.x[row])
    best, rear = Voxel(-1), window[1] + 1e-9
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
                voxel = Voxel(line + i)
                if not free_for_bmu(lattice, cavities, voxel):
                    continue
                if looks_against(lattice, cavities, bmus, row, voxel, numbers):
                    best, rear = voxel, along
    return best, rear


@lean_kernel
def looks_against(
    lattice: Lattice,
    cavities: Cavities,
    bmus: BmuColumns,
    row: Row,
    voxel: Voxel,
    numbers: BmuParameters,
) -> bool:
    """Whether the surface at a voxel is not tilted too far from a BMU's normal, nor its own back."""
    nz, ny, nx = bmus.nz[row], bmus.ny[row], bmus.nx[row]
    if lattice.owner[voxel] < 0 and not is_old_surface(lattice, voxel, nz, ny, nx):
        return False
    sz, sy, sx = inward_normal(lattice, cavities, voxel, numbers.normal_radius_voxel)
    if sz * nz + sy * ny + sx * nx < np.cos(np.deg2rad(numbers.widest_tilt_degree)):
        return False
    return not dug_from_behind(lattice, cavities, voxel, entity_of(bmus.id[row]), nz, ny, nx)


@lean_kernel
def claim(
    world: World,
    bmus: BmuColumns,
    row: Row,
    voxel: Voxel,
    index: int,
    numbers: BmuParameters,
    depth: CavityDepth,
) -> Site:
    """A BMU takes the free surface within an osteoclast's radius of `voxel`: a new site, or -1.

    `depth`: how deep it is to be (`CavityDepth`).

    The site digs along the BMU's normal. The surface there must not be tilted from it by more
    than the BMU's limit: a trench has one side of a strut or plate, it does not close around it.

    Args:
        index: which territory of the BMU.

    Writes:
        world

    Returns:
        The new site; -1 if there is no room, or nothing to be claimed.
    """
    lattice, cavities, seed, day = world.lattice, world.cavities, world.seed, world.day
    nz, ny, nx = bmus.nz[row], bmus.ny[row], bmus.nx[row]
    sites = cavities.sites
    who = identity(voxel, day, index)
    site = open_site(sites, who, row, entity_of(bmus.id[row]), voxel, (nz, ny, nx))
    if site < 0:
        return site
    begin_osteoclast(sites, site, day)
    area, projected = take_patch(lattice, cavities, site, voxel, numbers)
    if area <= 0.0:
        free_row(sites, site)
        return Site(-1)
    set_targets(sites, site, bmus, row, depth, area / projected, seed, day)
    deepest = sites.osteoclast_target_um[site] + sites.mononuclear_target_um[site]
    if deepest > 0.0:
        add_columns(lattice, cavities, site, np.float64(deepest))
    sites.area_um2[site] = area
    return site


@lean_kernel
def take_patch(
    lattice: Lattice, cavities: Cavities, site: Site, centre: Voxel, numbers: BmuParameters
) -> tuple[float, float]:
    """Own every voxel of nobody within `radius_um` of `centre` that has a face against the normal.

    Returns the area of the patch and what it is when projected on the site's normal, um2.

    Writes:
        lattice, cavities
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
                voxel = Voxel(z * lattice.stride_z + y * lattice.stride_y + x)
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
