"""TOML as nested plain values, or one line on what is wrong: the text is not trusted."""

import tomllib
from pathlib import Path
from typing import Any

from bonesim.errors import InputError
from bonesim.storage.durable import read_text

#: Bytes of the longest file, and groups within groups, that are read.
MAX_BYTES, MAX_DEPTH = 2**22, 50


def read_tree(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        InputError: no such file, no regular one, too long, not TOML, no plain values.
    """
    return tree_from(read_text(path, MAX_BYTES), str(path))


def tree_from(text: str, where: str) -> dict[str, Any]:
    """The content of a TOML text; `where` names its origin in the error.

    Raises:
        InputError: not TOML, numbers too long, groups too deep, dates.
    """
    try:
        tree = tomllib.loads(text)
    except RecursionError:
        raise InputError(f"{where}: is nested too deep; allowed {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise InputError(f"{where}: is not valid TOML: {error}") from None
    _require_plain(tree, where)
    return tree


def _require_plain(tree: dict[str, Any], where: str) -> None:
    """Refuse what no parameter can be, however deep it is."""
    waiting: list[tuple[str, Any, int]] = [("", tree, 0)]
    while waiting:
        place, value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise InputError(
                f"{where}: {place.split('.')[0]} is nested too deep; allowed {MAX_DEPTH} levels"
            )
        if isinstance(value, dict):
            waiting += [(f"{place}.{name}".lstrip("."), v, depth + 1) for name, v in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{place}.{n}", v, depth + 1) for n, v in enumerate(value)]
        elif not isinstance(value, bool | int | float | str):
            raise InputError(f"{where}: {place} is a date or a time; give a number or a text")
