"""What histology finds in health: bands for sections, and Goff's cavities for the 3-D values.

The bands of sections must hold all at once, on plate-like bone (guide: targets, the starting bone).
Those of Goff 2012 are mean +/- 1 SD between nine donors of 47 to 80 years. The two kinds of data
contradict each other: volume over area is 7.6 um there, erosion depth of sections is 40 to 55 um.
"""

from typing import NamedTuple


class Band(NamedTuple):
    """What is found in health.

    Attributes:
        of: "sections" or "true": which value of a measure it is for.
        low: lower end.
        high: upper end.
        source: whence.
    """

    of: str
    low: float
    high: float
    source: str

    def holds(self, value: float) -> bool:
        """Whether a value lies within; NaN does not."""
        return self.low <= value <= self.high


_GUIDE = "guide: targets"
#: Symbol -> band, in the units of `biopsy.MEASURES`.
HEALTH = {
    "E.De": Band("sections", 40.0, 55.0, _GUIDE),
    "W.Th": Band("sections", 42.0, 52.0, _GUIDE),
    "MAR": Band("sections", 0.5, 0.7, _GUIDE),
    "Ac.f": Band("sections", 0.10, 0.20, _GUIDE),
    "ES/BS": Band("sections", 3.4, 6.9, _GUIDE),
    "OS/BS": Band("sections", 5.0, 12.0, _GUIDE),
    "BFR/BS": Band("sections", 5.0, 9.0, _GUIDE),
    "N.Cv/TV": Band("true", 0.48, 2.02, "Goff 2012"),
    "Cv.De": Band("true", 21.5, 38.7, "Goff 2012"),
    "Cv.S": Band("true", 58.4e3, 102.8e3, "Goff 2012"),
    "Cv.V": Band("true", 302e3, 926e3, "Goff 2012"),
}
