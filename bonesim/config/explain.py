"""What is wrong with a config, in one line with how to put it right.

    run.toml: cells.osteoclast.lifespan_days: no such parameter. Did you mean lifespan_day?
    run.toml: hormones.response.hill: got 9; allowed a number from 0.5 to 4; change the value

Pydantic finds the problems; here the most helpful one is chosen (an unknown key before a missing
one, which it often explains) and put into the words of the config file: dotted paths without
pydantic's marks for members of a union, ranges with their units, the nearest known names.
"""

import difflib
import math
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin

import annotated_types
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from bonesim.config.medicines import advice_on
from bonesim.config.renamed import SINCE, renamed_to, why_removed
from bonesim.endocrine.drugs import DRUGS
from bonesim.units import unit_of

#: Error types -> their rank; a typo makes an unknown key *and* a missing one.
URGENCY = {"extra_forbidden": 0, "union_tag_invalid": 0, "union_tag_not_found": 1, "missing": 3}
USUAL_URGENCY = 2
#: More names than this are not listed.
LONGEST_LIST = 15
LONGEST_VALUE = 60


class Place(NamedTuple):
    """Where in the config a problem is."""

    path: str  # as in the file, e.g. "hormones.course.steps[0].tau_day"
    name: str  # its last name
    field: FieldInfo | None  # what is declared there, if anything
    group: type[BaseModel] | None  # the group of parameters it is in
    group_path: str


class Known(NamedTuple):
    """A parameter that exists."""

    path: str
    name: str
    kind: str  # of the group it is in, if the group has kinds


def explain(error: ValidationError, where: str, model: type[BaseModel]) -> str:
    """One line on the most helpful of the problems pydantic found.

    Args:
        error: as raised by `model.model_validate`.
        where: where the values come from, e.g. the config file's name.
        model: the model that was validated.
    """
    problems = error.errors(include_url=False)
    problem = min(problems, key=lambda p: URGENCY.get(p["type"], USUAL_URGENCY))
    place = locate(model, problem["loc"])
    text = _describe(problem, place, model)
    more = len(problems) - 1
    if more:
        text += f" (and {more} more problem{'s' if more > 1 else ''})"
    return " ".join(": ".join(part for part in (where, place.path, text) if part).split())


def problem_of(path: str, model: type[BaseModel]) -> str:
    """What is wrong with a dotted path that no parameter has, as `explain` puts it; "" if one has it."""
    names = [name for name in path.split(".") if not name.isdigit()]
    if ".".join(names) in {known.path for known in all_parameters(model)}:
        return ""
    *above, name = names
    group = locate(model, tuple(above))
    groups = groups_in(group.field.annotation) if group.field else [] if above else [model]
    place = Place(path, name, None, groups[0] if groups else None, group.path)
    return _describe({"type": "extra_forbidden", "input": None}, place, model)


def locate(model: type[BaseModel], steps: tuple[int | str, ...]) -> Place:
    """Translate pydantic's location of an error into the config's own terms."""
    groups: list[type[BaseModel]] = [model]
    place = Place("", "", None, model, "")
    tags_follow = False
    for step in steps:
        if isinstance(step, int):
            place = place._replace(path=f"{place.path}[{step}]")
            continue
        if tags_follow:
            tags_follow = False
            groups = [group for group in groups if step in kinds_of(group)] or groups
            continue
        group = next((g for g in groups if step in g.model_fields), groups[0] if groups else None)
        field = group.model_fields.get(step) if group else None
        path = f"{place.path}.{step}" if place.path else step
        place = Place(path, step, field, group, place.path)
        groups = groups_in(field.annotation) if field else []
        tags_follow = field is not None and field.discriminator is not None
    return place


def groups_in(annotation: Any) -> list[type[BaseModel]]:
    """The parameter groups in an annotation: itself, members of a union, items of a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [group for part in get_args(annotation) for group in groups_in(part)]


def drugs_of(group: type[BaseModel]) -> tuple[str, ...]:
    """The drugs that a group of parameters may name."""
    return tuple(name for name in group.model_fields if name in DRUGS)


def kinds_of(group: type[BaseModel]) -> tuple[str, ...]:
    """The values of `kind` by which a group is chosen among others; () if it has no kind."""
    kind = group.model_fields.get("kind")
    return get_args(kind.annotation) if kind is not None else ()


def all_parameters(model: type[BaseModel], path: str = "") -> Iterator[Known]:
    """Every parameter of the tree, members of unions included, groups themselves too."""
    kind = " or ".join(kinds_of(model))
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        yield Known(here, name, kind)
        for group in groups_in(field.annotation):
            yield from all_parameters(group, here)


def _describe(problem: Any, place: Place, model: type[BaseModel]) -> str:
    """What is wrong, what is allowed and what to do."""
    what, got = problem["type"], problem["input"]
    context = problem.get("ctx", {})
    if what == "extra_forbidden":
        paths = {known.path for known in all_parameters(model)}
        if new := renamed_to(place.path, paths):
            return f"renamed to {new} in {SINCE}"
        if reason := why_removed(place.path, paths):
            return f"removed in {SINCE}: {reason}"
        drugs = drugs_of(place.group) if place.group else ()
        if drugs and (advice := advice_on(place.name, got, drugs)):
            return advice if advice.startswith("not") else f"no such parameter. {advice}"
        return f"no such parameter. {_nearest(place, model)}"
    if what in ("union_tag_invalid", "union_tag_not_found"):
        return _describe_kind(what, got, context, place)
    if what == "missing":
        return f"is missing; give {place.name}, {allowed(place)}"
    if what in ("value_error", "assertion_error"):
        return str(context.get("error", problem["msg"]))
    if what in ("model_type", "model_attributes_type", "dict_type"):
        advice = f"write it as [{place.path}]" if place.path else "write name = value lines"
        return f"got {_shown(got)}; allowed a group of parameters; {advice}"
    if what in ("too_short", "too_long"):
        return f"got {len(got)} entries; allowed {allowed(place)}; change their number"
    range_here = allowed(place) or problem["msg"]
    advice = "change the value"
    if what == "tuple_type" and isinstance(got, int | float) and place.field is not None:
        items = get_args(place.field.annotation)
        advice = f"write {[got] * (1 if Ellipsis in items else len(items))}"
    if what == "greater_than_equal" and unit_of(place.name) == "um" and got > 0:
        in_um = 1000 * got
        if context["ge"] <= in_um <= _highest(place.field):
            advice = f"mm? then {in_um:g}"
    if isinstance(got, str) and "number" in range_here:
        with_unit = re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?\s*[^\W\d].*", got)
        advice = "give the number without the unit" if with_unit else "give numbers without quotes"
    return f"got {_shown(got)}; allowed {range_here}; {advice}"


def _describe_kind(what: str, got: Any, context: Any, place: Place) -> str:
    """A group whose `kind` is not given or not known."""
    groups = groups_in(place.field.annotation) if place.field else []
    kinds = [kind for group in groups for kind in kinds_of(group)]
    listed = ", ".join(f'"{kind}"' for kind in kinds)
    if what == "union_tag_not_found":
        if not isinstance(got, dict):
            return f"got {_shown(got)}; allowed a group of parameters; write it as [{place.path}]"
        return f'has no kind; allowed {listed}; add a line such as kind = "{kinds[0]}"'
    tag = str(context.get("tag", ""))
    near = difflib.get_close_matches(tag.lower(), kinds, n=1)
    advice = f'Did you mean "{near[0]}"?' if near else "choose one of these"
    return f"got kind = {_shown(tag)}; allowed {listed}; {advice}"


def _nearest(place: Place, model: type[BaseModel]) -> str:
    """Known names like an unknown one: in its group, else anywhere, else all of the group."""
    wrong = place.name.lower().replace("-", "_")
    here = list(place.group.model_fields) if place.group else []
    near = difflib.get_close_matches(wrong, here, n=2, cutoff=0.7)
    near = near or [name for name in here if name.startswith(f"{wrong}_")][:2]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    tree = list(all_parameters(model))
    similar = set(difflib.get_close_matches(wrong, {k.name for k in tree}, n=2, cutoff=0.8))
    elsewhere = [known for known in tree if known.name in similar]
    elsewhere.sort(key=lambda known: known.name != wrong)
    if kinds := [known.kind for known in elsewhere if known.path == place.path]:
        return f'It belongs to kind "{kinds[0]}"'
    if elsewhere:
        shown = [
            known.path + (f' (of kind "{known.kind}")' if known.kind else "")
            for known in elsewhere[:2]
        ]
        return f"Did you mean {' or '.join(dict.fromkeys(shown))}?"
    if near := difflib.get_close_matches(wrong, here, n=2, cutoff=0.5):
        return f"Did you mean {' or '.join(near)}?"
    group = f"of {place.group_path}" if place.group_path else "at the top"
    more = ", ..." if len(here) > LONGEST_LIST else ""
    return f"Parameters {group}: {', '.join(here[:LONGEST_LIST])}{more}" if here else "Remove it."


def allowed(place: Place) -> str:
    """What a parameter may be: kind of value, range and unit; "" if nothing simple."""
    if place.field is None:
        return ""
    annotation = place.field.annotation
    if place.path.endswith("]") and get_origin(annotation) is tuple:
        return _type_words(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return " or ".join(f'"{value}"' for value in get_args(annotation))
    if groups_in(annotation) and get_origin(annotation) is not tuple:
        return "a group of parameters"
    words = _type_words(annotation)
    range_words = _range_words(place.field)
    unit = unit_of(place.name)
    return " ".join(word for word in (words, range_words, unit if range_words else "") if word)


def _type_words(annotation: Any) -> str:
    """A type in plain words."""
    if get_origin(annotation) is tuple:
        items = get_args(annotation)
        what = "groups" if groups_in(items[0]) else _type_words(items[0]).partition(" ")[2] + "s"
        return f"a list of {what}" if Ellipsis in items else f"a list of {len(items)} {what}"
    if options := [part for part in get_args(annotation) if part is not type(None)]:
        return " or ".join(dict.fromkeys(_type_words(part) for part in options))
    words: dict[Any, str] = {
        int: "a whole number",
        float: "a number",
        str: "a text",
        bool: "a true or false",
    }
    return words.get(annotation, "a value")


def _range_words(field: FieldInfo) -> str:
    """Bounds in plain words: "from 0.5 to 4", "above 0, at most 100", "of at most 9 entries"."""
    low = high = ""
    entries = False
    for bound in field.metadata:
        if isinstance(bound, annotated_types.Ge):
            low = f"from {_plain(bound.ge)}"
        elif isinstance(bound, annotated_types.Gt):
            low = f"above {_plain(bound.gt)},"
        elif isinstance(bound, annotated_types.Le):
            high = f"{_plain(bound.le)}"
        elif isinstance(bound, annotated_types.Lt):
            high = f"below {_plain(bound.lt)}"
        elif isinstance(bound, annotated_types.MinLen):
            low, entries = f"at least {bound.min_length}", True
        elif isinstance(bound, annotated_types.MaxLen):
            high, entries = f"{bound.max_length}", True
    if entries:
        high = f"at most {high}" if high else ""
        what = "characters" if field.annotation is str else "entries"
        return f"of {' and '.join(part for part in (low, high) if part)} {what}"
    if not high:
        return low.rstrip(",")
    if high.startswith("below"):
        return f"{low} to {high}" if low else high
    return f"{low} to {high}" if low.startswith("from") else f"{low} at most {high}".strip()


def _highest(field: FieldInfo | None) -> float:
    """The greatest value that is allowed."""
    bounds = field.metadata if field else []
    return min(
        (float(one.le) for one in bounds if isinstance(one, annotated_types.Le)),  # type: ignore[arg-type]
        default=math.inf,
    )


def _plain(bound: Any) -> str:
    """A bound as one writes it."""
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


def _shown(value: Any) -> str:
    """A value as it was given, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."
