"""The protocol: a person, treatment, diet and load, as a clinician writes them down.

Drugs are in `formulary`. Levels that are not given follow from sex and age.
"""

from bisect import bisect_right
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import Field, field_validator

from bonesim.endocrine.formulary import Prescriptions
from bonesim.parameters import Parameters


class Baseline(NamedTuple):
    """A person's baseline levels before any drug; estradiol is the true one, not an assay's."""

    e2_pg_per_ml: float
    t_ng_per_dl: float
    lh_iu_per_l: float
    shbg_nmol_per_l: float


class DietChange(Parameters):
    """Another diet from a day on."""

    start_day: Annotated[float, Field(ge=0, le=73000, description="first day; input")]
    calcium_mg_per_day: Annotated[
        float | None, Field(ge=0, le=5000, description="intake; none: as before; input")
    ] = None
    vitamin_d_nmol_per_l: Annotated[
        float | None, Field(ge=0, le=500, description="serum 25-OH-D; none: as before; input")
    ] = None


Change = TypeVar("Change", "DietChange", "LoadChange")


def _ordered(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    for one, following in pairwise(changes):
        if following.start_day <= one.start_day:
            raise ValueError(
                f"a change at day {following.start_day:g} follows one at day "
                f"{one.start_day:g}; put them in order of start_day, each day once"
            )
    return changes


class DietParameters(Parameters):
    """Calcium and vitamin D: habitual, and changes."""

    calcium_mg_per_day: Annotated[
        float,
        Field(ge=0, le=5000, description="habitual intake; assumed neutral at 1000 (guide M8)"),
    ] = 1000.0
    vitamin_d_nmol_per_l: Annotated[
        float,
        Field(ge=0, le=500, description="serum 25-OH-D; assumed neutral from 50 on (guide M8)"),
    ] = 60.0
    change: Annotated[
        tuple[DietChange, ...], Field(max_length=1000, description="in order of time; input")
    ] = ()

    @field_validator("change")
    @classmethod
    def _in_order(cls, changes: tuple[DietChange, ...]) -> tuple[DietChange, ...]:
        return _ordered(changes)

    def at(self, day: float) -> tuple[float, float]:
        """Calcium (mg/d) and 25-OH-D (nmol/L) on a day."""
        calcium, vitamin_d = self.calcium_mg_per_day, self.vitamin_d_nmol_per_l
        for one in self.change[: bisect_right([c.start_day for c in self.change], day)]:
            calcium = calcium if one.calcium_mg_per_day is None else one.calcium_mg_per_day
            given = one.vitamin_d_nmol_per_l
            vitamin_d = vitamin_d if given is None else given
        return calcium, vitamin_d


class LoadChange(Parameters):
    """Another load from a day on."""

    start_day: Annotated[float, Field(ge=0, le=73000, description="first day; input")]
    load_percent: Annotated[
        float, Field(ge=0, le=300, description="of habitual loading; 0 bed rest; input")
    ]


class LoadingParameters(Parameters):
    """Habitual mechanical loading is 100 percent; training and disuse are changes of it."""

    change: Annotated[
        tuple[LoadChange, ...], Field(max_length=1000, description="in order of time; input")
    ] = ()

    @field_validator("change")
    @classmethod
    def _in_order(cls, changes: tuple[LoadChange, ...]) -> tuple[LoadChange, ...]:
        return _ordered(changes)

    def load_percent_at(self, day: float) -> float:
        """Percent of habitual loading on a day."""
        past = [one.load_percent for one in self.change if one.start_day <= day]
        return past[-1] if past else 100.0


class ProtocolParameters(Prescriptions):
    """A person and a treatment."""

    sex: Annotated[
        Literal["male", "female"],
        Field(description="female means after menopause: no estradiol from the ovary; input"),
    ] = "male"
    age_year: Annotated[float, Field(ge=20, le=100, description="on day 0; input")] = 60.0
    e2_pg_per_ml: Annotated[
        float | None,
        Field(
            ge=0.1,
            le=200,
            description="baseline true estradiol; none: man 25, woman 4.5; assumed (guide E)",
        ),
    ] = None
    t_ng_per_dl: Annotated[
        float | None,
        Field(
            gt=1,
            le=2000,
            description="baseline T; none: man 550 at 40, -2.4 %/decade; woman 20; assumed (guide M7.2)",
        ),
    ] = None
    lh_iu_per_l: Annotated[
        float | None,
        Field(gt=0, le=150, description="baseline LH; none: man 5, woman 30; assumed (guide M7.2)"),
    ] = None
    shbg_nmol_per_l: Annotated[
        float | None,
        Field(
            gt=1, le=300, description="baseline SHBG; none: man 35 at 40, +1 %/y; woman 55; assumed"
        ),
    ] = None
    diet: DietParameters = DietParameters()
    loading: LoadingParameters = LoadingParameters()

    def baseline(self) -> Baseline:
        """The person's baseline levels: as given, else typical for sex and age."""
        decades = (self.age_year - 40.0) / 10.0
        if self.sex == "male":
            typical = Baseline(
                25.0, 550.0 * (1.0 - 0.024) ** decades, 5.0, 35.0 * 1.01 ** (10 * decades)
            )
        else:
            typical = Baseline(4.5, 20.0, 30.0, 55.0)
        given = (self.e2_pg_per_ml, self.t_ng_per_dl, self.lh_iu_per_l, self.shbg_nmol_per_l)
        return Baseline(*(t if g is None else g for g, t in zip(given, typical, strict=True)))
