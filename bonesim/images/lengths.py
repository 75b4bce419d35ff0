"""Lengths in headers: every spelling of a unit as um, numbers as they were meant."""

import re

import numpy as np

__all__ = ["meant", "rounded", "um_per"]

_METRES = {
    1e6: "m meter metre",
    1e4: "cm centimeter centimetre",
    1e3: "mm millimeter millimetre",
    1.0: "um µm micrometer micrometre micron mu µ",
    1e-3: "nm nanometer nanometre",
    1e5: "dm decimeter decimetre",
    25400.0: "in inch inches",
}
_UM = {name: um for um, names in _METRES.items() for name in names.split()}


def um_per(unit: str) -> float | None:
    """um of one unit of length; None if the word is not known.

    Quotes, case and plural do not matter; both Greek letters and their escapes are micro.
    """
    text = re.sub(r"\\u00b5|\\u03bc|&#181;|&#xb5;|μ", "µ", unit.strip(), flags=re.IGNORECASE)
    word = text.replace("Âµ", "µ").strip("\"'[]() \t\0").casefold().replace("μ", "µ")
    if word not in _UM and len(word) > 3:
        word = word.removesuffix("s")
    return _UM.get(word)


def meant(value: float) -> float:
    """A number of single precision as the decimal number that was written: 0.02, not 0.0199999996."""
    return float(str(np.float32(value)))


def rounded(um: float) -> float:
    """A length at seven digits, so that 0.02 mm and 20 um are one number."""
    return float(f"{um:.7g}")
