"""Config: what is allowed comes back equal, what is not is refused in one line that helps."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bonesim.config.changes import parsed_changes
from bonesim.config.config import Config, load_config, to_toml, validated
from bonesim.config.explain import all_parameters, groups_in
from bonesim.errors import InputError
from bonesim.units import UNITS


def nested(path: str, value: Any) -> dict[str, Any]:
    """{"a": {"b": value}} of "a.b"."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return value  # type: ignore[no-any-return]


def refusal(tree: Any) -> str:
    with pytest.raises(InputError) as caught:
        validated(tree, "run.toml")
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("run.toml: ")
    return text


def step(**values: Any) -> dict[str, Any]:
    return nested("hormones.course", {"kind": "stepped", "steps": [values]})


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        # unknown keys: a typo, the wrong unit, the wrong group, a short form, nothing like it
        (nested("hormones.response.hil", 2), ["hormones.response.hil:", "Did you mean hill?"]),
        (nested("hormones.response.signal_tau_year", 2), ["Did you mean signal_tau_day"]),
        ({"duration_day": 3}, ["duration_day: no such", "Did you mean schedule.duration_day?"]),
        (nested("cells.hill", 3), ["Did you mean hormones.response.hill?"]),
        (step(start_day=0, e2=3), ["hormones.course.steps[0].e2:", "mean e2_pg_per_ml?"]),
        ({"zzz": 1}, ["zzz: no such parameter", "at the top: title, seed, specimen"]),
        # kinds
        (nested("hormones.course", {"e2_pg_per_ml": 3}), ["has no kind", '"stepped"', '"table"']),
        (nested("hormones.course", {"kind": "steped"}), ["'steped'", 'Did you mean "stepped"?']),
        (
            nested("hormones.course", {"kind": "constant", "steps": []}),
            ["hormones.course.steps: no such parameter", 'belongs to kind "stepped"'],
        ),
        # ranges, with units
        (nested("hormones.response.hill", 9), ["got 9; allowed a number from 0.5 to 4"]),
        (
            nested("hormones.response.half_maximum_pg_per_ml", 0),
            ["got 0; allowed a number above 0, at most 100 pg/mL"],
        ),
        (
            step(start_day=0, e2_pg_per_ml=-3),
            ["hormones.course.steps[0].e2_pg_per_ml: got -3", "from 0 to 1000 pg/mL"],
        ),
        ({"seed": 2**63}, ["seed: got 9223372036854775808", "to below 9223372036854775808"]),
        ({"title": "x" * 300}, ["title: got 'xxx", "at most 200 characters"]),
        # types
        (nested("hormones.response.hill", "abc"), ["got 'abc'", "without quotes"]),
        (nested("hormones.response.hill", float("nan")), ["got nan", "from 0.5 to 4"]),
        (nested("hormones.response.hill", float("inf")), ["got inf", "from 0.5 to 4"]),
        ({"seed": 1.5}, ["seed: got 1.5; allowed a whole number"]),
        ({"hormones": 5}, ["hormones: got 5", "write it as [hormones]"]),
        (nested("hormones.course", 5), ["hormones.course: got 5", "write it as [hormones.course]"]),
        (nested("schedule.snapshots_day", [1, "x"]), ["schedule.snapshots_day[1]: got 'x'"]),
        ([], ["got []"]),
        ({"specimen": {"kind": "synthetic", "size_mm": 2}}, ["got 2;", "write [2, 2, 2]"]),
        (nested("schedule.snapshots_day", 30), ["got 30;", "write [30]"]),
        (nested("hormones.response.hill", "1.5"), ["hill is text, '1.5'; give it without quotes"]),
        (
            {"protocol": {"anastrozole": {"dose_mg": "1.0"}}},
            ["protocol.anastrozole.dose_mg is text, '1.0'"],
        ),
        (
            {"protocol": {"anastrozole": [{"dose_mg": "1.0"}]}},
            ["protocol.anastrozole.0.dose_mg is text, '1.0'"],
        ),
        (
            {"protocol": {"anastrozole": {"dose_mg": "1mg"}}},
            ["got '1mg'", "give the number without the unit"],
        ),
        # missing
        (nested("hormones.course", {"kind": "table"}), ["hormones.course.path: is missing"]),
        (
            nested("specimen", {"kind": "synthetic", "size_mm": []}),
            ["specimen.size_mm"],
        ),
        # rules over several values
        (nested("schedule.snapshots_day", [3, 1]), ["snapshots_day: got [3, 1]", "rising"]),
        (
            {"schedule": {"duration_day": 10, "snapshots_day": [100]}},
            ["schedule: snapshots_day ends at day 100", "last day 10"],
        ),
    ],
)
def test_refusal_says_where_what_is_allowed_and_what_to_do(tree: Any, words: list[str]) -> None:
    text = refusal(tree)
    for word in words:
        assert word in text


def test_an_unknown_key_is_told_before_the_missing_one_it_explains() -> None:
    text = refusal(step(start_day=0, e2_pg_per_m=3))
    assert "e2_pg_per_m: no such parameter. Did you mean e2_pg_per_ml?" in text
    assert "more problem" in text


def test_hostile_names_stay_on_one_line() -> None:
    assert refusal({"a\nb" * 3: 1})
    assert len(refusal(nested("hormones.response.hill", "9" * 10_000))) < 300


def test_every_leaf_refuses_a_misspelling_and_names_the_right_name() -> None:
    """For each parameter of a group without kinds: name + "x" is answered with the name."""
    for known in all_parameters(Config):
        if known.kind or "." not in known.path:
            continue
        if known.path.startswith("hormones.course.steps"):
            continue
        assert known.name in refusal(nested(known.path + "x", 1)), known.path


def test_every_parameter_has_a_meaning() -> None:
    """One line of meaning for each value that is not itself a group or the name of a kind."""
    groups: list[type[BaseModel]] = [Config]
    for group in groups:
        for name, field in group.model_fields.items():
            inside = groups_in(field.annotation)
            groups.extend(inside)
            assert inside or name == "kind" or field.description, f"{group.__name__}.{name}"
    assert len(groups) > 10


def test_default_config_round_trips_through_toml(tmp_path: Path) -> None:
    config = Config()
    path = tmp_path / "run.toml"
    path.write_text(to_toml(config), encoding="utf-8")
    assert load_config(path) == config


def test_stepped_course_round_trips_through_toml(tmp_path: Path) -> None:
    steps = [
        {"start_day": 0, "e2_pg_per_ml": 2.5},
        {"start_day": 90.5, "e2_pg_per_ml": 25, "t_ng_per_dl": 400, "tau_day": 3},
    ]
    config = validated(nested("hormones.course", {"kind": "stepped", "steps": steps}), "x")
    path = tmp_path / "run.toml"
    path.write_text(to_toml(config), encoding="utf-8")
    assert load_config(path) == config
    assert load_config(path) != Config()


def test_table_path_is_relative_to_the_config(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('[hormones.course]\nkind = "table"\npath = "levels.csv"\n', encoding="utf-8")
    course = load_config(path).hormones.course
    assert course.kind == "table"
    assert course.path == str(tmp_path / "levels.csv")


def test_overrides_replace_values(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("seed = 3\n[hormones.response]\nhill = 2\n", encoding="utf-8")
    config = load_config(path, {"hormones.response.hill": 3, "schedule.duration_day": 10})
    assert (config.seed, config.hormones.response.hill) == (3, 3.0)
    assert config.schedule.duration_day == 10
    with pytest.raises(InputError, match="seed is a value"):
        load_config(path, {"seed.low": 1})


def test_a_number_chooses_from_a_list() -> None:
    block = Config().with_changes({"specimen.size_mm.0": 2.5})
    assert block.specimen.size_mm == (2.5, 4.0, 4.0)
    with pytest.raises(InputError, match="there are 3 entries; choose one, 0 to 2"):
        Config().with_changes({"specimen.size_mm.3": 2.5})


def test_a_load_course_from_a_file_and_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        "[[protocol.loading.change]]\nstart_day = 10\nload_percent = 50\n"
    )
    config = load_config(tmp_path / "c.toml")
    said = "protocol.loading.change=[{start_day=3,load_percent=120},{start_day=9,load_percent=80}]"
    other = load_config(tmp_path / "c.toml", parsed_changes([said]))
    assert [config.load_percent(day) for day in (-5, 9, 10, 99)] == [100, 100, 50, 50]
    assert [other.load_percent(day) for day in (0, 3, 8, 9)] == [100, 120, 120, 80]
    assert Config().load_percent(50) == 100
    assert validated(tomllib.loads(to_toml(other)), "again") == other


def test_unreadable_files_are_input_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_config(tmp_path / "absent.toml")
    for content in (b"seed = ", b"\xff\xfe", b"seed = 1\nseed = 2\n"):
        bad = tmp_path / "bad.toml"
        bad.write_bytes(content)
        with pytest.raises(InputError, match=r"not valid TOML|UTF-8"):
            load_config(bad)


def test_with_changes_leaves_the_original_alone() -> None:
    config = Config()
    changed = config.with_changes({"seed": 9})
    assert (config.seed, changed.seed) == (1, 9)
    assert changed.with_changes({"seed": 1}) == config
    with pytest.raises(InputError, match="no such parameter"):
        config.with_changes({"sead": 9})


def test_units_of_names_are_known_to_the_closed_list() -> None:
    """A name that looks as if it had a unit has one from the list."""
    for known in all_parameters(Config):
        if "_per_" in known.name:
            assert any(known.name.endswith(suffix) for suffix in UNITS), known.path
