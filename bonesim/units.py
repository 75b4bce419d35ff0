"""Units: the closed list of suffixes that a name may carry, and constants of the lattice."""

from collections.abc import Iterable

__all__ = ["BONE", "DAYS_PER_YEAR", "FULL", "UNITS", "unit_of", "units_of"]


#: suffix -> unit as printed. A number with a unit ends in one of these; a pure number does not.
UNITS = {
    "_day": "d",
    "_per_day": "1/d",
    "_year": "y",
    "_per_year": "1/y",
    "_um": "um",
    "_um2": "um2",
    "_um3": "um3",
    "_mm": "mm",
    "_mm2": "mm2",
    "_mm3": "mm3",
    "_per_mm": "1/mm",
    "_per_mm2": "1/mm2",
    "_per_mm3": "1/mm3",
    "_per_mm2_per_year": "1/mm2/y",
    "_um_per_day": "um/d",
    "_pg_per_ml": "pg/mL",
    "_ng_per_dl": "ng/dL",
    "_mg_per_cm3": "mgHA/cm3",
    "_g_per_cm2": "g/cm2",
    "_mpa": "MPa",
    "_n": "N",
    "_mg": "mg",
    "_mg_per_day": "mg/d",
    "_ug_per_day": "ug/d",
    "_l_per_day": "L/d",
    "_per_element": "1/element",
    "_per_week": "1/week",
    "_per_decade": "1/decade",
    "_iu_per_l": "IU/L",
    "_nmol_per_l": "nmol/L",
    "_ng_per_ml": "ng/mL",
    "_dl_per_ng": "dL/ng",
    "_percent": "%",
    "_percent_per_year": "%/y",
    "_degree": "degree",
    "_voxel": "voxel",
    "_quanta": "quanta",
    "_quanta_per_day": "quanta/d",
}

#: A full voxel holds this many quanta of bone (uint8).
FULL = 255
#: A voxel is bone at this many quanta or more; only crossing it is a topological event.
BONE = 128
#: Days in a year, everywhere.
DAYS_PER_YEAR = 365.25


def unit_of(name: str) -> str:
    """The unit a name carries, or "" for a pure number; the longest suffix wins."""
    fits = [suffix for suffix in UNITS if name.endswith(suffix)]
    return UNITS[max(fits, key=len)] if fits else ""


def units_of(names: Iterable[object]) -> dict[str, str]:
    """Column -> unit, of a table whose columns carry their units; pure numbers have ""."""
    return {str(name): unit_of(str(name)) for name in names}
