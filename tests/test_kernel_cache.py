"""Machine code of kernels: found from another place, never that of other sources."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bonesim

PACKAGE = Path(bonesim.__file__).parent
#: Calls one kernel that calls another; prints how often its machine code was found and compiled.
PROGRAM = """
from bonesim.chance import uniform
uniform(1, 2, 3, 4)
print(sum(uniform.stats.cache_hits.values()), sum(uniform.stats.cache_misses.values()))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package at another place."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "elsewhere" / "bonesim", ignore=ignored)
    return tmp_path / "elsewhere"


def run_kernel(folder: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(cache)}
    environment.pop("NUMBA_DISABLE_JIT", None)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True,
        env=environment, cwd=folder,
    )  # fmt: skip


def hits_and_misses(folder: Path, cache: Path) -> str:
    return run_kernel(folder, cache).stdout.strip()


@pytest.mark.long
def test_a_second_place_compiles_nothing_and_an_edit_elsewhere_compiles_again(
    copy: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    assert hits_and_misses(PACKAGE.parent, cache) == "0 1"
    assert hits_and_misses(copy, cache) == "1 0"
    # Not the kernel's own file, but one that kernels reach.
    units = copy / "bonesim" / "units.py"
    units.write_text(units.read_text() + "\nFOR_THIS_TEST = 1\n")
    assert hits_and_misses(copy, cache) == "0 1"
    # A file that no kernel reaches.
    report = copy / "bonesim" / "reports" / "run.py"
    report.write_text(report.read_text() + "\nFOR_THIS_TEST = 1\n")
    assert hits_and_misses(copy, cache) == "1 0"
    assert hits_and_misses(PACKAGE.parent, cache) == "1 0"


def test_without_a_folder_that_can_be_written_kernels_are_kept_for_the_session(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("no folder")
    done = run_kernel(PACKAGE.parent, tmp_path / "file")
    assert done.stdout.strip() == "0 1"
    assert "are lost after this session; set NUMBA_CACHE_DIR" in done.stderr


def test_what_kernels_alone_call_has_no_wrapper_for_python(tmp_path: Path) -> None:
    run_kernel(PACKAGE.parent, tmp_path)
    (folder,) = tmp_path.iterdir()
    kept = {
        (file.parent.name == "inner", file.name.split("-")[0]) for file in folder.rglob("*.nbi")
    }
    inner = {(True, "chance.words"), (True, "chance.philox")}
    assert kept == {(False, "chance.uniform"), *inner}


def test_a_kernel_serves_python_and_kernels() -> None:
    """Called by both it gives both the same bits, and each its own machine code."""
    from bonesim import chance

    alone = chance.uniform(1, 2, 3, 4)
    (row,) = chance.uniforms(np.int64(1), np.int64(2), np.array([3], np.uint64), np.int64(4))
    assert alone == row
    assert alone == chance.uniform.py_func(1, 2, 3, 4)
