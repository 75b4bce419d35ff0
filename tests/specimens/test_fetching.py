"""A bone's file: fetched whole, right and once, or not at all, with one line on why."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bone_server import FILE, Place, listed

from bonesim.errors import BonesimError, CorruptFileError, InputError, ResourceError
from bonesim.specimens import fetching
from bonesim.specimens.fetching import DAMAGED, FETCHED, IN_FOLDER, NOT_FETCHED, located, state_of

ROOT = Path(__file__).parents[2]


def test_a_file_is_fetched_once(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    notes: list[str] = []
    shares: list[float] = []
    assert state_of(place.bone) == (NOT_FETCHED, place.file)
    path = located(place.bone, note=notes.append, progress=shares.append)
    assert path == place.file
    assert path.read_bytes() == place.content
    assert notes == [f"fetching made-1 (0.0 MB) from {place.bone.address}"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert located(place.bone, note=notes.append) == path
    assert len(notes) == len(place.server.requests) == 1
    assert state_of(place.bone) == (FETCHED, path)
    assert place.left() == [FILE]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("how", ["good", "moved"])
def test_a_mirror_is_asked_instead(place: Place, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    mirror = f"{place.server.address}/{how}/deep"
    assert located(place.bone, mirror=mirror).read_bytes() == place.content
    assert place.server.requests[0] == f"/{how}/deep/{FILE}"
    place.file.unlink()
    monkeypatch.setenv(fetching.VARIABLE, mirror + "/")
    located(place.bone)
    assert place.server.requests[-1 if how == "good" else -2] == f"/{how}/deep/{FILE}"


#: What a server does -> kind of error, words of its message.
FAILURES: dict[str, tuple[type[BonesimError], str]] = {
    "missing": (ResourceError, "HTTP 404 Not Found"),
    "broken": (ResourceError, "HTTP 500"),
    "cut": (ResourceError, "the connection ended early"),
    "short": (CorruptFileError, "is not the published file of made-1 (another sha256)"),
    "other": (CorruptFileError, "is not the published file of made-1 (another sha256)"),
    "login": (CorruptFileError, "was discarded"),
    "endless": (ResourceError, "it is longer than the published file"),
    "hang": (ResourceError, "no answer within 0.3 s"),
    "stall": (ResourceError, "no answer within 0.3 s"),
    "drip": (ResourceError, "it is too slow"),
    "loop": (ResourceError, "it redirects without end"),
    "away": (ResourceError, "cannot be fetched"),
    "garbage": (ResourceError, "no connection"),
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_bad_server_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], how: str
) -> None:
    monkeypatch.setattr(fetching, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(fetching, "WHOLE_SECONDS", 1.5)
    kind, words = FAILURES[how]
    begun = time.monotonic()
    with pytest.raises(kind) as raised:
        located(place.bone, mirror=f"{place.server.address}/{how}")
    message = str(raised.value)
    assert type(raised.value) is kind
    assert words in message
    # It says what to do: the published address, and where to put the file.
    assert f"{place.server.address}/{how}/{FILE}: " in message
    assert place.bone.address in message
    assert str(place.file) in message
    assert "\n" not in message
    assert place.left() == []
    assert time.monotonic() - begun < 6.0
    assert capfd.readouterr() == ("", "")
    assert located(place.bone).read_bytes() == place.content


def test_no_network(place: Place) -> None:
    with pytest.raises(ResourceError, match=r"cannot be fetched \(no connection\)"):
        located(place.bone, mirror="http://127.0.0.1:9")
    assert place.left() == []


def test_a_damaged_file_of_the_cache_is_fetched_again(place: Place) -> None:
    located(place.bone)
    for content in (place.content[:-1], place.content[:-1] + b"?", b""):
        place.file.write_bytes(content)
        assert state_of(place.bone)[0] == DAMAGED
        with pytest.raises(ResourceError):
            located(place.bone, mirror=f"{place.server.address}/missing")
        assert located(place.bone).read_bytes() == place.content


def test_leftovers_of_a_killed_process_go(place: Place) -> None:
    folder = place.file.parent
    folder.mkdir(parents=True)
    (folder / "tmpold").write_bytes(b"half")
    (folder / "tmpnew").write_bytes(b"half")
    os.utime(folder / "tmpold", (1, 1))
    located(place.bone)
    assert place.left() == [FILE, "tmpnew"]


def test_a_folder_has_it_under_any_name(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.nrrd").write_bytes(b"x" * len(place.content))
    with pytest.raises(InputError, match=r"mine: has no file of made-1 \(made_roi_1"):
        located(place.bone, folder=folder)
    (folder / "renamed.nrrd").write_bytes(place.content)
    assert located(place.bone, folder=folder) == folder / "renamed.nrrd"
    monkeypatch.setenv(fetching.VARIABLE, str(folder))
    assert located(place.bone) == folder / "renamed.nrrd"
    assert state_of(place.bone) == (IN_FOLDER, folder / "renamed.nrrd")
    assert place.server.requests == []
    assert place.left() == []


def test_a_folder_without_it(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    with pytest.raises(InputError, match="there is no such folder to take made-1 from"):
        located(place.bone, folder=folder)
    folder.mkdir()
    with pytest.raises(InputError, match=r"fetch http://127\S+/made_roi_1.nrrd by hand and put"):
        located(place.bone, folder=folder)
    (folder / FILE).write_bytes(place.content[:-1] + b"?")
    with pytest.raises(CorruptFileError, match=r"made_roi_1.nrrd: is not the published file"):
        located(place.bone, folder=folder)
    # A folder that is named is the only place: nothing is fetched instead.
    located(place.bone)
    assert len(place.server.requests) == 1
    with pytest.raises(CorruptFileError):
        located(place.bone, folder=folder)


def test_a_cache_that_cannot_be_written(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.cache.write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        located(place.bone)
    assert place.server.requests == []
    place.cache.unlink()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("shutil.move", full)
        with pytest.raises(ResourceError, match="the disk is full"):
            located(place.bone)
    assert place.left() == []


@pytest.mark.parametrize(
    "value", ["ftp://a/b", "http://", "http://u:secret@a/b", "https://a/b?x=1", "://"]
)
def test_addresses_that_are_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    with pytest.raises(ValueError, match=r"give an http or https|must have no user"):
        fetching.checked_mirror(value)
    monkeypatch.setenv(fetching.VARIABLE, value)
    with pytest.raises(InputError, match=f"^{fetching.VARIABLE}: "):
        located(place.bone)


PROGRAM = """
import sys
from pathlib import Path
from bonesim.specimens import fetching, published
fetching.user_cache_path = lambda _: Path(sys.argv[2])
published.PLACE = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
path = fetching.located(published.bone_named("made-1"), note=print)
print(path.stat().st_size)
"""


def test_of_several_processes_one_fetches(place: Place, tmp_path: Path) -> None:
    listed(tmp_path / "slow.toml", place.content, f"{place.server.address}/slow")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "slow.toml"), str(place.cache)]
    processes = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for _ in range(2)
    ]  # fmt: skip
    for one in processes:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    printed = []
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in processes:
        printed.append(one.communicate(timeout=60)[0])
        assert one.returncode == 0
    assert all(text.endswith(f"{len(place.content)}\n") for text in printed)
    assert sum("fetching made-1" in text for text in printed) == 1
    assert len(place.server.requests) == 1
    assert place.left() == [FILE]
