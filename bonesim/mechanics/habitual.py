"""When mechanics is solved, and from which day on its answer counts.

A solve is due at intervals, or when bone has changed. Between solves the strain energy stays as it is.
With `delay_day` the answer counts some fixed days after the solve began. The days between are simulated
at the same time, on another core. What counts on which day follows from the parameters alone, so
results do not depend on threads or on how long a solve takes.
"""

from concurrent.futures import Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bonesim.mechanics.loading import NUMBERS, Answer, HabitualLoad, MechanicsParameters
from bonesim.mechanics.threads import beside


class Habitual:
    """Strain energy of one specimen under its habitual load, from day to day.

    Args:
        parameters: load, material and interval.
        shape: voxels along z, y, x.
        voxel_um: edge of a voxel.

    Attributes:
        energy: (z, y, x) strain energy density in the bone of each element at 100 % of habitual
            load, MPa; 0 where there is none.
        voxels_per_element: edge of an element.
        results: the numbers of the solve that counts, by name (`NUMBERS`); NaN before the first.
    """

    def __init__(
        self, parameters: MechanicsParameters, shape: tuple[int, ...], voxel_um: float
    ) -> None:
        self.parameters = parameters
        self.load = HabitualLoad(parameters, shape, voxel_um)
        self.voxels_per_element = parameters.voxels_per_element
        self.elements, self.edge_mm = self.load.elements, self.load.edge_mm
        self.energy = np.zeros(self.elements, np.float32)
        self.results = dict.fromkeys(NUMBERS, float("nan"))
        self._solved_day = 0
        self._solved_quanta = -1
        self._coming: Future[Answer] | None = None
        self._counts_day = 0

    def due(self, day: int, bone_quanta: int) -> bool:
        """Whether a solve is to start on a day with so much bone; never while one is under way."""
        p = self.parameters
        if p.interval_day == 0 or self._coming is not None:
            return False
        if self._solved_quanta < 0 or day - self._solved_day >= p.interval_day:
            return True
        changed = abs(bone_quanta - self._solved_quanta)
        return changed >= 0.01 * p.changed_percent * self._solved_quanta

    def start(self, quanta: NDArray[np.uint8], mineral: NDArray[np.uint8], day: int) -> None:
        """Start a solve for bone as it is: quanta and mineral of each voxel (z, y, x), both 0..255.

        The first of a specimen counts at once: without it no strain is known.
        """
        delay = self.parameters.delay_day if self._solved_quanta >= 0 else 0
        self._solved_day, self._solved_quanta = day, int(quanta.sum(dtype=np.int64))
        self._counts_day = day + delay
        if delay:
            self._coming = beside(self.load.answer, quanta.copy(), mineral.copy())
        else:
            self._coming = Future()
            self._coming.set_result(self.load.answer(quanta, mineral))

    def take(self, day: int) -> bool:
        """Let the answer count from its day on; waits for it. Returns whether there is a new one.

        Raises:
            NumericalError: its solve did not converge.
        """
        if self._coming is None or day < self._counts_day:
            return False
        found = self._coming.result()
        self.energy[:], self.results, self._coming = found.energy, found.results, None
        return True

    def solve(self, quanta: NDArray[np.uint8], mineral: NDArray[np.uint8], day: int) -> None:
        """`start` and `take` at once, whatever the delay.

        Raises:
            NumericalError: it does not converge.
        """
        self.start(quanta, mineral, day)
        self.take(self._counts_day)

    # -- restart -------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything a restart needs; waits for a solve that is under way."""
        coming = self._coming.result() if self._coming is not None else None
        nothing = Answer(np.zeros_like(self.energy), dict.fromkeys(NUMBERS, float("nan")))
        return {
            **_written(Answer(self.energy, self.results)),
            "coming": {
                "is_one": int(coming is not None), "counts_day": self._counts_day,
                **_written(coming or nothing),
            },
            "memory": {f"case_{n}": one.state() for n, one in enumerate(self.load.memory)},
            "solved_day": self._solved_day,
            "solved_quanta": self._solved_quanta,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Put a `state` back."""
        self.energy[:], self.results = _read(state)
        for n, memory in enumerate(self.load.memory):
            memory.restore(state["memory"][f"case_{n}"])
        self._solved_day = int(state["solved_day"])
        self._solved_quanta = int(state["solved_quanta"])
        coming = state["coming"]
        self._counts_day, self._coming = int(coming["counts_day"]), None
        if coming["is_one"]:
            self._coming = Future()
            self._coming.set_result(_read(coming))


def _written(answer: Answer) -> dict[str, Any]:
    """An answer for a file; arrays are copies."""
    return {
        "energy": answer.energy.copy(),
        "results": {name: float(value) for name, value in answer.results.items()},
    }


def _read(state: dict[str, Any]) -> Answer:
    """The answer that `_written` made."""
    results = {name: float(state["results"][name]) for name in NUMBERS}
    return Answer(np.array(state["energy"], np.float32), results)
