"""The front of a BMU: how it keeps to the surface, wanders, and turns towards RANKL.

It moves along its direction of travel t in the tangent plane of its normal n, mirrored at the cut
faces, and is brought back onto the surface each day. t turns by chance and towards the side where
RANK is occupied more (Ryser 2010: direction); where the surface ends it turns back.
"""

import numpy as np

from bonesim.cells.bmu_parameters import BmuColumns, BmuParameters
from bonesim.cells.column import inward_normal
from bonesim.cells.population import entity_of
from bonesim.cells.territory import nearest_surface
from bonesim.cells.world import World
from bonesim.chance import BMU_TURN, normal, uniform
from bonesim.kernel import lean_kernel
from bonesim.lattice.indices import Normal, Row
from bonesim.signals.fields import Fields, occupancy_at


@lean_kernel
def tangent(nz: float, ny: float, nx: float, angle: float) -> Normal:
    """A unit vector in the plane across n, at `angle` from an arbitrary fixed direction.

    Args:
        nz, ny, nx: unit normal into bone, along z, y, x.
        angle: radians.
    """
    if abs(nz) < 0.9:
        # n x (1, 0, 0) in (z, y, x) order, up to sign
        az, ay, ax = np.float64(0.0), np.float64(nx), -ny
    else:
        az, ay, ax = np.float64(nx), np.float64(0.0), -nz
    length = np.sqrt(az * az + ay * ay + ax * ax)
    az, ay, ax = az / length, ay / length, ax / length
    bz, by, bx = ny * ax - nx * ay, nx * az - nz * ax, nz * ay - ny * az
    c, s = np.cos(angle), np.sin(angle)
    return c * az + s * bz, c * ay + s * by, c * ax + s * bx


@lean_kernel
def turn(bmus: BmuColumns, row: Row, angle: float) -> None:
    """Turn a BMU's direction about its normal and put it back into the tangent plane.

    Args:
        angle: radians.

    Writes:
        bmus
    """
    nz, ny, nx = bmus.nz[row], bmus.ny[row], bmus.nx[row]
    tz, ty, tx = bmus.tz[row], bmus.ty[row], bmus.tx[row]
    along = tz * nz + ty * ny + tx * nx
    tz, ty, tx = tz - along * nz, ty - along * ny, tx - along * nx
    length = np.float64(np.sqrt(tz * tz + ty * ty + tx * tx))
    if length < 1e-3:
        tz, ty, tx = tangent(nz, ny, nx, angle)
        length = np.float64(1.0)
    tz, ty, tx = tz / length, ty / length, tx / length
    bz, by, bx = ny * tx - nx * ty, nx * tz - nz * tx, nz * ty - ny * tz
    c, s = np.cos(angle), np.sin(angle)
    bmus.tz[row] = c * tz + s * bz
    bmus.ty[row] = c * ty + s * by
    bmus.tx[row] = c * tx + s * bx


@lean_kernel
def bounced(place: float, direction: float, size: int) -> tuple[float, float]:
    """A coordinate and its direction after the mirror of the cut faces.

    Args:
        place: padded voxel coordinate.
        direction: its part of the direction of travel.
        size: padded voxels along the axis.
    """
    if place < 1.0:
        return 2.0 - place, -direction
    if place > size - 2.0:
        return 2.0 * (size - 2.0) - place, -direction
    return place, direction


@lean_kernel
def steering(fields: Fields, bmus: BmuColumns, row: Row, per_day: float) -> float:
    """Angle (radians) a front turns in a day towards more RANK occupancy on its left or right.

    The two sides are read one cube of the fields away; their difference is relative to their sum.

    Args:
        per_day: radians a day, of a relative difference of 1.
    """
    if per_day == 0.0:
        return 0.0
    nz, ny, nx = bmus.nz[row], bmus.ny[row], bmus.nx[row]
    tz, ty, tx = bmus.tz[row], bmus.ty[row], bmus.tx[row]
    reach = 1.0 / fields.cubes_per_voxel_x
    bz, by, bx = (
        (ny * tx - nx * ty) * reach,
        (nx * tz - nz * tx) * reach,
        (nz * ty - ny * tz) * reach,
    )
    z, y, x = bmus.z[row], bmus.y[row], bmus.x[row]
    left = occupancy_at(fields, z + bz, y + by, x + bx)
    right = occupancy_at(fields, z - bz, y - by, x - bx)
    return per_day * (left - right) / (left + right) if left + right > 0.0 else 0.0


@lean_kernel
def travel(world: World, bmus: BmuColumns, row: Row, numbers: BmuParameters) -> None:
    """Move a front one day along the surface; where the surface ends it turns back.

    The front keeps to the surface by the normal part of the way to the nearest surface voxel.

    Writes:
        bmus
    """
    lattice, fields, cavities = world.lattice, world.fields, world.cavities
    seed, day = world.seed, world.day
    shape = lattice.shape
    step = numbers.travel_um_per_day / lattice.voxel_um
    old_z, old_y, old_x = bmus.z[row], bmus.y[row], bmus.x[row]
    z, tz = bounced(old_z + step * bmus.tz[row], bmus.tz[row], shape[0])
    y, ty = bounced(old_y + step * bmus.ty[row], bmus.ty[row], shape[1])
    x, tx = bounced(old_x + step * bmus.tx[row], bmus.tx[row], shape[2])
    bmus.tz[row], bmus.ty[row], bmus.tx[row] = tz, ty, tx
    reach = 3.0 * numbers.territory_radius_um / lattice.voxel_um
    normal_now = (bmus.nz[row], bmus.ny[row], bmus.nx[row])
    voxel = nearest_surface(lattice, cavities, z, y, x, normal_now, reach, False)
    if voxel >= 0:
        nz, ny, nx = inward_normal(lattice, cavities, voxel, numbers.normal_radius_voxel)
        same = nz * bmus.nz[row] + ny * bmus.ny[row] + nx * bmus.nx[row]
        if same > 0.0:
            mz, my, mx = bmus.nz[row] + nz, bmus.ny[row] + ny, bmus.nx[row] + nx
            length = np.sqrt(mz * mz + my * my + mx * mx)
            mz, my, mx = mz / length, my / length, mx / length
            bmus.nz[row], bmus.ny[row], bmus.nx[row] = mz, my, mx
            vz = voxel // lattice.stride_z
            vy = (voxel - vz * lattice.stride_z) // lattice.stride_y
            vx = voxel - vz * lattice.stride_z - vy * lattice.stride_y
            off = (vz - z) * mz + (vy - y) * my + (vx - x) * mx
            bmus.z[row], bmus.y[row], bmus.x[row] = z + off * mz, y + off * my, x + off * mx
            angle = numbers.wander_per_day * normal(seed, day, entity_of(bmus.id[row]), BMU_TURN)
            turn(bmus, row, angle + steering(fields, bmus, row, numbers.steering_per_day))
            return
    turn(bmus, row, np.pi * (0.5 + uniform(seed, day, entity_of(bmus.id[row]), BMU_TURN)))
