"""Renamed and removed parameters: an old key is explained wherever given, old run files are read."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import bonesim
from bonesim.cells.osteoclast import OsteoclastParameters
from bonesim.config import renamed
from bonesim.config.changes import parsed_changes
from bonesim.config.config import Config, load_config, to_toml, tree_of, validated
from bonesim.config.explain import all_parameters, explain
from bonesim.config.renamed import ACTED_NOWHERE, REMOVED, RENAMED, translated
from bonesim.endocrine.regimen import TabletRegimen
from bonesim.engine import run as engine
from bonesim.errors import InputError
from bonesim.mechanics.apparent import ApparentParameters
from bonesim.mechanics.loading import MechanicsParameters
from bonesim.storage.reader import open_run
from bonesim.sweeps.study import Study, StudyParameters
from bonesim.trials.parameters import TrialParameters

ROOT = Path(__file__).parents[1]
#: Models that are validated from the top of a file or of the options of a command.
MODELS = (Config, ApparentParameters, StudyParameters, TrialParameters)
#: Each drug has its earlier names in its own file.
FORMER = ROOT / "bonesim/endocrine/drugs"
OLD, NEW = "cells.osteocyte.largest_stimulus", "cells.osteocyte.max_stimulus"
MESSAGE = f"{OLD}: renamed to {NEW} in 0.2"


def nested(path: str, value: Any) -> dict[str, Any]:
    """{"a": {"b": value}} of "a.b"."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return value  # type: ignore[no-any-return]


def message_of(model: type[BaseModel], tree: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(tree)
    return explain(caught.value, "run.toml", model)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_every_old_name_is_gone_and_its_message_names_the_new_one(old: str, new: str) -> None:
    models = [m for m in MODELS if new in {known.path for known in all_parameters(m)}]
    assert models, f"{new} is no parameter"
    for model in models:
        assert old not in {known.path for known in all_parameters(model)}
        message = message_of(model, nested(old, 1))
        assert message.startswith(f"run.toml: {old}: renamed to {new} in {renamed.SINCE}")


@pytest.mark.parametrize("old", REMOVED)
def test_a_removed_parameter_is_gone_and_its_message_names_what_is_set_now(old: str) -> None:
    new, reason = REMOVED[old]
    assert new in {known.path for known in all_parameters(Config)}
    assert old not in {known.path for known in all_parameters(Config)}
    message = f"{old}: removed in {renamed.SINCE}: {reason}; set {new}"
    tree = nested(old, 0.2)
    if old.startswith("specimen."):
        tree["specimen"]["kind"] = "synthetic"
    assert message_of(Config, tree) == f"run.toml: {message}"
    with pytest.raises(InputError) as caught:
        Config().with_changes({old: 0.2})
    assert message in str(caught.value)


@pytest.mark.parametrize("old", ACTED_NOWHERE)
def test_what_acted_nowhere_is_refused_in_a_new_and_dropped_from_a_stored_configuration(
    old: str,
) -> None:
    assert old not in {known.path for known in all_parameters(Config)}
    message = f"it acted nowhere: {ACTED_NOWHERE[old]}; leave it out"
    course = old.startswith("protocol.")
    tree = (
        nested(old.removesuffix(".route"), [{"start_day": 3.0, "route": "oral"}])
        if course
        else nested(old, 0.2)
    )
    given = message_of(Config, tree)
    assert given.startswith("run.toml: ") and f": removed in {renamed.SINCE}: {message}" in given
    before = repr(tree)
    left = translated(tree)
    assert repr(tree) == before
    assert left == (
        nested(old.removesuffix(".route"), [{"start_day": 3.0}]) if course
        else nested(old.rpartition(".")[0], {})
    )  # fmt: skip


def test_a_route_of_a_single_course() -> None:
    message = message_of(TabletRegimen, {"dose_mg": 1.0, "route": "oral"})
    assert message.endswith("kinetics are those of the way it is given; leave it out")


def test_every_parameter_of_an_osteoclast_s_lifespan_is_explained() -> None:
    """As version 0.1 had them; none is taken over as another parameter."""
    for name in ("death_per_day", "death_depth_um", "neighbour_share"):
        tree = nested(f"cells.osteoclast.{name}", 0.1)
        assert f"removed in {renamed.SINCE}" in message_of(Config, tree)
        assert translated(tree) == tree
    tree = nested("hormones.response.osteoclast_survival", 0.2)
    assert "set hormones.response.depth_exponent" in message_of(Config, tree)
    assert translated(tree) == tree


def test_a_removed_parameter_of_a_single_group() -> None:
    message = message_of(OsteoclastParameters, {"death_per_day": 0.1})
    assert message == (
        "run.toml: death_per_day: removed in 0.2: osteoclasts dig to a drawn depth; set depth_um"
    )


def test_a_single_group_names_its_own_parameter() -> None:
    message = message_of(MechanicsParameters, {"least_share": 0.5})
    assert message == "run.toml: least_share: renamed to min_bone_share in 0.2"


def test_a_key_without_its_group_is_explained() -> None:
    assert message_of(Config, {"largest_stimulus": 1}).endswith(f"renamed to {NEW} in 0.2")


def in_a_file(folder: Path, write: Callable[..., Path]) -> None:
    (folder / "run.toml").write_text("[cells.osteocyte]\nlargest_stimulus = 2\n")
    load_config(folder / "run.toml")


def by_set(folder: Path, write: Callable[..., Path]) -> None:
    (folder / "run.toml").write_text("seed = 2\n")
    load_config(folder / "run.toml", parsed_changes([f"{OLD}=1"]))


def by_a_change(folder: Path, write: Callable[..., Path]) -> None:
    Config().with_changes({OLD: 1.0})


def in_a_sweep(folder: Path, write: Callable[..., Path]) -> None:
    Study(write(f'[[design.variable]]\npath = "{OLD}"\nvalues = [1.0]\n')).points()


def in_a_column(folder: Path, write: Callable[..., Path]) -> None:
    (folder / "rows.csv").write_text(f"{OLD}\n1.0\n")
    Study(write('rows_csv = "rows.csv"\n')).points()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a study of lists, and its base; returns its path."""

    def make(design: str) -> Path:
        (tmp_path / "base.toml").write_text("seed = 1\n")
        path = tmp_path / "study.toml"
        path.write_text(f'title = "x"\nbase = "base.toml"\n[design]\nkind = "list"\n{design}')
        return path

    return make


@pytest.mark.parametrize("give", [in_a_file, by_set, by_a_change, in_a_sweep, in_a_column])
def test_wherever_an_old_key_is_given_it_is_explained(
    tmp_path: Path, write: Callable[..., Path], give: Callable[..., None]
) -> None:
    with pytest.raises(InputError) as caught:
        give(tmp_path, write)
    assert MESSAGE in str(caught.value)


def old_text(config: Config) -> str:
    """The configuration as version 0.1 wrote it."""
    text = to_toml(config)
    for old, new in RENAMED.items():
        if old.rpartition(".")[0] == new.rpartition(".")[0]:
            text = text.replace(f"\n{new.rpartition('.')[2]} = ", f"\n{old.rpartition('.')[2]} = ")
    return text


def test_a_stored_configuration_gets_todays_names() -> None:
    config = validated(nested(NEW, 7.0) | nested("mechanics.min_bone_share", 0.25), "test")
    tree = tree_of(config)
    for old, new in RENAMED.items():
        *branches, leaf = new.split(".")
        place = tree
        for branch in branches:
            place = place.get(branch, {})
        if leaf in place:
            value = place.pop(leaf)
            *branches, leaf = old.split(".")
            place = tree
            for branch in branches:
                place = place[branch]
            place[leaf] = value
    before = repr(tree)
    assert validated(translated(tree), "test") == config
    assert repr(tree) == before
    assert translated(tree_of(config)) == tree_of(config)
    assert translated({"mechanics": 3, "title": "x"}) == {"mechanics": 3, "title": "x"}


def test_a_run_of_the_last_version_is_resumed_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = {"specimen": {"kind": "synthetic", "size_mm": [1.0, 1.0, 1.0]}}
    schedule = {"schedule": {"burn_in_day": 0, "duration_day": 6, "snapshots_day": [0, 6]}}
    config = validated(nested("mechanics.min_bone_share", 0.5) | size | schedule, "test")
    straight = engine.run(config, tmp_path / "straight.vtkhdf")
    with monkeypatch.context() as last_version:
        last_version.setattr(engine, "to_toml", old_text)
        path = engine.run(config, tmp_path / "old.vtkhdf", until_day=3)
    with open_run(path) as old:
        assert old.config["mechanics"]["least_share"] == 0.5
        assert "min_bone_share" not in old.config_text
    engine.resume(path)
    with open_run(path) as old, open_run(straight) as new:
        assert old.table.equals(new.table)
        assert bonesim.measure_stiffness(old).equals(bonesim.measure_stiffness(new))


def test_no_text_uses_an_old_name() -> None:
    """Only names with an underscore: others are plain words, too. And none that another parameter has."""
    in_use = {known.name for model in MODELS for known in all_parameters(model)}
    old_names = {old.rpartition(".")[2] for old in RENAMED} - in_use
    old_names = {name for name in old_names if "_" in name}
    listed = subprocess.run(
        ["git", "ls-files", "-z", "README.md", "bonesim", "configs", "experiments"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.split("\0")  # fmt: skip
    used = re.compile(rf"\b({'|'.join(sorted(old_names))})\b")
    for name in listed:
        path = ROOT / name
        if (
            path.suffix in (".py", ".md", ".toml", ".csv")
            and path != Path(renamed.__file__)
            and (path.parent != FORMER)
        ):
            found = used.search(path.read_text(encoding="utf-8"))
            assert not found, f"{name} uses the old name {found.group() if found else ''}"
