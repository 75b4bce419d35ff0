"""Which seed a simulation has: what its caller gives, and what Mesa's batch runner repeats.

`mesa.batch_run(..., iterations=3)` makes each model three times with the same arguments; the number
of the iteration is not among them (Mesa 3.3). With one seed all three would be one run, counted three
times. So the iteration is read from the batch runner, and iteration k > 0 has a seed of its own: a
function of seed and k, see `seed_of_iteration`. Iteration 0 has the seed itself.
"""

import hashlib
import sys
from typing import Any

from bonesim.errors import InputError

#: The batch runner's function that makes a model, and the number in it.
RUNNER, NUMBER = ("mesa.batchrunner", "_model_run_func"), "iteration"
#: Frames between a model and the batch runner that are looked through (subclasses of a model).
FRAMES = 30
#: Seeds are below this.
SEEDS = 2**63


def seed_of_iteration(seed: int, iteration: int) -> int:
    """The seed of a repetition: `seed` itself for 0, else a hash of both.

    Not `seed` + k: runs with seeds 1 and 2, repeated, would share runs.
    """
    if iteration == 0:
        return seed
    digest = hashlib.sha256(f"{seed} {iteration}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SEEDS


def seed_given(**given: Any) -> int | None:
    """The one seed among arguments of several names; None if there is none.

    Raises:
        InputError: two of them, or one that is no seed.
    """
    some = {name: value for name, value in given.items() if value is not None}
    if len(some) > 1:
        names = " and ".join(f"`{name}`" for name in some)
        raise InputError(f"{names} are one thing; give one of them")
    return next((_whole(name, value) for name, value in some.items()), None)


def _whole(name: str, value: Any) -> int:
    """A whole number from a number, a NumPy generator or a seed sequence."""
    if hasattr(value, "integers"):
        return int(value.integers(SEEDS))
    if hasattr(value, "generate_state"):
        return int.from_bytes(value.generate_state(2).tobytes(), "little") % SEEDS
    try:
        number = int(value)
        if isinstance(value, bool | str) or number != value or not 0 <= number < SEEDS:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise InputError(
            f"got {value!r}; allowed a whole number from 0 to 2^63 - 1, a generator of NumPy or its "
            "seed sequence", parameter=name,
        ) from None  # fmt: skip
    return number


def batch_iteration() -> int:
    """The number of Mesa's iteration that makes this model; 0 outside its batch runner."""
    frame: Any = sys._getframe(1)
    for _ in range(FRAMES):
        if frame is None:
            return 0
        if (frame.f_globals.get("__name__"), frame.f_code.co_name) == RUNNER:
            return int(frame.f_locals.get(NUMBER, 0))
        frame = frame.f_back
    return 0
