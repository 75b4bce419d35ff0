"""The agents: osteoclasts, osteoblasts, osteocytes, their units and the cavities they share."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "site": ("ERODED",),
    },
)  # fmt: skip
