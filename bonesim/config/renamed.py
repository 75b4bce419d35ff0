"""Names that changed: old config keys are explained, files of older versions are still read.

A run file keeps its configuration as text, with the names of the version that wrote it; `translated`
gives it today's names. A removed parameter has none: it stays as it is, so that a configuration with
it is refused with the reason. One that acted nowhere is left out: the run was the same without it.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from bonesim.endocrine.drugs import DRUGS

#: The version that has the new names, and no longer what was removed.
SINCE = "0.2"
#: Old dotted path of a parameter -> new one, from the top of the file or model that has it.
RENAMED: dict[str, str] = {
    "cells.osteocyte.largest_stimulus": "cells.osteocyte.max_stimulus",
    "cells.osteocyte.least_energy_share": "cells.osteocyte.min_energy_share",
    "hormones.axis.atrophy_most": "hormones.axis.max_atrophy",
    "hormones.axis.largest_lh_ratio": "hormones.axis.max_lh_ratio",
    "mechanics.least_share": "mechanics.min_bone_share",
    # Of a study.
    "design.common_luck": "design.common_random_numbers",
    # Of the mechanical test of `measure`.
    "most_cycles": "max_cycles",
    # Each drug knows its own.
    **{
        old: f"hormones.drugs.{name}.{new}"
        for name, drug in DRUGS.items()
        for old, new in drug.former.items()
    },
}
#: Old dotted path of a removed parameter -> what is set now, and why it is gone.
REMOVED: dict[str, tuple[str, str]] = {
    "cells.osteoclast.death_per_day": (
        "cells.osteoclast.depth_um", "osteoclasts dig to a drawn depth",
    ),
    "cells.osteoclast.death_depth_um": (
        "cells.osteoclast.depth_um", "osteoclasts dig to a drawn depth",
    ),
    "cells.osteoclast.neighbour_share": (
        "cells.osteoclast.territory_cv", "osteoclasts dig to a drawn depth, whatever is beside them",
    ),
    "hormones.response.osteoclast_survival": (
        "hormones.response.depth_exponent",
        "estradiol acts on the depth, not on the lifespan, and the number means something else",
    ),
    **{
        f"hormones.response.{old}": (
            f"hormones.response.{new}", "estradiol acts by the logarithm of its ratio to the set-point",
        )
        for old, new in {
            "rankl_gain": "rankl_exponent", "opg_loss": "opg_exponent",
            "osteoblast_loss": "osteoblast_life_exponent",
            "precursor_growth_gain": "precursor_growth_exponent",
            "osteocyte_death_gain": "osteocyte_death_exponent",
            "sclerostin_gain": "sclerostin_exponent",
        }.items()
    },
    **{
        f"hormones.response.{old}": (
            "hormones.response.births_adaptation", "more estradiol than the set-point has no limit",
        )
        for old in ("max_surplus", "largest_surplus")
    },
    "hormones.response.static_setpoint_pg_per_ml": (
        "hormones.response.births_adaptation",
        "0 keeps the set-point at the own level in youth, of hormones.course or protocol",
    ),
    "specimen.plate_share": ("specimen.width_um", "faces carry plates of any width"),
    "specimen.flange_share": ("specimen.width_um", "faces carry plates of any width"),
    "specimen.hole_level": (
        "specimen.width_um", "plates have holes where they are narrower than their face",
    ),
}  # fmt: skip
#: Old dotted path of a removed parameter that acted nowhere -> why. A stored configuration loses it.
ACTED_NOWHERE: dict[str, str] = {
    "cells.osteoblast.lining_share": "a lining cell does the same as one that dies",
    **{
        f"hormones.drugs.{name}.absorption_per_day": "the drug is released at a constant rate"
        for name, drug in DRUGS.items()
        if not drug.regimen.has_first_stage
    },
    **{
        f"protocol.{name}.route": "the drug's kinetics are those of the way it is given"
        for name in DRUGS
    },
}


def renamed_to(path: str, known: Collection[str]) -> str | None:
    """The new path of a renamed parameter; None if `path` is not an old name.

    Args:
        path: the old path, as in the file. Its beginning may be missing, for instance because only
            one group of a configuration was validated.
        known: all paths that the validated model has today.
    """
    found = (_today(old, new, path, known) for old, new in RENAMED.items())
    return next((new for new in found if new is not None), None)


def why_removed(path: str, known: Collection[str]) -> str | None:
    """Why a parameter is gone, and what to do; None if `path` is not that of a removed one.

    Args:
        path: the old path; see `renamed_to`.
        known: all paths that the validated model has today.
    """
    for old, (new, reason) in REMOVED.items():
        if found := _today(old, new, path, known):
            return f"{reason}; set {found}"
    path = re.sub(r"\[\d+\]", "", path)
    for old, reason in ACTED_NOWHERE.items():
        if old == path or old.endswith(f".{path}"):
            return f"it acted nowhere: {reason}; leave it out"
    return None


def _today(old: str, new: str, path: str, known: Collection[str]) -> str | None:
    """`new` as the validated model has it, if `path` is `old` or its end; else None."""
    path = re.sub(r"\[\d+\]", "", path)
    if old != path and not old.endswith(f".{path}"):
        return None
    candidates = (new, new.removeprefix(old.removesuffix(path)))
    return next((one for one in candidates if one in known), None)


def translated(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A stored configuration (nested dict) with today's names; the argument is not changed."""
    moved = _branches_copied(tree)
    for old in ACTED_NOWHERE:
        _drop(moved, old.split("."))
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


def _drop(place: Any, path: list[str]) -> None:
    """Remove what stands at a path, in each table of a list of tables."""
    if isinstance(place, list):
        for one in place:
            _drop(one, path)
    elif isinstance(place, dict) and path[0] in place:
        if len(path) == 1:
            del place[path[0]]
        else:
            _drop(place[path[0]], path[1:])


def _branches_copied(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The same values in dicts and lists of its own."""
    return {name: _copied(value) for name, value in tree.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _branches_copied(value)
    return [_copied(one) for one in value] if isinstance(value, list | tuple) else value
