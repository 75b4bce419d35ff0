"""Density of a scan: from grey value to mg hydroxyapatite per cm3, and back for a threshold."""

from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from bonesim.errors import InputError

__all__ = ["Calibration", "calibration_of", "grey_threshold", "threshold_note"]

UNIT = "mgHA/cm3"


class Calibration(NamedTuple):
    """density (mgHA/cm3) = slope * grey value + intercept.

    Attributes:
        slope: mgHA/cm3 for each grey value, above 0.
        intercept: density at grey value 0.
        source: where it is from, for notes.
    """

    slope: float
    intercept: float
    source: str

    @overload
    def density(self, grey: float) -> float: ...

    @overload
    def density(self, grey: NDArray[np.float64]) -> NDArray[np.float64]: ...

    def density(self, grey: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
        """Density at a grey value, mgHA/cm3."""
        return self.slope * grey + self.intercept

    def grey(self, mg_per_cm3: float) -> float:
        """Grey value at a density."""
        return (mg_per_cm3 - self.intercept) / self.slope


def calibration_of(
    slope: float | None, intercept: float | None, stored: tuple[float, float] | None
) -> Calibration | None:
    """The calibration that counts: the given one, else the file's; None if neither is there.

    Args:
        slope, intercept: as given by the user; both or none.
        stored: slope and intercept of the file.
    """
    if slope is not None and intercept is not None:
        return Calibration(slope, intercept, "given")
    if stored is None:
        return None
    return Calibration(*stored, "of the file")


def grey_threshold(mg_per_cm3: float, calibration: Calibration | None, path: Path) -> float:
    """The grey value that stands for a density.

    Raises:
        InputError: the image has no calibration.
    """
    if calibration is None:
        raise InputError(
            f"{path}: has no density calibration, so {mg_per_cm3:g} {UNIT} is no grey value; give "
            "`density_slope` and `density_intercept`, or a `threshold` in grey values"
        )
    return calibration.grey(mg_per_cm3)


def threshold_note(threshold: float, calibration: Calibration | None) -> str:
    """The threshold in both units, as a note; "" without a calibration."""
    if calibration is None:
        return ""
    slope, intercept, source = calibration
    return (
        f"threshold {threshold:.6g} is {calibration.density(threshold):.5g} {UNIT} "
        f"({slope:g} * grey value {intercept:+g}, {source})"
    )
