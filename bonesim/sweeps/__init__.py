"""Many runs: a study's design, its engine, and the growing table of its results."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "study": ("Study", "StudyParameters", "read_as"),
        "folder": ("Folder",),
        "sweep": ("run_study",),
        "progress": ("SweepTerminal", "stopped_politely"),
    },
)  # fmt: skip
