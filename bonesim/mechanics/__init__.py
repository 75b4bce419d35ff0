"""The load bone carries: voxel finite elements, strain energy, stiffness and strength."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "apparent": ("ApparentParameters",),
        "loading": ("MechanicsParameters",),
        "solver": ("Structure",),
    },
)  # fmt: skip
