"""Every study in the repository resolves: its base, its design, and every point's config are allowed."""

import tomllib
from pathlib import Path

import pytest

from bonesim.config.config import load_config, validated
from bonesim.specimens import ScanParameters, make_specimen
from bonesim.sweeps.study import Study, StudyParameters, read_as
from tests.experiments.conftest import EXPERIMENTS, ROOT

STUDIES = sorted(
    place
    for folder in (EXPERIMENTS, ROOT / "configs")
    for place in folder.rglob("*.toml")
    if "\n[design]" in place.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("place", STUDIES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_study_resolves(place: Path, request: pytest.FixtureRequest) -> None:
    base = read_as(place, StudyParameters)[0].base
    scanned = isinstance(load_config(place.parent / base).specimen, ScanParameters)
    if scanned:
        request.getfixturevalue("shared_data")
    points = Study(place).points()
    assert len({point.config for point in points}) == len(points) > 1
    if scanned:
        bone = make_specimen(validated(tomllib.loads(points[0].config), "point").specimen)
        assert 0.05 < (bone.quanta >= 128).mean() < 0.3
