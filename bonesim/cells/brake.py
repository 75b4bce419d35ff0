"""How much more the floor of a cavity strains than intact bone."""

from bonesim.kernel import lean_kernel
from bonesim.lattice.rays import bone_left, solid_length


@lean_kernel
def concentration(lattice, voxel, nz, ny, nx):  # type: ignore[no-untyped-def]
    """Strain at the floor over that of intact bone, at least 1."""
    left = max(bone_left(lattice, voxel, nz, ny, nx), 0.25 * lattice.voxel_um)
    before = solid_length(lattice, voxel, nz, ny, nx) * lattice.voxel_um
    return max(before / left, 1.0) ** 0.35
