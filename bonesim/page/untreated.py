"""Whether one run is the untreated twin of another, and what that one lacks."""

from collections.abc import Mapping
from typing import Any

from bonesim.config.config import tree_of, validated
from bonesim.config.renamed import translated
from bonesim.config.twin import untreated_twin
from bonesim.errors import InputError
from bonesim.reports.pairs import differing, flat, member_of
from bonesim.storage.reader import Run


def is_untreated_twin(run: Run, other: Run) -> bool:
    """Whether the second run is the first without what its configuration changes from day 0 on.

    It is judged by what both are configured to be, bone and seeds included; names do not count.
    """
    try:
        wanted = tree_of(untreated_twin(validated(translated(run.config), str(run.path))))
        found = tree_of(validated(translated(other.config), str(other.path)))
    except InputError:  # nothing is treated, or what it needs is not on this machine
        return False
    mine, theirs = member_of(run), member_of(other)
    return (mine.seed, mine.bone) == (theirs.seed, theirs.bone) and flat(wanted) == flat(found)


def lacking_text(run: Mapping[str, Any], twin: Mapping[str, Any]) -> str:
    """What an untreated twin is: "the same without DRUG".

    Args:
        run, twin: settings, see `flat`.
    """
    gone, kept = list[str](), list[str]()
    for path in differing(run, twin):
        parts = path.split(".")
        name = (parts[1] if parts[0] == "protocol" and len(parts) > 1 else parts[0]).replace(
            "_", " "
        )
        (kept if twin.get(path) or parts[0] != "protocol" else gone).append(name)
    gone, kept = list(dict.fromkeys(gone)), list(dict.fromkeys(kept))
    changes = [f"what changes in {', '.join(kept)} from day 0 on"] if kept else []
    return f"the same without {' and '.join([*gone, *changes]) or 'treatment'}"
