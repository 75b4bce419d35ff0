"""Every parameter of the schema: in which worlds it acts, to what values it is moved, what comes of it."""

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import annotated_types
import numpy as np
from pydantic import ValidationError
from worlds import Seen, World, worlds

from bonesim.config.changes import changed, value_at
from bonesim.config.explain import groups_in
from bonesim.errors import InputError
from bonesim.reports.explain import Declared, declared

BONE = ("suppressed", "loaded")
#: Beginning of a path (and the kind of its group, if it has kinds) -> worlds; the longest one counts.
WHERE: dict[str, tuple[str, ...]] = {
    "title": ("kept",), "seed": ("suppressed",), "schedule": ("kept", "suppressed"),
    "specimen synthetic": ("synthetic",), "specimen scan": ("scan",),
    "specimen.index scan": ("scan of two",), "specimen.array scan": ("scan of arrays",),
    "specimen.threshold_mg scan": ("calibrated",), "specimen.density_slope scan": ("calibrated",),
    "specimen.density_intercept scan": ("calibrated",), "specimen library": ("library",),
    "specimen.mirror library": ("fetched",),
    "modules": ("own drug",), "measure": ("measured",),
    "protocol": ("taking anastrozole",), "protocol.diet": ("loaded",), "protocol.loading": ("loaded",),
    "hormones.course constant": ("constant",), "hormones.course stepped": ("suppressed",),
    "hormones.course.steps": ("suppressed",), "hormones.course table": ("levels",),
    "tissue.fragment": ("holed",), "ablation.cuts_day": ("holed",),
    "schedule.breaks_every_day": ("holed",),
    "cells.bmu.young_bone_day": ("eventful",),
    "cells.osteoblast.arrest_day": ("eventful",),
    **dict.fromkeys(
        ("protocol.menopause_age_year", "protocol.transition_year", "protocol.youth_e2_pg_per_ml",
         "hormones.axis.ovary_exponent"), ("in transition",)),
    **dict.fromkeys(
        ("hormones.response.half_maximum_pg_per_ml", "hormones.response.hill",
         "hormones.response.beta_share"), ("taking tamoxifen",)),
    **dict.fromkeys(("hormones.variation.recovery_cv", "hormones.variation.never_recover_share"),
                    ("recovering",)),
    "hormones.response": BONE, "hormones.axis": ("taking anastrozole", "taking gnrh_agonist",
                                                 "taking testosterone_cypionate"),
    "hormones.drugs": ("taking anastrozole",), "hormones.variation": ("taking anastrozole",),
    "hormones.assay": ("taking anastrozole", "assayed"),
    "cells": BONE, "signals": BONE, "mechanics": BONE, "tissue": BONE, "ablation": BONE,
    "biopsy": ("biopsied",), "clinic": ("clinic",),
}  # fmt: skip
for _drug in (
    name.removeprefix("taking ") for name in worlds(Path()) if name.startswith("taking ")
):
    WHERE[f"protocol.{_drug}"] = WHERE[f"hormones.drugs.{_drug}"] = (f"taking {_drug}",)


class Leaf(NamedTuple):
    """A parameter that is no group."""

    path: str
    kind: str
    declared: Declared

    @property
    def name(self) -> str:
        """The path, with the kind of its group if it is one of several."""
        return f"{self.path} {self.kind}".strip()

    @property
    def one_valued(self) -> bool:
        """Whether it can have one value only."""
        annotation = self.declared.field.annotation
        return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


@cache
def leaves() -> tuple[Leaf, ...]:
    """All parameters, in the order of the schema."""
    found = [
        Leaf(one.path, one.kind, one) for one in declared() if not groups_in(one.field.annotation)
    ]
    return tuple(found)


def worlds_of(leaf: Leaf) -> tuple[str, ...]:
    """The worlds in which a parameter can act; () if there is none."""

    def begins(key: str) -> bool:
        path, _, kind = key.partition(" ")
        inside = leaf.path == path or leaf.path.startswith(f"{path}.")
        return inside and kind in ("", leaf.kind)

    keys = [key for key in WHERE if begins(key)]
    return WHERE[max(keys, key=lambda key: len(key.partition(" ")[0]))] if keys else ()


def bounds(leaf: Leaf) -> tuple[float, float]:
    """Least and largest value that may be given (open and closed ends alike)."""
    low, high = -np.inf, np.inf
    for one in leaf.declared.field.metadata:
        match one:
            case annotated_types.Ge(ge=x) | annotated_types.Gt(gt=x):
                low = float(x)  # type: ignore[arg-type]
            case annotated_types.Le(le=x) | annotated_types.Lt(lt=x):
                high = float(x)  # type: ignore[arg-type]
    return low, high


def values(leaf: Leaf, now: Any) -> Iterator[Any]:
    """What it is moved to: twice as much, half, then further away; another choice."""
    annotation = leaf.declared.field.annotation
    if get_origin(annotation) is Literal:
        yield from (one for one in get_args(annotation) if one != now)
        return
    kinds = get_args(annotation) or (annotation,)
    if not {int, float} & set(kinds):
        return
    low, high = bounds(leaf)
    least, most = max(low, -1e4), min(high, 1e4)
    numbers = [least + 0.3 * (most - least), least + 0.6 * (most - least), least, most]
    if now is not None:
        step = abs(now) or 0.5 * min(abs(most), 1.0)
        numbers = [now + step, now - 0.5 * step, now + 0.2 * step, *numbers]
    for number in numbers:
        value = round(number) if int in kinds else float(number)
        if low <= value <= high and value != now:
            yield value


def moves(leaf: Leaf, folder: Path, now: Any) -> Iterator[dict[str, Any]]:
    """The changes to be tried, one after the other."""
    last = leaf.path.rpartition(".")[2]
    if last in IN_COURSES and leaf.path.startswith("protocol."):
        yield {leaf.path: IN_COURSES[last]}
        return
    given = special(folder).get(leaf.name, special(folder).get(leaf.path))
    if given is not None:
        yield from given
        return
    for value in values(leaf, now):
        yield {leaf.path: value}


#: Of every course of a drug: doses are four weeks apart at most.
IN_COURSES = {"taper_day": 40.0, "missed_day": [3.0]}


@cache
def special(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Changes of parameters that are no numbers, or act in company only: path -> what is tried."""

    def alone(path: str, *tried: Any) -> tuple[str, list[dict[str, Any]]]:
        return path, [{path.partition(" ")[0]: one} for one in tried]

    return dict([
        alone("title", "another"),
        alone("schedule.snapshots_day", [0, 5]),
        alone("schedule.burn_in_seed", 7),
        alone("specimen.size_mm", [0.6, 0.7, 0.7]),
        alone("specimen.seed synthetic", 5),
        alone("specimen.path scan", str(folder / "other.npy")),
        alone("specimen.mask scan", str(folder / "mask.npy")),
        alone("specimen.index scan", 1),
        alone("specimen.array scan", "turned"),
        alone("specimen.threshold scan", 70.0),
        alone("specimen.threshold library", 100.0),
        alone("specimen.crop_voxel", [2, 20, 2, 20, 2, 20]),
        alone("specimen.crop_mm", [0.1, 1.0, 0.1, 1.0, 0.1, 1.0]),
        alone("specimen.name library", "made-2"),
        alone("specimen.folder library", str(folder / "empty")),
        alone("specimen.mirror library", "http://127.0.0.1:9/another"),
        alone("hormones.axis.max_lh_ratio", 1.5),
        alone("modules.path", str(folder / "slower.py")),
        alone("hormones.response.reference_t_ng_per_dl", 100.0),
        alone("modules.sha256", "0" * 64),
        alone("measure.module", str(folder / "other.py")),
        alone("measure.function", "bone_sum"),
        alone("measure.name", "another"),
        alone("measure.unit", "%"),
        alone("measure.meaning", "another"),
        alone("hormones.course.path", str(folder / "others.csv")),
        alone("hormones.course.sha256", "0" * 64),
        *(alone(f"ablation.{name}_day", 5)
          for name in ("perforation", "cuts", "mechanics", "arrest", "mineral_lag")),
    ])  # fmt: skip


#: They decide whether a file is taken, or where from: what is seen of them is a refusal.
CHECKS = {
    "modules.sha256", "hormones.course.sha256 table", "specimen.folder library",
}  # fmt: skip


def prints(seen: Seen) -> dict[str, str]:
    """What is seen, as hashes."""

    def content(value: Any) -> bytes:
        if isinstance(value, np.ndarray):
            return f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
        return repr(value).encode()

    return {name: hashlib.sha256(content(value)).hexdigest() for name, value in seen.items()}


class Laboratory:
    """Worlds with what is seen of each, twice, before anything is moved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worlds: dict[str, World] = worlds(folder)
        self._before: dict[str, dict[str, str]] = {}

    def before(self, name: str) -> dict[str, str]:
        """What is seen of a world as it is; one run for all parameters."""
        if name not in self._before:
            world = self.worlds[name]
            first, again = (prints(world.look(world.tree)) for _ in range(2))
            assert first == again, f"{name}: differs though nothing was moved"
            self._before[name] = first
        return self._before[name]

    def seen_to_act(self, leaf: Leaf) -> list[str]:
        """The names of what changes when a parameter is moved; [] if nothing does.

        Raises:
            AssertionError: none of the moves is allowed in any world.
        """
        possible = []
        for name in worlds_of(leaf):
            world, before = self.worlds[name], self.before(name)
            given = value_at(world.tree, leaf.path)
            now = leaf.declared.default if given is None else given
            if repr(now) == "PydanticUndefined":
                now = None
            for changes in moves(leaf, self.folder, now):
                try:
                    after = prints(world.look(changed(world.tree, changes)))
                except (InputError, ValidationError) as error:
                    if leaf.name in CHECKS:
                        return [f"refused: {error}"]
                    possible.append(str(error))
                    continue
                acts = sorted(one for one in before | after if before.get(one) != after.get(one))
                if acts:
                    return acts
                possible.append("")
        assert "" in possible, f"{leaf.name}: cannot be moved: {possible[:2]}"
        return []
