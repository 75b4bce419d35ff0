"""The tissue: bone on a voxel lattice, its surface, topology, mineral and events."""
