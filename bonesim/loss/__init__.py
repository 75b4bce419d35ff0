"""The parts of a loss of bone: reversible, thinning, lost structure."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "parts": ("OF_THINNING", "PARTS", "REVERSIBLE", "Decomposition", "Loss"),
        "reclosure": ("final_breaks", "may_have_closed"),
    },
)  # fmt: skip
