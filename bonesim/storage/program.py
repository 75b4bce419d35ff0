"""Which program made a result: one hash over the sources that results depend on.

A result of another program is no result of this one, even if both have one version number: a run
that continues, a burn-in that is shared and a point of a sweep that is kept must be of one program.
The kernels' hash (`bonesim.kernel`) is another: it is of machine code, and of the compiler. This one
is the same on every machine, Python and operating system.
"""

import ast
import hashlib
import io
import tokenize
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = [
    "NO_MECHANISM", "OUTCOME_SOURCES", "PROGRAM_SOURCES", "code_of", "mechanism_hash", "named",
    "outcome_hash", "program", "program_hash", "version_of",
]  # fmt: skip

PACKAGE = Path(__file__).parents[1]
#: Folders and files that the engine reaches by imports (a test derives the list).
PROGRAM_SOURCES = (
    "chance.py", "errors.py", "kernel.py", "parameters.py", "public.py", "units.py",
    "cells", "config", "endocrine", "engine", "images", "lattice", "mechanics", "morphometry",
    "signals", "specimens", "specimens/library.toml", "storage",
)  # fmt: skip
#: What the outcomes of a point of a sweep or trial are computed with beside these.
OUTCOME_SOURCES = (
    "instruments", "loss", "sweeps/design.py", "sweeps/extras.py", "sweeps/spent.py",
    "sweeps/members.py", "sweeps/study.py", "sweeps/worker.py",
    "trials/parameters.py", "trials/visits.py",
)  # fmt: skip


#: Of these, what cannot change a result: names, messages, files, estimates, progress, downloads.
NO_MECHANISM = (
    "errors.py", "kernel.py", "public.py", "config/citations.py", "config/explain.py",
    "config/plain_toml.py", "config/readers.py", "config/schema.py", "engine/compile_ahead.py",
    "engine/compiling.py", "engine/cost.py", "engine/machine.py", "engine/progress.py",
    "engine/time_left.py", "specimens/fetching.py", "storage", "sweeps/spent.py",
)  # fmt: skip


@cache
def program_hash() -> str:
    """SHA-256 (first 16 hex digits) of version and sources that a run's content depends on."""
    return _hash_of(PROGRAM_SOURCES)


@cache
def outcome_hash() -> str:
    """SHA-256 (first 16 hex digits) of version and sources that a point's outcomes depend on."""
    return _hash_of(PROGRAM_SOURCES + OUTCOME_SOURCES)


@cache
def mechanism_hash() -> str:
    """SHA-256 (first 16 hex digits) of the code that figures of an experiment are simulated with.

    It is `outcome_hash` without version, comments and docstrings, and without what cannot change a result
    (`NO_MECHANISM`). A new module counts.
    """
    digest = hashlib.sha256()
    around = {file for name in NO_MECHANISM for file in _files_of(PACKAGE / name)}
    for file in _sorted(PROGRAM_SOURCES + OUTCOME_SOURCES):
        if file not in around:
            text = file.read_text(encoding="utf-8")
            code = code_of(text) if file.suffix == ".py" else text
            digest.update(f"\0{file.relative_to(PACKAGE).as_posix()}\0{code}".encode())
    return digest.hexdigest()[:16]


@cache
def code_of(source: str) -> str:
    """Python source without comments, docstrings and empty lines; indentation is kept."""
    lines = source.splitlines(keepends=True)
    kept = [list(line) for line in lines]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            (row, first), (_, last) = token.start, token.end
            kept[row - 1][first:last] = " " * (last - first)
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            for row in range(body[0].lineno - 1, body[0].end_lineno or 0):
                kept[row] = []
    joined = ("".join(line).rstrip() for line in kept)
    return "\n".join(line for line in joined if line)


def _is_text(node: ast.AST) -> bool:
    """Whether a statement is a text alone: a docstring."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def program() -> str:
    """Version and hash as messages name them, e.g. "0.2.0 (program 1f2e3d4c5b6a7988)"."""
    return named(version_of("bonesim"), program_hash())


def named(release: str, digest: str) -> str:
    """A version and a hash as messages name them."""
    return f"{release} (program {digest or 'not recorded'})"


def _hash_of(sources: tuple[str, ...]) -> str:
    digest = hashlib.sha256(f"bonesim {version_of('bonesim')}".encode())
    for file in _sorted(sources):
        # Line ends are those of the checkout, not of the program.
        content = file.read_bytes().replace(b"\r\n", b"\n")
        place = file.relative_to(PACKAGE).as_posix()
        digest.update(f"\0{place}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _sorted(sources: tuple[str, ...]) -> list[Path]:
    """All files of these, each once, in an order that is the same on every machine."""
    files = {file for name in sources for file in _files_of(PACKAGE / name)}
    return sorted(files, key=lambda file: file.relative_to(PACKAGE).as_posix())


def _files_of(place: Path) -> list[Path]:
    return [place] if place.suffix in (".py", ".toml") else list(place.rglob("*.py"))


def version_of(package: str) -> str:
    """The installed version of a package, or "unknown"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
