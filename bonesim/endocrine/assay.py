"""Levels as a laboratory measures them: immunoassay and mass spectrometry.

A direct immunoassay reads other steroids as estradiol: it adds a constant that hides how deep a
suppression is (a man's true fall to a third reads as a fall to a half), and it reads nothing below
its limit. Mass spectrometry reads the true level down to its own limit.
"""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from bonesim.parameters import Parameters

#: Association constants, L/mol, and albumin, mol/L (4.3 g/dL): Vermeulen 1999 for testosterone,
#: Soedergard 1982 for estradiol.
SHBG_TO_T, ALBUMIN_TO_T = 1.0e9, 3.6e4
SHBG_TO_E2, ALBUMIN_TO_E2 = 3.14e8, 4.2e4
ALBUMIN = 6.2e-4
#: g/mol.
T_MASS = 288.42


class AssayParameters(Parameters):
    """Two ways to measure estradiol in serum."""

    cross_reacting_pg_per_ml: Annotated[
        float,
        Field(
            ge=0, le=30, description="other steroids read as estradiol; assumed, 6-9 (guide M7.3)"
        ),
    ] = 6.0
    immunoassay_limit_pg_per_ml: Annotated[
        float, Field(ge=0, le=50, description="lower readings are reported as this; assumed")
    ] = 5.0
    spectrometry_limit_pg_per_ml: Annotated[
        float, Field(ge=0, le=10, description="lower readings are reported as this; assumed, .5-2")
    ] = 1.0
    immunoassay_cv: Annotated[
        float,
        Field(ge=0, le=1, description="between-run CV of one reading in a trial; assumed, .08-.15"),
    ] = 0.10
    spectrometry_cv: Annotated[
        float,
        Field(ge=0, le=1, description="between-run CV of one reading in a trial; assumed, .03-.08"),
    ] = 0.05


class Assay(NamedTuple):
    """One way to measure estradiol: its mean readings of true levels, their CV and lower limit."""

    mean: NDArray[np.float64]  # pg/mL
    cv: float
    limit_pg_per_ml: float


def assays(e2_pg_per_ml: NDArray[np.float64], p: AssayParameters) -> dict[str, Assay]:
    """Both assays of true levels, by the name of their column."""
    return {
        "e2_immunoassay_pg_per_ml": Assay(
            immunoassay(e2_pg_per_ml, p), p.immunoassay_cv, p.immunoassay_limit_pg_per_ml
        ),
        "e2_spectrometry_pg_per_ml": Assay(
            mass_spectrometry(e2_pg_per_ml, p), p.spectrometry_cv, p.spectrometry_limit_pg_per_ml
        ),
    }


def limited(
    mean: NDArray[np.float64], read: NDArray[np.float64], limit: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Readings as a laboratory reports them: none is below the limit, where the mean is not either."""
    return np.where(mean <= limit, mean, np.maximum(read, limit))


def immunoassay(
    e2_pg_per_ml: NDArray[np.float64], parameters: AssayParameters
) -> NDArray[np.float64]:
    """Mean reading of a direct immunoassay of true levels, pg/mL."""
    read = e2_pg_per_ml + parameters.cross_reacting_pg_per_ml
    return np.maximum(read, parameters.immunoassay_limit_pg_per_ml)


def mass_spectrometry(
    e2_pg_per_ml: NDArray[np.float64], parameters: AssayParameters
) -> NDArray[np.float64]:
    """Mean reading of mass spectrometry, pg/mL."""
    return np.maximum(e2_pg_per_ml, parameters.spectrometry_limit_pg_per_ml)


def bioavailable(
    t_ng_per_dl: ArrayLike, shbg_nmol_per_l: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of testosterone and estradiol that SHBG does not bind (free and on albumin), 0..1.

    The law of mass action (Vermeulen 1999): testosterone fills
    SHBG; estradiol, a hundred times rarer, binds to the sites that are left.
    """
    total = np.asarray(t_ng_per_dl, np.float64) * 1e-8 / T_MASS  # ng/dL -> mol/L
    binder = np.asarray(shbg_nmol_per_l, np.float64) * 1e-9
    loose = 1.0 + ALBUMIN_TO_T * ALBUMIN
    # Free T solves  loose K f^2 + (loose + K (B - T)) f - T = 0.
    b = loose + SHBG_TO_T * (binder - total)
    free = (-b + np.sqrt(b * b + 4.0 * loose * SHBG_TO_T * total)) / (2.0 * loose * SHBG_TO_T)
    t_share = np.where(total > 0.0, np.minimum(loose * free / np.maximum(total, 1e-30), 1.0), 1.0)
    open_sites = binder / (1.0 + SHBG_TO_T * free)
    e2_loose = 1.0 + ALBUMIN_TO_E2 * ALBUMIN
    return t_share, e2_loose / (e2_loose + SHBG_TO_E2 * open_sites)
