"""The golden digest of five blocks: equal as long as nothing but names and places changes.

    python tests/golden/golden_digest.py                     print the digests
    python tests/golden/golden_digest.py --against HEAD~1    compare with a commit, here
    python tests/golden/golden_digest.py --record            write golden.json

Recording anew is a commit of its own that says why the results may change. Bits depend on the
libraries and on the processor (NumPy and Numba choose instructions by it), so the file names both.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from golden_names import arrays_of

HERE = Path(__file__).parent
RECORDED = HERE / "golden.json"
#: A small scan of the generator's own bone, grey, 60 um, noisy; made once, kept.
SCAN = HERE / "grey_60um.npy"
DAYS = 150
SIZE_MM = [1.6, 1.6, 1.6]

_SYNTHETIC: dict[str, Any] = {"kind": "synthetic", "size_mm": SIZE_MM, "voxel_um": 20.0, "seed": 3}
_SUPPRESSED: dict[str, Any] = {
    "course": {
        "kind": "stepped", "e2_pg_per_ml": 25.0,
        "steps": [{"start_day": 0, "e2_pg_per_ml": 7.0, "tau_day": 10.0}],
    }
}  # fmt: skip
#: Name of a block -> what its configuration says beyond the defaults.
BLOCKS: dict[str, dict[str, Any]] = {
    "healthy": {"specimen": _SYNTHETIC},
    "suppression": {"specimen": _SYNTHETIC, "hormones": _SUPPRESSED},
    "trt_anastrozole": {
        "specimen": _SYNTHETIC | {"seed": 4},
        "protocol": {
            "sex": "male", "age_year": 58, "e2_pg_per_ml": 20.0, "t_ng_per_dl": 300.0,
            "testosterone_cypionate": [{"dose_mg": 100.0, "every_day": 7, "start_day": -200}],
            "anastrozole": [{"dose_mg": 1.0, "every_day": 1, "start_day": 0}],
        },
    },
    "load": {
        "specimen": _SYNTHETIC | {"seed": 5},
        "protocol": {
            "e2_pg_per_ml": 25.0,
            "loading": {"change": [{"start_day": 0, "load_percent": 50.0},
                                   {"start_day": 90, "load_percent": 130.0}]},
        },
    },
    "scan": {
        "specimen": {"kind": "scan", "path": str(SCAN), "voxel_um": 60.0, "resample_um": 20.0},
        "hormones": _SUPPRESSED,
    },
}  # fmt: skip


def environment() -> dict[str, str]:
    """What bits may depend on besides the code."""
    import llvmlite.binding
    import numba
    import scipy

    return {
        "python": platform.python_version(), "numpy": np.__version__, "numba": numba.__version__,
        "scipy": scipy.__version__, "machine": platform.machine(),
        "processor": llvmlite.binding.get_host_cpu_name(),
    }  # fmt: skip


def simulated(block: str) -> Any:
    """A block after 300 days of burn-in and `DAYS` more."""
    from bonesim import Simulation

    shared = {"seed": 11, "schedule": {"burn_in_day": 300, "duration_day": DAYS}}
    simulation = Simulation(shared | BLOCKS[block])
    while simulation.day < DAYS:
        simulation.step()
    return simulation


def digests(block: str) -> dict[str, str]:
    """SHA-256 of every array of a block (dtype, shape and bytes), first 16 hex digits each."""
    found = {}
    for name, array in arrays_of(simulated(block)):
        head = f"{array.dtype.str}{array.shape}".encode()
        content = np.ascontiguousarray(array).tobytes()
        found[name] = hashlib.sha256(head + content).hexdigest()[:16]
    return found


def differences(one: dict[str, dict[str, str]], other: dict[str, dict[str, str]]) -> list[str]:
    """block.array of all that is not the same in both."""
    return [
        f"{block}: {name}"
        for block in sorted({*one, *other})
        for name in sorted({*one.get(block, {}), *other.get(block, {})})
        if one.get(block, {}).get(name) != other.get(block, {}).get(name)
    ]


def of_commit(revision: str) -> dict[str, dict[str, str]]:
    """The digests by another commit's code and name map, computed here and now."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run(
            ["git", "worktree", "add", "--detach", str(tree), revision],
            check=True, cwd=HERE, stdout=sys.stderr,
        )  # fmt: skip
        try:
            done = subprocess.run(
                [sys.executable, str(tree / "tests/golden/golden_digest.py")],
                env={**os.environ, "PYTHONPATH": str(tree)}, cwd=tree,
                check=True, capture_output=True, text=True,
            )  # fmt: skip
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(tree)], check=True, cwd=HERE
            )
    return dict(json.loads(done.stdout)["blocks"])


def main() -> int:
    """Print, record or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", metavar="REVISION")
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    blocks = {block: digests(block) for block in BLOCKS}
    text = json.dumps({"environment": environment(), "blocks": blocks}, indent=1)
    if asked.record:
        RECORDED.write_text(text + "\n")
    elif asked.against:
        found = differences(of_commit(asked.against), blocks)
        print("\n".join(found) or f"equal to {asked.against}: all arrays of {len(blocks)} blocks")
        return int(bool(found))
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
