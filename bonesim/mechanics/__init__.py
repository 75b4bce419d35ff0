"""The load bone carries: voxel finite elements, strain energy, stiffness and strength."""
