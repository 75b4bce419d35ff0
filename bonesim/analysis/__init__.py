"""Statistics of studies and trials: intervals, tests, arms compared with their twins."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "paired": (
            "BONE", "K_DXA", "difference_from_twin", "since_start", "regained", "summary",
            "with_interval", "in_markdown",
        ),
        "statistics": (
            "CONFIDENCE", "finite", "half_width", "interval", "welch", "mean_and_ci",
            "ratio_and_ci",
        ),
    },
)  # fmt: skip
