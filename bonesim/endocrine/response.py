"""Effects of estradiol on bone cells: one law with a history, one table of exponents.

    S'   = (1-O) S(E) + O S_d                 receptor signal; a drug holds the share O
    E'   : S(E') = S'                         the estradiol that would signal alike
    L    = ln(E' / E_youth)                   against the own level in youth
    dA/dt = (L - A) / tau                     what cells have adapted to, over years
    l    = <w A - L>                          the deficit, low-passed; w of births, w of depth

    RANKL ~ exp(n l)    births ~ (RANK occupancy)^m    osteoclastic depth ~ exp(g l)    walls: none

L is the mean over the day (not the logarithm of the day's mean). S is a Hill function of ERalpha and a
little ERbeta, S = (1-b) E^h / (E^h + K^h) + b E^h / (E^h + (1.5 K)^h). It only states what a
partial agonist is worth; without one E' is E.

The course begins in youth, where l is 0, and A is integrated through all that came before day 0: a
decline, a menopause, a castration, years on a drug. The burn-in is simulated at the l of day 0. So
nobody starts in a state that the law cannot reach, and men and women have one law. With w = 0 the
set-point is that of youth for good (static). How much comes back after a suppression depends on w
and tau, which no withdrawal may fit (guide R3); an answer states w = 0 beside it. l < 0 is more than what
cells have adapted to: fewer births, cavities less deep, and walls that stay, so that bone is added. Every
effect is a line of `ResponseParameters`, and setting it to 0 switches it off.

RANKL and OPG here are multipliers of production; `signals` computes their fields. Their competition
for RANK gives the occupancy rho that drives origination and resorption speed. Calcium and vitamin D
act through PTH on origination alone. So their gain is the filling of remodelling space and no more.
"""

import math
from typing import Annotated, NamedTuple, Protocol

import numpy as np
from pydantic import Field
from scipy.optimize import brentq

from bonesim.endocrine.assay import bioavailable
from bonesim.endocrine.targets import NO_DRUG, BoneTargets
from bonesim.parameters import Parameters
from bonesim.signals.fields import occupancy
from bonesim.units import DAYS_PER_YEAR

#: Times within a day at which the estradiol signal is evaluated and averaged.
SAMPLES_PER_DAY = 4
LOWEST_T_NG_PER_DL = 1.0
#: Levels beyond which estradiol changes cells no more; assumed.
LOWEST_E2_PG_PER_ML, HIGHEST_E2_PG_PER_ML = 0.3, 2000.0
#: A smaller deficit is rounding.
ROUNDING = 1e-9
#: Drugs hold sclerostin no lower, and less testosterone than this share counts as it; assumed.
LOWEST_SCLEROSTIN, LOWEST_T_SHARE = 0.1, 0.01
#: Testosterone below which RANKL rises: 200 ng/dL suffice over 16 weeks (Finkelstein 2016).
SUFFICIENT_T_NG_PER_DL = 200.0


class Course(Protocol):
    """Anything that gives estradiol and testosterone at any moment."""

    def e2_pg_per_ml(self, day: float) -> float:
        """Serum estradiol at `day` (fractions allowed), pg/mL."""

    def t_ng_per_dl(self, day: float) -> float:
        """Serum testosterone at `day`, ng/dL."""

    @property
    def past(self) -> "Course":
        """The same, whose levels before day 0 are as they were, not as the burn-in holds them."""

    @property
    def youth_e2_pg_per_ml(self) -> float:
        """The own level of estradiol in youth, pg/mL: the reference of the deficit."""

    @property
    def begins_day(self) -> float:
        """Since when levels are known, 0 or less; before it they were those of youth."""

    def shbg_nmol_per_l(self, day: float) -> float | None:
        """SHBG at `day`, nmol/L; None if not known."""

    def receptors_held(self, day: float) -> tuple[tuple[float, float], ...]:
        """Of each drug: share of estrogen receptors it holds at `day`, 0..1, and their signal."""

    def bone_targets(self, day: float) -> BoneTargets:
        """What drugs do to bone's targets at `day`."""

    def diet(self, day: float) -> tuple[float, float] | None:
        """Calcium (mg/d) and 25-OH-D (nmol/L) at `day`; None is neutral."""


class ResponseParameters(Parameters):
    """How estradiol and testosterone act on bone cells (guide M2.3)."""

    half_maximum_pg_per_ml: Annotated[
        float,
        Field(
            gt=0, le=100, description="K of the receptor signal, 6-20 (guide M2.3); see hill; fit"
        ),
    ] = 16.0
    hill: Annotated[
        float,
        Field(
            ge=0.5, le=4, description="h; what a partial agonist is worth; fit, 1-2.5 (guide M2.3)"
        ),
    ] = 1.8
    beta_share: Annotated[
        float, Field(ge=0, le=1, description="ERbeta's share of the signal, at 1.5 K; assumed")
    ] = 0.15
    signal_tau_day: Annotated[
        float,
        Field(ge=1, le=365, description="low-pass of the deficit (cell populations); assumed"),
    ] = 30.0
    setpoint_tau_year: Annotated[
        float,
        Field(ge=0.1, le=1e9, description="tau of the adaptation A; assumed, 1-5 (guide R3)"),
    ] = 3.0
    births_adaptation: Annotated[
        float,
        Field(ge=0, le=1, description="w of births, 0 = static; assumed, chosen for A8 (guide R3)"),
    ] = 0.7
    depth_adaptation: Annotated[
        float,
        Field(ge=0, le=1, description="w of depth, 0 = static; assumed, chosen for A8 (guide R3)"),
    ] = 0.7
    bioavailable_weight: Annotated[
        float,
        Field(ge=0, le=1, description="E x (share not on SHBG / reference)^w; assumed 0: total E2"),
    ] = 0.0
    rankl_exponent: Annotated[
        float,
        Field(
            ge=0,
            le=2,
            description="RANKL ~ exp(n l); x2.5 for 100 to 5: 2-3, Eghbali-Fatourechi 2003; .12-.35",
        ),
    ] = 0.3
    opg_exponent: Annotated[
        float, Field(ge=-0.5, le=1, description="OPG ~ exp(-n l); assumed, x.6-1.1 at l=3")
    ] = 0.05
    activation_exponent: Annotated[
        float,
        Field(
            ge=0, le=4, description="Ac.f ~ (rho/rho0)^n; calibrated to Recker 2004's x1.85; .6-1.6"
        ),
    ] = 1.4
    speed_exponent: Annotated[
        float,
        Field(ge=0, le=2, description="resorption speed ~ (rho/rho0)^n; Eriksen 1999 with next"),
    ] = 0.5
    depth_exponent: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="osteoclastic depth ~ exp(n l); x1.40 for 100 to 5, Eriksen 1999; .07-.14",
        ),
    ] = 0.112
    osteoblast_life_exponent: Annotated[
        float,
        Field(
            ge=0,
            le=0.5,
            description="osteoblast life ~ exp(-n l); assumed, 0-.05; budget -2 % (guide M9)",
        ),
    ] = 0.0
    precursor_growth_exponent: Annotated[
        float,
        Field(ge=0, le=1, description="progenitor growth ~ exp(n l); Di Gregorio 2001 (mouse)"),
    ] = 0.1
    osteocyte_death_exponent: Annotated[
        float,
        Field(ge=0, le=2, description="osteocyte death ~ exp(n l); assumed; sign: Tomkinson 1997"),
    ] = 0.2
    sclerostin_exponent: Annotated[
        float,
        Field(ge=0, le=1, description="sclerostin ~ exp(n l); -27 % for 4.5 to 40: Moedder 2011"),
    ] = 0.14
    sclerostin_wall_exponent: Annotated[
        float, Field(ge=0, le=1, description="wall thickness ~ sclerostin^-n; calibrated, weak")
    ] = 0.0
    extra_depth_refilled: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of the depth E2 loss adds that is refilled; 0: Eriksen 1999 (W.Th stays)",
        ),
    ] = 0.0
    reference_t_ng_per_dl: Annotated[
        float | None,
        Field(gt=0, le=3000, description="T without androgen effect; assumed; none: the baseline"),
    ] = None
    androgen_formation_exponent: Annotated[
        float,
        Field(ge=0, le=1, description="osteoblast life ~ (T/T0)^n; Falahati-Nini 2000 (direction)"),
    ] = 0.0
    androgen_rankl_gain: Annotated[
        float,
        Field(
            ge=0,
            le=2,
            description="RANKL x(1+g max(0,1-T/200)), over that at T0; sign: Finkelstein 2016",
        ),
    ] = 0.1

    pth_calcium_gain: Annotated[
        float,
        Field(ge=0, le=2, description="PTH +g (1 - Ca / 1000 mg); assumed (guide M8); Tai 2015"),
    ] = 0.25
    pth_vitamin_d_gain: Annotated[
        float,
        Field(
            ge=0, le=2, description="PTH +g (1 - 25OHD / 50); assumed (guide M8); Macdonald 2018"
        ),
    ] = 0.2
    pth_activation_exponent: Annotated[
        float,
        Field(ge=0, le=2, description="Ac.f ~ PTH^n; calibrated to Tai 2015, no lasting gain"),
    ] = 1.5


#: Bounds of the PTH factor; assumed (guide M8).
LOWEST_PTH, HIGHEST_PTH = 0.8, 1.5
#: Share of estradiol that SHBG does not hold at 30 nmol/L and testosterone 500 ng/dL.
REFERENCE_BIOAVAILABLE = float(bioavailable(500.0, 30.0)[1])


class Drive(NamedTuple):
    """Systemic multipliers of cell activity on one day; 1 is the reference for each.

    `deficit` is l of births and `lack` the share of estradiol missing, 1 - exp(-l), never below 0.
    `activation` holds where the fields are as in health.
    """

    e2_pg_per_ml: float
    t_ng_per_dl: float
    deficit: float
    lack: float
    rankl: float
    opg: float
    activation: float
    pth_activation: float
    activation_exponent: float
    speed_exponent: float
    wall_exponent: float
    depth: float
    depth_excess: float
    wall: float
    recruitment: float
    precursor_growth: float
    osteocyte_death: float
    sclerostin: float


class Response:
    """The E2 signal with its slow states: what cells adapted to, and the two low-passed deficits.

    Args:
        parameters: the table of effects.
        course: hormones against day.
    """

    def __init__(self, parameters: ResponseParameters, course: Course) -> None:
        self.parameters = parameters
        self.course = course
        self._youth = _bounded_log(course.youth_e2_pg_per_ml)
        self.adapted = self._adapted_before()
        # At the start cells are in steady state with the level before day 0.
        now = self.log_level(-1.0)
        self.births_deficit = _exact(parameters.births_adaptation * self.adapted - now)
        self.depth_deficit = _exact(parameters.depth_adaptation * self.adapted - now)
        # 20 ng/dL is no androgen deficit in a woman: only a change from the baseline counts.
        reference = parameters.reference_t_ng_per_dl
        own_t = course.t_ng_per_dl(-1.0) if reference is None else reference
        self.reference_t_ng_per_dl = max(own_t, LOWEST_T_NG_PER_DL)

    def _adapted_before(self) -> float:
        """A on day 0: the slow average of L since the course began, looked at once a day."""
        tau_day = self.parameters.setpoint_tau_year * DAYS_PER_YEAR
        adapted, days = 0.0, math.ceil(-self.course.begins_day)
        share, past = 1.0 - math.exp(-1.0 / tau_day), self.course.past
        for day in range(-days, 0):
            adapted += share * (self.log_level(day + 0.5, past) - adapted)
        return adapted

    @property
    def setpoint_pg_per_ml(self) -> float:
        """The level at which births sense no deficit today: E_youth exp(w A), pg/mL."""
        return self.course.youth_e2_pg_per_ml * math.exp(
            self.parameters.births_adaptation * self.adapted
        )

    def state(self) -> dict[str, float]:
        """Everything a restart needs."""
        return {
            "births_deficit": self.births_deficit,
            "depth_deficit": self.depth_deficit,
            "adapted": self.adapted,
        }

    def restore(self, state: dict[str, float]) -> None:
        """Put a `state` back."""
        self.births_deficit = float(state["births_deficit"])
        self.depth_deficit = float(state["depth_deficit"])
        self.adapted = float(state["adapted"])

    def signal(self, e2_pg_per_ml: float) -> float:
        """S(E): receptor signal of a level of estradiol, 0..1."""
        p = self.parameters
        e = e2_pg_per_ml**p.hill
        alpha = e / (e + p.half_maximum_pg_per_ml**p.hill)
        beta = e / (e + (1.5 * p.half_maximum_pg_per_ml) ** p.hill)
        return (1.0 - p.beta_share) * alpha + p.beta_share * beta

    def next_day(self, day: int) -> Drive:
        """Advance the deficits and the adaptation by one day, from day 1 on; returns its multipliers.

        During the burn-in all stay as they are (`drive`).
        """
        p = self.parameters
        moments = [day - 1 + (k + 0.5) / SAMPLES_PER_DAY for k in range(SAMPLES_PER_DAY)]
        e2 = sum(self.course.e2_pg_per_ml(moment) for moment in moments) / SAMPLES_PER_DAY
        level = sum(self.log_level(moment) for moment in moments) / SAMPLES_PER_DAY
        births = p.births_adaptation * self.adapted - level
        depth = p.depth_adaptation * self.adapted - level
        self.births_deficit += (_exact(births) - self.births_deficit) / p.signal_tau_day
        self.depth_deficit += (_exact(depth) - self.depth_deficit) / p.signal_tau_day
        change = _exact(level - self.adapted)
        self.adapted -= change * math.expm1(-1.0 / (p.setpoint_tau_year * DAYS_PER_YEAR))
        acting = [self.course.bone_targets(moment) for moment in moments]
        targets = BoneTargets(*(sum(each) / SAMPLES_PER_DAY for each in zip(*acting, strict=True)))
        return self.drive(
            e2, self.course.t_ng_per_dl(day - 0.5), self.pth(self.course.diet(day)), targets
        )

    def log_level(self, moment: float, course: Course | None = None) -> float:
        """L: logarithm of estradiol over the own level in youth; estradiol as what signals alike.

        Args:
            moment: day, fractions allowed.
            course: None: this person's; the `past` of it has levels before day 0 as they were.
        """
        course = self.course if course is None else course
        e2 = course.e2_pg_per_ml(moment)
        p, shbg = self.parameters, course.shbg_nmol_per_l(moment)
        if p.bioavailable_weight > 0.0 and shbg is not None:
            _, share = bioavailable(course.t_ng_per_dl(moment), shbg)
            e2 *= float(share / REFERENCE_BIOAVAILABLE) ** p.bioavailable_weight
        level = _bounded_log(self._alike(e2, course.receptors_held(moment)))
        return level - self._youth

    def _alike(self, e2: float, held_by: tuple[tuple[float, float], ...]) -> float:
        """The estradiol that alone would give the signal of this one beside drugs, pg/mL."""
        free, given = 1.0, 0.0
        for held, signal in held_by:
            free -= held
            given += held * signal
        if given == 0.0 and free == 1.0:
            return e2
        wanted = free * self.signal(e2) + given
        if wanted <= self.signal(LOWEST_E2_PG_PER_ML):
            return LOWEST_E2_PG_PER_ML
        if wanted >= self.signal(HIGHEST_E2_PG_PER_ML):
            return HIGHEST_E2_PG_PER_ML
        low, high = np.log(LOWEST_E2_PG_PER_ML), np.log(HIGHEST_E2_PG_PER_ML)
        found = brentq(lambda log: self.signal(np.exp(log)) - wanted, low, high, xtol=1e-10)
        return float(np.exp(found))

    def pth(self, diet: tuple[float, float] | None) -> float:
        """Parathyroid hormone by calcium (mg/d) and 25-OH-D (nmol/L), 1 is neutral."""
        if diet is None:
            return 1.0
        calcium, vitamin_d = diet
        p = self.parameters
        raised = 1.0 + p.pth_calcium_gain * (1.0 - calcium / 1000.0)
        raised += p.pth_vitamin_d_gain * max(0.0, (50.0 - vitamin_d) / 50.0)
        return min(max(raised, LOWEST_PTH), HIGHEST_PTH)

    def _lack_of_t(self, t_ng_per_dl: float) -> float:
        """Effect of too little testosterone on RANKL, relative to that of the reference level."""
        gain = self.parameters.androgen_rankl_gain
        now = 1.0 + gain * max(0.0, 1.0 - t_ng_per_dl / SUFFICIENT_T_NG_PER_DL)
        return now / (
            1.0 + gain * max(0.0, 1.0 - self.reference_t_ng_per_dl / SUFFICIENT_T_NG_PER_DL)
        )

    def drive(
        self, e2_pg_per_ml: float, t_ng_per_dl: float, pth: float = 1.0,
        targets: BoneTargets = NO_DRUG,
    ) -> Drive:  # fmt: skip
        """The multipliers for the present deficit, this testosterone, PTH and the drugs' effects.

        A drug's hold on sclerostin has the bound of its loss by estradiol. An osteoclast whose life
        is cut short digs less deep by the same share.
        """
        p, l_births = self.parameters, self.births_deficit
        rankl = math.exp(p.rankl_exponent * l_births) * self._lack_of_t(t_ng_per_dl)
        rankl *= 1.0 - targets.rankl
        pth *= 1.0 + targets.pth
        opg = math.exp(-p.opg_exponent * l_births)
        pth_activation = pth**p.pth_activation_exponent
        depth = math.exp(p.depth_exponent * self.depth_deficit)
        sclerostin = math.exp(p.sclerostin_exponent * l_births) * (1.0 - targets.sclerostin)
        sclerostin = max(LOWEST_SCLEROSTIN, sclerostin)
        androgen = max(t_ng_per_dl / self.reference_t_ng_per_dl, LOWEST_T_SHARE)
        life = math.exp(-p.osteoblast_life_exponent * l_births)
        life *= androgen**p.androgen_formation_exponent
        return Drive(
            e2_pg_per_ml=e2_pg_per_ml,
            t_ng_per_dl=t_ng_per_dl,
            deficit=l_births,
            lack=max(0.0, -math.expm1(-l_births)),
            rankl=rankl,
            opg=opg,
            activation=float(occupancy(rankl, opg)) ** p.activation_exponent * pth_activation,
            pth_activation=pth_activation,
            activation_exponent=p.activation_exponent,
            speed_exponent=p.speed_exponent,
            wall_exponent=p.sclerostin_wall_exponent,
            depth=depth * (1.0 - targets.osteoclast_life),
            depth_excess=depth ** (1.0 - p.extra_depth_refilled),
            wall=life * sclerostin**-p.sclerostin_wall_exponent * (1.0 + targets.formation),
            recruitment=1.0 / sclerostin,
            precursor_growth=math.exp(p.precursor_growth_exponent * l_births),
            osteocyte_death=math.exp(p.osteocyte_death_exponent * l_births),
            sclerostin=sclerostin,
        )


def _exact(deficit: float) -> float:
    """Rounding is no deficit: all persons at their own set-point must start exactly alike."""
    return 0.0 if abs(deficit) < ROUNDING else deficit


def _bounded_log(e2_pg_per_ml: float) -> float:
    """The logarithm of a level that counts, pg/mL."""
    return math.log(min(max(e2_pg_per_ml, LOWEST_E2_PG_PER_ML), HIGHEST_E2_PG_PER_ML))
