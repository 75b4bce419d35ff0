"""Names that changed: old config keys are explained, files of older versions are still read.

A run file keeps its configuration as text, with the names of the version that wrote it; `translated`
gives it today's names.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

#: The version that has the new names.
SINCE = "0.2"
#: Old dotted path of a parameter -> new one, from the top of the file or model that has it.
RENAMED: dict[str, str] = {
    "cells.osteocyte.largest_stimulus": "cells.osteocyte.max_stimulus",
    "cells.osteocyte.least_energy_share": "cells.osteocyte.min_energy_share",
    "hormones.axis.atrophy_most": "hormones.axis.max_atrophy",
    "hormones.axis.largest_lh_ratio": "hormones.axis.max_lh_ratio",
    "hormones.drugs.anastrozole_most": "hormones.drugs.anastrozole_max_inhibition",
    "hormones.drugs.anastrozole_proof_share": "hormones.drugs.anastrozole_insensitive_share",
    "hormones.drugs.letrozole_most": "hormones.drugs.letrozole_max_inhibition",
    "hormones.drugs.letrozole_proof_share": "hormones.drugs.letrozole_insensitive_share",
    "hormones.response.largest_surplus": "hormones.response.max_surplus",
    "mechanics.least_share": "mechanics.min_bone_share",
    # Of a study.
    "design.common_luck": "design.common_random_numbers",
    # Of the mechanical test of `measure`.
    "most_cycles": "max_cycles",
}


def renamed_to(path: str, known: Collection[str]) -> str | None:
    """The new path of a renamed parameter; None if `path` is not an old name.

    Args:
        path: the old path, as in the file. Its beginning may be missing, for instance because only
            one group of a configuration was validated.
        known: all paths that the validated model has today.
    """
    old_path = re.sub(r"\[\d+\]", "", path)
    for old, new in RENAMED.items():
        if old != old_path and not old.endswith(f".{old_path}"):
            continue
        beginning = old.removesuffix(old_path)
        for candidate in (new, new.removeprefix(beginning)):
            if candidate in known:
                return candidate
    return None


def translated(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A stored configuration (nested dict) with today's names; the argument is not changed."""
    moved = _branches_copied(tree)
    for old, new in RENAMED.items():
        *branches, leaf = old.split(".")
        place: Any = moved
        for branch in branches:
            place = place.get(branch) if isinstance(place, dict) else None
        if not isinstance(place, dict) or leaf not in place:
            continue
        value = place.pop(leaf)
        *branches, leaf = new.split(".")
        place = moved
        for branch in branches:
            place = place.setdefault(branch, {})
        place[leaf] = value
    return moved


def _branches_copied(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The same values in dicts of its own."""
    return {
        name: _branches_copied(value) if isinstance(value, Mapping) else value
        for name, value in tree.items()
    }
