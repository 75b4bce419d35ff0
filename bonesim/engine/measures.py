"""Measures of a user's: columns of the daily table that a function of the day gives.

In Python, `bonesim.run(..., observers=[Measure("thin_percent", "%", "...", function)])`; in a config
`[[measure]]` (`config.modules`). The function gets a `Day`, which can only be read.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bonesim.config.modules import MeasureParameters, function_of
from bonesim.engine.days import Observer
from bonesim.errors import InputError
from bonesim.signals.messengers import MESSENGERS
from bonesim.storage.layout import Column

if TYPE_CHECKING:
    from bonesim.config.config import Config
    from bonesim.endocrine.response import Drive
    from bonesim.engine.simulation import Simulation


class Day:
    """A day of a simulation, to be read: its arrays are copies or views that cannot be written.

    Attributes:
        day: days since the end of the burn-in.
        config: what is simulated.
        voxel_um: edge of a voxel, um.
        drive: today's multipliers of cell activity by hormones and drugs.
    """

    def __init__(self, simulation: "Simulation") -> None:
        self.__simulation = simulation
        self.day: int = simulation.day
        self.config: Config = simulation.config
        self.voxel_um: float = simulation.tissue.voxel_um
        self.drive: Drive = simulation.drive

    @property
    def quanta(self) -> NDArray[np.uint8]:
        """Bone of each voxel in 1/255, shape (nz, ny, nx); 128 and more is bone."""
        return _locked(self.__simulation.tissue.inner(self.__simulation.tissue.lattice.quanta))

    @property
    def table(self) -> Mapping[str, float]:
        """Today's row of bonesim's own columns in the daily table."""
        rows = self.__simulation.datacollector.model_vars
        mine = {one.name for one in self.__simulation.measures}
        return {name: rows[name][-1] for name in rows if len(rows[name]) and name not in mine}

    def image(self, name: str) -> NDArray[np.uint8]:
        """An image as snapshots have it ("mineral", "surface_state", ...), shape (nz, ny, nx).

        Raises:
            InputError: no such image.
        """
        from bonesim.engine.snapshot import fields_of

        return _locked(_one_of(fields_of(self.__simulation), name, "image"))

    def messenger(self, name: str) -> NDArray[np.float32]:
        """The field of a messenger ("rankl", "sclerostin", ...) over health, on its coarse grid.

        Raises:
            InputError: no such messenger.
        """
        fields = self.__simulation.signals.fields
        return _locked(
            _one_of({one: getattr(fields, one) for one in MESSENGERS}, name, "messenger")
        )

    def cells(self, population: str) -> dict[str, NDArray[Any]]:
        """The cells of a population ("bmus", "osteoclasts", ...): column -> one value for each.

        Raises:
            InputError: no such population.
        """
        from bonesim.engine.snapshot import cells_of

        found = _one_of(cells_of(self.__simulation), population, "population")
        return {column.name: _locked(values) for column, values in found.items()}


def _locked(array: NDArray[Any]) -> Any:
    """The same values, which cannot be written."""
    view = array.view()
    view.flags.writeable = False
    return view


def _one_of(known: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in known:
        raise InputError(f"got {what} {name!r}; allowed {', '.join(known)}")
    return known[name]


class Measure(Observer):
    """A column of the daily table that a function gives.

    Args:
        name: of the column; it ends in its unit (`bvtv_percent`).
        unit: as printed.
        meaning: one line.
        function: takes a `Day`, returns a number; it must change nothing.
        every_day: days between two; on the others the column is not a number.

    Raises:
        InputError: a name that a column cannot have.
    """

    def __init__(
        self, name: str, unit: str, meaning: str, function: Callable[[Day], float],
        every_day: int = 1,
    ) -> None:  # fmt: skip
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise InputError(f"measure: got name {name!r}; allowed a-z, 0-9 and _")
        if every_day < 1:
            raise InputError(f"measure {name}: got every_day {every_day}; allowed 1 or more")
        self.name, self.function, self.every_day = name, function, every_day
        self.column = Column(name, unit, "", meaning)

    def measures(self) -> Sequence["Measure"]:
        """Itself."""
        return (self,)

    def __call__(self, simulation: "Simulation") -> float:
        """Today's value.

        Raises:
            InputError: the function fails or returns no number.
        """
        if simulation.day % self.every_day != 0:
            return float("nan")
        where = f"measure {self.name}: day {simulation.day}"
        try:
            value = self.function(Day(simulation))
        except InputError as error:
            raise InputError(f"{where}: {error.message}") from None
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            raise InputError(f"{where}: {type(error).__name__}: {text}") from error
        try:
            return float(value)
        except (TypeError, ValueError):
            raise InputError(f"{where}: returned {value!r}; return a number") from None


def measures_for(
    config: "Config", observers: Sequence[Observer], own: Sequence[Column]
) -> tuple[Measure, ...]:
    """All measures of a run: those of its config, then those of observers.

    Args:
        config: of the run.
        observers: may have measures.
        own: bonesim's columns.

    Raises:
        InputError: a name twice, or one of bonesim's columns; a function that is not there.
    """
    found = [_of_config(one, config) for one in config.measure]
    found += [measure for one in observers for measure in one.measures()]
    taken = {column.name for column in own}
    for measure in found:
        if measure.name in taken:
            raise InputError(f"measure {measure.name}: there is such a column; choose another name")
        taken.add(measure.name)
    return tuple(found)


def _of_config(given: MeasureParameters, config: "Config") -> Measure:
    function = function_of(given, config.modules)
    text = (getattr(function, "__doc__", None) or given.function).strip().splitlines()[0]
    return Measure(
        given.name or given.function, given.unit, given.meaning or text, function, given.every_day
    )
