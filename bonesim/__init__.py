"""bonesim: does bone lost under estradiol suppression come back? Trabecular bone, cell by cell.

A protocol sets a hormone course; hormones drive cells; cells change the lattice; we measure it,
write files, make pictures:

    import bonesim

    config = bonesim.load_config("configs/suppression_small.toml", {"specimen.size_mm": [1, 1, 1]})
    for seed in (1, 2):
        bonesim.run(config, f"run_{seed}.vtkhdf", seed=seed, until_day=30)
    with bonesim.open_run("run_1.vtkhdf") as run:
        print(run)
        print(run.table[["day", "bvtv_percent"]].tail())
        print(bonesim.measure(run.quanta(0), run.voxel_um, quick=True, quanta=True)["tb_th_um"])

Every command of the terminal is a function here that returns data: a table (units in its `attrs`), a
Matplotlib figure or a PyVista plotter. Importing bonesim draws nothing, starts nothing and is quick:
names are loaded when first used.
"""

from typing import TYPE_CHECKING, Any

from bonesim.public import loaded_when_used

if TYPE_CHECKING:
    from bonesim.api.bone import make_specimen as make_specimen
    from bonesim.api.bundle import bundle as bundle
    from bonesim.api.close_up import render_event as render_event
    from bonesim.api.compare import compare as compare
    from bonesim.api.compare import paired_sweep as paired_sweep
    from bonesim.api.documents import guide as guide
    from bonesim.api.export import export as export
    from bonesim.api.files import verify as verify
    from bonesim.api.film import film as film
    from bonesim.api.first_picture import demo as demo
    from bonesim.api.look import clinic as clinic
    from bonesim.api.look import doctor as doctor
    from bonesim.api.look import info as info
    from bonesim.api.look import measure as measure
    from bonesim.api.look import measure_stiffness as measure_stiffness
    from bonesim.api.look import scan_like as scan_like
    from bonesim.api.look import story as story
    from bonesim.api.maps import thickness_maps as thickness_maps
    from bonesim.api.model import explain as explain
    from bonesim.api.model import odd as odd
    from bonesim.api.new import new as new
    from bonesim.api.new import schema as schema
    from bonesim.api.pictures import plot_bands as plot_bands
    from bonesim.api.pictures import plot_hormones as plot_hormones
    from bonesim.api.pictures import plot_loss as plot_loss
    from bonesim.api.pictures import plot_story as plot_story
    from bonesim.api.pictures import plot_sweep as plot_sweep
    from bonesim.api.pictures import plot_trial as plot_trial
    from bonesim.api.pictures import render as render
    from bonesim.api.pictures import view as view
    from bonesim.api.posterior import bands as bands
    from bonesim.api.posterior import posterior_members as posterior_members
    from bonesim.api.posterior import run_posterior as run_posterior
    from bonesim.api.posterior import run_posterior_cost as run_posterior_cost
    from bonesim.api.published import bones as bones
    from bonesim.api.report import report as report
    from bonesim.api.scans import look as look
    from bonesim.api.scans import measure_files as measure_files
    from bonesim.api.simulate import biopsy as biopsy
    from bonesim.api.simulate import branch as branch
    from bonesim.api.simulate import decompose as decompose
    from bonesim.api.simulate import hormones as hormones
    from bonesim.api.simulate import resume as resume
    from bonesim.api.simulate import run as run
    from bonesim.api.simulate import run_cost as run_cost
    from bonesim.api.simulate import run_twins as run_twins
    from bonesim.api.studies import compare_trial as compare_trial
    from bonesim.api.studies import decompose_without as decompose_without
    from bonesim.api.studies import gather_sweep as gather_sweep
    from bonesim.api.studies import sweep as sweep
    from bonesim.api.studies import sweep_cost as sweep_cost
    from bonesim.api.studies import sweep_share as sweep_share
    from bonesim.api.studies import sweep_status as sweep_status
    from bonesim.api.studies import trial as trial
    from bonesim.api.studies import trial_cost as trial_cost
    from bonesim.config.config import Config as Config
    from bonesim.config.config import load_config as load_config
    from bonesim.config.modules import load_module as load_module
    from bonesim.config.twin import untreated_twin as untreated_twin
    from bonesim.endocrine.drug import Drug as Drug
    from bonesim.engine.days import Observer as Observer
    from bonesim.engine.measures import Measure as Measure
    from bonesim.engine.run import Stopped as Stopped
    from bonesim.engine.simulation import Simulation as Simulation
    from bonesim.errors import BonesimError as BonesimError
    from bonesim.errors import BusyError as BusyError
    from bonesim.errors import CorruptFileError as CorruptFileError
    from bonesim.errors import InputError as InputError
    from bonesim.errors import NumericalError as NumericalError
    from bonesim.errors import ResourceError as ResourceError
    from bonesim.specimens.specimen import Specimen as Specimen
    from bonesim.storage.reader import Run as Run
    from bonesim.storage.reader import open_run as open_run

#: Module -> the public names in it, in the order of the sentence above.
_NAMES = {
    "config.config": ("Config", "load_config"),
    "config.modules": ("load_module",),
    "config.twin": ("untreated_twin",),
    "endocrine.drug": ("Drug",),
    "specimens.specimen": ("Specimen",),
    "api.bone": ("make_specimen",),
    "engine.simulation": ("Simulation",),
    "engine.days": ("Observer",),
    "engine.measures": ("Measure",),
    "engine.run": ("Stopped",),
    "api.simulate": (
        "run", "run_twins", "run_cost", "resume", "branch", "hormones", "biopsy", "decompose",
    ),
    "api.model": ("explain", "odd"),
    "api.new": ("new", "schema"),
    "storage.reader": ("Run", "open_run"),
    "api.look": (
        "info", "measure", "measure_stiffness", "clinic", "scan_like", "story", "doctor",
    ),
    "api.maps": ("thickness_maps",),
    "api.scans": ("look", "measure_files"),
    "api.pictures": (
        "render", "view", "plot_bands",
        "plot_hormones", "plot_loss", "plot_story", "plot_sweep", "plot_trial",
    ),
    "api.close_up": ("render_event",),
    "api.bundle": ("bundle",),
    "api.compare": ("compare", "paired_sweep"),
    "api.film": ("film",),
    "api.published": ("bones",),
    "api.posterior": (
        "run_posterior", "run_posterior_cost", "bands", "posterior_members",
    ),
    "api.report": ("report",),
    "api.export": ("export",),
    "api.files": ("verify",),
    "api.first_picture": ("demo",),
    "api.documents": ("guide",),
    "api.studies": (
        "sweep", "sweep_cost", "sweep_share", "sweep_status", "gather_sweep", "trial",
        "trial_cost", "compare_trial", "decompose_without",
    ),
    "errors": (
        "BonesimError", "InputError", "ResourceError", "CorruptFileError", "BusyError",
        "NumericalError",
    ),
}  # fmt: skip
_load, _names, __all__ = loaded_when_used(__name__, _NAMES)
__all__ += ["__version__"]


def __dir__() -> list[str]:
    """The public names."""
    return [*_names(), "__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name != "__version__":
        return _load(name)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("bonesim")
    except PackageNotFoundError:
        return "0+unknown"
