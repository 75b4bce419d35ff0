"""The decorator for compiled functions (kernels), and where their machine code is cached.

Numba's own cache does not notice an edit in *another* file that a kernel calls: it silently
returns the old result (numba issues 1833, 9483). So the cache folder is named after a hash of
all sources a kernel can reach, and of the compiler: the rooms of kernels, and elsewhere the files
with kernels and all that these import (a test derives the list).
`fastmath` stays off: identical bits on every machine matter more than a few percent of speed.
"""

import hashlib
import os
import tempfile
import threading
import warnings
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import numba
import numpy as np
from numba.core import caching
from platformdirs import user_cache_path

__all__ = [
    "KERNEL_SOURCES", "PACKAGE", "cache_folder", "is_cached", "kernel", "lean_kernel",
    "sources_hash",
]  # fmt: skip


PACKAGE = Path(__file__).parent
#: Folders and files that contain kernels or are imported by these.
KERNEL_SOURCES = (
    "chance.py", "errors.py", "kernel.py", "parameters.py", "units.py",
    "cells", "lattice", "mechanics", "signals",
    "endocrine/assay.py", "endocrine/axis.py", "endocrine/kinetics.py", "endocrine/response.py",
    "endocrine/targets.py",
    "instruments/reading.py",
    "morphometry/spheres.py", "morphometry/thinning.py",
    "specimens/field.py", "specimens/network.py", "specimens/raster.py", "specimens/specimen.py",
)  # fmt: skip

#: How Numba compiles a kernel, and one that makes no array.
OPTIONS: dict[str, Any] = {
    "cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True,
}  # fmt: skip
LEAN = {**OPTIONS, "_nrt": False}

F = TypeVar("F", bound=Callable[..., Any])


@cache
def sources_hash() -> str:
    """SHA-256 (first 16 hex digits) of every source file a kernel can reach, and of the compiler."""
    digest = hashlib.sha256(f"numba {numba.__version__} llvmlite {llvmlite.__version__}".encode())
    for name in KERNEL_SOURCES:
        place = PACKAGE / name
        files = [place] if place.suffix == ".py" else sorted(place.rglob("*.py"))
        for file in files:
            digest.update(file.relative_to(PACKAGE).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path:
    """Where machine code of these sources is kept; a temporary folder if it cannot be written.

    It is named after the sources within NUMBA_CACHE_DIR, if that is set, or the user's cache.
    """
    place = numba.config.CACHE_DIR or user_cache_path("bonesim") / "kernels"
    folder = Path(place) / sources_hash()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(folder)
    except OSError:
        temporary = Path(tempfile.mkdtemp(prefix="bonesim_kernels_"))
        warnings.warn(
            f"{folder} cannot be written: compiled kernels go to {temporary} and are lost "
            "after this session; set NUMBA_CACHE_DIR to a writable folder to keep them",
            stacklevel=2,
        )
        folder = temporary / sources_hash()
        folder.mkdir()
    return folder


def _ours(file: str) -> bool:
    """Whether a source file is of this package."""
    return Path(file).resolve().is_relative_to(PACKAGE.resolve())


class KernelLocator(caching.UserWideCacheLocator):  # type: ignore[misc]
    """Where Numba keeps a kernel: by the module's place in the package, not on the disk.

    A second clone or environment with the same sources and compiler finds what is compiled.
    """

    def __init__(self, py_func: Any, py_file: str) -> None:
        self._py_file, self._lineno = py_file, py_func.__code__.co_firstlineno
        place = Path(py_file).resolve().parent.relative_to(PACKAGE.resolve())
        self._cache_path = str(cache_folder() / place)

    def get_source_stamp(self) -> str:
        """What a cached kernel must have been compiled from."""
        return sources_hash()

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        """A locator for functions of this package, None for all others."""
        return super().from_function(py_func, py_file) if _ours(py_file) else None


class _InnerLocator(KernelLocator):
    """Where Numba keeps a kernel as other kernels call it: beside the one that Python calls."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)
        self._cache_path = str(Path(self._cache_path) / "inner")


class _InnerFiles(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_InnerLocator,)


class _InnerCache(caching.FunctionCache):  # type: ignore[misc]
    _impl_class = _InnerFiles


caching.CacheImpl._locator_classes.insert(0, KernelLocator)


def kernel(function: F) -> F:
    """Compile `function` with Numba: cached, without the GIL, IEEE arithmetic, C-like division.

    Kernels are pure functions over arrays and numbers: no objects, no input or output, no
    messages, no random numbers but those of `bonesim.chance`.

    Most kernels are called by kernels alone. So a kernel is two dispatchers: the one returned, for
    Python, and within it one for kernels, which has no wrapper that takes tuples of arrays from
    Python's objects. Wrappers of all kernels take a third of the time of compilation.

    With NUMBA_DISABLE_JIT=1 they run as plain Python, slowly and with the same bits: for that a
    number narrower than 64 bits is made float64 or int64 before it meets a literal.
    """
    if numba.config.DISABLE_JIT:
        return _plain(function)
    return _compiled(function, OPTIONS)


def lean_kernel(function: F) -> F:
    """A `kernel` that makes no array: it only works on those that come in.

    Numba counts references to every array of every table at each use and each call, by atomic
    operations that cost more than all of a cell's arithmetic. Here nobody has to count: whoever
    calls keeps the arrays. A kernel that makes one (np.zeros, a sort, a copy) does not compile so.
    Same bits as a `kernel`.
    """
    if numba.config.DISABLE_JIT:
        return _plain(function)
    return _compiled(function, LEAN)


def _compiled(function: F, options: dict[str, Any]) -> F:
    """Two dispatchers of a function: the one returned, and within it one for kernels that call it.

    A function outside the package (of a test, of a user) has the first alone.
    """
    outer = numba.njit(**options)(function)
    if not _ours(function.__code__.co_filename):
        return outer  # type: ignore[no-any-return]
    inner = numba.njit(**{**options, "cache": False}, no_cpython_wrapper=True)(function)
    inner._cache = _InnerCache(function)
    # What Numba's compiler asks of a function that is called.
    outer.get_call_template, outer.get_overload = inner.get_call_template, inner.get_overload
    return outer  # type: ignore[no-any-return]


def _plain(function: F) -> F:
    """`function` with the numbers that compiled code has: 64 bits wide, and silent on overflow.

    NumPy lets Python's own numbers take the type of what they meet (float32 x 0.5 is float32); in
    compiled code they are float64 and int64. So those that come in, also within tuples, do so
    as NumPy's.
    """

    @wraps(function)
    def run(*arguments: Any) -> Any:
        if getattr(_within, "kernel", False):
            # Its tuples are wide already.
            return function(*[_WIDE.get(type(one), _same)(one) for one in arguments])
        _within.kernel = True
        try:
            with np.errstate(all="ignore"):
                return _as_returned(function(*[_strong(one) for one in arguments]))
        finally:
            _within.kernel = False

    return run  # type: ignore[return-value]


#: Whether this thread runs a plain kernel already.
_within = threading.local()


def _wide(number: int) -> Any:
    """int64, or uint64 for an identity that needs it: as Numba takes Python's integers."""
    return np.int64(number) if number < 2**63 else np.uint64(number)


def _same(value: Any) -> Any:
    return value


_WIDE: dict[type, Callable[[Any], Any]] = {float: np.float64, int: _wide}


def _strong(value: Any) -> Any:
    """A Python number as float64 or int64, a tuple with all of its numbers so."""
    if isinstance(value, tuple):
        strong = [_strong(one) for one in value]
        return type(value)(*strong) if hasattr(value, "_fields") else tuple(strong)
    return _WIDE.get(type(value), _same)(value)


def _as_returned(value: Any) -> Any:
    """A result as compiled code returns it: NumPy's numbers as Python's."""
    if type(value) is tuple:
        return tuple(_as_returned(one) for one in value)
    return value.item() if isinstance(value, np.generic) else value


def is_cached(name: str) -> bool:
    """Whether machine code of a kernel ("module.function") exists for these sources."""
    return any(cache_folder().rglob(f"*{name}-*.nbc"))
