"""One run as one frozen object: TOML in, validated parameters out, and back.

The names are the same everywhere: a TOML key, a path of a sweep or of a change
(`cells.osteoclast.dig_um_per_day`), a column of the schema, a field in Python.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import tomli_w
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from bonesim.cells.bmu_parameters import BmuParameters
from bonesim.cells.modelling import ModellingParameters
from bonesim.cells.osteoblast_parameters import OsteoblastParameters
from bonesim.cells.osteoclast import OsteoclastParameters
from bonesim.cells.osteocyte import OsteocyteParameters
from bonesim.cells.precursors import PrecursorParameters
from bonesim.config.ablation import AblationParameters
from bonesim.config.changes import changed, value_at
from bonesim.config.explain import explain, groups_in, kinds_of
from bonesim.config.files import FILE_PATHS, LIBRARY_FOLDER
from bonesim.config.modules import (
    IN_PYTHON,
    MeasureParameters,
    ModuleParameters,
    drugs_of,
    load_planned,
    named_by_user,
    paths_as_modules,
    with_offered,
)
from bonesim.config.plain_toml import read_tree
from bonesim.endocrine.assay import AssayParameters
from bonesim.endocrine.axis import AxisParameters
from bonesim.endocrine.blood import VariationParameters
from bonesim.endocrine.course import ConstantCourse, SteppedCourse, TableCourse, make_course
from bonesim.endocrine.formulary import DrugParameters
from bonesim.endocrine.prescription import PrescribedCourse
from bonesim.endocrine.prescription import notes as notes_of_drugs
from bonesim.endocrine.protocol import ProtocolParameters
from bonesim.endocrine.response import Course, ResponseParameters
from bonesim.errors import InputError
from bonesim.lattice.fragments import FragmentParameters
from bonesim.lattice.mineral import MineralParameters
from bonesim.mechanics.loading import MechanicsParameters
from bonesim.parameters import Parameters
from bonesim.signals.messengers import SignalParameters
from bonesim.specimens.published import LibraryParameters
from bonesim.specimens.scan import ScanParameters
from bonesim.specimens.synthetic import SyntheticParameters
from bonesim.storage.file_kind import refuse_other_kind


class HormoneParameters(Parameters):
    """The course of hormones, and what it does to cells."""

    course: Annotated[
        ConstantCourse | SteppedCourse | TableCourse,
        Field(discriminator="kind", description="estradiol and testosterone against day; assumed"),
    ] = ConstantCourse(kind="constant")
    response: ResponseParameters = ResponseParameters()
    axis: AxisParameters = AxisParameters()
    drugs: DrugParameters = DrugParameters()
    variation: VariationParameters = VariationParameters()
    assay: AssayParameters = AssayParameters()


class CellParameters(Parameters):
    """One group for each kind of cell."""

    bmu: BmuParameters = BmuParameters()
    osteoclast: OsteoclastParameters = OsteoclastParameters()
    osteoblast: OsteoblastParameters = OsteoblastParameters()
    osteocyte: OsteocyteParameters = OsteocyteParameters()
    precursor: PrecursorParameters = PrecursorParameters()
    modelling: ModellingParameters = ModellingParameters()


class TissueParameters(Parameters):
    """How bone mineralises and when loose pieces go."""

    mineral: MineralParameters = MineralParameters()
    fragment: FragmentParameters = FragmentParameters()


class ScheduleParameters(Parameters):
    """How long to simulate and what to keep."""

    duration_day: Annotated[
        int, Field(ge=0, le=50000, description="days simulated after the burn-in; assumed")
    ] = 2920
    burn_in_day: Annotated[
        int,
        Field(
            ge=0,
            le=8000,
            description="days to equilibrate before day 0; choice: >= 2 BMU lifetimes (guide M0)",
        ),
    ] = 900
    burn_in_seed: Annotated[
        int | None,
        Field(ge=0, lt=2**63, description="chance of the burn-in; input; none: the run's own seed"),
    ] = None
    snapshots_day: Annotated[
        tuple[int, ...], Field(description="days whose lattice is kept; assumed: first and last")
    ] = ()
    checkpoint_every_day: Annotated[
        int, Field(ge=1, le=50000, description="days between restart points; assumed")
    ] = 365
    breaks_every_day: Annotated[
        int,
        Field(ge=7, le=50000, description="days between looks for breaks; assumed: four a year"),
    ] = 91

    @field_validator("snapshots_day")
    @classmethod
    def _in_order(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if any(day < 0 for day in days) or list(days) != sorted(set(days)):
            raise ValueError(f"got {list(days)}; give days from 0 on, each once, in rising order")
        return days

    @model_validator(mode="after")
    def _within_run(self) -> "ScheduleParameters":
        if self.snapshots_day and self.snapshots_day[-1] > self.duration_day:
            raise ValueError(
                f"snapshots_day ends at day {self.snapshots_day[-1]}, after the run's last day "
                f"{self.duration_day}; lower it or raise duration_day"
            )
        return self

    def kept_days(self) -> tuple[int, ...]:
        """Days of the snapshots: those asked for, or the first and the last day."""
        return self.snapshots_day or tuple(sorted({0, self.duration_day}))


class Config(Parameters):
    """Everything that decides a run's result."""

    title: Annotated[str, Field(max_length=200, description="what the run is about; assumed")] = (
        "bonesim run"
    )
    seed: Annotated[
        int, Field(ge=0, lt=2**63, description="the one number chance depends on; assumed")
    ] = 1
    specimen: Annotated[
        SyntheticParameters | ScanParameters | LibraryParameters,
        Field(discriminator="kind", description="the bone; assumed: synthetic elderly vertebra"),
    ] = SyntheticParameters(kind="synthetic")
    modules: Annotated[
        tuple[ModuleParameters, ...],
        BeforeValidator(paths_as_modules),
        Field(max_length=100, description="Python files with drugs or measures of your own; input"),
    ] = ()
    measure: Annotated[
        tuple[MeasureParameters, ...],
        Field(max_length=100, description="further columns of the daily table; input"),
    ] = ()
    protocol: Annotated[
        ProtocolParameters | None,
        Field(description="person and treatment, instead of hormones.course; input"),
    ] = None
    hormones: HormoneParameters = HormoneParameters()
    cells: CellParameters = CellParameters()
    signals: SignalParameters = SignalParameters()
    mechanics: MechanicsParameters = MechanicsParameters()
    tissue: TissueParameters = TissueParameters()
    schedule: ScheduleParameters = ScheduleParameters()
    ablation: AblationParameters = AblationParameters()

    def __repr__(self) -> str:
        """One line; `to_toml` gives all parameters."""
        schedule, treatment = self.schedule, "hormones" if self.protocol is None else "protocol"
        return (
            f"Config({self.title!r}, seed {self.seed}, {self.specimen.kind} bone, {treatment}, "
            f"{schedule.duration_day} days after a burn-in of {schedule.burn_in_day})"
        )

    __str__ = __repr__

    @model_validator(mode="after")
    def _one_course(self) -> "Config":
        if self.protocol is not None and self.hormones.course != ConstantCourse():
            raise ValueError("has both protocol and hormones.course; leave one out")
        return self

    @model_validator(mode="after")
    def _load_is_sensed(self) -> "Config":
        changed = self.protocol is not None and any(
            one.load_percent != 100.0 for one in self.protocol.loading.change
        )
        if changed and self.mechanics.interval_day == 0:
            raise ValueError(
                "protocol.loading changes the load but mechanics.interval_day is 0: nothing would "
                "sense it; leave one out"
            )
        return self

    @property
    def age_year(self) -> float:
        """Age on day 0: the protocol's person's, or the usual one."""
        if self.protocol is not None:
            return self.protocol.age_year
        written = self.hormones.course.age_year
        return ProtocolParameters().age_year if written is None else written

    @property
    def burn_in_seed(self) -> int:
        """What chance depends on until day 0."""
        given = self.schedule.burn_in_seed
        return self.seed if given is None else given

    def load_percent(self, day: float) -> float:
        """Percent of habitual loading on a day: the protocol's; 100 without one."""
        return 100.0 if self.protocol is None else self.protocol.loading.load_percent_at(day)

    def course(self) -> Course:
        """Hormones against day: computed from the protocol, or as written down.

        Raises:
            InputError: a table that cannot be read or is not a possible course.
        """
        if self.protocol is None:
            return make_course(self.hormones.course)
        return PrescribedCourse(
            self.protocol, self.hormones.drugs, self.hormones.axis,
            self.schedule.duration_day, self.seed,
        )  # fmt: skip

    def notes(self) -> tuple[str, ...]:
        """What to know of this configuration before it is simulated, one line each."""
        if self.protocol is None:
            return self.ablation.notes()
        idle = notes_of_drugs(
            self.protocol, self.hormones.drugs, self.hormones.axis,
            self.schedule.duration_day, self.seed,
        )  # fmt: skip
        return (*idle, *self.ablation.notes())

    def files(self) -> tuple[Path, ...]:
        """The files it names: a scan, its mask, a table of hormones, modules.

        A bone of the library is none: it is of one content, wherever its file is.
        """
        tree = tree_of(self)
        names = (value_at(tree, path) for path in FILE_PATHS if path != LIBRARY_FOLDER)
        modules = (one.path for one in self.modules if not one.path.startswith(IN_PYTHON))
        return tuple(Path(name) for name in (*names, *modules) if isinstance(name, str))

    def with_changes(self, changes: dict[str, Any]) -> "Config":
        """A new config with values at dotted paths replaced, validated again.

        Raises:
            InputError: a path or value that is not allowed.
        """
        return validated(changed(tree_of(self), changes), "changes")


#: Groups that have kinds -> the kind they have where nothing is given.
DEFAULT_KINDS = {
    "specimen": Config().specimen.kind,
    "hormones.course": Config().hormones.course.kind,
}


def validated(tree: dict[str, Any], where: str) -> Config:
    """A Config from a nested dict; `where` names its origin in the error.

    No module is loaded here (`config.modules`).

    Raises:
        InputError: one line on the first thing that is not allowed.
    """
    drugs: dict[str, Any] = {}
    if isinstance(tree, dict):  # else validation reports it
        tree = with_offered(tree)
        drugs.update(drugs_of(tree, where))
    try:
        config = Config.model_validate(_with_groups_of(drugs, tree), context={"drugs": drugs})
    except ValidationError as error:
        raise InputError(explain(error, where, Config)) from None
    _refuse_other_type(tree, config.model_dump(), where)
    return config


def _with_groups_of(drugs: Mapping[str, Any], tree: dict[str, Any]) -> dict[str, Any]:
    """A config with a group for each drug of its modules: defaults where it gives no numbers."""
    if not drugs:
        return tree
    hormones = tree.get("hormones") or {}
    given = (hormones.get("drugs") or {}) if isinstance(hormones, dict) else None
    if not isinstance(given, dict):
        return tree
    groups: dict[str, Any] = {name: {} for name in drugs} | given
    return tree | {"hormones": hormones | {"drugs": groups}}


def _refuse_other_type(given: Any, taken: Any, where: str, place: str = "") -> None:
    """Raise InputError where true, false or text was taken for a number."""
    if isinstance(given, bool) and not isinstance(taken, bool):
        raise InputError(f"{where}: {place} is {str(given).lower()}; give a number")
    if isinstance(given, str) and isinstance(taken, bool | int | float):
        raise InputError(f"{where}: {place} is text, {given!r}; give it without quotes")
    if isinstance(given, dict) and isinstance(taken, list | tuple) and len(taken) == 1:
        taken = taken[0]  # a single table stands for a list of one
    pairs: list[tuple[Any, Any, Any]]
    if isinstance(given, dict) and isinstance(taken, dict):
        pairs = [(name, one, taken.get(name)) for name, one in given.items()]
    elif isinstance(given, list | tuple) and isinstance(taken, list | tuple):
        pairs = [(n, one, kept) for n, (one, kept) in enumerate(zip(given, taken, strict=False))]
    else:
        return
    for name, one, kept in pairs:
        _refuse_other_type(one, kept, where, f"{place}.{name}".lstrip("."))


def load_config(path: str | Path, overrides: dict[str, Any] | None = None) -> Config:
    """Read a TOML file. Paths inside it are relative to the file's own folder.

    Args:
        path: the file.
        overrides: dotted path -> value, replacing that of the file.

    Raises:
        InputError: missing or unreadable file, not TOML, unknown key, value out of range.
    """
    path = Path(path)
    refuse_other_kind(path, "config")
    tree = read_tree(path)
    _anchor(tree, path.parent)
    return validated(named_by_user(with_changes(tree, overrides or {})), str(path))


def planned_config(tree: dict[str, Any]) -> Config:
    """The config of a point of a study or of a twin, as another process of this program sent it.

    Raises:
        InputError: as `validated`; a module that is not the one planned.
    """
    load_planned(tree)
    return validated(tree, "point")


def with_changes(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`changed` for a tree that need not be whole: a group it lacks is the default's kind.

    So `specimen.size_mm` can be set without a specimen in the file. `changes`: path -> value.
    """
    kinds: dict[str, Any] = {}
    for path, kind in DEFAULT_KINDS.items():
        within = [name for name in changes if name.startswith(f"{path}.")]
        if within and f"{path}.kind" not in changes and not value_at(tree, path):
            fitting = _kinds_with(path, {name[len(path) + 1 :].split(".")[0] for name in within})
            kinds[f"{path}.kind"] = kind if kind in fitting or not fitting else fitting[0]
    return changed(tree, kinds | changes)


def _kinds_with(path: str, names: set[str]) -> list[str]:
    """The kinds of the group at a path that have all these parameters."""
    groups: list[type[BaseModel]] = [Config]
    for name in path.split("."):
        groups = groups_in(groups[0].model_fields[name].annotation)
    return [kind for one in groups if names <= set(one.model_fields) for kind in kinds_of(one)]


def _anchor(tree: dict[str, Any], folder: Path) -> None:
    """Make file names in a config relative to the config's folder."""
    modules = tree.get("modules")
    if isinstance(modules, list):
        tree["modules"] = [str(folder / one) if isinstance(one, str) else one for one in modules]
    entries = [one for name in ("modules", "measure") for one in tree.get(name) or []]
    for entry, leaf in ((e, name) for e in entries for name in ("path", "module")):
        if isinstance(entry, dict) and isinstance(entry.get(leaf), str):
            entry[leaf] = str(folder / entry[leaf])
    for path in FILE_PATHS:
        *branches, leaf = path.split(".")
        group: Any = tree
        for branch in branches:
            group = group.get(branch) if isinstance(group, dict) else None
        if isinstance(group, dict) and isinstance(group.get(leaf), str):
            group[leaf] = str(folder / group[leaf])


def tree_of(config: Config) -> dict[str, Any]:
    """The resolved config as nested plain values, without what is not given."""
    return config.model_dump(mode="json", exclude_none=True)


def to_toml(config: Config) -> str:
    """The resolved config as TOML text that `load_config` reads back to an equal object."""
    return tomli_w.dumps(tree_of(config))
