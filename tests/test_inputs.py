"""The files a config reads enter by their content."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from bonesim.config import inputs
from bonesim.config.config import Config, validated
from bonesim.config.files import FILE_PATHS
from bonesim.config.inputs import digest_of, digests_of, file_hash, files_of, inputs_of
from bonesim.config.schema import text as schema_text
from bonesim.errors import InputError


def config_of(**specimen: Any) -> Config:
    scan = {"kind": "scan", "voxel_um": 20.0, "threshold": 100, **specimen}
    return validated({"specimen": scan}, "test")


def test_all_parameters_that_name_files_are_known() -> None:
    """A new one is found by its description in the schema."""
    schema = json.loads(schema_text())

    def named(node: dict[str, Any], path: str) -> set[str]:
        found: set[str] = set()
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        for one in (*node.get("oneOf", []), *node.get("anyOf", [])):
            found |= named(one, path)
        for name, one in node.get("properties", {}).items():
            here = f"{path}.{name}" if path else name
            types = {one.get("type"), *(part.get("type") for part in one.get("anyOf", []))}
            words = one.get("description", "").lower()
            is_file = any(word in words for word in (" file", "file,", "folder", "mask", "image"))
            if "string" in types and is_file and "sha-256" not in words:
                found.add(here)
            found |= named(one, here)
        return found

    # Modules are a list: each is found by the folder of the config (`config.modules`).
    assert named(schema, "") == {*FILE_PATHS, "modules.path"}


def test_scan_mask_and_table(tmp_path: Path) -> None:
    scan, mask, table = (tmp_path / name for name in ("a.tif", "m.tif", "h.csv"))
    for place in (scan, mask, table):
        place.write_bytes(place.name.encode())
    config = config_of(path=str(scan), mask=str(mask)).with_changes(
        {"hormones.course": {"kind": "table", "path": str(table)}}
    )
    found = inputs_of(config)
    assert set(found) == {str(scan), str(mask), str(table)}
    assert len(set(found.values())) == 3
    for place in (scan, mask, table):
        before = digest_of(config)
        place.write_bytes(place.read_bytes() + b"!")
        assert digest_of(config) != before
    assert set(digests_of(config)) == {"a.tif", "m.tif", "h.csv"}
    assert digest_of(validated({}, "test")) == ""
    table.unlink()
    with pytest.raises(InputError, match=r"h\.csv: there is no such file"):
        inputs_of(config)


def test_every_file_of_a_folder_counts(tmp_path: Path) -> None:
    folder = tmp_path / "slices"
    folder.mkdir()
    for k in range(3):
        tifffile.imwrite(folder / f"s_{k}.tif", np.full((4, 4), k, np.uint8))
    config = config_of(path=str(folder))
    digests = {digest_of(config)}
    tifffile.imwrite(folder / "s_1.tif", np.full((4, 4), 9, np.uint8))
    digests.add(digest_of(config))
    (folder / "s_2.tif").rename(folder / "s_7.tif")
    digests.add(digest_of(config))
    (folder / "s_7.tif").unlink()
    digests.add(digest_of(config))
    assert len(digests) == 4
    assert list(digests_of(config)) == ["slices"]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.mhd", "ObjectType = Image\nElementDataFile = a.raw\n"),
        ("a.mhd", "ObjectType = Image\nElementDataFile = LIST\na.raw\n"),
        ("a.mhd", "ElementDataFile = a%d.raw 1 3 1\n"),
        ("a.nhdr", "NRRD0004\ntype: uint8\ndata file: a.raw\n"),
        ("a.nhdr", "NRRD0004\ndatafile: LIST\na.raw\n"),
        ("a.hdr", ""),
    ],
)
def test_data_beside_a_header_count(tmp_path: Path, name: str, header: str) -> None:
    data = tmp_path / ("a.img" if name == "a.hdr" else "a.raw")
    data.write_bytes(b"1234")
    (tmp_path / name).write_text(header)
    config = config_of(path=str(tmp_path / name))
    before = digest_of(config)
    assert data in files_of(tmp_path / name)
    data.write_bytes(b"1235")
    assert digest_of(config) != before


def test_a_file_is_read_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "large.tif"
    place.write_bytes(b"x" * 1000)
    first = file_hash(place)
    with monkeypatch.context() as patch:
        patch.setattr(inputs.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
        assert file_hash(place) == first
    place.write_bytes(b"y" * 1000)
    os.utime(place, ns=(1, 1))
    assert file_hash(place) != first


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.tif")
    with pytest.raises(InputError, match="no such file"):
        inputs_of(config_of(path=str(tmp_path / "fifo.tif")))
