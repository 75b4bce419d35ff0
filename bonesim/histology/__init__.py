"""Histology: labels, biopsies and sections of a simulation, and the truth they estimate."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "biopsy": ("BiopsyParameters",),
        "cavities": ("OpenCavity", "cavity_measures", "open_cavities"),
        "surface_state": ("states_of_surface",),
    },
)  # fmt: skip
