"""A trial as it is written in TOML.

title = "Anastrozole or placebo"
base = "man.toml"                       # a config: the typical person and bone
visits_day = [182, 365]
changes = ["ls_abmd", "bvtv_percent"]   # reported as % change since day 0; the first is primary
levels = ["e2_pg_per_ml"]               # reported as levels
[cohort]                                # people, bones, traits (see `cohort`)
[[arm]]                                 # what each arm changes in the config
[clinic.density]                        # k and precision of the instruments
[[published]]                           # results of the real trial
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator
from scipy import stats

from bonesim.instruments.visits import ClinicParameters
from bonesim.parameters import Parameters
from bonesim.sweeps.study import ResultParameters
from bonesim.units import unit_of

#: Least share of a trait's distribution that its bounds must leave.
MIN_SHARE_KEPT = 0.01
#: Columns of the tables that no trait may have.
TAKEN = (
    "point",
    "row",
    "replicate",
    "seed",
    "person",
    "bone",
    "member",
    "arm",
    "status",
    "seconds",
    "day",
)


def _one_or_more(value: Any) -> Any:
    """A single text stands for a list of one."""
    return (value,) if isinstance(value, str) else value


class Trait(Parameters):
    """A parameter that differs between people or between bones."""

    path: Annotated[
        tuple[str, ...],
        Field(min_length=1, max_length=20, description="dotted path or paths in the config; input"),
        BeforeValidator(_one_or_more),
    ]
    name: Annotated[
        str | None, Field(description="column in the tables; input; none: the first path")
    ] = None
    unit: Annotated[str | None, Field(description="checked against the paths'; input")] = None
    distribution: Annotated[
        Literal["normal", "uniform", "lognormal", "mixture"],
        Field(
            description="normal, uniform: the value; lognormal: times the base's; mixture: see share; input"
        ),
    ]
    mean: Annotated[float | None, Field(description="normal; input")] = None
    sd: Annotated[float | None, Field(gt=0, description="normal; input")] = None
    cv: Annotated[
        float | None,
        Field(gt=0, le=3, description="lognormal and mixture, of a factor of mean 1; input"),
    ] = None
    share: Annotated[
        float | None, Field(gt=0, lt=1, description="mixture: who has `value`; input")
    ] = None
    value: Annotated[float | None, Field(description="mixture: of that share; input")] = None
    low: Annotated[
        float | None, Field(description="uniform, or least value of a normal; input")
    ] = None
    high: Annotated[
        float | None, Field(description="uniform, or largest value of a normal; input")
    ] = None
    of: Annotated[
        Literal["person", "bone"],
        Field(description="what it is of; a burn-in depends on traits of the bone only; input"),
    ] = "person"

    @property
    def column(self) -> str:
        """Its column in the tables."""
        return self.name or self.path[0]

    @model_validator(mode="after")
    def _possible(self) -> "Trait":
        if len(set(self.path)) < len(self.path):
            raise ValueError(f"{self.column} names a path twice; name it once")
        for path in self.path:
            known = unit_of(path.rpartition(".")[2])
            if self.unit is not None and self.unit != known:
                raise ValueError(f"{path} is in {known or 'no unit'}, not in {self.unit}")
        wanted = {
            "normal": ({"mean", "sd"}, {"low", "high"}), "uniform": ({"low", "high"}, set()),
            "lognormal": ({"cv"}, set()), "mixture": ({"share", "value"}, {"cv"}),
        }[self.distribution]  # fmt: skip
        needed, allowed = wanted
        given = {
            n
            for n in ("mean", "sd", "cv", "low", "high", "share", "value")
            if getattr(self, n) is not None
        }
        if needed - given:
            raise ValueError(
                f"{self.column} is {self.distribution} and lacks {', '.join(sorted(needed - given))}"
            )
        if extra := sorted(given - needed - allowed):
            raise ValueError(f"{self.column} is {self.distribution}; leave out {', '.join(extra)}")
        if self.low is not None and self.high is not None and self.high <= self.low:
            raise ValueError(f"{self.column} goes from {self.low:g} to {self.high:g}; swap them")
        if self.distribution == "normal":
            self._check_share()
        return self

    def _check_share(self) -> None:
        low = -float("inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        kept = float(
            stats.norm(self.mean, self.sd).cdf(high) - stats.norm(self.mean, self.sd).cdf(low)
        )
        if kept < MIN_SHARE_KEPT:
            raise ValueError(
                f"{self.column}: only {100 * kept:.2g} % of its distribution lies between low and "
                f"high, at least {100 * MIN_SHARE_KEPT:g} % must; widen them or move the mean"
            )


class CohortParameters(Parameters):
    """The participants."""

    people: Annotated[
        int, Field(ge=2, le=100_000, description="persons simulated, each in every arm; input")
    ]
    seed: Annotated[int, Field(ge=0, lt=2**28, description="of the whole cohort; assumed")] = 1
    bones: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            description="different bones; person p has bone p mod bones; 0: one each; choice",
        ),
    ] = 0
    posterior: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="bone b has member b (in turn) of so many of the posterior; 0: defaults; input",
        ),
    ] = 0
    dropout_per_year: Annotated[
        float, Field(ge=0, lt=1, description="share that leaves within a year; input")
    ] = 0.0
    trait: Annotated[
        tuple[Trait, ...], Field(max_length=200, description="how they differ; input")
    ] = ()

    @model_validator(mode="after")
    def _each_once(self) -> "CohortParameters":
        columns = [one.column for one in self.trait]
        paths = [path for one in self.trait for path in one.path]
        for what, names in (("name", columns), ("path", paths)):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"two traits have the {what} {twice}; give it to one")
        taken = next((name for name in columns if name in TAKEN), None)
        if taken is not None:
            raise ValueError(f"a trait cannot be named {taken}: the tables have it; rename it")
        return self

    @property
    def different_bones(self) -> int:
        """The number of bones."""
        return min(self.bones or self.people, self.people)


class Arm(Parameters):
    """One treatment."""

    name: Annotated[str, Field(min_length=1, max_length=60, description="in tables; input")]
    reference: Annotated[bool, Field(description="the arm others are compared with; input")] = False
    people: Annotated[
        int, Field(ge=2, le=100_000, description="persons in this arm of the real trial; input")
    ]
    set: Annotated[
        dict[str, Any],
        Field(default_factory=dict, description="path = value, as in a config; input"),
    ]


class Published(Parameters):
    """One number that the real trial reported."""

    arm: Annotated[
        str, Field(description='an arm, "difference", or "ARM - REFERENCE" of several; input')
    ]
    quantity: Annotated[str, Field(description="one of changes or levels; input")]
    visit_day: Annotated[int, Field(ge=0, description="when; input")]
    value: Annotated[float, Field(description="% change, or level; input")]
    low: Annotated[float | None, Field(description="of its interval; input")] = None
    high: Annotated[float | None, Field(description="of its interval; input")] = None
    p: Annotated[float | None, Field(gt=0, le=1, description="P of a difference; input")] = None
    statistic: Annotated[Literal["mean", "median"], Field(description="of the arm; input")] = "mean"
    source: Annotated[str, Field(min_length=1, description="where it stands; input")]


class TrialParameters(Parameters):
    """One trial, as written in TOML."""

    title: Annotated[str, Field(min_length=1, max_length=200, description="its name; input")]
    base: Annotated[str, Field(description="config of the typical person; input")]
    cohort: CohortParameters
    arm: Annotated[tuple[Arm, ...], Field(min_length=2, max_length=20, description="input")]
    visits_day: Annotated[
        tuple[int, ...], Field(min_length=1, max_length=1000, description="beside day 0; input")
    ]
    changes: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="quantities reported as % change; first is primary; input"),
    ] = ("ls_abmd", "qct_vbmd", "bvtv_percent", "ctx", "p1np")
    levels: Annotated[
        tuple[str, ...], Field(description="quantities reported as levels; input")
    ] = (
        "e2_pg_per_ml",
        "e2_immunoassay_pg_per_ml",
        "t_ng_per_dl",
    )
    primary_day: Annotated[
        int | None, Field(description="visit of the primary outcome; input; none: the last")
    ] = None
    repeats: Annotated[
        int, Field(ge=10, le=100_000, description="times the trial is repeated; choice")
    ] = 2000
    clinic: ClinicParameters = ClinicParameters()
    published: Annotated[
        tuple[Published, ...],
        Field(max_length=1000, description="results of the real trial; input"),
    ] = ()
    results: ResultParameters = ResultParameters()

    @field_validator("visits_day")
    @classmethod
    def _in_order(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if days[0] < 1 or list(days) != sorted(set(days)):
            raise ValueError(f"got {list(days)}; give days from 1 on, each once, in rising order")
        return days

    @model_validator(mode="after")
    def _arms_fit(self) -> "TrialParameters":
        names = [one.name for one in self.arm]
        if len(set(names)) < len(names) or "difference" in names:
            raise ValueError(f"arms are named {', '.join(names)}; give each a name of its own")
        references = [one.name for one in self.arm if one.reference]
        if len(references) != 1:
            raise ValueError(
                f"{len(references) or 'no'} arms have reference = true; mark the control, one arm"
            )
        names = [*self.changes, *self.levels]
        if len(set(names)) < len(names):
            raise ValueError("changes and levels name a quantity twice; name it once")
        if self.primary_day not in (None, *self.visits_day):
            raise ValueError(f"primary_day {self.primary_day} is no visit; visits_day has them")
        return self

    @model_validator(mode="after")
    def _published_fit(self) -> "TrialParameters":
        known = [one.name for one in self.arm] + self.differences()
        for one in self.published:
            where = self.compared(one.arm)
            if where not in known:
                raise ValueError(f"published arm {one.arm!r} is not there; allowed {known}")
            if one.quantity not in (*self.changes, *self.levels):
                raise ValueError(f"published {one.quantity!r} is in neither changes nor levels")
            if one.visit_day not in (0, *self.visits_day):
                raise ValueError(f"published day {one.visit_day} is no visit; visits_day has them")
        return self

    @property
    def reference(self) -> Arm:
        """The arm others are compared with."""
        return next(one for one in self.arm if one.reference)

    @property
    def last_day(self) -> int:
        """The last visit."""
        return self.visits_day[-1]

    @property
    def primary(self) -> tuple[str, int]:
        """Quantity and day of the primary outcome."""
        return self.changes[0], self.primary_day or self.last_day

    def differences(self) -> list[str]:
        """Names of all comparisons, "ARM - REFERENCE"."""
        reference = self.reference.name
        return [f"{one.name} - {reference}" for one in self.arm if not one.reference]

    def compared(self, name: str) -> str:
        """The full name of an arm or comparison; with two arms, "difference" is the comparison."""
        return self.differences()[0] if name == "difference" and len(self.arm) == 2 else name
