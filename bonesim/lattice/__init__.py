"""The tissue: bone on a voxel lattice, its surface, topology, mineral and events."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "tissue": ("Tissue",),
        "event_log": ("EVENT_STATUSES", "JUDGEMENT_DAYS", "EventLog"),
        "topology": ("EVENT_KINDS",),
    },
)  # fmt: skip
