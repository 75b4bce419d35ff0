"""What a clinic would read off the simulated bone: densities, markers, scans, with their noise."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "cortex": ("CortexCourse", "CortexParameters", "cortical_shell"),
        "density": ("DensityParameters",),
        "hip": ("HipParameters",),
        "markers": ("MarkerParameters", "diluted"),
        "imaging": ("Scanner",),
        "visits": ("ClinicParameters",),
    },
)  # fmt: skip
