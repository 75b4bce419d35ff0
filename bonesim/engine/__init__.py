"""The engine: one specimen day by day, its burn-in, its daily table, its run file."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {
        "simulation": ("Simulation",),
        "days": ("Observer", "advance"),
        "burn_in": ("begin_from", "equilibrated"),
        "state": ("put_back", "state_of"),
        "twins": ("run_twins", "twin_path"),
        "progress": ("Terminal",),
    },
)  # fmt: skip
