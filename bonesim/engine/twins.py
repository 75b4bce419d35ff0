"""A run and its untreated twin: the same bone and random numbers, one burn-in, two files."""

from collections.abc import Sequence
from pathlib import Path

from bonesim.config.config import Config
from bonesim.config.twin import untreated_twin
from bonesim.engine.beside import Beside
from bonesim.engine.cost import cost_of, planned, refuse_what_cannot_fit
from bonesim.engine.days import Observer, Observers
from bonesim.engine.run import run
from bonesim.engine.state import State
from bonesim.specimens.specimen import Specimen
from bonesim.storage.writer import check_place


def twin_path(output: Path) -> Path:
    """Where the untreated twin of a run file is: out.vtkhdf has out_twin.vtkhdf."""
    return output.with_name(f"{output.stem}_twin{output.suffix}")


def run_twins(
    config: Config,
    output: str | Path,
    *,
    overwrite: bool = False,
    until_day: int | None = None,
    observers: Sequence[Observer] = (),
    specimen: Specimen | None = None,
) -> tuple[Path, Path]:
    """Simulate a configuration and its untreated twin; returns the paths of both run files.

    The two differ by the treatment alone: until day 0 they are the same to the last bit.

    Args:
        config: what to simulate.
        output: run file of the treated run; its twin's is beside it, see `twin_path`.
        overwrite, until_day, observers, specimen: as for `run`.

    Raises:
        InputError: a configuration without treatment; also as `run`.
        Stopped: as `run`; the twin is simulated after the treated run.
    """
    output = Path(output)
    twin, places = untreated_twin(config), (output, twin_path(output))
    for place in places:
        check_place(place, overwrite, config.files())
    size, make = planned(config.specimen, specimen, Observers(observers).note)
    refuse_what_cannot_fit(cost_of(size, config, files=2, until_day=until_day), output)
    bone, burn_ins = make(), dict[str, State]()
    for one, place in zip((config, twin), places, strict=True):
        run(one, place, overwrite=overwrite, until_day=until_day, observers=observers,
            specimen=bone, burn_ins=burn_ins)  # fmt: skip
    return places


def run_twins_at_once(
    config: Config, output: Path, *, overwrite: bool = False, observers: Sequence[Observer] = (),
    cores: int | None = None,
) -> tuple[Path, Path]:  # fmt: skip
    """As `run_twins`, to the same bits, with the twin on a second core meanwhile.

    It takes the memory of two processes.

    Args:
        config, output, overwrite: as for `run_twins`.
        observers: look at every day of the treated run, and of the twin if there is no second core.
        cores: how many there are; found if None.

    Raises:
        InputError, Stopped: as `run_twins`.
    """
    twin, place = untreated_twin(config), twin_path(output)
    for one in (output, place):
        check_place(one, overwrite, config.files())
    cost = cost_of(planned(config.specimen)[0], config, files=2)
    refuse_what_cannot_fit(cost._replace(memory_bytes=2.0 * cost.memory_bytes), output)
    other = Beside(twin, place, cores)
    try:
        run(config, output, overwrite=overwrite, observers=[*observers, other])
        if not other.done():
            run(twin, place, overwrite=True, observers=observers)
    finally:
        other.stop()
    return output, place
