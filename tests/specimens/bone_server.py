"""A small published bone, its list, and a server on 127.0.0.1 that serves it well or badly."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import tomli_w

from bonesim.specimens.published import PublishedBone, bone_named

NAME, FILE = "made-1", "made_roi_1.nrrd"
#: Edge of the made cube, voxels of 50 um.
EDGE = 44


def mask() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Plates across x with rods between them, 0 and 255, axes (x, y, z)."""
    bone = np.zeros((EDGE,) * 3, np.uint8)
    for x in (8, 20, 32):
        bone[x : x + 4] = 255
    for y, z in ((10, 10), (24, 14), (16, 28), (32, 30)):
        bone[:, y : y + 4, z : z + 4] = 255
    return bone


def made(folder: Path) -> bytes:
    """The file, written into a folder; its content."""
    nrrd.write(str(folder / FILE), mask())
    return (folder / FILE).read_bytes()


def listed(place: Path, content: bytes, address: str = "http://127.0.0.1:9/nowhere") -> None:
    """Write a list of this bone alone, and of another that is nowhere."""
    one = {
        "name": NAME, "source": "made", "donor": "0", "file": FILE, "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(), "shape": [EDGE] * 3, "voxel_um": 50.0,
        "threshold": 127.5, "crop_voxel": [6, 38] * 3, "measures": {"bvtv_percent": 40.0},
    }  # fmt: skip
    source = {
        "title": "Made", "address": address, "licence": "CC0-1.0", "citation": "Nobody. Made bone",
        "site": "none",
    }  # fmt: skip
    other = one | {"name": "made-2", "file": "made_roi_2.nrrd", "sha256": "0" * 64}
    place.write_text(tomli_w.dumps({"source": {"made": source}, "bone": [one, other]}))


class Server(ThreadingHTTPServer):
    """Serves the files of a folder in a way that the first part of the path chooses."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.requests = folder, list[str]()
        self.over = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """A client that goes away is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        _, how, *_, name = self.path.split("/")
        getattr(self, f"_{how}")((self.server.folder / name).read_bytes(), name)

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _head(self, length: int | None, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()

    def _good(self, content: bytes, _: str) -> None:
        self._head(len(content))
        self.wfile.write(content)

    def _slow(self, content: bytes, _: str) -> None:
        self.server.over.wait(1.0)
        self._good(content, _)

    def _missing(self, _content: bytes, _: str) -> None:
        self._head(0, 404)

    def _broken(self, _content: bytes, _: str) -> None:
        self._head(0, 500)

    def _cut(self, content: bytes, _: str) -> None:
        self._head(len(content))
        self.wfile.write(content[: len(content) // 2])

    def _short(self, content: bytes, _: str) -> None:
        self._head(None)
        self.wfile.write(content[:-1])

    def _other(self, content: bytes, _: str) -> None:
        self._head(len(content))
        self.wfile.write(content[:-1] + bytes([content[-1] ^ 1]))

    def _login(self, _content: bytes, _: str) -> None:
        page = b"<html>Please log in</html>"
        self._head(len(page), **{"Content-Type": "text/html"})
        self.wfile.write(page)

    def _endless(self, content: bytes, _: str) -> None:
        self._head(None)
        while not self.server.over.is_set():
            self.wfile.write(content)

    def _hang(self, _content: bytes, _: str) -> None:
        self.server.over.wait()

    def _stall(self, content: bytes, _: str) -> None:
        self._head(len(content))
        self.wfile.write(content[:100])
        self.wfile.flush()
        self.server.over.wait()

    def _drip(self, content: bytes, _: str) -> None:
        self._head(len(content))
        for one in content:
            if self.server.over.wait(0.01):
                return
            self.wfile.write(bytes([one]))

    def _moved(self, _content: bytes, name: str) -> None:
        self._head(0, 302, Location=f"/good/{name}")

    def _loop(self, _content: bytes, name: str) -> None:
        self._head(0, 302, Location=f"/loop/{name}")

    def _away(self, _content: bytes, _name: str) -> None:
        self._head(0, 302, Location="file:///etc/passwd")

    def _garbage(self, content: bytes, _: str) -> None:
        self.wfile.write(content[:200])


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server of a folder's files, until the block ends."""
    server = Server(folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Place:
    """A server, the bone on it, and a cache."""

    def __init__(self, server: Server, content: bytes, cache: Path) -> None:
        self.server, self.content, self.cache = server, content, cache

    @property
    def bone(self) -> PublishedBone:
        return bone_named(NAME)

    @property
    def file(self) -> Path:
        return self.cache / "library" / FILE

    def left(self) -> list[str]:
        """What is in the cache, but locks."""
        found = self.cache.rglob("*")
        return sorted(one.name for one in found if one.is_file() and one.suffix != ".lock")
