"""The protocol: a person, treatment, diet and load, as a clinician writes them down.

Drugs are in `formulary`. Levels that are not given follow from sex and age.
"""

from bisect import bisect_right
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import Field, field_validator

from bonesim.endocrine.formulary import Prescriptions
from bonesim.endocrine.history import MAN_E2, OVARY_T_SHARE, WOMAN_AFTER_E2, History, Ovary
from bonesim.parameters import Parameters


class Baseline(NamedTuple):
    """A person's baseline levels before any drug; estradiol is the true one, not an assay's."""

    e2_pg_per_ml: float
    t_ng_per_dl: float
    lh_iu_per_l: float
    shbg_nmol_per_l: float


#: Usual levels (guide M7.2): a man of 40, and a woman after menopause.
USUAL_MAN, USUAL_MAN_YEAR = Baseline(MAN_E2, 550.0, 5.0, 35.0), 40.0
USUAL_WOMAN_AFTER = Baseline(WOMAN_AFTER_E2, 20.0, 30.0, 55.0)
USUAL_YOUNG_WOMAN_LH = 5.0
#: A man's testosterone (Gonzalez-Sales 2016) and SHBG against age.
T_DECLINE_PER_DECADE, SHBG_RISE_PER_YEAR = 0.024, 0.01


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
        Field(description="a woman's ovary ceases at `menopause_age_year`; input"),
    ] = "male"
    age_year: Annotated[float, Field(ge=20, le=100, description="on day 0; input")] = 60.0
    e2_pg_per_ml: Annotated[
        float | None,
        Field(
            ge=0.1,
            le=200,
            description="true estradiol on day 0; none: man 25, woman 100, later 4.5; assumed (guide E)",
        ),
    ] = None
    youth_e2_pg_per_ml: Annotated[
        float | None,
        Field(
            ge=1,
            le=200,
            description="own estradiol in youth; none: man 25, woman 100, moved to fit day 0's; assumed",
        ),
    ] = None
    menopause_age_year: Annotated[
        float, Field(ge=20, le=70, description="of a woman: final menstrual period; 51: median")
    ] = 51.0
    transition_year: Annotated[
        float,
        Field(
            ge=0.01,
            le=10,
            description="ovary's E2 from 3/4 to 1/4; assumed, Sowers 2008; .01: surgery",
        ),
    ] = 1.5
    t_ng_per_dl: Annotated[
        float | None,
        Field(
            gt=1,
            le=2000,
            description="baseline T; none: man 550 at 40, -2.4 %/decade; woman 27-20; assumed (guide M7.2)",
        ),
    ] = None
    lh_iu_per_l: Annotated[
        float | None,
        Field(
            gt=0,
            le=150,
            description="baseline LH; none: man or young woman 5, after 30; assumed (guide M7.2)",
        ),
    ] = None
    shbg_nmol_per_l: Annotated[
        float | None,
        Field(
            gt=1, le=300, description="baseline SHBG; none: man 35 at 40, +1 %/y; woman 55; assumed"
        ),
    ] = None
    diet: DietParameters = DietParameters()
    loading: LoadingParameters = LoadingParameters()

    def history(self) -> History:
        """Estradiol without drugs, from youth on."""
        ovary = None
        if self.sex == "female":
            ovary = Ovary(self.menopause_age_year, self.transition_year)
        return History.of(ovary, self.age_year, self.e2_pg_per_ml, self.youth_e2_pg_per_ml)

    def baseline(self, day: float = 0.0) -> Baseline:
        """The person's levels without drugs on a day: as given, else typical for sex and age.

        A man's are those of day 0. Testosterone, LH and SHBG that are given are those of the day.
        """
        history = self.history()
        if self.sex == "male":
            e2 = history.baseline_pg_per_ml
            decades = (self.age_year - USUAL_MAN_YEAR) / 10.0
            t = USUAL_MAN.t_ng_per_dl * (1.0 - T_DECLINE_PER_DECADE) ** decades
            shbg = USUAL_MAN.shbg_nmol_per_l * (1.0 + SHBG_RISE_PER_YEAR) ** (10.0 * decades)
            usual = Baseline(e2, t, USUAL_MAN.lh_iu_per_l, shbg)
        else:
            e2, made = float(history.e2_pg_per_ml(day)), float(history.ovary_output(day))
            t = USUAL_WOMAN_AFTER.t_ng_per_dl / (1.0 - OVARY_T_SHARE)
            t *= 1.0 - OVARY_T_SHARE * (1.0 - made)
            lh = USUAL_WOMAN_AFTER.lh_iu_per_l
            lh *= (USUAL_YOUNG_WOMAN_LH / lh) ** made
            usual = Baseline(e2, t, lh, USUAL_WOMAN_AFTER.shbg_nmol_per_l)
        given = (None, self.t_ng_per_dl, self.lh_iu_per_l, self.shbg_nmol_per_l)
        return Baseline(*(u if g is None else g for g, u in zip(given, usual, strict=True)))
