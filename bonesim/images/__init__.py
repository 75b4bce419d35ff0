"""Images from files: grey values with their geometry, from every format, checked before use."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "stored": ("Stored",),
        "geometry": ("Geometry", "Grid", "MAX_VOXEL_UM", "MIN_VOXEL_UM"),
        "kinds": ("is_image",),
        "reading": ("Image", "read_image"),
        "alignment": ("onto_grid",),
    },
)
