"""Runs compared in pairs: which of them pair, what differs between them, and by how much.

A pair is two runs of one bone and one seed: they differ by what their configurations differ in, and by
nothing else. A is compared with B, as a treated run with its untreated twin.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bonesim.analysis.pairs import differences
from bonesim.config.twin import TITLE
from bonesim.errors import InputError
from bonesim.reports.explain import shown
from bonesim.storage.reader import Run
from bonesim.units import BONE, unit_of

if TYPE_CHECKING:
    import pandas as pd

#: Compared by default -> their symbols.
QUANTITIES = {
    "bvtv_percent": "BV/TV", "bmd_mg_per_cm3": "BMD", "tb_th_um": "Tb.Th", "tb_sp_um": "Tb.Sp",
    "conn_d_per_mm3": "Conn.D", "turnover_percent_per_year": "turnover", "holes": "holes", "cuts": "cuts",
}  # fmt: skip
#: Two bones that share less of their voxels on day 0 (Jaccard) are two bones.
MIN_SHARED = 0.5
#: Parts of a configuration in which pairs of one comparison may differ.
OF_A_PAIR = ("title", "seed", "specimen", "schedule")
#: Characters of a column.
WIDTH = 26
#: So many paths are listed.
MAX_LISTED = 6


class Member(NamedTuple):
    """One run of a comparison.

    Attributes:
        name: file or point.
        seed: of the run, and of its burn-in.
        bone: what its bone is made from, as text.
        setting: path -> value of what may differ between arms.
        frame: column day and quantities, one row a day that is known.
        days: with a snapshot.
        run: the open file, if there is one.
    """

    name: str
    seed: tuple[int, int]
    bone: str
    setting: dict[str, Any]
    frame: "pd.DataFrame"
    days: tuple[int, ...]
    run: Run | None = None


class Paired(NamedTuple):
    """What is compared: pairs of A and B; or two groups, if `paired` is False.

    Attributes:
        names: of A and of B.
        a, b: the members, of equal number and order if paired.
        days: compared.
        paired: whether members pair.
        notes: what to know, one line each.
    """

    names: tuple[str, str]
    a: tuple[Member, ...]
    b: tuple[Member, ...]
    days: tuple[int, ...]
    paired: bool
    notes: tuple[str, ...]


def member_of(run: Run) -> Member:
    """A run file as a member of a comparison."""
    config = run.config
    daily, kept = run.table, run.snapshot_table
    new = ["day", *(name for name in map(str, kept) if name not in daily)]
    seed = int(config.get("seed", 1))
    burn_in = config.get("schedule", {}).get("burn_in_seed", seed)
    return Member(
        run.path.stem, (seed, int(burn_in)), _bone(run), flat(config),
        daily.merge(kept[new], on="day", how="left"), tuple(run.snapshot_days), run,
    )  # fmt: skip


def _bone(run: Run) -> str:
    """What a run's bone is made from: where a scan lies plays no part, what is in it does."""
    made = {
        k: v
        for k, v in run.config.get("specimen", {}).items()
        if k not in ("path", "mask", "folder")
    }
    read = sorted(map(str, run.provenance.get("inputs", {}).values()))
    return json.dumps(
        [made, read if "path" in run.config.get("specimen", {}) else []], sort_keys=True
    )


def flat(config: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Dotted path -> value of what an arm is made of: all but title, seeds, bone and schedule."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        here = f"{path}.{name}" if path else name
        if here in OF_A_PAIR:
            continue
        found |= flat(value, here) if isinstance(value, Mapping) else {here: value}
    return found


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Paths at which two settings differ, in order."""
    missing = object()
    return sorted(
        p for p in one.keys() | other.keys() if one.get(p, missing) != other.get(p, missing)
    )


def differ_text(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Where two settings differ, with both values where each is one value: "path 1 / 0.25"."""
    paths = differing(one, other)
    if len(paths) > MAX_LISTED:
        return listed(paths)
    return ", ".join(
        text for path in paths for text in _values_text(path, one.get(path), other.get(path))
    )


def _values_text(path: str, one: Any, other: Any) -> list[str]:
    """A path with both values; of lists of as many groups each value that differs."""
    if isinstance(one, list) and isinstance(other, list):
        groups = all(isinstance(entry, Mapping) for entry in (*one, *other))
        if not groups or len(one) != len(other):
            return [path]
        found = []
        for number, (mine, theirs) in enumerate(zip(one, other, strict=True), start=1):
            here = path if len(one) == 1 else f"{path}.{number}"
            for name in differing(mine, theirs):
                found += _values_text(f"{here}.{name}", mine.get(name), theirs.get(name))
        return found
    if isinstance(one, Mapping) or isinstance(other, Mapping) or one is None or other is None:
        return [path]
    return [f"{path} {shown(one)} / {shown(other)}"]


def listed(paths: Sequence[str]) -> str:
    """Paths as text; the shortest groups that have them if they are many."""
    shown = paths if len(paths) <= MAX_LISTED else sorted({p.rpartition(".")[0] for p in paths})
    more = f" and {len(shown) - MAX_LISTED} more" if len(shown) > MAX_LISTED else ""
    return ", ".join(shown[:MAX_LISTED]) + more


def paired(
    a: Sequence[Member], b: Sequence[Member], *, days: Sequence[int] | None = None,
    unpaired: bool = False, names: tuple[str, str] | None = None, notes: Iterable[str] = (),
) -> Paired:  # fmt: skip
    """Check that A's and B's members are what can be compared.

    Args:
        a, b: the members; unless `unpaired`, the first of A pairs with the first of B, and so on.
        days: compared; those of the snapshots if None, which then must be the same in all.
        unpaired: two independent groups: other bones and seeds are allowed.
        names: of A and B.
        notes: to be kept.

    Raises:
        InputError: other bone, seed or days within a pair; members of one group with other settings;
            a bone and seed twice.
    """
    for one, other in [] if unpaired else zip(a, b, strict=True):
        _require_pair(one, other)
    for side, members in (("A", a), ("B", b)):
        _require_one_arm(side, members)
        for one, other in combinations(members, 2):
            if (one.seed, one.bone) == (other.seed, other.bone):
                raise InputError(
                    f"{one.name} and {other.name} of {side} have one bone and one seed: the second is "
                    "no further draw of chance; leave it out", parameter="runs",
                )  # fmt: skip
    chosen = _days([*a, *b], days)
    found = [*notes, *([] if unpaired else _of_day_0(a, b))]
    return Paired(names or _names(a, b), tuple(a), tuple(b), chosen, not unpaired, tuple(found))


def _require_pair(one: Member, other: Member) -> None:
    """Refuse two runs of other bones or seeds."""
    if one.seed != other.seed:
        which = 0 if one.seed[0] != other.seed[0] else 1
        what = ("seeds", "seeds of the burn-in")[which]
        reason = f"have other {what} ({one.seed[which]} and {other.seed[which]})"
    elif one.run is not None and other.run is not None and _lattice(one.run) != _lattice(other.run):
        reason = f"have other lattices ({_lattice(one.run)} and {_lattice(other.run)})"
    elif one.bone != other.bone:
        reason = "are of other bones (the groups `specimen` of their configs differ)"
    elif (shared := shared_on_day_0(one, other)) < MIN_SHARED:
        reason = f"are of other bones (on day 0 they share {100.0 * shared:.0f} % of their voxels)"
    else:
        return
    raise InputError(
        f"{one.name} and {other.name} {reason} and do not pair; give two runs of one bone and seed, or "
        "compare them as independent groups: `unpaired`", parameter="runs",
    )  # fmt: skip


def _lattice(run: Run) -> str:
    nz, ny, nx = run.shape
    return f"{nx} x {ny} x {nz} voxels of {run.voxel_um:g} um"


def shared_on_day_0(one: Member, other: Member) -> float:
    """Bone of both over bone of either on day 0; 1 if that day is not on file of both."""
    if one.run is None or other.run is None or 0 not in one.days or 0 not in other.days:
        return 1.0
    mine, theirs = (
        member.run.quanta(0) >= BONE for member in (one, other) if member.run is not None
    )
    either = int(np.count_nonzero(mine | theirs))
    return int(np.count_nonzero(mine & theirs)) / either if either else 1.0


def _of_day_0(a: Sequence[Member], b: Sequence[Member]) -> list[str]:
    """A note if pairs differ on day 0 already."""
    shares = [shared_on_day_0(one, other) for one, other in zip(a, b, strict=True)]
    if min(shares, default=1.0) >= 1.0:
        return []
    return [
        f"A and B differ on day 0 already (they share {100.0 * min(shares):.1f} % of their bone's voxels): "
        "what differs between them acts in the burn-in, or another program simulated them"
    ]


def _require_one_arm(side: str, members: Sequence[Member]) -> None:
    """Refuse a group whose members are set differently: their mean would be of nothing."""
    for one in members[1:]:
        if paths := differing(members[0].setting, one.setting):
            raise InputError(
                f"{members[0].name} and {one.name} of {side} are not of one arm: {listed(paths)} differ; "
                "every pair needs the same A and the same B (check the order A1 B1 A2 B2)",
                parameter="runs",
            )


def _days(members: Sequence[Member], days: Sequence[int] | None) -> tuple[int, ...]:
    """The days compared: those asked for, or those that all have."""
    common = sorted(set.intersection(*(set(one.days) for one in members)))
    shown = ", ".join(map(str, common)) or "none"
    if days is not None:
        wrong = [day for day in days if day not in common]
        if wrong or not days:
            given = f"day {wrong[0]} has no snapshot in every run" if wrong else "is empty"
            raise InputError(f"{given}; days of all: {shown}", parameter="days")
        return tuple(sorted(set(days)))
    for one in members[1:]:
        if set(one.days) != set(members[0].days):
            raise InputError(
                f"{members[0].name} and {one.name} have snapshots of other days "
                f"({_brief(members[0].days)} and {_brief(one.days)}); "
                + (
                    f"choose `days` of those that all have: {shown}"
                    if common
                    else "they share none"
                ),
                parameter="runs",
            )
    if not common:
        raise InputError(f"{members[0].name} has no snapshot yet; let it run on", parameter="runs")
    return tuple(common)


def _brief(days: Sequence[int]) -> str:
    some = ", ".join(map(str, days[:6]))
    return f"{some}, ..." if len(days) > 6 else some or "none"


def _names(a: Sequence[Member], b: Sequence[Member]) -> tuple[str, str]:
    """Names of the sides: treated and its twin, or those of the files."""
    runs = [one.run for one in b]
    if all(run is not None and run.title.startswith(TITLE) for run in runs):
        return "treated", "untreated twin"
    if len(a) == len(b) == 1:
        return a[0].name, b[0].name
    return "A", "B"


def long(members: Sequence[Member], days: Sequence[int] | None = None) -> "pd.DataFrame":
    """The frames of members in one, with their number as `pair`; of some days if given."""
    import pandas as pd

    frames = [one.frame.assign(pair=number) for number, one in enumerate(members)]
    found = pd.concat(frames, ignore_index=True)
    return found if days is None else found[found["day"].isin(list(days))]


def known_quantities(what: Paired, quantities: Sequence[str] | None) -> list[str]:
    """The quantities compared: those asked for, or those of `QUANTITIES` that all have.

    Raises:
        InputError: one that is no column of every run.
    """
    columns = [set(map(str, one.frame)) for one in (*what.a, *what.b)]
    common = set.intersection(*columns) - {"day"}
    if quantities is None:
        return [name for name in QUANTITIES if name in common]
    for name in quantities:
        if name not in common:
            import difflib

            near = difflib.get_close_matches(name, sorted(common), 1, 0.4)
            hint = (
                f"did you mean {near[0]}?"
                if near
                else f"among others {', '.join(list(QUANTITIES)[:4])}"
            )
            raise InputError(f"{name!r} is no column of every run; {hint}", parameter="quantities")
    return list(quantities)


def table(what: Paired, quantities: Sequence[str] | None = None) -> "pd.DataFrame":
    """One row per quantity and day: A, B, their changes, and the difference with its 95 % interval.

    Args:
        what: of `paired`.
        quantities: columns of the daily table or of the snapshots; `QUANTITIES` if None.

    Returns:
        quantity, symbol, unit, and the columns of `analysis.pairs.differences`. `attrs` has names,
        paired, pairs (or the sizes of the groups), differs (paths), differ_in (with values) and notes.

    Raises:
        InputError: an unknown quantity.
    """
    chosen = known_quantities(what, quantities)
    found = differences(
        long(what.a, what.days), long(what.b, what.days), chosen, what.days, paired=what.paired
    )
    found.insert(1, "symbol", [QUANTITIES.get(name, name) for name in found["quantity"]])
    found.insert(2, "unit", [unit_of(name) for name in found["quantity"]])
    found.attrs = {
        "names": list(what.names),
        "paired": what.paired,
        "pairs": [len(what.a), len(what.b)],
        "differs": differing(what.a[0].setting, what.b[0].setting),
        "differ_in": differ_text(what.a[0].setting, what.b[0].setting),
        "notes": list(what.notes),
    }
    return found


def design_text(table_attrs: Mapping[Any, Any]) -> str:
    """How many pairs or runs there are, as text."""
    a, b = table_attrs["pairs"]
    if not table_attrs["paired"]:
        small = ", without interval" if min(a, b) < 2 else ""
        return f"independent groups of {a} and {b} runs, not pairs{small}"
    if a == 1:
        return "one pair of one bone and seed: one draw of chance, without interval"
    return f"{a} pairs of one bone and seed each"


def text(table: "pd.DataFrame") -> str:
    """A `table` for reading: A, B, their difference and its 95 % interval, day by day."""
    attrs = table.attrs
    a, b = attrs["names"]
    days = list(dict.fromkeys(table["day"]))
    differs = attrs["differ_in"] or "nothing of their configs"
    lines = [f"A = {a}, B = {b}; {design_text(attrs)}", f"differ in: {differs}", ""]
    side = max(len(f"{row['symbol']} ({row['unit']})") for row in table.to_dict("records")) + 2
    lines.append(" " * side + " " * 7 + "".join(f"day {day}".rjust(WIDTH) for day in days))
    for name in dict.fromkeys(table["quantity"]):
        rows = table[table["quantity"] == name].to_dict("records")
        head = rows[0]["symbol"] + (f" ({rows[0]['unit']})" if rows[0]["unit"] else "")
        for label, cells in (
            ("A", [_level(row, "a") for row in rows]),
            ("B", [_level(row, "b") for row in rows]),
            ("A - B", [_difference(row) for row in rows]),
        ):
            lines.append(f"{head:<{side}}{label:<7}" + "".join(cell.rjust(WIDTH) for cell in cells))
            head = ""
    lines += [
        "",
        "levels: mean (change since the first day shown); A - B: in % of B, of counts as counted",
    ]
    if min(attrs["pairs"]) > 1:
        over = (
            "over pairs (Student's t)"
            if attrs["paired"]
            else "of the difference (Welch), in the unit"
        )
        lines.append(f"in brackets behind A - B: 95 % confidence interval {over}")
    return "\n".join([*lines, *attrs["notes"]])


def _level(row: Mapping[Any, Any], side: str) -> str:
    change = row[f"{side}_change_percent"]
    if not np.isfinite(row[side]):
        return "-"
    return f"{row[side]:.4g}" + (f" ({change:+.1f} %)" if np.isfinite(change) else "")


def _difference(row: Mapping[Any, Any]) -> str:
    """A less B, in percent where that has a meaning, with its interval."""
    share = np.isfinite(row["difference_percent"])
    name, unit = ("difference_percent", " %") if share else ("difference", "")
    if (
        share
        and not np.isfinite(row["difference_percent_low"])
        and np.isfinite(row["difference_low"])
    ):
        ends = f"{row['difference_low']:+.3g} to {row['difference_high']:+.3g}"
        return f"{row['difference_percent']:+.1f} % ({ends})"
    number = "+.1f" if share else "+.3g"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    ends = f" ({low:{number}} to {high:{number}})" if high > low else ""
    return f"{row[name]:{number}}{unit}{ends}" if np.isfinite(row[name]) else ""
