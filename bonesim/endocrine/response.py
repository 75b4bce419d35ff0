"""Effects of estradiol on bone cells: one deficit, one table of multipliers.

    S(E) = (1-b) E^h / (E^h + K^h) + b E^h / (E^h + (1.5 K)^h)     ERalpha and a little ERbeta
    S'   = (1-O) S(E) + O S_d                                      a drug holds the share O
    x    = 1 - <S'> / S(E_set)                                     the deficit, low-passed
    l    = <ln(E_set / E')>, S(E') = S'                            the same in logarithms, low-passed

<S'> is the mean of S' over the day (not S of the day's mean). E_set is the person's own set-point,
which adapts slowly: one static threshold cannot fit men and postmenopausal women
(guide R3). `static_setpoint_pg_per_ml` is the static form, for comparison. With it a woman
after menopause is at x = 0.87 before any drug, from the first day of the burn-in on; with her own
set-point the burn-in is at x = 0. x > 0 is too little estradiol. x < 0 is more than the set-point;
its effect is limited (`max_surplus`). The depth of cavities goes by l: exp(n l). Every effect is a
line of `ResponseParameters`, and setting it to 0 switches it off.

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
#: The set-point has a lower bound, because the deficit is relative to it.
LOWEST_SETPOINT_PG_PER_ML = 0.1
LOWEST_T_NG_PER_DL = 1.0
#: Levels beyond which estradiol changes the depth of cavities no more; assumed.
LOWEST_E2_PG_PER_ML, HIGHEST_E2_PG_PER_ML = 0.3, 2000.0
#: A smaller deficit on the first day is rounding.
ROUNDING = 1e-9


class Course(Protocol):
    """Anything that gives estradiol and testosterone at any moment."""

    def e2_pg_per_ml(self, day: float) -> float:
        """Serum estradiol at `day` (fractions allowed), pg/mL."""

    def t_ng_per_dl(self, day: float) -> float:
        """Serum testosterone at `day`, ng/dL."""

    def setpoint_e2_pg_per_ml(self, tau_day: float) -> float:
        """Set-point of estradiol on day 0, adapted to earlier levels with this time constant."""

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
        float, Field(gt=0, le=100, description="K of the ERalpha signal; fitted, 6-20 (guide M2.3)")
    ] = 16.0
    hill: Annotated[float, Field(ge=0.5, le=4, description="h; calibrated, 1-2.5 (guide M2.3)")] = (
        1.8
    )
    beta_share: Annotated[
        float, Field(ge=0, le=1, description="ERbeta's share of the signal, at 1.5 K; assumed")
    ] = 0.15
    signal_tau_day: Annotated[
        float,
        Field(ge=1, le=365, description="low-pass of the deficit (cell populations); assumed"),
    ] = 30.0
    setpoint_tau_year: Annotated[
        float,
        Field(ge=0.1, le=1e9, description="adaptation of the own set-point; assumed; 1e9 = static"),
    ] = 10.0
    static_setpoint_pg_per_ml: Annotated[
        float | None,
        Field(
            ge=0.1,
            le=200,
            description="one fixed set-point for all; none: own; choice (guide M2.3)",
        ),
    ] = None
    max_surplus: Annotated[
        float,
        Field(ge=0, le=5, description="-x is at most this: assumed: HRT lowers Ac.f (Vedi 1996a)"),
    ] = 0.5
    bioavailable_weight: Annotated[
        float,
        Field(ge=0, le=1, description="E x (share not on SHBG / reference)^w; assumed 0: total E2"),
    ] = 0.0
    rankl_gain: Annotated[
        float,
        Field(
            ge=0, le=5, description="RANKL x(1+g x); calibrated, Eghbali-Fatourechi 2003, .5-1.2"
        ),
    ] = 0.9
    opg_loss: Annotated[
        float, Field(ge=-0.5, le=0.9, description="OPG x(1-l x); assumed, .6-1.1 at x=1")
    ] = 0.15
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
            description="osteoclastic depth ~ (E2/own level)^-n; x1.40 for 100 to 5, Eriksen 1999",
        ),
    ] = 0.112
    osteoblast_loss: Annotated[
        float,
        Field(
            ge=0,
            lt=0.9,
            description="osteoblast life x(1-a x); calibrated, 0-.14; budget -2 % (guide M9)",
        ),
    ] = 0.0
    precursor_growth_gain: Annotated[
        float,
        Field(ge=0, le=3, description="acute progenitor growth x(1+g x); Di Gregorio 2001 (mouse)"),
    ] = 0.3
    osteocyte_death_gain: Annotated[
        float,
        Field(
            ge=0, le=10, description="osteocyte death x(1+g x); assumed; direction: Tomkinson 1997"
        ),
    ] = 1.0
    sclerostin_gain: Annotated[
        float, Field(ge=0, le=3, description="sclerostin x(1+g x); Moedder 2011 (-27 % with E2)")
    ] = 0.3
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

    `activation` and `osteoclast_speed` hold where the fields are as in health.
    """

    e2_pg_per_ml: float
    t_ng_per_dl: float
    deficit: float
    rankl: float
    opg: float
    activation: float
    pth_activation: float
    activation_exponent: float
    speed_exponent: float
    wall_exponent: float
    osteoclast_speed: float
    depth: float
    depth_excess: float
    osteoblast_life: float
    wall: float
    recruitment: float
    precursor_growth: float
    osteocyte_death: float
    sclerostin: float
    pth: float


class Response:
    """The E2 signal with its two slow states: the low-passed deficit and the set-point.

    Args:
        parameters: the table of effects.
        course: hormones against day.
    """

    def __init__(self, parameters: ResponseParameters, course: Course) -> None:
        self.parameters = parameters
        self.course = course
        static = parameters.static_setpoint_pg_per_ml
        own = course.setpoint_e2_pg_per_ml(parameters.setpoint_tau_year * DAYS_PER_YEAR)
        self.setpoint_pg_per_ml = max(own, LOWEST_SETPOINT_PG_PER_ML) if static is None else static
        # At the start cells are in steady state with the level before day 0; mostly x = 0.
        deficit = 1.0 - self.receptor_signal(-1.0) / self.signal(self.setpoint_pg_per_ml)
        # Rounding is not a deficit: all persons at their own set-point must start exactly alike.
        self.deficit = 0.0 if abs(deficit) < ROUNDING else self._limited(deficit)
        log_deficit = self.log_ratio(-1.0)
        self.log_deficit = 0.0 if abs(log_deficit) < ROUNDING else log_deficit
        # 20 ng/dL is no androgen deficit in a woman: only a change from the baseline counts.
        reference = parameters.reference_t_ng_per_dl
        own_t = course.t_ng_per_dl(-1.0) if reference is None else reference
        self.reference_t_ng_per_dl = max(own_t, LOWEST_T_NG_PER_DL)

    def state(self) -> dict[str, float]:
        """Everything a restart needs."""
        return {
            "deficit": self.deficit,
            "log_deficit": self.log_deficit,
            "setpoint_pg_per_ml": self.setpoint_pg_per_ml,
        }

    def restore(self, state: dict[str, float]) -> None:
        """Put a `state` back."""
        self.deficit = float(state["deficit"])
        self.log_deficit = float(state["log_deficit"])
        self.setpoint_pg_per_ml = float(state["setpoint_pg_per_ml"])

    def signal(self, e2_pg_per_ml: float) -> float:
        """S(E): receptor signal of a level of estradiol, 0..1."""
        p = self.parameters
        e = e2_pg_per_ml**p.hill
        alpha = e / (e + p.half_maximum_pg_per_ml**p.hill)
        beta = e / (e + (1.5 * p.half_maximum_pg_per_ml) ** p.hill)
        return (1.0 - p.beta_share) * alpha + p.beta_share * beta

    def next_day(self, day: int) -> Drive:
        """Advance deficit and set-point by one day, from day 1 on; returns that day's multipliers.

        During the burn-in both stay as they are (`drive`).
        """
        p = self.parameters
        moments = [day - 1 + (k + 0.5) / SAMPLES_PER_DAY for k in range(SAMPLES_PER_DAY)]
        e2 = sum(self.course.e2_pg_per_ml(moment) for moment in moments) / SAMPLES_PER_DAY
        signal = sum(self.receptor_signal(moment) for moment in moments) / SAMPLES_PER_DAY
        deficit = self._limited(1.0 - signal / self.signal(self.setpoint_pg_per_ml))
        self.deficit += (deficit - self.deficit) / p.signal_tau_day
        log_deficit = sum(self.log_ratio(moment) for moment in moments) / SAMPLES_PER_DAY
        self.log_deficit += (log_deficit - self.log_deficit) / p.signal_tau_day
        if p.static_setpoint_pg_per_ml is None:
            adapted = self.setpoint_pg_per_ml + (e2 - self.setpoint_pg_per_ml) / (
                p.setpoint_tau_year * DAYS_PER_YEAR
            )
            self.setpoint_pg_per_ml = max(adapted, LOWEST_SETPOINT_PG_PER_ML)
        acting = [self.course.bone_targets(moment) for moment in moments]
        targets = BoneTargets(*(sum(each) / SAMPLES_PER_DAY for each in zip(*acting, strict=True)))
        return self.drive(
            e2, self.course.t_ng_per_dl(day - 0.5), self.pth(self.course.diet(day)), targets
        )

    def receptor_signal(self, moment: float) -> float:
        """S': the receptor signal at a moment, under binding globulin and drugs, 0..1."""
        p, e2 = self.parameters, self.course.e2_pg_per_ml(moment)
        shbg = self.course.shbg_nmol_per_l(moment)
        if p.bioavailable_weight > 0.0 and shbg is not None:
            _, share = bioavailable(self.course.t_ng_per_dl(moment), shbg)
            e2 *= float(share / REFERENCE_BIOAVAILABLE) ** p.bioavailable_weight
        free, given = 1.0, 0.0
        for held, signal in self.course.receptors_held(moment):
            free -= held
            given += held * signal
        return free * self.signal(e2) + given

    def log_ratio(self, moment: float) -> float:
        """ln(set-point / estradiol) at a moment; estradiol as what gives the same receptor signal."""
        held = self.receptor_signal(moment)
        low, high = np.log(LOWEST_E2_PG_PER_ML), np.log(HIGHEST_E2_PG_PER_ML)
        if held <= self.signal(LOWEST_E2_PG_PER_ML):
            level = low
        elif held >= self.signal(HIGHEST_E2_PG_PER_ML):
            level = high
        else:
            level = brentq(lambda log: self.signal(np.exp(log)) - held, low, high, xtol=1e-10)
        own = max(self.setpoint_pg_per_ml, LOWEST_E2_PG_PER_ML)
        return float(np.log(own) - level)

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
        now = 1.0 + gain * max(0.0, 1.0 - t_ng_per_dl / 200.0)
        return now / (1.0 + gain * max(0.0, 1.0 - self.reference_t_ng_per_dl / 200.0))

    def _limited(self, deficit: float) -> float:
        return max(deficit, -self.parameters.max_surplus)

    def drive(
        self, e2_pg_per_ml: float, t_ng_per_dl: float, pth: float = 1.0,
        targets: BoneTargets = NO_DRUG,
    ) -> Drive:  # fmt: skip
        """The multipliers for the present deficit, this testosterone, PTH and the drugs' effects.

        A drug's hold on sclerostin has the bound of its loss by estradiol. An osteoclast whose life
        is cut short digs less deep by the same share.
        """
        p, x = self.parameters, self.deficit
        rankl = max(0.0, 1.0 + p.rankl_gain * x) * self._lack_of_t(t_ng_per_dl)
        rankl *= 1.0 - targets.rankl
        pth *= 1.0 + targets.pth
        opg = max(0.05, 1.0 - p.opg_loss * x)
        occupied = float(occupancy(rankl, opg))
        pth_activation = pth**p.pth_activation_exponent
        speed = occupied**p.speed_exponent
        depth = math.exp(p.depth_exponent * self.log_deficit)
        sclerostin = max(0.1, (1.0 + p.sclerostin_gain * x) * (1.0 - targets.sclerostin))
        androgen = max(t_ng_per_dl / self.reference_t_ng_per_dl, 0.01)
        androgen **= p.androgen_formation_exponent
        life = (1.0 - p.osteoblast_loss * x) * androgen
        return Drive(
            e2_pg_per_ml=e2_pg_per_ml,
            t_ng_per_dl=t_ng_per_dl,
            deficit=x,
            rankl=rankl,
            opg=opg,
            activation=occupied**p.activation_exponent * pth_activation,
            pth_activation=pth_activation,
            activation_exponent=p.activation_exponent,
            speed_exponent=p.speed_exponent,
            wall_exponent=p.sclerostin_wall_exponent,
            osteoclast_speed=speed,
            depth=depth * (1.0 - targets.osteoclast_life),
            depth_excess=max(1.0, depth) ** (1.0 - p.extra_depth_refilled),
            osteoblast_life=life,
            wall=life * sclerostin**-p.sclerostin_wall_exponent * (1.0 + targets.formation),
            recruitment=1.0 / sclerostin,
            precursor_growth=max(0.0, 1.0 + p.precursor_growth_gain * x),
            osteocyte_death=max(0.0, 1.0 + p.osteocyte_death_gain * x),
            sclerostin=sclerostin,
            pth=pth,
        )
