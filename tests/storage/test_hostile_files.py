"""A directory of hostile files: each refused within seconds, in little memory, in one line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from run_pieces import fill, new_writer

import bonesim
from bonesim.engine.progress import complain, printable
from bonesim.errors import InputError
from bonesim.storage import layout

#: Runs a command with 5 s of processor time and 500 MB of own memory; reports files it opens outside.
GUARDED = """
import os, resource, sys, threading
folder, *words = sys.argv[1:]
import bonesim.cli.main as main
import h5py, numpy, pandas
import bonesim.reports.run, bonesim.reports.structure, bonesim.engine.run, bonesim.reports.verify
used = resource.getrusage(resource.RUSAGE_SELF)
resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 7,) * 2)
with open("/proc/self/statm") as file:
    size = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 500 * 2**20,) * 2)
prefixes = tuple(map(os.path.realpath, (folder, sys.prefix, sys.base_prefix, os.getcwd())))
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        place = os.path.realpath(arguments[0])
        if not place.startswith(prefixes) and os.path.basename(place) == "secret":
            print("OPENED", place, file=sys.stderr)
sys.addaudithook(watch)
sys.argv = ["bonesim", *words]
main.main()
"""


def guarded(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command under the guard; TimeoutExpired if it hangs."""
    command = [sys.executable, "-c", GUARDED, str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def hostile_configs(folder: Path) -> dict[str, str]:
    """Name -> what is in it."""
    os.mkfifo(folder / "pipe.toml")
    (folder / "zero.toml").symlink_to("/dev/zero")
    (folder / "folder.toml").mkdir()
    texts = {
        "brackets": "seed = " + "[" * 3000 + "]" * 3000,
        "dots": ".".join("a" * 3000) + " = 1",
        "dotted_groups": "[" + ".".join("a" * 3000) + "]",
        "inline": "x = " + "{a = " * 1000 + "1" + "}" * 1000,
        "digits": "seed = " + "9" * 5000,
        "date": "seed = 2020-01-01",
        "time": "[schedule]\nduration_day = 07:32:00",
        "instant": "[specimen]\nkind = 1979-05-27T07:32:00Z",
        "true": "seed = true",
        "true_in_list": "[schedule]\nsnapshots_day = [false, true]",
        "escape": 'title = "\x1b[2J"',
        "nul": 'title = "\0"',
        "long": "# " + "x" * 2**23,
        "binary": "\udcff\udcfe",
        "not_finite": "[specimen]\nkind = 'synthetic'\nsize_mm = [nan, inf, 1]",
    }
    for name, text in texts.items():
        (folder / f"{name}.toml").write_bytes(text.encode(errors="surrogateescape"))
    return texts


def test_hostile_configs_are_refused(tmp_path: Path) -> None:
    """All in one process that must stay within its limits: each is one line, exit 2."""
    hostile_configs(tmp_path)
    names = sorted(p.name for p in tmp_path.iterdir())
    program = f"""
import sys
sys.argv = ["-c", {str(tmp_path)!r}, "--version"]
""" + GUARDED.replace(
        "main.main()",
        f"""
from bonesim.api.inputs import as_config
from bonesim.config.changes import parsed_changes
from bonesim.errors import InputError
import time
for name in {names!r}:
    begun = time.process_time()
    try:
        as_config({str(tmp_path)!r} + "/" + name)
    except InputError as error:
        print(name, "refused", "\\n" in str(error))
    else:
        print(name, "taken")
    assert time.process_time() - begun < 5.0, name
for value in ("9" * 5000, "[" * 3000, "2020-01-01", "07:00:00", "true", "{{a" * 1000):
    try:
        as_config({{}}, parsed_changes(["seed=" + value]))
    except InputError as error:
        print("set", "refused", "\\n" in str(error))
    else:
        print("set taken")
for path in ("a." * 3000 + "b", ".", "seed.x.y"):
    try:
        as_config({{}}, parsed_changes([path + "=1"]))
    except InputError as error:
        print("set", "refused", "\\n" in str(error))
    else:
        print("set taken")
""",
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-1500:]
    lines = done.stdout.splitlines()
    assert len(lines) == len(names) + 9
    assert all(line.endswith("refused False") for line in lines), lines


def _bomb(file: h5py.File) -> None:
    del file["bonesim/table/bvtv_percent"]
    file.create_dataset("bonesim/table/bvtv_percent", data=np.zeros(2**26), chunks=(2**20,),
                        compression="gzip", compression_opts=9)  # fmt: skip


def _huge_config(file: h5py.File) -> None:
    del file["bonesim/config"]
    file.create_dataset("bonesim/config", data=np.full(2**25, 32, "u1"), chunks=(2**20,),
                        compression="gzip")  # fmt: skip


def _lattice_of_floats(file: h5py.File) -> None:
    shape = file["VTKHDF/CellData/quanta"].shape
    del file["VTKHDF/CellData/quanta"]
    file.create_dataset("VTKHDF/CellData/quanta", data=np.full(shape, np.nan), chunks=shape)


def _notes(file: h5py.File) -> None:
    del file["bonesim/provenance"]
    text = np.frombuffer(b'{"notes": 3, "bonesim": "x", "created": "y"}', "u1")
    file.create_dataset("bonesim/provenance", data=text, chunks=True)


def _nested_texts(file: h5py.File) -> None:
    del file["bonesim/provenance"]
    text = np.frombuffer(b"[" * 100000, "u1")
    file.create_dataset("bonesim/provenance", data=text, chunks=True)


def _external(file: h5py.File) -> None:
    secret = Path(file.filename).parent.parent / "secret"
    file.create_dataset("bonesim/x", (6,), "u1", external=[(str(secret), 0, 6)])


def _external_link(file: h5py.File) -> None:
    secret = Path(file.filename).parent.parent / "secret"
    file["bonesim/x"] = h5py.ExternalLink(str(secret), "/x")


def _no_sums(file: h5py.File) -> None:
    del file["bonesim/field_checksums"]


def _other_kinds(file: h5py.File) -> None:
    file["bonesim"].attrs["voxel_um"] = np.array([1.0, 2.0])


def _day_nan(file: h5py.File) -> None:
    del file["bonesim"].attrs["checksums"]
    file["bonesim/table/day"][-1] = np.nan


HOSTILE = [_bomb, _huge_config, _lattice_of_floats, _notes, _nested_texts, _external,
           _external_link, _no_sums, _other_kinds, _day_nan]  # fmt: skip


@pytest.mark.long
def test_hostile_run_files_are_refused(tmp_path: Path) -> None:
    """`bonesim verify` of a directory of them: within its limits, and none is called right."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    for attack in HOSTILE:
        path = folder / f"{attack.__name__}.vtkhdf"
        with new_writer(path) as writer:
            fill(writer)
        with h5py.File(path, "r+", libver=layout.FORMAT) as file:
            attack(file)
    # One with a pipe for a journal and one that is a device.
    with new_writer(folder / "pipe.vtkhdf") as writer:
        fill(writer)
    os.mkfifo(folder / "pipe.vtkhdf.journal")
    done = guarded(folder, "verify", str(folder))
    assert "OPENED" not in done.stderr
    assert done.returncode in (2, 5), done.stderr[-1500:]
    assert done.stderr.count("\n") == 1, done.stderr
    for attack in HOSTILE:
        rows = [line for line in done.stdout.splitlines() if line.startswith(attack.__name__)]
        assert any("  ok" not in line for line in rows), attack.__name__


def test_pipes_and_devices_are_no_run_file(tmp_path: Path) -> None:
    path = tmp_path / "a.vtkhdf"
    for make, reason in (
        (os.mkfifo, "named pipe"),
        (lambda p: p.symlink_to("/dev/zero"), "a device"),
        (lambda p: p.mkdir(), "no such file"),
    ):
        make(path)
        # A read that waits for a writer would wait for ever.
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.alarm(60)
        for use in (bonesim.info, bonesim.resume, bonesim.clinic):
            with pytest.raises(InputError, match=reason):
                use(path)
        signal.alarm(0)
        path.rmdir() if path.is_dir() else path.unlink()


def test_terminal_escapes_are_shown_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printable("a\x1b[2Jb\x07\u009b\u202e") == "a\\x1b[2Jb\\x07\\x9b\\u202e"
    assert printable("a\tb\n\u00b5m") == "a\tb\n\u00b5m"
    with pytest.raises(InputError) as error:
        bonesim.info(tmp_path / "\x1b[2J.vtkhdf")
    complain(str(error.value))
    printed = capsys.readouterr().err
    assert "\x1b" not in printed
    assert "\\x1b[2J.vtkhdf" in printed
