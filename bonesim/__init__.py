"""bonesim: does bone lost under estradiol suppression come back? Trabecular bone, cell by cell.

A protocol sets a hormone course; hormones drive cells; cells change the lattice; we measure it,
write files, make pictures:

    config = bonesim.load_config("configs/suppression_and_withdrawal.toml")
    bonesim.run(config, "out.vtkhdf")
    with bonesim.open_run("out.vtkhdf") as run:
        run.table.plot(x="day", y="bvtv_percent")

Importing it draws nothing, starts nothing and is quick: names are loaded when first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bonesim.config.config import Config as Config
    from bonesim.config.config import load_config as load_config
    from bonesim.engine.run import resume as resume
    from bonesim.engine.run import run as run
    from bonesim.engine.simulation import Simulation as Simulation
    from bonesim.morphometry.panel import measure as measure
    from bonesim.specimens import make_specimen as make_specimen
    from bonesim.specimens.specimen import Specimen as Specimen
    from bonesim.storage.reader import open_run as open_run
    from bonesim.viewer.scene import render as render

#: Public name -> the module it lives in, in the order of the sentence above.
_PLACES = {
    "Config": "bonesim.config.config",
    "load_config": "bonesim.config.config",
    "Specimen": "bonesim.specimens.specimen",
    "make_specimen": "bonesim.specimens",
    "Simulation": "bonesim.engine.simulation",
    "run": "bonesim.engine.run",
    "resume": "bonesim.engine.run",
    "open_run": "bonesim.storage.reader",
    "measure": "bonesim.morphometry.panel",
    "render": "bonesim.viewer.scene",
}

__all__ = [*_PLACES, "__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("bonesim")
        except PackageNotFoundError:
            return "0+unknown"
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'bonesim' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
