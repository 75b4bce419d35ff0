"""Code blocks of README and the guide: read, and run one after the other in a folder of their own.

A remark above a block says how it is run:

    <!-- ci: test -->                 README's second command; .ci/run takes it from there
    <!-- ci: last command -->         only what follows the last &&: set-up is not repeated
    <!-- ci: file NAME -->            kept as a file, for the blocks after it
    <!-- ci: not run, REASON -->

They run as they are printed. What bounds them are the configs, which are made small: `bounded`.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w
from platformdirs import user_cache_path

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "bonesim" / "guide").glob("*.md")))
LANGUAGES = {"bash", "python", "toml", "text"}
REMARK = re.compile(r"<!-- ci: (test|last command|file [\w./-]+|not run, \S[^>]*) -->$")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Edge and voxel of the bones that blocks simulate, and a seed whose tiny block reaches from face to
#: face along every axis (its successors, which members get, have bone); days of burn-in, between solves.
SIZE_MM, VOXEL_UM, SEED, BURN_IN_DAY, SOLVE_DAY = 0.8, 25.0, 43, 40, 365
#: Seconds for one block.
PATIENCE = 240
#: In place of Slurm's: runs the tasks of an array one after the other.
SBATCH = """#!/usr/bin/env bash
set -euo pipefail
last="$(sed -n 's/^#SBATCH --array=0-//p' "$1")"
for task in $(seq 0 "$last"); do
    SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=$((last + 1)) SLURM_JOB_ID=1 bash "$1"
done
"""


class Block(NamedTuple):
    """A code block: where its fence is, its language, its text, and how it is run."""

    line: int
    language: str
    text: str
    remark: str

    @property
    def runs(self) -> bool:
        """Whether it is run as a program."""
        waived = self.remark == "test" or self.remark.startswith(("not run", "file "))
        return self.language in ("bash", "python") and not waived

    @property
    def file(self) -> str:
        """The file that it is kept as; empty if none."""
        return self.remark.removeprefix("file ") if self.remark.startswith("file ") else ""

    @property
    def program(self) -> str:
        """What is run of it."""
        return self.text.rpartition("&&")[2] if self.remark == "last command" else self.text


def blocks_of(document: Path) -> list[Block]:
    """The blocks of a document, in order."""
    text = document.read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        above = text[: fence.start()].rstrip("\n").rpartition("\n")[2]
        remark = REMARK.match(above)
        assert remark or not above.startswith("<!-- ci"), f"{document.name}: {above}"
        line = text.count("\n", 0, fence.start()) + 1
        found.append(Block(line, fence[1], fence[2], remark[1] if remark else ""))
    return found


def bounded(tree: dict[str, Any]) -> dict[str, Any]:
    """A config, study or trial made small: a tiny bone, few solves, one replicate, three people."""
    small = dict(tree)
    if "specimen" in small and small["specimen"].get("kind", "synthetic") == "synthetic":
        small["specimen"] = small["specimen"] | {
            "size_mm": [SIZE_MM] * 3, "voxel_um": VOXEL_UM, "seed": SEED,
        }  # fmt: skip
    if "schedule" in small:
        small["schedule"] = small["schedule"] | {"burn_in_day": BURN_IN_DAY}
        small["mechanics"] = small.get("mechanics", {}) | {
            "interval_day": SOLVE_DAY, "changed_percent": 50.0,
        }  # fmt: skip
    if "seeds" in small.get("design", {}):
        small["design"] = small["design"] | {"seeds": 1}
    if "cohort" in small:
        small["cohort"] = small["cohort"] | {"people": 3, "bones": 1}
        small["repeats"] = 20
    return small


def write_bounded(text: str, place: Path) -> None:
    """Keep a block or a file of configs/, TOML made small."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.suffix == ".toml":
        text = tomli_w.dumps(bounded(tomllib.loads(text)))
    place.write_text(text, encoding="utf-8")


def lay_out(folder: Path) -> None:
    """What a reader has beside a document: configs/, and the programs on the path."""
    for config in sorted((ROOT / "configs").iterdir()):
        if config.suffix == ".toml":
            write_bounded(config.read_text(encoding="utf-8"), folder / "configs" / config.name)
        elif config.suffix == ".csv":
            shutil.copy(config, folder / "configs" / config.name)
    programs = folder / "programs"
    programs.mkdir()
    (programs / "sbatch").write_text(SBATCH)
    (programs / "bonesim").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bonesim "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)


def run(block: Block, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a block; its output is in the result."""
    from bonesim.kernel import cache_folder

    path = os.pathsep.join(
        [str(folder / "programs"), str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    environment = os.environ | {
        "PATH": path, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg",
        # Burn-ins are made again; compiled kernels and the list of fonts are those of the tests.
        "XDG_CACHE_HOME": str(folder / "cache"), "NUMBA_CACHE_DIR": str(cache_folder().parent),
        "MPLCONFIGDIR": str(user_cache_path("matplotlib")),
    }  # fmt: skip
    program = (
        [sys.executable, "-c", block.program]
        if block.language == "python"
        else ["bash", "-euo", "pipefail", "-c", block.program]
    )
    return subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
