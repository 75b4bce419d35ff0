"""The messengers that cells exchange: RANKL, OPG, sclerostin, coupling factors, as fields."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "fields": ("Fields",),
        "messengers": ("SignalParameters",),
    },
)  # fmt: skip
