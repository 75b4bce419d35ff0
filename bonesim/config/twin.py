"""Twins of a configuration: the untreated one, and those without a process from day 0 on.

Untreated: all that begins on day 0 or later is left out.

What was under way before day 0 goes on for ever: a man on testosterone for a year keeps it. So a run
and its twin share bone, random numbers, burn-in and day 0, and differ by what the configuration
changes afterwards and by nothing else.
"""

from collections.abc import Iterable
from typing import Any

from bonesim.config.ablation import PROCESSES
from bonesim.config.config import Config, tree_of, validated
from bonesim.endocrine.course import SteppedCourse, TableCourse
from bonesim.errors import InputError

TITLE = "untreated twin: "


def untreated_twin(config: Config) -> Config:
    """The same configuration without treatment from day 0 on.

    A stepped course loses the steps from day 0 on; a table stays at its level of day 0; a protocol loses the
    courses of drugs that begin on day 0 or later and every later change of diet and load, and what
    was begun before is not stopped.

    Raises:
        InputError: the configuration changes nothing from day 0 on, so that its twin would be itself;
            a table of hormones that cannot be read.
    """
    taken = _as_taken(config)
    tree = _untreated(taken)
    if tree == tree_of(taken):
        raise InputError(
            "nothing is changed from day 0 on, so the untreated twin would be the run itself; "
            "give hormones.course steps or a protocol", parameter="config",
        )  # fmt: skip
    # Paths of scans are absolute already; the title makes the two files distinguishable.
    tree["title"] = (TITLE + tree["title"])[:200]
    return validated(tree, "untreated twin")


def is_treated(config: Config) -> bool:
    """Whether a configuration changes anything from day 0 on, and so has an untreated twin.

    Raises:
        InputError: a table of hormones that cannot be read.
    """
    taken = _as_taken(config)
    return _untreated(taken) != tree_of(taken)


def without(config: Config, process: str) -> Config:
    """The same configuration in which a process ends with the burn-in, on day 0.

    Args:
        config: of the run.
        process: one of `config.ablation.PROCESSES`.

    Raises:
        InputError: it is off already, so that the twin would be the run itself.
    """
    if reason := why_off(config, process):
        raise InputError(f"{process} is off already: {reason}; leave it out", parameter="without")
    title = f"without {PROCESSES[process]}: {config.title}"[:200]
    return config.with_changes({f"ablation.{process}_day": 0, "title": title})


def why_off(config: Config, process: str) -> str:
    """Why a process does not work from day 0 on in a run: the parameter and its value; "" if it does."""
    if config.ablation.last_days().get(process) == 0:
        return f"ablation.{process}_day is 0"
    if process in ("perforation", "cuts") and config.cells.osteoclast.breakthrough_chance == 0.0:
        return "cells.osteoclast.breakthrough_chance is 0"
    if process == "mechanics" and config.mechanics.interval_day == 0:
        return "mechanics.interval_day is 0"
    return ""


def _as_taken(config: Config) -> Config:
    """The configuration without courses of drugs whose dose is 0: they change nothing."""
    if config.protocol is None:
        return config
    return config.model_copy(update={"protocol": config.protocol.as_taken()})


def _untreated(config: Config) -> dict[str, Any]:
    """The tree of a configuration without what changes from day 0 on."""
    tree = tree_of(config)
    course = config.hormones.course
    if config.protocol is not None:
        tree["protocol"] = _before_day_0(tree["protocol"])
    elif isinstance(course, SteppedCourse):
        tree["hormones"]["course"]["steps"] = _earlier(tree["hormones"]["course"]["steps"])
    elif isinstance(course, TableCourse):
        config.course()  # a table that cannot be read has no twin
        until = 0.0 if course.until_day is None else min(course.until_day, 0.0)
        tree["hormones"]["course"]["until_day"] = until
    return tree


def _before_day_0(protocol: dict[str, Any]) -> dict[str, Any]:
    """A protocol without what begins on day 0 or later; what is under way then is not stopped."""
    kept: dict[str, Any] = {}
    for name, value in protocol.items():
        if isinstance(value, dict) and "change" in value:
            kept[name] = value | {"change": _earlier(value["change"])}
        elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            kept[name] = [_unstopped(one) for one in _earlier(value)]
        else:
            kept[name] = value
    return kept


def _earlier(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in entries if one["start_day"] < 0]


def _unstopped(regimen: dict[str, Any]) -> dict[str, Any]:
    """A course of a drug, without its end if that is day 0 or later."""
    if regimen.get("stop_day") is None or regimen["stop_day"] < 0:
        return regimen
    return {k: v for k, v in regimen.items() if k != "stop_day"} | {"taper_day": 0.0}
