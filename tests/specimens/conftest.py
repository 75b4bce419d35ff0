"""A library of one made bone, and the real one, each on a server of 127.0.0.1 with an empty cache."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bone_server import Place, listed, made, serving

from bonesim.specimens import fetching, published


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache's folder, for this test alone; nothing in the environment names another place."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.delenv(fetching.VARIABLE, raising=False)
    monkeypatch.setattr(fetching, "user_cache_path", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def place(empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The made bone, published on a server."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    content = made(shelf)
    with serving(shelf) as server, monkeypatch.context() as patch:
        listed(tmp_path / "list.toml", content, f"{server.address}/good")
        patch.setattr(published, "PLACE", tmp_path / "list.toml")
        published.published_bones.cache_clear()
        yield Place(server, content, empty_cache)
    published.published_bones.cache_clear()


@pytest.fixture
def mirror(empty_cache: Path, tmp_path: Path, shared_data: Path) -> Iterator[str]:
    """The address of a server of the real files, under the names they are published by."""
    if not (shared_data / "bonebox").is_dir():
        pytest.skip("no folder bonebox in the shared data: the library's files are not there")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for file in (shared_data / "bonebox").glob("*.nrrd"):
        (shelf / f"isodata_{file.name}").symlink_to(file)
    with serving(shelf) as server:
        yield f"{server.address}/good"
