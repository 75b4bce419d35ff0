"""Values at dotted paths of a nested dict: read, replaced, and as `path=value` text."""

import json
import tomllib
from typing import Any

from bonesim.config.plain_toml import MAX_DEPTH, tree_from
from bonesim.errors import InputError


def changed(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A nested dict with the values at dotted paths replaced; missing branches are made.

    In a list a number chooses the entry (`specimen.size_mm.2`); without one, the only entry is meant
    (`protocol.<drug>.dose_mg`).
    """
    new: dict[str, Any] = json.loads(json.dumps(tree))
    for path, value in changes.items():
        *branches, leaf = path.split(".")
        place: Any = new
        for branch in branches:
            if isinstance(place, list) and branch.isdigit() and int(branch) < len(place):
                place = place[int(branch)]
                continue
            place = _only(place, path)
            if place.get(branch) is None:
                place[branch] = {}
            place = place[branch]
        if isinstance(place, list) and leaf.isdigit() and int(leaf) < len(place):
            place[int(leaf)] = value
        else:
            _only(place, path)[leaf] = value
    return new


def value_at(tree: dict[str, Any], path: str) -> Any:
    """What a nested dict has at a dotted path (lists as in `changed`); None where it has nothing."""
    place: Any = tree
    for branch in path.split("."):
        if isinstance(place, list) and branch.isdigit() and int(branch) < len(place):
            place = place[int(branch)]
        elif place is not None:
            place = _only(place, path).get(branch)
    return place


def _only(place: Any, path: str) -> dict[str, Any]:
    """A group, or the only group of a list."""
    if isinstance(place, list) and len(place) == 1:
        place = place[0]
    if place == []:
        name, _, leaf = path.rpartition(".")
        name = name.rstrip(".0123456789")
        raise InputError(
            f"{path}: the config (of a study: its base) has no {name}; add [[{name}]] with a line "
            f"{leaf} = ... there"
        )
    if isinstance(place, list):
        raise InputError(
            f"{path}: there are {len(place)} entries; choose one, 0 to {len(place) - 1}, after the name"
        )
    if not isinstance(place, dict):
        name = path.rpartition(".")[0]
        raise InputError(f"{path}: {name} is a value, not a group of parameters")
    return place


def parsed_changes(changes: list[str]) -> dict[str, Any]:
    """`path=value` strings as a dict; values are TOML, else text.

    Raises:
        InputError: no equals sign.
    """
    parsed: dict[str, Any] = {}
    for text in changes:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            raise InputError(
                f"got {text}; write path=value, e.g. schedule.duration_day=365", parameter="changes"
            )
        if path.count(".") > MAX_DEPTH:
            raise InputError(f"got {path[:40]}...; there is no such path", parameter="changes")
        try:
            tomllib.loads(f"value = {value}")
        except tomllib.TOMLDecodeError:
            parsed[path.strip()] = value.strip()
        except (ValueError, RecursionError):
            raise InputError(
                f"got {path} = {value[:40]}...; give a shorter value", parameter="changes"
            ) from None
        else:
            parsed[path.strip()] = tree_from(f"value = {value}", path.strip())["value"]
    return parsed
