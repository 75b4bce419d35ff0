"""The one loop over days, and the observers that may look at each of them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bonesim.engine.simulation import Simulation


class Observer:
    """Looks at a run; subclass it and override what is of interest. It must change nothing."""

    def measures(self) -> Sequence[Any]:
        """Columns that it adds to the daily table, each a `Measure`; asked for once, before the run."""
        return ()

    def note(self, text: str) -> None:
        """Take one line about the bone, the cache or the compilation."""

    def compiling(self, share: Callable[[], float]) -> None:
        """Kernels are compiled from now on; `share()` of them, 0 to 1, is done."""

    def compiled(self) -> None:
        """What had to be compiled is compiled, or the run ended."""

    def expect(self, first_day: int, last_day: int) -> None:
        """A run is to go from one day to another, burn-in included; before its first stretch."""

    def begin(self, first_day: int, last_day: int) -> None:
        """A stretch of days begins: the burn-in, or the days on record."""

    def on_day(self, simulation: "Simulation") -> None:
        """One more day has been simulated, burn-in included."""

    def on_record(self, simulation: "Simulation") -> None:
        """A day from 0 on is in the daily table."""

    def end(self) -> None:
        """The stretch of days is over."""


class Observers(Observer):
    """Several observers as one; each is called in the order given."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self.observers = tuple(observers)

    def measures(self) -> Sequence[Any]:
        """Those of all."""
        return tuple(measure for one in self.observers for measure in one.measures())

    def note(self, text: str) -> None:
        """Pass it on."""
        for one in self.observers:
            one.note(text)

    def compiling(self, share: Callable[[], float]) -> None:
        """Pass it on."""
        for one in self.observers:
            one.compiling(share)

    def compiled(self) -> None:
        """Pass it on."""
        for one in self.observers:
            one.compiled()

    def expect(self, first_day: int, last_day: int) -> None:
        """Pass it on."""
        for one in self.observers:
            one.expect(first_day, last_day)

    def begin(self, first_day: int, last_day: int) -> None:
        """Pass it on."""
        for one in self.observers:
            one.begin(first_day, last_day)

    def on_day(self, simulation: "Simulation") -> None:
        """Pass it on."""
        for one in self.observers:
            one.on_day(simulation)

    def on_record(self, simulation: "Simulation") -> None:
        """Pass it on."""
        for one in self.observers:
            one.on_record(simulation)

    def end(self) -> None:
        """Pass it on."""
        for one in self.observers:
            one.end()


def advance(
    simulation: "Simulation", until_day: int, on_day: Callable[["Simulation"], None] | None = None,
    done: Callable[["Simulation"], bool] | None = None,
) -> "Simulation":  # fmt: skip
    """Simulate day after day to the end of `until_day`; returns the same simulation.

    Args:
        simulation: at any day; nothing happens if it is at `until_day` or later.
        until_day: the last day to simulate, in days since the end of the burn-in.
        on_day: called after each day; an exception it raises ends the loop between two days.
        done: asked before each day; the loop ends early where it is true.
    """
    while simulation.day < until_day and not (done is not None and done(simulation)):
        simulation.step()
        if on_day is not None:
            on_day(simulation)
    return simulation
