"""The drugs: pharmacokinetics and effect of each.

Every drug is a chain of two stages, which has a closed form and needs no solver:

    dose -> [absorption, k1] -> [elimination or slow release, k2] -> gone
    concentration = F k2 a2 / CL          a2: amount in the second stage, CL: clearance

For an oral tablet the stages are gut and plasma. An injected ester, or a gel, is two depots; the
second releases into the plasma. The hormone itself has so short a half-life that its level follows
the release (CL is then its metabolic clearance). A patch and an implant release at a constant rate.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bonesim.kernel import kernel
from bonesim.parameters import Parameters

#: All drugs, in the order of every array of drugs.
DRUGS = (
    "anastrozole", "letrozole", "tamoxifen", "testosterone_cypionate", "testosterone_gel",
    "estradiol_gel", "estradiol_patch", "gnrh_agonist",
)  # fmt: skip
#: A person's clearance changes the half-life of these; of the others only the level.
ELIMINATED = ("anastrozole", "letrozole", "tamoxifen", "gnrh_agonist")
ANASTROZOLE, LETROZOLE, TAMOXIFEN, CYPIONATE, T_GEL, E2_GEL, E2_PATCH, GNRH_AGONIST = range(8)

#: g/mol: amounts per litre to nmol/L.
ANASTROZOLE_MASS, LETROZOLE_MASS = 293.4, 285.3


class Kinetics(Parameters):
    """Pharmacokinetics of one drug."""

    absorption_per_day: Annotated[
        float, Field(gt=0, le=1000, description="k1; default: the drug's")
    ]
    elimination_per_day: Annotated[
        float, Field(gt=0, le=1000, description="k2; default: the drug's")
    ]
    clearance_l_per_day: Annotated[
        float, Field(gt=0, le=1e5, description="CL; default: the drug's")
    ]
    bioavailability: Annotated[
        float,
        Field(gt=0, le=1, description="F; 1 where CL is the apparent CL/F; default: the drug's"),
    ] = 1.0
    clearance_cv: Annotated[
        float, Field(ge=0, le=1, description="CV between persons, lognormal; assumed .2-.4")
    ] = 0.3


class DrugParameters(Parameters):
    """Kinetics and strength of every drug."""

    anastrozole: Annotated[
        Kinetics,
        Field(description="CL/F 1.54 L/h, half-life 46.8 h, tmax 1 h: Mauras 2009 (guide M7.1)"),
    ] = Kinetics(absorption_per_day=36.0, elimination_per_day=0.3554, clearance_l_per_day=36.96)
    letrozole: Annotated[
        Kinetics,
        Field(
            description="steady state at 2.5 mg/d: 90 ng/mL, 131 L; Femara label, unchecked (guide M7.4)"
        ),
    ] = Kinetics(absorption_per_day=24.0, elimination_per_day=0.22, clearance_l_per_day=28.8)
    tamoxifen: Annotated[
        Kinetics,
        Field(
            description="half-life 6 d, 120 ng/mL at 20 mg/d: Nolvadex label, unchecked (guide M7.4)"
        ),
    ] = Kinetics(absorption_per_day=5.0, elimination_per_day=0.116, clearance_l_per_day=167.0)
    testosterone_cypionate: Annotated[
        Kinetics,
        Field(
            description="two depots, F = .85 x .699 mg T per mg, MCR 1000 L/d; half-life 8 d, peak "
            "at 2-5 d: Depo-Testosterone label, unchecked (guide M7.3)"
        ),
    ] = Kinetics(
        absorption_per_day=0.6,
        elimination_per_day=0.10,
        clearance_l_per_day=1000.0,
        bioavailability=0.594,
        clearance_cv=0.2,
    )
    testosterone_gel: Annotated[
        Kinetics,
        Field(
            description="10 % absorbed; back to baseline in 2-4 d: AndroGel label, unchecked (guide M7.4)"
        ),
    ] = Kinetics(
        absorption_per_day=12.0,
        elimination_per_day=1.2,
        clearance_l_per_day=1000.0,
        bioavailability=0.10,
        clearance_cv=0.4,
    )
    estradiol_gel: Annotated[
        Kinetics,
        Field(
            description="6 % absorbed, half-life 36 h, MCR 1600 L/d; EstroGel label, unchecked; guide M7.4"
        ),
    ] = Kinetics(
        absorption_per_day=12.0,
        elimination_per_day=0.46,
        clearance_l_per_day=1600.0,
        bioavailability=0.06,
        clearance_cv=0.4,
    )
    estradiol_patch: Annotated[
        Kinetics,
        Field(
            description="constant release; skin half-life 6 h assumed; MCR 1600 L/d (guide M7.2)"
        ),
    ] = Kinetics(
        absorption_per_day=24.0,
        elimination_per_day=2.8,
        clearance_l_per_day=1600.0,
        clearance_cv=0.3,
    )
    gnrh_agonist: Annotated[
        Kinetics,
        Field(
            description="goserelin: half-life 4.2 h, CL 150 L/d; Zoladex label, unchecked; guide M7.4"
        ),
    ] = Kinetics(absorption_per_day=24.0, elimination_per_day=4.0, clearance_l_per_day=150.0)

    implant_release_day: Annotated[
        float,
        Field(
            gt=0,
            le=400,
            description="release time of a GnRH implant; 28 d for 3.6 mg, Zoladex label",
        ),
    ] = 28.0
    anastrozole_ic50_nmol_per_l: Annotated[
        float,
        Field(
            gt=0, le=1000, description="in vivo; fit to -96.7 % at 1 mg (Geisler 1996), guide M7.1"
        ),
    ] = 11.2
    anastrozole_max_inhibition: Annotated[
        float, Field(gt=0, le=1, description="maximal inhibition; -98.1 % at 10 mg, Geisler 1996")
    ] = 0.985
    anastrozole_insensitive_share: Annotated[
        float,
        Field(
            ge=0, le=1, description="share of peripheral E2 not inhibited; E2 -83.5 %, Geisler 1996"
        ),
    ] = 0.10
    letrozole_insensitive_share: Annotated[
        float,
        Field(
            ge=0, le=1, description="likewise; assumed 0: men on letrozole fall lower (guide M7.2)"
        ),
    ] = 0.0
    letrozole_ic50_nmol_per_l: Annotated[
        float, Field(gt=0, le=1000, description="so that 2.5 mg/d gives -99.1 %; Geisler 2002")
    ] = 18.0
    letrozole_max_inhibition: Annotated[
        float, Field(gt=0, le=1, description="maximal inhibition; assumed, Geisler 2002: > 99.1 %")
    ] = 0.995
    inhibition_hill: Annotated[
        float, Field(ge=0.5, le=4, description="steepness of inhibition; fit (guide M7.3)")
    ] = 1.95
    testis_ic50_ratio: Annotated[
        float,
        Field(
            ge=1,
            le=1000,
            description="in the testis its own testosterone competes; fit (guide M7.3)",
        ),
    ] = 55.0
    ic50_cv: Annotated[
        float,
        Field(
            ge=0, le=1, description="CV of IC50 between persons, lognormal; assumed (guide M7.1)"
        ),
    ] = 0.40
    tamoxifen_ec50_ng_per_ml: Annotated[
        float,
        Field(gt=0, le=1000, description="half occupancy: O = .9 at 20 mg/d (guide M7.4); derived"),
    ] = 13.3
    gnrh_ec50_ng_per_ml: Annotated[
        float, Field(gt=0, le=100, description="half effect; far below the depot's level; assumed")
    ] = 0.02


def kinetics_table(
    parameters: DrugParameters, clearance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """k1 (1/d), k2 (1/d) and ng/mL per mg in the second stage, shape (drugs, 3).

    `clearance`: a person's, by drug, relative to the typical.
    """
    table = np.zeros((len(DRUGS), 3))
    for row, name in enumerate(DRUGS):
        one: Kinetics = getattr(parameters, name)
        level = one.bioavailability * one.elimination_per_day / one.clearance_l_per_day
        table[row] = one.absorption_per_day, one.elimination_per_day, 1000.0 * level
        table[row, 1 if name in ELIMINATED else 2] *= (
            clearance[row] if name in ELIMINATED else 1.0 / clearance[row]
        )
    return table


@kernel
def after(first_mg, second_mg, release_mg_per_day, k1, k2, time_day):  # type: ignore[no-untyped-def]
    """Amounts in both stages `time_day` later, exactly; `release` goes into the second stage.

    The closed form (Bateman), written so that equal rates k1 = k2 need no other case: returns
    (first_mg, second_mg).
    """
    gone1, gone2 = np.exp(-k1 * time_day), np.exp(-k2 * time_day)
    # From the slower of the two, so that nothing overflows.
    difference = abs(k1 - k2) * time_day
    passed = k1 * time_day * max(gone1, gone2)
    if difference > 1e-8:
        passed *= -np.expm1(-difference) / difference
    released = release_mg_per_day * (-np.expm1(-k2 * time_day)) / k2
    return first_mg * gone1, second_mg * gone2 + first_mg * passed + released


@kernel
def inhibition(concentration_nmol_per_l, ic50_nmol_per_l, max_inhibition, hill):  # type: ignore[no-untyped-def]
    """Share of aromatase activity that is inhibited, 0..max_inhibition."""
    ratio = (concentration_nmol_per_l / ic50_nmol_per_l) ** hill
    return max_inhibition * ratio / (1.0 + ratio)
