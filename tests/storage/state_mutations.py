"""Checkpoints with a right hash and a wrong value: each is tried in this process, which may crash.

Arguments: a run file with its checkpoint, and seeds. Prints a line for each: what was changed, and how
`resume` took it.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bonesim.engine.run import checkpoint_path, resume
from bonesim.errors import CorruptFileError
from bonesim.storage import checkpoint

#: Extreme values of any kind of number.
EXTREMES = (0, -1, 1, 255, 2**15, -(2**31), 2**31 - 1, 2**30, 2**62, -(2**62), 1e30, -1e30,
            float("nan"), float("inf"), 1e-40)  # fmt: skip


def leaves(state: dict[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Paths of all that is no group."""
    found = []
    for name, value in state.items():
        found += leaves(value, (*prefix, name)) if isinstance(value, dict) else [(*prefix, name)]
    return found


def mutated(state: dict[str, Any], seed: int) -> str:
    """Change one thing of a state; what it was."""
    random = np.random.default_rng(seed)
    paths = leaves(state)
    path = paths[int(random.integers(len(paths)))]
    group = state
    for name in path[:-1]:
        group = group[name]
    value, how = group[path[-1]], int(random.integers(8))
    extreme = EXTREMES[int(random.integers(len(EXTREMES)))]
    array = np.asarray(value)
    if how == 0:
        del group[path[-1]]
        what = "missing"
    elif how == 1:
        group[path[-1]] = array.astype(random.choice(["f8", "i1", "u2", "c8", "S3"]))
        what = f"as {group[path[-1]].dtype}"
    elif how == 2:
        size = int(random.choice([0, 1, array.size // 2, array.size + 1, 2 * array.size]))
        group[path[-1]] = np.resize(array, size)
        what = f"of {size} values"
    elif how == 3:
        group[path[-1]] = {} if random.integers(2) else array[None]
        what = "of another kind"
    else:
        with np.errstate(all="ignore"):
            changed = array.copy().reshape(-1)
            if changed.size:
                some = slice(None) if how == 4 else int(random.integers(changed.size))
                changed[some] = np.array(extreme).astype(changed.dtype)
            if how == 7:
                random.shuffle(changed)
        group[path[-1]] = changed.reshape(array.shape)
        if not isinstance(value, np.ndarray):
            group[path[-1]] = type(value)(extreme) if abs(extreme) < 1e300 else extreme
        what = f"{extreme} ({how})"
    return f"{'/'.join(path)} {what}"


def main() -> None:
    source, *seeds = sys.argv[1:]
    for seed in seeds:
        path = Path(source).with_name(f"tried_{seed}.vtkhdf")
        shutil.copy(source, path)
        state, meta = checkpoint.load(checkpoint_path(Path(source)))
        what = mutated(state, int(seed))
        checkpoint.save(checkpoint_path(path), state, meta)
        print(seed, what, end=": ", flush=True)
        try:
            resume(path)
        except CorruptFileError as error:
            assert "\n" not in str(error)
            print("refused", flush=True)
        else:
            print("taken", flush=True)
        path.unlink()
        checkpoint_path(path).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
