"""What a process does to a loss: by the ledger, which counts what it takes, and by a twin without it.

The two differ by all that follows of the process. That is no remainder: the ledger of the twin has the
same parts, so it is given part by part, and all adds up to the last quantum:

    by twin = the process's own part with it - its own part without it
            + what each other part has more, or less, with the process

A loss beyond health is that of the run less that of its untreated twin; what a process does to it is the
difference of two differences, of four simulations.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from bonesim.config.ablation import PROCESSES
from bonesim.loss.parts import OF_THINNING, PARTS, REVERSIBLE

if TYPE_CHECKING:
    import pandas as pd

#: Parts that sum to a loss, thinning in its four.
PIECES = {
    name: words
    for part, title in PARTS.items()
    for name, words in (OF_THINNING.items() if part == "thinning" else [(part, title)])
}
#: The part of a loss that a process takes itself by the ledger; none: the ledger has no entry of it.
OWN = {
    "perforation": "plate_perforation", "cuts": "strut_cut", "arrest": "arrested",
    "mineral_lag": "mineral_lag", "mechanics": None,
}  # fmt: skip
#: What is compared besides -> (symbol, unit).
MEASURES = {
    "bvtv_percent": ("BV/TV", "%"),
    "conn_d_per_mm3": ("Conn.D", "1/mm3"),
    "closed_tb_th_um": ("Tb.Th closed", "um"),
    "apparent_modulus_z_mpa": ("E_z", "MPa"),
    "holes": ("holes", ""),
    "cuts": ("cuts", ""),
}
#: Which of these a twin without mechanics does not have: no solve counts there.
OF_A_SOLVE = ("apparent_modulus_z_mpa",)
#: Whose loss it is.
RUN, HEALTHY, BEYOND = "run", "healthy", "beyond health"
#: Rows of the reconciliation -> meaning.
RECONCILED = {
    "by_ledger": "by the ledger: what it takes itself",
    "still_without": "  less: the twin's ledger has it too",
    "follows": "what follows of it",
    "by_twin": "by twin: loss with it less loss without",
    "bone_by_twin": "  of it bone (BV/TV)",
    "structure_by_twin": "  of it structure, which stays",
}
NOTES = (
    "losses in % of the mineral of day 0; above 0: more is lost with the process than without",
    "the ledger counts the bone that a process takes. The twin shows that and what follows: below 0 "
    "bone that other units would have taken instead, or that is no more there to be thinned; above 0 "
    "bone that is lost because of it (new edges, strain lost, pieces cut loose)",
    "with, without and all parts are of one ledger: they add up to the last quantum",
    "holes and cuts are the breaks of the network there at the last look; those of before day 0 are "
    "not counted, what they take is; without perforation a sheet can still be thinned through",
    "one bone and one set of random numbers: after the first event the process decides, simulations "
    "drift apart; a small effect is known only from several bones or seeds",
)


class _Losses(NamedTuple):
    """A loss in pieces with a process and without it, on one day."""

    quanta: Mapping[str, tuple[int, int]]
    day_0: float  # quanta that are 1 % of the mineral of day 0

    def effect(self, *names: str) -> int:
        """More lost with the process, quanta."""
        return sum(self.quanta[name][0] - self.quanta[name][1] for name in names)


def table(results: "pd.DataFrame", processes: Sequence[str], days: Sequence[int]) -> "pd.DataFrame":
    """One row per process, comparison (run, healthy, beyond health), day and quantity.

    Args:
        results: outcomes of `sweeps.without.Ablations`, one row per simulation and snapshot.
        processes: those that were ended.
        days: when to compare.

    Returns:
        Columns process, compared, day, quantity, kind (part, total, reconciled, measure), meaning,
        unit, with_process, without_process, effect (the first less the second), effect_quanta and
        percent_of_loss (of the loss with the process). Parts sum to the total, and so do by_ledger
        - still_without + follows to by_twin. Losses are in % of the mineral of day 0.
    """
    import pandas as pd

    arms: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
    for row in results.fillna({"without": ""}).to_dict("records"):
        named = {str(name): value for name, value in row.items()}
        arms.setdefault((named["of"], named["without"]), {})[int(named["day"])] = named
    treated = (HEALTHY, "") in arms
    found: list[dict[str, Any]] = []
    for process in processes:
        for compared in (RUN, HEALTHY, BEYOND) if treated else (RUN,):
            for day in days:
                pairs = [(arms[of, ""][day], arms[of, process][day])
                         for of in ((RUN, HEALTHY) if compared == BEYOND else (compared,))]  # fmt: skip
                head = {"process": process, "compared": compared, "day": day}
                found += [head | row for row in _rows(process, pairs)]
    return pd.DataFrame(found)


def _rows(process: str, pairs: Sequence[tuple[Mapping[str, Any], ...]]) -> list[dict[str, Any]]:
    """The quantities of one comparison: of a pair (with, without), or of one less another."""
    quanta = {
        name: tuple(_less([pair[k][f"loss_{name}_quanta"] for pair in pairs]) for k in (0, 1))
        for name in (*PIECES, "total")
    }
    row = pairs[0][0]
    whole = row["loss_day_0_quanta"]
    losses = _Losses({n: (int(a), int(b)) for n, (a, b) in quanta.items()}, whole / 100.0)
    return [*_parts(losses), *_reconciled(process, losses), *_measures(process, pairs)]


def _known(value: Any) -> float:
    """A measure; NaN if it was not measured (a journal has null there)."""
    return math.nan if value is None else float(value)


def _less(values: Sequence[Any]) -> Any:
    """A value, or one less another."""
    return values[0] if len(values) == 1 else values[0] - values[1]


def _parts(losses: _Losses) -> list[dict[str, Any]]:
    named = {**PIECES, "total": "loss"}
    return [
        _row(name, "total" if name == "total" else "part", words, losses, losses.quanta[name])
        for name, words in named.items()
    ]


def _reconciled(process: str, losses: _Losses) -> list[dict[str, Any]]:
    own = OWN[process]
    taken, left = losses.quanta[own] if own else (0, 0)
    total = losses.effect("total")
    amounts = {
        "by_ledger": taken,
        "still_without": left,
        "follows": losses.effect(*(name for name in PIECES if name != own)),
        "by_twin": total,
        "bone_by_twin": total - losses.effect("mineral_lag"),
        "structure_by_twin": total - losses.effect(*REVERSIBLE),
    }
    if taken - left + amounts["follows"] != total:
        raise RuntimeError(f"{process}: {amounts} do not add up")
    return [
        _row(name, "reconciled", RECONCILED[name].strip(), losses, (amount, 0), whole=False)
        for name, amount in amounts.items()
    ]


def _row(
    name: str, kind: str, words: str, losses: _Losses, quanta: tuple[int, int], whole: bool = True
) -> dict[str, Any]:
    """A row of quanta with and without; of an amount alone if not `whole`."""
    loss, effect = losses.quanta["total"][0], quanta[0] - quanta[1]
    both = [one / losses.day_0 if whole else math.nan for one in quanta]
    return {
        "quantity": name, "kind": kind, "meaning": words, "unit": "%", "with_process": both[0],
        "without_process": both[1], "effect": effect / losses.day_0, "effect_quanta": effect,
        "percent_of_loss": 100.0 * effect / loss if loss > 0 else math.nan,
    }  # fmt: skip


def _measures(process: str, pairs: Sequence[tuple[Mapping[str, Any], ...]]) -> list[dict[str, Any]]:
    found = []
    for name, (symbol, unit) in MEASURES.items():
        both = [_less([_known(pair[k][name]) for pair in pairs]) for k in (0, 1)]
        if process == "mechanics" and name in OF_A_SOLVE:
            both[1] = math.nan
        found.append({
            "quantity": name, "kind": "measure", "meaning": symbol, "unit": unit,
            "with_process": both[0], "without_process": both[1], "effect": both[0] - both[1],
            "effect_quanta": None, "percent_of_loss": math.nan,
        })  # fmt: skip
    return found


def text(table: "pd.DataFrame") -> str:
    """The table for reading: a block for each process and day."""
    lines: list[str] = []
    for process in dict.fromkeys(table["process"]):
        for day in dict.fromkeys(table["day"]):
            rows = table[(table["process"] == process) & (table["day"] == day)]
            lines += [*_block(process, day, rows), ""]
    return "\n".join([*lines, *NOTES])


def _block(process: str, day: int, rows: "pd.DataFrame") -> list[str]:
    compared = list(dict.fromkeys(rows["compared"]))
    values = rows.set_index(["quantity", "compared"])

    def line(words: str, name: str, column: str = "effect") -> str:
        amounts = "".join(f"{_number(values.loc[(name, one), column]):>15s}" for one in compared)
        share = values.loc[(name, compared[-1]), "percent_of_loss"] if column == "effect" else None
        return f"{words:42s}{amounts}{_share(share):>10s}"

    head = f"{PROCESSES[process]}, day {day}"
    lines = [f"{head:42s}" + "".join(f"{one:>15s}" for one in compared) + f"{'of loss':>10s}"]
    for name, words in RECONCILED.items():
        if OWN[process] is None and name in ("by_ledger", "still_without"):
            continue
        lines.append(line(words, name))
        if name == "follows":
            others = [piece for piece in PIECES if piece != OWN[process]]
            lines += [line(f"  {PIECES[piece]}", piece) for piece in others]
    lines += [line("loss with it", "total", "with_process"),
              line("loss without it", "total", "without_process")]  # fmt: skip
    if idle := [one for one in compared[:2] if _did_nothing(rows[rows["compared"] == one])]:
        lines.append(f"it did not act in: {', '.join(idle)}; that twin is the simulation itself")
    whole = compared[:2]
    lines.append(f"{'':42s}" + "".join(f"{one:>15s}{'without':>15s}" for one in whole))
    for name, (symbol, unit) in MEASURES.items():
        pairs = "".join(
            f"{_number(values.loc[(name, one), column]):>15s}"
            for one in whole for column in ("with_process", "without_process")
        )  # fmt: skip
        lines.append(f"{symbol + (f' ({unit})' if unit else ''):42s}{pairs}")
    return lines


def _did_nothing(rows: "pd.DataFrame") -> bool:
    """Whether a simulation and its twin have the same losses and measures."""
    both = rows[rows["kind"] != "reconciled"]
    mine, its = both["with_process"], both["without_process"]
    return bool(((mine == its) | (mine.isna() & its.isna())).all())


def _number(value: Any) -> str:
    """A number in four digits; a dash where there is none. Adding 0 takes the sign off nothing."""
    if value != value:
        return "-"
    return f"{round(float(value), 3) + 0.0:.4g}"


def _share(value: Any) -> str:
    return "" if value is None else "-" if value != value else f"{round(float(value)) + 0.0:.0f} %"
