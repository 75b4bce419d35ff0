"""The columns of a cavity: which bone lies under the surface that a site claimed, and how deep.

A site claims surface voxels. The bone it may dig lies under them along its normal n: a line from a
voxel's centre against n leaves the bone there was (bone and stock of open cavities) through a face of
one surface voxel, its *foot*. A voxel is in a column of the site if the site claimed its foot and if
it touches, by a face, the surface or a voxel above it in the columns. Each voxel has one foot, so
neighbouring sites share the bone under them without gap or overlap, and a cavity does not spread
sideways on a rod or a tilted plate.

A voxel's *depth* s is that of its centre below the old surface along n. A floor at depth d leaves of it

    1 - clip((d - s) / w + 1/2, 0, 1),    w = voxel x largest component of n

Along the axis of that component these shares add up to exactly d, for every direction of n. So a cavity
is the old surface moved by its depth, its floor is as smooth as the surface was, and

    area claimed x depth = volume

because the area of a site is that of the faces it claimed, each by its own normal, and a site whose
surface leans from n is dug deeper along n (`depth.set_targets`). Where columns converge, on a rod or an
edge, there is less: the volume of a layer of a rod is less than its outer surface times its thickness.
"""

import numpy as np

from bonesim.cells.cavity import Cavities, add_record, has_record
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Count, Normal, Record, Site, Voxel
from bonesim.lattice.rays import LONGEST_UM
from bonesim.lattice.surface import mirrored
from bonesim.units import BONE, FULL

#: A component of n below this is no direction in which columns go on.
LEAST_COMPONENT = 0.01
#: A component of n from which its axis tells depth.
LEANING = 0.4


@lean_kernel
def bone_there_was(lattice: Lattice, cavities: Cavities, voxel: Voxel) -> Count:
    """Quanta of a voxel when all open cavities are refilled: its bone and its owner's stock."""
    quanta = np.int64(lattice.quanta[voxel])
    owner = lattice.owner[voxel]
    if owner >= 0:
        quanta += cavities.records.stock[owner]
    return quanta


@lean_kernel
def inward_normal(lattice: Lattice, cavities: Cavities, voxel: Voxel, radius: int) -> Normal:
    """Unit normal into bone at a voxel: gradient of the bone there was within `radius` voxels.

    An open cavity beside it does not turn it. `shape` is the padded (nz, ny, nx). Beyond a cut face the
    bone is mirrored (symmetry plane). Where bone is symmetric about the voxel (a thin sheet, an
    isolated voxel) there is no gradient and (0, 0, 0) returns.

    Args:
        radius: reach, voxels.
    """
    shape = lattice.shape
    z0 = voxel // lattice.stride_z
    y0 = (voxel - z0 * lattice.stride_z) // lattice.stride_y
    x0 = voxel - z0 * lattice.stride_z - y0 * lattice.stride_y
    # Sums of whole numbers: exact, in any order.
    gz, gy, gx = np.int64(0), np.int64(0), np.int64(0)
    limit = (radius + 0.5) * (radius + 0.5)
    free = x0 > radius and x0 + radius < shape[2] - 1
    for dz in range(-radius, radius + 1):
        z = mirrored(z0 + dz, shape[0])
        for dy in range(-radius, radius + 1):
            rest = limit - (dz * dz + dy * dy)
            if rest < 0.0:
                continue
            reach = np.int64(np.sqrt(rest))
            row = z * lattice.stride_z + mirrored(y0 + dy, shape[1]) * lattice.stride_y
            bone, moment = np.int64(0), np.int64(0)
            for dx in range(-reach, reach + 1):
                x = x0 + dx if free else mirrored(x0 + dx, shape[2])
                q = bone_there_was(lattice, cavities, Voxel(row + x))
                bone += q
                moment += q * dx
            gz += bone * dz
            gy += bone * dy
            gx += moment
    length = np.sqrt(np.float64(gz * gz + gy * gy + gx * gx))
    if length < 1.0:
        return 0.0, 0.0, 0.0
    return gz / length, gy / length, gx / length


@lean_kernel
def is_old_surface(lattice: Lattice, voxel: Voxel, nz: float, ny: float, nx: float) -> bool:
    """Whether a bone voxel has a face at marrow that looks against n, and none at an open cavity.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    faces = 0
    for axis in range(3):
        component = nz if axis == 0 else (ny if axis == 1 else nx)
        if abs(component) < LEAST_COMPONENT:
            continue
        stride = lattice.stride_z if axis == 0 else (lattice.stride_y if axis == 1 else 1)
        there = voxel + (-stride if component > 0 else stride)
        if lattice.quanta[there] < BONE and lattice.region[there] != 0:
            if lattice.owner[there] >= 0:
                return False
            faces += 1
    return faces > 0


@lean_kernel
def area_there_was(
    lattice: Lattice, cavities: Cavities, voxel: Voxel, nz: float, ny: float, nx: float
) -> float:
    """Faces of a voxel at the old surface that look against n, projected on n, in voxel faces.

    As `surface.outward_area`, but an open cavity counts as bone: the floor of one, which will be
    buried, is no surface that a site can claim.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    weight = np.float64(0.0)
    for axis in range(3):
        component = nz if axis == 0 else (ny if axis == 1 else nx)
        stride = lattice.stride_z if axis == 0 else (lattice.stride_y if axis == 1 else 1)
        there = voxel + (-stride if component > 0 else stride)
        if lattice.region[there] != 0 and bone_there_was(lattice, cavities, there) == 0:
            weight += abs(component)
    return weight


@lean_kernel
def foot_of(
    lattice: Lattice, cavities: Cavities, voxel: Voxel, nz: float, ny: float, nx: float
) -> Voxel:
    """The surface voxel that `voxel` lies under along the unit normal n into bone.

    The line passes from voxel to voxel through faces; of equal distances the slower axis goes first.
    -1 where it meets a cut face.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    az, ay, ax = max(abs(nz), 1e-9), max(abs(ny), 1e-9), max(abs(nx), 1e-9)
    z_next, y_next, x_next = 0.5 / az, 0.5 / ay, 0.5 / ax
    here = Voxel(voxel)
    distance = 0.0
    while distance * lattice.voxel_um <= LONGEST_UM:
        if z_next <= y_next and z_next <= x_next:
            distance = z_next
            z_next += 1.0 / az
            there = here + (-lattice.stride_z if nz > 0 else lattice.stride_z)
        elif y_next <= x_next:
            distance = y_next
            y_next += 1.0 / ay
            there = here + (-lattice.stride_y if ny > 0 else lattice.stride_y)
        else:
            distance = x_next
            x_next += 1.0 / ax
            there = here + (-1 if nx > 0 else 1)
        if lattice.region[there] == 0:
            return Voxel(-1)
        if bone_there_was(lattice, cavities, there) == 0:
            return here
        here = there
    return Voxel(-1)


@lean_kernel
def distance_along(
    lattice: Lattice, voxel: Voxel, start: Voxel, nz: float, ny: float, nx: float
) -> float:
    """From the centre of `start` to that of `voxel` along n, voxels.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    z, y = lattice.stride_z, lattice.stride_y
    dz = np.float64(voxel // z - start // z)
    dy = np.float64((voxel % z) // y - (start % z) // y)
    dx = np.float64(voxel % y - start % y)
    return dz * nz + dy * ny + dx * nx


@lean_kernel
def axis_distance2(
    lattice: Lattice, voxel: Voxel, centre: Voxel, nz: float, ny: float, nx: float
) -> float:
    """Squared distance (voxels) of a voxel from the line through `centre` along unit n.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    z, y = lattice.stride_z, lattice.stride_y
    dz = np.float64(voxel // z - centre // z)
    dy = np.float64((voxel % z) // y - (centre % z) // y)
    dx = np.float64(voxel % y - centre % y)
    inward = dz * nz + dy * ny + dx * nx
    return dz * dz + dy * dy + dx * dx - inward * inward


@lean_kernel
def span_um(lattice: Lattice, nz: float, ny: float, nx: float) -> float:
    """w: the depth over which a floor passes through a voxel, um.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    return lattice.voxel_um * max(abs(nz), max(abs(ny), abs(nx)))


@lean_kernel
def left_of(depth_um: float, below_um: float, span: float) -> Count:
    """Quanta that a floor at `depth_um` leaves of a voxel whose centre lies at `below_um`.

    Args:
        depth_um: depth of the floor, um.
        below_um: depth of the voxel's centre below the old surface, um.
        span: depth over which a floor passes through a voxel, um (`span_um`).
    """
    share = (depth_um - below_um) / span + 0.5
    return np.int64(np.round(FULL * (1.0 - min(max(share, 0.0), 1.0))))


@lean_kernel
def bone_above(lattice: Lattice, cavities: Cavities, voxel: Voxel, step: int) -> float:
    """Bone there was from the centre of a voxel on, in steps of `step` to the first empty one; voxels.

    Args:
        step: step of a flat index.
    """
    total = bone_there_was(lattice, cavities, voxel) - 0.5 * FULL
    there = voxel + step
    count = 0
    while lattice.region[there] != 0 and count * lattice.voxel_um < LONGEST_UM:
        held = bone_there_was(lattice, cavities, there)
        if held == 0:
            break
        total += held
        there += step
        count += 1
    return total / FULL


@lean_kernel
def foot_depth(
    lattice: Lattice, cavities: Cavities, foot: Voxel, nz: float, ny: float, nx: float
) -> float:
    """s of a surface voxel: depth of its centre below the old surface, um.

    By the bone above it along each axis that n leans to, times n along it: exact below a plane of any
    direction, partial voxels included. An axis counts by its share of n, if it agrees with the voxel's
    own bone to within a voxel; if none does that counts.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    filled = bone_there_was(lattice, cavities, foot) / FULL
    own = (filled - 0.5) * span_um(lattice, nz, ny, nx)
    total, weights = 0.0, 0.0
    for axis in range(3):
        component = nz if axis == 0 else (ny if axis == 1 else nx)
        stride = lattice.stride_z if axis == 0 else (lattice.stride_y if axis == 1 else 1)
        size = abs(np.float64(component))
        if size < LEANING:
            continue
        step = -stride if component > 0 else stride
        depth = lattice.voxel_um * size * bone_above(lattice, cavities, foot, step)
        if abs(depth - own) <= lattice.voxel_um:
            total += size * size * depth
            weights += size * size
    return total / weights if weights > 0.0 else own


@lean_kernel
def depth_below(
    lattice: Lattice, cavities: Cavities, voxel: Voxel, foot: Voxel, nz: float, ny: float, nx: float
) -> float:
    """s: depth of a voxel's centre below the old surface at its foot, um.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
    """
    way = lattice.voxel_um * distance_along(lattice, voxel, foot, nz, ny, nx)
    return way + foot_depth(lattice, cavities, foot, nz, ny, nx)


@lean_kernel
def claimed_foot(lattice: Lattice, cavities: Cavities, site: Site, voxel: Voxel) -> Voxel:
    """The foot of a voxel if the site claimed it, else -1."""
    sites, records = cavities.sites, cavities.records
    foot = foot_of(lattice, cavities, voxel, sites.nz[site], sites.ny[site], sites.nx[site])
    if foot < 0:
        return foot
    owner = lattice.owner[foot]
    if owner >= 0 and records.site[owner] == site and records.foot[owner] == 1:
        return foot
    return Voxel(-1)


@lean_kernel
def go_down(
    lattice: Lattice, cavities: Cavities, site: Site, record: Record, deepest_um: float
) -> int:
    """Add the voxels behind one of a site's columns that are in them, too. Returns how many.

    Args:
        deepest_um: how deep below the old surface, um.

    Writes:
        lattice, cavities
    """
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    half = 0.5 * span_um(lattice, nz, ny, nx)
    voxel = records.voxel[record]
    added = 0
    for axis in range(3):
        component = nz if axis == 0 else (ny if axis == 1 else nx)
        stride = lattice.stride_z if axis == 0 else (lattice.stride_y if axis == 1 else 1)
        if abs(component) < LEAST_COMPONENT:
            continue
        there = voxel + (stride if component > 0 else -stride)
        if lattice.region[there] == 0 or lattice.quanta[there] == 0:
            continue
        owner = lattice.owner[there]
        if owner >= 0 and sites.bmu_id[records.site[owner]] == sites.bmu_id[site]:
            continue  # a sister site's
        if has_record(cavities, site, there):
            continue
        foot = claimed_foot(lattice, cavities, site, there)
        if foot < 0:
            continue
        below = depth_below(lattice, cavities, there, foot, nz, ny, nx)
        if below - half < deepest_um:
            inside = lattice.surface_slot[there] < 0
            new = add_record(lattice, cavities, site, there, inside)
            if new >= 0:
                records.below_um[new] = below
                added += 1
    return added


@lean_kernel
def set_feet(lattice: Lattice, cavities: Cavities, site: Site) -> None:
    """Write the depths of the surface voxels that a site has just claimed.

    Writes:
        cavities
    """
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    record = sites.first[site]
    while record >= 0:
        voxel = records.voxel[record]
        records.below_um[record] = depth_below(lattice, cavities, voxel, voxel, nz, ny, nx)
        record = records.next[record]


@lean_kernel
def add_columns(lattice: Lattice, cavities: Cavities, site: Site, deepest_um: float) -> None:
    """List the bone under the claimed surface down to `deepest_um`.

    Bone within is owned at once. Surface that a column comes to, the other side of a plate, is owned
    only once it is dug. `records.weight` marks what has been passed.

    Args:
        deepest_um: how deep below the old surface, um.

    Writes:
        lattice, cavities
    """
    sites, records = cavities.sites, cavities.records
    set_feet(lattice, cavities, site)
    added = 1
    while added > 0:
        added = 0
        record = sites.first[site]
        while record >= 0:
            following = records.next[record]
            if records.weight[record] == 0.0:
                records.weight[record] = 1.0
                added += go_down(lattice, cavities, site, record, deepest_um)
            record = following
