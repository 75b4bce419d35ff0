"""Runs compared in pairs of one bone and seed: a table, curves, and pictures at equal days."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bonesim.api.inputs import AnyRun, opened
from bonesim.errors import InputError
from bonesim.storage.reader import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bonesim.reports.pairs import Member
    from bonesim.sweeps.arms import Arm

__all__ = ["compare", "paired_sweep"]

#: Ends of run files.
RUN_FILES = "*.vtkhdf"
#: What is after the name of a run in that of its twin.
TWIN = "_twin"


class Compared(NamedTuple):
    """Two arms compared.

    Attributes:
        table: a row per quantity and day: A, B, difference, 95 % interval; `attrs` has what is paired.
        pairs: the quantities of each member on each of the days, columns side, pair, run, day.
        figure: the picture; None if none was asked for.
    """

    table: "pd.DataFrame"
    pairs: "pd.DataFrame"
    figure: "Figure | None"

    def text(self) -> str:
        """The table for reading."""
        from bonesim.reports.pairs import text

        return text(self.table)


def compare(
    *runs: AnyRun,
    output: str | Path | None = None,
    days: Sequence[int] | None = None,
    quantities: Sequence[str] | None = None,
    arms: Sequence[Mapping[str, Any]] = (),
    names: Sequence[str] | None = None,
    unpaired: bool = False,
    colour: str = "difference",
    draw: bool = False,
    overwrite: bool = False,
) -> Compared:
    """Compare A with B: pairs of runs that share bone and seed, at equal days.

    What is given as `runs` may be:

        out.vtkhdf                  a run with its twin beside it (out_twin.vtkhdf)
        A B, or A1 B1 A2 B2 ...     pairs of run files
        FOLDER                      of run files, each with its twin
        FOLDER_A FOLDER_B           of run files: those of one bone and seed pair
        SWEEP                       folder of a sweep and two `arms`, or two folders and up to two `arms`

    Args:
        runs: as above: paths, or what `open_run` gives.
        output: PNG to write: bone of both at equal days with one camera and one scale, curves, and
            differences; the table beside it as CSV. None if None.
        days: compared, with a snapshot in every run; those that all have if None.
        quantities: columns of the daily table or of the snapshots; the main ones if None.
        arms: rows of a sweep's design, column -> value; the first is compared with the second.
        names: of A and B in table and picture.
        unpaired: independent groups instead of pairs: other bones and seeds, Welch's interval.
        colour: of the bone: "difference" (where only one of both has bone), "events" (marks at
            breaks), "surface_state" or "none".
        draw: make the figure also without `output`.
        overwrite: replace the output if it exists; what is read is never replaced.

    Returns:
        Table, members and figure; with several pairs the table has 95 % intervals over them.

    Raises:
        InputError: runs that do not pair, unknown days, arms or quantities, an output that cannot be
            written. CorruptFileError: a damaged file.
    """
    from bonesim.api.pictures import _checked, _shown
    from bonesim.reports import pairs as report

    if names is not None and len(names) != 2:
        raise InputError(f"got {len(names)}; give two, of A and of B", parameter="names")
    place = _checked(
        output, overwrite, *(one.path if isinstance(one, Run) else one for one in runs)
    )
    with ExitStack() as files:
        found = _Sides(files, unpaired)
        found.take(runs, arms)
        named = found.names if names is None else (str(names[0]), str(names[1]))
        what = report.paired(
            found.a, found.b, days=days, unpaired=unpaired, names=named, notes=found.notes
        )
        table = report.table(what, quantities)
        members = _members(what, list(dict.fromkeys(table["quantity"])))
        if place is None and not draw:
            return Compared(table, members, None)
        from bonesim.viewer import pairs as viewer

        return Compared(table, members, _shown(viewer.draw(what, table, colour), place))


def paired_sweep(
    folder: str | Path, *, outcome: str = "bvtv_percent", moment: str = "change", reference: Any = None
) -> "pd.DataFrame":  # fmt: skip
    """Each row of a sweep less its reference row, within replicates, which share their seed.

    Args:
        folder: of a sweep.
        outcome, moment: as for `plot_sweep`; not "regained".
        reference: value of the first variable with which rows are compared; that of the first row if
            None.

    Returns:
        The design's columns, reference, differs (in what a row differs from its reference), mean, ci
        (half of the 95 % interval, Student's t) and n. `attrs["unit"]` is the unit of the difference.
        Empty if rows do not pair: no common random numbers, one replicate, or a sampled design.

    Raises:
        InputError: no folder of a sweep; no such outcome, moment or reference.
    """
    import pandas as pd

    from bonesim.sweeps.folder import Folder
    from bonesim.sweeps.journal import STUDY
    from bonesim.sweeps.study import StudyParameters, read_as
    from bonesim.viewer import sweep_plots

    place = Folder(Path(folder))
    design = read_as(place.path / STUDY, StudyParameters)[0].design
    runs = sweep_plots.outcome_of(place.results(), outcome, moment)
    found = sweep_plots.differences_of(runs, design, moment, reference)
    table = pd.DataFrame() if found is None else found
    table.attrs = {"unit": sweep_plots.points(outcome, moment)}
    return table


def _members(what: Any, quantities: list[str]) -> "pd.DataFrame":
    """The numbers of every member, one row per side, pair and day."""
    import pandas as pd

    from bonesim.reports.pairs import long

    parts = []
    for side, group in zip("AB", (what.a, what.b), strict=True):
        one = long(group, what.days)[["pair", "day", *quantities]]
        one.insert(0, "side", side)
        one.insert(2, "run", [group[number].name for number in one["pair"]])
        parts.append(one)
    return pd.concat(parts, ignore_index=True)


class _Sides:
    """A and B, from what a user gives.

    Args:
        files: closes what is opened here.
        unpaired: whether all members are taken, whether or not they have a partner.
    """

    def __init__(self, files: ExitStack, unpaired: bool) -> None:
        self.files, self.unpaired = files, unpaired
        self.a: list[Member] = []
        self.b: list[Member] = []
        self.names: tuple[str, str] | None = None
        self.notes: list[str] = []

    def take(self, runs: Sequence[AnyRun], arms: Sequence[Mapping[str, Any]]) -> None:
        """Sort runs, folders or arms of sweeps into A and B."""
        from bonesim.sweeps.arms import read_kind

        folders = [one for one in runs if isinstance(one, str | Path) and Path(one).is_dir()]
        if folders and len(folders) < len(runs):
            raise InputError("are folders and files; give the one or the other", parameter="runs")
        if len(folders) > 2:
            raise InputError(f"are {len(folders)} folders; give one or two", parameter="runs")
        places = [Path(one) for one in folders]
        sweeps = [one for one in places if read_kind(one) is not None]
        if sweeps and len(sweeps) == len(places):
            self._arms(places, arms)
            return
        if arms:
            raise InputError("are of a sweep's folder; leave them out", parameter="arms")
        if places:
            self._folders(places)
        else:
            self._files(runs)
        if not self.a or not self.b:
            raise InputError("are none; give two run files or folders", parameter="runs")

    def _member(self, run: AnyRun) -> "Member":
        from bonesim.reports.pairs import member_of

        return member_of(self.files.enter_context(opened(run)))

    def _files(self, runs: Sequence[AnyRun]) -> None:
        """A run with its twin, or files in the order A1 B1 A2 B2."""
        if len(runs) == 1:
            path = runs[0].path if isinstance(runs[0], Run) else Path(runs[0])
            twin = path.with_name(f"{path.stem}{TWIN}{path.suffix}")
            if path.is_file() and not twin.is_file():
                raise InputError(
                    f"{path}: has no twin beside it ({twin.name}); give the run to compare with, or "
                    "simulate both: bonesim run with its twin", parameter="runs",
                )  # fmt: skip
            runs = [runs[0], twin]
        if len(runs) % 2:
            raise InputError(
                f"are {len(runs)} files; give them in pairs: A1 B1 A2 B2 ...", parameter="runs"
            )
        paths = [
            one.path.resolve() if isinstance(one, Run) else Path(one).resolve() for one in runs
        ]
        if twice := next((one for one in paths if paths.count(one) > 1), None):
            raise InputError(f"{twice.name} is given twice", parameter="runs")
        members = [self._member(one) for one in runs]
        self.a, self.b = members[::2], members[1::2]

    def _folders(self, places: Sequence[Path]) -> None:
        """Runs with their twins, or two folders whose runs pair by bone and seed."""
        found = [
            sorted(one for one in place.glob(RUN_FILES) if one.name[0] != ".") for place in places
        ]
        for place, files in zip(places, found, strict=True):
            if not files:
                raise InputError(f"{place}: holds no run file (.vtkhdf)", parameter="runs")
        if len(places) == 1:
            names = {one.stem: one for one in found[0]}
            both = [
                (one, names[f"{stem}{TWIN}"])
                for stem, one in names.items()
                if f"{stem}{TWIN}" in names
            ]
            if not both:
                raise InputError(
                    f"{places[0]}: no run in it has a twin beside it (NAME{TWIN}.vtkhdf); give two folders, "
                    "or pairs of files", parameter="runs",
                )  # fmt: skip
            self.a, self.b = ([self._member(pair[side]) for pair in both] for side in (0, 1))
            return
        sides = [[self._member(one) for one in files] for files in found]
        self.names = (places[0].name or "A", places[1].name or "B")
        self._matched(sides[0], sides[1])

    def _matched(self, a: "list[Member]", b: "list[Member]") -> None:
        """Keep those that have a partner of one bone and seed; all if they need none."""
        if self.unpaired:
            self.a, self.b = a, b
            return
        partners = {(one.seed, one.bone): one for one in b}
        both = [
            (one, partners[one.seed, one.bone]) for one in a if (one.seed, one.bone) in partners
        ]
        if not both:
            raise InputError(
                "share no pair of one bone and seed; give runs that do, or compare them as independent "
                "groups: `unpaired`", parameter="runs",
            )  # fmt: skip
        self.a, self.b = [one for one, _ in both], [other for _, other in both]
        alone = len(a) + len(b) - 2 * len(both)
        if alone:
            self.notes.append(
                f"{alone} runs have no partner of their bone and seed; they are left out"
            )

    def _arms(self, places: Sequence[Path], arms: Sequence[Mapping[str, Any]]) -> None:
        """Two rows of a sweep, or a row of each of two sweeps."""
        from bonesim.sweeps.arms import Arm, rows_text

        if len(places) == 1 and len(arms) != 2:
            raise InputError(
                f"of {places[0]}: got {len(arms)}; give two rows of its design, the first is compared with "
                f"the second: {rows_text(places[0])}",
                parameter="arms",
            )  # fmt: skip
        if len(arms) > 2:
            raise InputError(f"got {len(arms)}; give two", parameter="arms")
        wanted = list(arms) * 2 if len(arms) == 1 else list(arms) or [{}, {}]
        pair = [Arm(place, one) for place, one in zip([places[0], places[-1]], wanted, strict=True)]
        if len({one.folder.resolve() for one in pair}) == 1 and set(pair[0].points["point"]) == set(
            pair[1].points["point"]
        ):
            raise InputError("are one and the same row; give two rows", parameter="arms")
        sides = [
            [self._of_point(arm, row) for row in arm.points.to_dict("records")] for arm in pair
        ]
        named = [one.name or one.folder.name for one in pair]
        if len(set(named)) == 1:
            named = [one.folder.name for one in pair]
        self.names = (named[0], named[1])
        missing = sum(one.missing for one in pair)
        if missing:
            self.notes.append(
                f"{missing} points of these arms have no result yet; they are left out"
            )
        self._matched(sides[0], sides[1])

    def _of_point(self, arm: "Arm", point: Mapping[Any, Any]) -> "Member":
        """A point as a member: its run file if it was kept, else its results."""
        import json

        from bonesim.reports.pairs import Member
        from bonesim.sweeps.arms import OF_POINTS

        file = arm.file(str(point["point"]))
        if file is not None:
            return self._member(file)
        name, seed = f"point {str(point['point'])[:8]}", int(point["seed"])
        values = {arm.path_of(str(k)): v for k, v in point.items() if k not in OF_POINTS}
        bone = {k: v for k, v in values.items() if k.startswith("specimen.")}
        also = {k: str(v) for k, v in arm.design.also.items() if k.startswith("specimen")}
        text = json.dumps(
            [bone, also, int(point["replicate"]) if also else 0], default=str, sort_keys=True
        )
        rows = arm.results[arm.results["point"] == point["point"]]
        setting = {k: v for k, v in values.items() if k not in bone}
        days = tuple(int(day) for day in rows["day"])
        return Member(name, (seed, seed), text, setting, rows.reset_index(drop=True), days)
