"""Run file, checkpoint, and writing that survives crashes. Arrays and names only."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "program": ("mechanism_hash",),
        "reader": ("Run", "open_run"),
    },
)  # fmt: skip
