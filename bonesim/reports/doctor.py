"""What bonesim needs of this machine, what is there, what is missing and how to get it."""

import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from platformdirs import user_cache_path

from bonesim.engine.cost import size_text
from bonesim.engine.machine import cores, free_disk_bytes, free_memory_bytes, memory_bytes

if TYPE_CHECKING:
    import pandas as pd

#: A state of a row: works; not there, but only some commands need it; needed and not working.
OK, MISSING, FAILED = "ok", "missing", "failed"
#: Extras that only developers need.
NOT_FOR_USERS = ("dev",)
#: Seconds within which a tiny picture must be there.
PICTURE_SECONDS = 90.0
#: Memory and disk below which hardly any run is possible, bytes.
LEAST_MEMORY, LEAST_DISK = 600e6, 100e6
#: Draws off the screen and prints the renderer; in a process of its own, which may crash or hang.
PICTURE = """
import pyvista
plotter = pyvista.Plotter(off_screen=True, window_size=(64, 64))
plotter.add_mesh(pyvista.Sphere(), color="white")
image = plotter.screenshot(return_img=True)
if image.std() == 0.0:
    raise SystemExit("the picture is empty")
lines = plotter.render_window.ReportCapabilities().splitlines()
print(next((line.split(":", 1)[1].strip() for line in lines if "renderer string" in line), "?"))
"""
GL_REMEDY = "install libegl1 and libgl1 (Debian, Ubuntu), or Mesa's libraries of your system"


class Row(NamedTuple):
    """One thing that was looked at."""

    part: str
    name: str
    value: str
    state: str = OK
    remedy: str = ""


def table() -> "pd.DataFrame":
    """One row for each thing looked at: part, name, value, state (ok, missing, failed), remedy.

    "missing" is what only some commands need; "failed" is needed and does not work. Nothing is
    changed; a picture of a few pixels is drawn off the screen, by another process.
    """
    import pandas as pd

    rows: list[Row] = []
    for part, look in PARTS.items():
        try:
            rows += look()
        except Exception as error:  # a broken library must not hide what else there is
            lines = str(error).splitlines() or [""]
            text = f"{type(error).__name__}: {lines[0]}"
            rows.append(Row(part, part, text, FAILED, "reinstall it, or bonesim"))
    return pd.DataFrame(rows, columns=list(Row._fields))


def text(table: "pd.DataFrame") -> str:
    """The table for reading: a line for each thing, its remedy below if it is not there."""
    lines: list[str] = []
    for part in table["part"].unique():
        lines += [*([""] if lines else []), str(part)]
        for row in table[table["part"] == part].itertuples(index=False):
            state = "" if row.state == OK else f"   [{row.state}]"
            lines.append(f"  {row.name:<26} {row.value}{state}")
            if row.remedy:
                lines.append(f"  {'':<26} -> {row.remedy}")
    failed = table.loc[table["state"] == FAILED, "name"]
    verdict = f"does not work: {', '.join(failed)}" if len(failed) else "all that is needed works"
    return "\n".join([*lines, "", verdict])


def _program() -> Iterator[Row]:
    from bonesim.storage.program import version_of

    part = "program"
    yield Row(part, "bonesim", f"{version_of('bonesim')} in {Path(__file__).parents[1]}")
    yield Row(part, "Python", f"{platform.python_version()} ({sys.executable})")
    yield Row(part, "system", platform.platform())


def _libraries() -> Iterator[Row]:
    """Every library that bonesim declares, by its declaration; those of extras are optional."""
    from packaging.requirements import Requirement

    for line in metadata.requires("bonesim") or []:
        wanted = Requirement(line)
        extra = _extra_of(line)
        if extra in NOT_FOR_USERS or wanted.name == "bonesim":
            continue
        remedy = f"pip install 'bonesim[{extra}]'" if extra else "pip install -U bonesim"
        part = f"libraries of extra {extra}" if extra else "libraries"
        lacking = MISSING if extra else FAILED
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield Row(part, wanted.name, "not installed", lacking, remedy)
            continue
        if wanted.specifier.contains(version, prereleases=True):
            yield Row(part, wanted.name, version)
        else:
            value = f"{version}, but {wanted.specifier} is needed"
            yield Row(part, wanted.name, value, lacking, remedy)


def _extra_of(line: str) -> str:
    """The extra that a line of requirements belongs to, or ""."""
    _, _, marker = line.partition(";")
    return marker.partition("extra ==")[2].strip(" )\"'") if "extra ==" in marker else ""


def _below_libraries() -> Iterator[Row]:
    import h5py
    import llvmlite
    import llvmlite.binding

    part = "below the libraries"
    yield Row(part, "LLVM", ".".join(map(str, llvmlite.binding.llvm_version_info)))
    yield Row(part, "llvmlite", llvmlite.__version__)
    yield Row(part, "HDF5", h5py.version.hdf5_version)
    yield Row(part, "VTK", metadata.version("vtk"))


def _pictures() -> Iterator[Row]:
    yield _picture()
    try:
        codecs = f"imagecodecs {metadata.version('imagecodecs')}"
    except metadata.PackageNotFoundError:
        codecs = "none but TIFF's own (no, deflate, PackBits)"
    yield Row("pictures and images", "codecs of images", codecs)


def _picture(program: str = PICTURE, seconds: float = PICTURE_SECONDS) -> Row:
    """Whether drawing off the screen works; a crash or a hang of it is a row, too."""
    part, name = "pictures and images", "off-screen drawing"
    try:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=seconds,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Row(part, name, f"no picture within {seconds:.0f} s", FAILED, GL_REMEDY)
    if done.returncode == 0:
        return Row(part, name, done.stdout.strip())
    if done.returncode < 0:
        why = f"crashed ({signal.Signals(-done.returncode).name})"
    else:
        why = (done.stderr.strip().splitlines() or ["ended without a word"])[-1]
    return Row(part, name, why, FAILED, GL_REMEDY)


def _machine() -> Iterator[Row]:
    import numba
    from llvmlite.binding import get_host_cpu_name

    part = "machine"
    target = numba.config.CPU_NAME or get_host_cpu_name()
    yield Row(part, "processor", f"{_processor()}; kernels are compiled for {target}")
    yield Row(
        part, "cores", f"{cores()} may be used; mechanics takes {numba.config.NUMBA_NUM_THREADS}"
    )
    memory, free = memory_bytes(), free_memory_bytes()
    enough = (OK, "") if free >= LEAST_MEMORY else (FAILED, "end other programs")
    yield Row(part, "memory", f"{size_text(memory)}, {size_text(free)} free", *enough)
    for name, place in (("disk here", Path.cwd()), ("disk for temporary files", _temporary())):
        room = free_disk_bytes(place)
        enough = (OK, "") if room >= LEAST_DISK else (FAILED, f"free some of {place}")
        yield Row(part, name, f"{size_text(room)} free ({place})", *enough)


def _temporary() -> Path:
    return Path(tempfile.gettempdir())


def _processor() -> str:
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _caches() -> Iterator[Row]:
    import numba

    from bonesim.engine.burn_in import MOST_BYTES
    from bonesim.engine.compile_ahead import all_cached
    from bonesim.kernel import cache_folder

    part, folder = "caches", cache_folder()
    known = "compiled" if all_cached() else "not compiled yet: the first run takes minutes more"
    if numba.config.DISABLE_JIT:
        known = "switched off (NUMBA_DISABLE_JIT): everything is very slow"
    kept = Path(numba.config.CACHE_DIR or user_cache_path("bonesim") / "kernels")
    if kept in folder.parents:
        yield Row(part, "kernels", f"{known}; {size_text(_bytes_in(folder))} in {folder}")
    else:
        remedy = "set NUMBA_CACHE_DIR to a folder that can be written, or HOME"
        yield Row(part, "kernels", f"{known}; {folder}, for this session", MISSING, remedy)
    old = [one for one in kept.glob("*") if one.is_dir() and one != folder]
    if old:
        size = size_text(sum(_bytes_in(one) for one in old))
        yield Row(part, "kernels of other versions", f"{len(old)}, {size} in {kept}", OK,
                  "may be deleted if no other bonesim of yours is in use")  # fmt: skip
    yield _library()
    burn_ins = user_cache_path("bonesim") / "burn_in"
    count = len(list(burn_ins.glob("*.checkpoint")))
    size = f"{size_text(_bytes_in(burn_ins))} of at most {size_text(MOST_BYTES)}"
    yield Row(part, "burn-ins", f"{count}, {size} in {burn_ins}; may be deleted at any time")


def _library() -> Row:
    from bonesim.specimens.fetching import cache_folder

    folder = cache_folder()
    size = size_text(_bytes_in(folder))
    return Row("caches", "bones of the library", f"{size} in {folder}; may be deleted at any time")


def _bytes_in(folder: Path) -> float:
    """Size of all files below a folder; one that vanishes meanwhile has none."""
    total = 0.0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0.0
        except OSError:
            continue
    return total


#: What is looked at, in order.
PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "program": _program,
    "libraries": _libraries,
    "below the libraries": _below_libraries,
    "pictures and images": _pictures,
    "machine": _machine,
    "caches": _caches,
}
