"""Bones of the library: the list, a specimen of one, runs on it, and what they record."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from bone_server import NAME, Place
from platformdirs import user_cache_path

import bonesim
from bonesim.cli.main import main
from bonesim.config.config import Config, load_config, to_toml, validated, with_changes
from bonesim.config.inputs import digest_of, digests_of, inputs_of
from bonesim.engine.cost import planned
from bonesim.errors import BonesimError, InputError, ResourceError
from bonesim.kernel import cache_folder
from bonesim.reports import bones as report
from bonesim.specimens import fetching
from bonesim.specimens.published import (
    PLACE,
    LibraryParameters,
    PublishedSpecimen,
    published_bones,
    read_published,
)
from bonesim.specimens.scan import ScanParameters, read_scan

REAL = "bonebox-05751-30"


def config_of(name: str = NAME, duration_day: int = 4, **specimen: Any) -> Config:
    return validated(
        {
            "specimen": {"kind": "library", "name": name, **specimen},
            "mechanics": {"interval_day": 0},
            "schedule": {
                "burn_in_day": 2, "duration_day": duration_day, "checkpoint_every_day": 2,
            },
        },
        "test",
    )  # fmt: skip


def test_the_list_is_whole() -> None:
    bones = published_bones()
    assert len(bones) == 8
    assert len({bone.donor for bone in bones.values()}) == 8
    for name, bone in bones.items():
        assert re.fullmatch(r"bonebox-\d{5}-\d+", name)
        commit = r"https://raw\.githubusercontent\.com/qiancao/BoneBox/[0-9a-f]{40}/data/rois/"
        assert re.fullmatch(commit + re.escape(bone.file), bone.address)
        assert bone.licence == "BSD-3-Clause"
        assert "BoneBox" in bone.citation
        assert set(bone.measures) == set(report.MEASURES)
    assert len({bone.sha256 for bone in bones.values()}) == 8
    # The script writes the list that it reads.
    text = PLACE.read_text()
    assert tomli_w.dumps(tomllib.loads(text)) == text


def test_the_list_has_the_real_files(mirror: str, shared_data: Path) -> None:
    for bone in published_bones().values():
        file = shared_data / "bonebox" / bone.file.removeprefix("isodata_")
        assert fetching.is_published(file, bone), bone.name


def test_a_specimen_is_that_of_a_scan_of_the_file(place: Place) -> None:
    notes: list[str] = []
    bone = read_published(LibraryParameters(name=NAME), notes.append)
    assert isinstance(bone, PublishedSpecimen)
    assert [note.split(" (")[0] for note in notes] == [f"fetching {NAME}"]
    scan = ScanParameters(
        path=str(place.file), voxel_um=50.0, threshold=127.5, resample_um=20.0,
        crop_voxel=(6, 38) * 3,
    )  # fmt: skip
    assert np.array_equal(bone.quanta, read_scan(scan).quanta)
    assert bone.quanta.shape == (80, 80, 80)
    assert bone.origin == "library made-1, 80 x 80 x 80 voxels (x, y, z) of 20 um"
    assert place.bone.sha256 in bone.notes[0]
    assert "CC0-1.0" in bone.notes[0]


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ({}, (80, 80, 80)),
        ({"voxel_um": 25.0}, (64, 64, 64)),
        ({"crop_voxel": (0, 20, 0, 30, 0, 40)}, (100, 75, 50)),
        ({"crop_mm": (0.0, 1.0, 0.0, 1.5, 0.5, -1)}, (85, 75, 50)),
        ({"crop_voxel": (0, -1, 0, -1, 0, -1), "voxel_um": 40.0}, (55, 55, 55)),
    ],
)
def test_the_size_is_known_before_the_file_is_there(
    place: Place, given: dict[str, Any], shape: tuple[int, ...]
) -> None:
    parameters = LibraryParameters(name=NAME, **given)
    size, make = planned(parameters)
    assert place.server.requests == []
    assert size.shape == shape == make().quanta.shape
    assert size.voxel_um == parameters.voxel_um == make().voxel_um
    assert size.making_bytes > 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "made1"}, r"got 'made1'; there is no such bone in the library. Did you mean"),
        ({"name": "../../etc/passwd"}, "there is no such bone in the library. Allowed: made-1"),
        ({"name": "x" * 500}, r"got 'x{60}\.\.\.'; there is"),
        ({"name": ""}, "got ''; there is"),
        ({"crop_voxel": [0, 45] * 3}, r"made-1: crop .* reaches outside the image of 44 x 44 x 44"),
        ({"crop_voxel": [9, 3] * 3}, "each from must be 0 or more and below its to"),
        ({"crop_mm": [0, 1] * 3, "crop_voxel": [0, 9] * 3}, "crop_voxel and crop_mm exclude"),
        ({"folder": "a", "mirror": "http://a"}, "folder and mirror exclude each other"),
        ({"mirror": "file:///etc"}, "give an http or https address"),
        ({"mirror": "http://jo:secret@a"}, "must have no user, password"),
        ({"voxel_um": 50.0}, "allowed a number from 10 to 40 um"),
        ({"threshold": 300.0}, "makes no voxel bone"),
        ({"path": "a.nrrd"}, 'It belongs to kind "scan"'),
    ],
)
def test_bad_parameters_are_one_line(place: Place, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        bonesim.make_specimen(config_of(**{"name": NAME, **given}).specimen)
    assert "\n" not in str(raised.value)
    if "threshold" not in given:
        assert place.server.requests == []


def test_a_folder_is_relative_to_the_config(place: Place, tmp_path: Path) -> None:
    (tmp_path / "sub" / "mine").mkdir(parents=True)
    (tmp_path / "sub" / "mine" / "b.nrrd").write_bytes(place.content)
    text = f'[specimen]\nkind = "library"\nname = "{NAME}"\nfolder = "mine"\n'
    (tmp_path / "sub" / "c.toml").write_text(text)
    config = load_config(tmp_path / "sub" / "c.toml")
    assert config.files() == ()
    assert bonesim.make_specimen(config.specimen).quanta.any()
    assert place.server.requests == []


def test_the_content_enters_what_a_result_depends_on(place: Place, tmp_path: Path) -> None:
    config = config_of()
    assert inputs_of(config) == digests_of(config) == {f"library {NAME}": place.bone.sha256}
    other = config_of(name="made-2")
    seen: dict[tuple[str, ...], str] = {}
    digests = {digest_of(one, seen) for one in (config, other, validated({}, "test"))}
    assert len(digests) == 3
    assert digest_of(config, seen) == digest_of(config)


def test_a_run_records_the_bone_and_goes_on(place: Place, tmp_path: Path) -> None:
    whole, halved = tmp_path / "whole.vtkhdf", tmp_path / "half.vtkhdf"
    config = config_of(crop_voxel=(6, 28) * 3)
    bonesim.run(config, whole)
    bonesim.run(config, halved, until_day=2)
    place.file.unlink()
    bonesim.resume(halved)
    assert len(place.server.requests) == 1
    with bonesim.open_run(whole) as one, bonesim.open_run(halved) as other:
        assert one.table.equals(other.table)
        assert np.array_equal(one.quanta(4), other.quanta(4))
        assert one.provenance["bone"] == {
            "name": NAME, "sha256": place.bone.sha256, "licence": "CC0-1.0",
            "citation": "Nobody. Made bone", "address": place.bone.address,
        }  # fmt: skip
        assert one.provenance["inputs"] == {f"library {NAME}": place.bone.sha256}
        assert validated(one.config, "again").specimen == config.specimen
    assert bonesim.info(whole).attrs["run"]["notes"][0].startswith(f"library {NAME}, ")


def test_a_run_of_another_bone_does_not_record_it(place: Place, tmp_path: Path) -> None:
    config = config_of(crop_voxel=(6, 28) * 3)
    own = bonesim.make_specimen(np.arange(30**3).reshape(30, 30, 30) % 30 < 9, 20.0)
    bonesim.run(config, tmp_path / "own.vtkhdf", specimen=own, until_day=0)
    with bonesim.open_run(tmp_path / "own.vtkhdf") as run:
        assert "bone" not in run.provenance
    assert place.server.requests == []


def test_a_config_reads_back_and_can_be_changed(place: Place) -> None:
    config = config_of(crop_mm=(0.0, 1.2) * 3)
    assert validated(tomllib.loads(to_toml(config)), "back") == config
    # A name alone chooses the kind.
    changes = {"specimen.name": NAME, "specimen.voxel_um": 25.0}
    named = validated(with_changes({}, changes), "set").specimen
    assert named == LibraryParameters(name=NAME, voxel_um=25.0)
    course = {"kind": "stepped", "steps": [{"start_day": 0, "e2_pg_per_ml": 7.0}]}
    twin = bonesim.untreated_twin(config.with_changes({"hormones.course": course}))
    assert twin.specimen == config.specimen


STUDY = """
title = "two thresholds"
base = "base.toml"
[design]
kind = "grid"
seeds = 1
[[design.variable]]
path = "specimen.threshold"
values = [100.0, 150.0]
"""


def study(folder: Path, config: Config) -> Path:
    """A study of two points on the bone of a config."""
    (folder / "base.toml").write_text(to_toml(config))
    (folder / "study.toml").write_text(STUDY)
    return folder / "study.toml"


def test_a_sweep_without_its_bone_does_not_begin(place: Place, tmp_path: Path) -> None:
    config = config_of(mirror=f"{place.server.address}/missing")
    with pytest.raises(ResourceError, match=r"made-1 cannot be fetched \(HTTP 404"):
        bonesim.sweep(study(tmp_path, config), tmp_path / "sweep", workers=1)
    assert not (tmp_path / "sweep" / "journal.jsonl").exists()
    assert len(place.server.requests) == 1


@pytest.mark.slow
def test_a_sweep_fetches_its_bone_once(
    mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its worker is a process, which finds the cache by itself, and the kernels of this one.
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache_folder().parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr(fetching, "user_cache_path", user_cache_path)
    config = config_of(REAL, mirror=mirror, crop_voxel=(80, 104) * 3)
    table = bonesim.sweep(study(tmp_path, config), tmp_path / "sweep", workers=1)
    assert table["status"].tolist() == ["done"] * 4
    logs = "".join(one.read_text() for one in (tmp_path / "sweep" / "logs").iterdir())
    assert f"library {REAL}" in logs
    assert "fetching" not in logs
    kept = [one.name for one in (tmp_path / "caches" / "bonesim" / "library").iterdir()]
    assert kept == [published_bones()[REAL].file]


def test_a_real_bone_is_fetched_simulated_and_continued(mirror: str, tmp_path: Path) -> None:
    config = config_of(REAL, mirror=mirror, crop_voxel=(80, 104) * 3)
    whole, halved = tmp_path / "whole.vtkhdf", tmp_path / "half.vtkhdf"
    bonesim.run(config, whole)
    bonesim.run(config, halved, until_day=2)
    bonesim.resume(halved)
    with bonesim.open_run(whole) as one, bonesim.open_run(halved) as other:
        assert one.shape == (60, 60, 60)
        assert one.table.equals(other.table)
        assert one.provenance["bone"]["licence"] == "BSD-3-Clause"
    # From now on without any server.
    bonesim.make_specimen(config_of(REAL, mirror="http://127.0.0.1:9").specimen)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == REAL else [pytest.mark.slow])
        for name in published_bones()
    ],
)
def test_measures_are_those_of_the_list(mirror: str, name: str) -> None:
    bone = bonesim.make_specimen(config_of(name, mirror=mirror).specimen)
    measured = bonesim.measure(bone)
    listed = published_bones()[name].measures
    assert {one: measured[one].value for one in listed} == pytest.approx(listed, rel=1e-4)
    # The plan's share of bone, which is of the list, is that of the bone.
    size, _ = planned(config_of(name).specimen)
    assert size.bone_share == pytest.approx((bone.quanta >= 128).mean(), rel=0.05)


@pytest.mark.slow
def test_the_script_writes_the_list(mirror: str, shared_data: Path) -> None:
    tree = tomllib.loads(PLACE.read_text())
    bare = tree | {"bone": [{**one, "measures": {}} for one in tree["bone"]]}
    again = report.with_measures(bare, shared_data / "bonebox")
    for one, other in zip(again["bone"], tree["bone"], strict=True):
        assert one["measures"] == pytest.approx(other["measures"], rel=1e-4)


def command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *words: object
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `bonesim WORDS` in this process."""
    monkeypatch.setattr("sys.argv", ["bonesim", *map(str, words)])
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return (ended.value.code, *capfd.readouterr())


def test_the_command_lists_and_fetches(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    code, out, err = command(monkeypatch, capfd, "bones")
    assert (code, err) == (0, "")
    assert re.search(r"^made-1 +40\.0 .* not fetched$", out, re.M)
    assert "Nobody. Made bone (CC0-1.0)" in out
    assert place.server.requests == []
    code, out, err = command(monkeypatch, capfd, "bones", "--fetch", NAME, "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert rows[NAME]["state"] == "fetched"
    assert rows["made-2"]["state"] == "not fetched"
    assert rows[NAME]["path"] == str(place.file)
    assert err == f"{NAME}: {place.file} (sha256 as published)\n"
    place.file.write_bytes(b"?")
    csv = tmp_path / "bones.csv"
    assert command(monkeypatch, capfd, "bones", "--csv", csv)[0] == 0
    assert "damaged" in csv.read_text()
    assert command(monkeypatch, capfd, "bones", "--csv", csv)[0] == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "it").write_bytes(place.content)
    words = ("bones", "--fetch", NAME, "--folder", tmp_path / "mine", "--csv", "-", "--quiet")
    code, out, err = command(monkeypatch, capfd, *words)
    assert (code, err) == (0, "")
    assert f"in folder,{tmp_path / 'mine' / 'it'}," in out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--fetch", "made"], 2, "--fetch: got 'made'; there is no such bone in the library"),
        (["--fetch", "all"], 4, "made_roi_2.nrrd: made-2 cannot be fetched (no connection)"),
        (["--fetch", NAME, "--mirror", "ADDRESS/missing"], 4, "HTTP 404"),
        (["--fetch", NAME, "--mirror", "ADDRESS/other"], 5, "another sha256"),
        (["--fetch", NAME, "--mirror", "a"], 2, "--mirror: got 'a'; give an http or https address"),
        (["--fetch", NAME, "--folder", "/nowhere"], 2, "/nowhere: there is no such folder"),
        (["--fetch", NAME, "--folder", "/", "--mirror", "http://a"], 2, "--folder: and --mirror"),
        (["--folder", "/"], 2, "--folder: is where to fetch from; name a bone as well: --fetch"),
    ],
)  # fmt: skip
def test_the_command_refuses_in_one_line(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    words: list[str], code: int, message: str,
) -> None:  # fmt: skip
    words = [word.replace("ADDRESS", place.server.address) for word in words]
    ended, out, err = command(monkeypatch, capfd, "bones", *words)
    assert (ended, out) == (code, "")
    assert err.startswith("bonesim: ")
    assert err.count("\n") == 1
    assert message in err


def test_the_table_has_units_and_the_function_fetches(place: Place) -> None:
    table = bonesim.bones(NAME)
    assert table["state"].tolist() == ["fetched", "not fetched"]
    assert table.attrs["units"]["tb_th_um"] == "um"
    assert set(table.attrs["units"]) == set(table)
    for fetch, kind in (("made", InputError), (["made-2"], ResourceError)):
        with pytest.raises(BonesimError) as raised:
            bonesim.bones(fetch)
        assert type(raised.value) is kind
