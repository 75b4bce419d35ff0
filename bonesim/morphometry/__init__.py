"""The measurements of structure."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "panel": ("PANEL", "Measure", "measure"),
        "closed": ("CLOSED", "closed_lattice", "closed_measures"),
        "connectivity": ("euler_of", "purified"),
        "roughness": ("after_gaussian", "roughness"),
        "shape": ("fabric", "surface_mesh"),
        "spheres": ("paint_spheres", "sphere_centres"),
        "thickness": ("local_thickness", "mean_and_sd", "spheres_over"),
    },
)  # fmt: skip
