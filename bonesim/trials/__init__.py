"""Simulated clinical trials on a cohort of virtual people: participants, arms, statistics."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "parameters": ("TrialParameters",),
        "compare": ("Comparison",),
    },
)  # fmt: skip
