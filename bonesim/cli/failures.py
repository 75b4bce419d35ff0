"""A failure as one line on the terminal, in the words of the command that was typed."""

import re
from collections.abc import Sequence
from typing import Any

from bonesim.errors import BonesimError

#: Arguments of the library whose option has another name, in commands that have none of their name.
OTHER_NAMES = {"changes": "change", "region": "roi", "folder": "output", "config": "", "run": ""}


def as_typed(error: BonesimError, command: Any, words: Sequence[str]) -> str:
    """The message with arguments of the library as options of the command that was typed.

    Args:
        error: knows the argument at fault; others stand in its message in backticks.
        command: the program as a click command.
        words: the command line.
    """
    options = _options(command, words)
    message = re.sub(
        r"`(\w+)`", lambda found: options.get(_name(found[1], options), found[1]), error.message
    ).replace("`", "")
    parameter = getattr(error, "parameter", None)
    if parameter is None:
        return message
    return f"{options.get(_name(parameter, options), parameter)}: {message}"


def _name(argument: str, options: dict[str, str]) -> str:
    other = OTHER_NAMES.get(argument, argument)
    return argument if other and argument in options else other


def _options(command: Any, words: Sequence[str]) -> dict[str, str]:
    """Option of each parameter of the command that the words choose, e.g. voxel_um: --voxel-um."""
    root = command
    for word in words:
        command = getattr(command, "commands", {}).get(word, command)
    return {
        one.name: next((text for text in one.opts if text.startswith("--")), one.opts[0])
        for one in (*root.params, *command.params)
        if getattr(one, "param_type_name", "") == "option"
    }
