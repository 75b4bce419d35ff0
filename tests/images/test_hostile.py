"""Files made to hang, to fill memory or to lead elsewhere: one line, at once."""

import bz2
import gzip
import os
import socket
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from bonesim.errors import BonesimError, CorruptFileError, InputError
from bonesim.images.reading import read_image
from tests.images import writers
from tests.images.variants import volume

MAX_SECONDS, MAX_MB = 5.0, 500


def refused(path: Path) -> str:
    start = time.monotonic()
    with pytest.raises(BonesimError) as caught:
        read_image(path)
    assert time.monotonic() - start < MAX_SECONDS
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.nrrd", "a.nii.gz", "a.mha", "a.vti", "a"])
def test_pipes_sockets_and_devices_are_never_opened(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    assert "a named pipe" in refused(tmp_path / name)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    assert "a device" in refused(tmp_path / name)
    (tmp_path / name).unlink()
    with socket.socket(socket.AF_UNIX) as one:
        place = os.path.relpath(tmp_path / name)
        if len(place) < 100:
            one.bind(place)
            assert "a socket" in refused(tmp_path / name)


def test_a_pipe_among_slices_or_as_data(tmp_path: Path) -> None:
    path = writers.slices(tmp_path, volume())
    os.mkfifo(path / "s_7.tif")
    assert "a named pipe" in refused(path)
    header = writers.mha(tmp_path, volume(), name="d.mhd", data_file="d.raw")
    (tmp_path / "d.raw").unlink()
    os.mkfifo(tmp_path / "d.raw")
    assert "a named pipe" in refused(header)


def test_links_are_followed_to_files(tmp_path: Path) -> None:
    path = writers.nrrd(tmp_path, volume())
    (tmp_path / "link.nrrd").symlink_to(path)
    np.testing.assert_array_equal(read_image(tmp_path / "link.nrrd").values, volume())


@pytest.mark.parametrize(
    "name", ["/etc/hostname", "../out.raw", "sub/out.raw", "..", "C:out.raw", "\\out.raw"]
)
def test_detached_data_come_from_the_headers_own_folder(name: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "sub").mkdir()
    raw = volume().tobytes()
    for place in (tmp_path / "out.raw", home / "sub/out.raw"):
        place.write_bytes(raw)
    for write, ending in ((writers.mha, "mhd"), (writers.nrrd, "nhdr")):
        path = write(home, volume(), name=f"a.{ending}", data_file="here.raw")
        path.write_bytes(path.read_bytes().replace(b"here.raw", name.encode()))
        with pytest.raises(InputError, match="allowed is a plain name in the header's own folder"):
            read_image(path)


def test_detached_data_are_no_link_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = writers.nrrd(home, volume(), name="a.nhdr", data_file="a.raw")
    (home / "a.raw").rename(tmp_path / "a.raw")
    (home / "a.raw").symlink_to(tmp_path / "a.raw")
    assert "a link out of the folder" in refused(path)


@pytest.mark.parametrize("name", ["LIST", "LIST 2", "slice%03d.raw 1 9 1"])
def test_lists_of_data_files_are_refused(name: str, tmp_path: Path) -> None:
    for write in (writers.mha, writers.nrrd):
        path = write(tmp_path, volume(), name="a.hdrx", data_file="here.raw")
        path.write_bytes(path.read_bytes().replace(b"here.raw", name.encode()))
        assert "in several files" in refused(path)


SIZES = ((2000, 2000, 2000), (100000, 100000, 100000), (1290, 1290, 1290))


def bombs(folder: Path) -> list[Path]:
    """Small files whose headers describe, or whose data unpack to, far more than they hold."""
    paths = []
    zeros = bytes(60_000_000)
    packed = {
        "gzip": gzip.compress(zeros, 9),
        "bzip2": bz2.compress(zeros),
        "zlib": zlib.compress(zeros, 9),
    }
    for k, (z, y, x) in enumerate(SIZES):
        sizes = f"{x} {y} {z}"
        for coding in ("raw", "gzip", "bzip2", "ascii", "hex"):
            head = f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: {sizes}\nencoding: {coding}\n\n"
            paths.append(folder / f"{k}{coding}.nrrd")
            paths[-1].write_bytes(head.encode() + packed.get(coding, b"0 1 2"))
        for flag in (True, False):
            head = (
                f"NDims = 3\nDimSize = {sizes}\nCompressedData = {flag}\nElementType = MET_LONG\n"
            )
            paths.append(folder / f"{k}{flag}.mha")
            paths[-1].write_bytes(head.encode() + b"ElementDataFile = LOCAL\n" + packed["zlib"])
        np.save(folder / f"{k}.npy", np.zeros(9))
        raw = (folder / f"{k}.npy").read_bytes()
        paths.append(folder / f"{k}.npy")
        text = f"({z}, {y}, {x}), }}".encode()
        paths[-1].write_bytes(raw.replace(b"(9,), }" + b" " * (len(text) - 7), text))
        image = writers.nifti(
            folder, volume(), name=f"{k}.nii", dims=[min(n, 32767) for n in (x, y, z)]
        )
        paths.append(image)
        paths.append(
            writers.nifti(folder, volume(), name=f"{k}.nii.gz", dims=[1290] * 3, data=zeros)
        )
        vti = writers.vti(folder, volume(), name=f"{k}.vti", packed=True, um=1000.0)
        extent = f"0 {x - 1} 0 {y - 1} 0 {z - 1}".encode()
        vti.write_bytes(vti.read_bytes().replace(b"0 4 0 5 0 6", extent))
        paths.append(vti)
    for packed_page in (True, False):
        tif = writers.tiff(folder, volume(), name=f"{packed_page}.tif", packed=packed_page)
        tif.write_bytes(
            tif.read_bytes().replace(b"\0\1\4\0\1\0\0\0\5\0\0\0", b"\0\1\4\0\1\0\0\0\0\0\1\0")
        )
        paths.append(tif)
    return paths


PROGRAM = """
import re, resource, sys, time
from pathlib import Path
import bonesim.images.reading as r
import nrrd, tifffile, gzip, bz2
from bonesim.errors import BonesimError
def peak():  # kB; what getrusage gives begins with the peak of the parent, before exec
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = peak()
for path in sys.argv[1:]:
    began = time.monotonic()
    try:
        r.read_image(path).voxel_um
        print("READ", path)
    except BonesimError:
        pass
    used = time.monotonic() - began
    if used > 5:
        print("SLOW", path, used)
print((peak() - start) // 1024)
"""


def test_bombs_cost_nothing(tmp_path: Path) -> None:
    """In a process of their own, whose memory is measured."""
    paths = bombs(tmp_path)
    assert len(paths) > 30
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    *lines, memory = done.stdout.split("\n")[:-1]
    assert lines == []
    assert int(memory) < MAX_MB


@pytest.mark.parametrize(
    "text", ["<!DOCTYPE a [<!ENTITY b 'c'>]>", "<!DOCTYPE a SYSTEM '/etc/passwd'>"]
)
def test_entities_of_xml_are_refused(text: str, tmp_path: Path) -> None:
    path = writers.vti(tmp_path, volume())
    path.write_bytes(path.read_bytes().replace(b"<VTKFile", text.encode() + b"<VTKFile", 1))
    with pytest.raises(BonesimError):
        read_image(path)
    path.write_bytes(
        path.read_bytes()
        .replace(text.encode(), b"")
        .replace(b"<ImageData", text.encode() + b"<ImageData")
    )
    assert "declares entities" in refused(path)
    ome = writers.ome(volume().shape, (20.0,) * 3).replace("<OME", text + "<OME", 1)
    assert "declares entities" in refused(writers.tiff(tmp_path, volume(), description=ome))


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[[{"a": 1}]]], dtype=object), allow_pickle=True)
    with pytest.raises(CorruptFileError, match="never loaded"):
        read_image(tmp_path / "a.npy")


def test_pages_in_a_circle(tmp_path: Path) -> None:
    path = writers.tiff(tmp_path, volume())
    raw = path.read_bytes()
    assert raw[-4:] == bytes(4)
    path.write_bytes(raw[:-4] + raw[4:8])
    assert "circle" in refused(path)


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b", b"NRRD0005", b"\x93NUMPY", b"II*\0", b"<VTKFile>", b"x" * 9999]
)
@pytest.mark.parametrize(
    "ending", ["tif", "nrrd", "nii", "nii.gz", "mha", "vti", "npy", "hdr", "isq", "dcm"]
)
def test_scraps_of_files(content: bytes, ending: str, tmp_path: Path) -> None:
    (tmp_path / f"a.{ending}").write_bytes(content)
    assert f"a.{ending}" in refused(tmp_path / f"a.{ending}")


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", volume())
    assert "ZIP" in refused(tmp_path / "a.npz")
    (tmp_path / "a.npz").rename(tmp_path / "b.npy")
    assert "ZIP" in refused(tmp_path / "b.npy")
    (tmp_path / "c.xyz").write_bytes(b"something")
    assert "unsupported format .xyz; use one of .tif" in refused(tmp_path / "c.xyz")
    assert "no such file" in refused(tmp_path / "none.tif")
    (tmp_path / "empty").mkdir()
    assert "holds no slices" in refused(tmp_path / "empty")
    (tmp_path / "n.nrrd.gz").write_bytes(
        gzip.compress(writers.nrrd(tmp_path, volume()).read_bytes())
    )
    assert "unpack it first" in refused(tmp_path / "n.nrrd.gz")
