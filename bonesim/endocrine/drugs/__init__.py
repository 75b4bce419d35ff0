"""The drugs: one file each, which has its kinetics, its regimen, its targets and its sources.

A new file here is a new drug; nothing else names it. `DRUGS` has their classes by name.
"""

from importlib import import_module
from pkgutil import iter_modules

from bonesim.endocrine.drug import Drug, checked_drug


def drugs_in(module: object) -> list[type[Drug]]:
    """The classes of drugs that a module defines itself, in order of name."""
    name = getattr(module, "__name__", "")
    found = [
        one for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Drug) and one.__module__ == name
    ]  # fmt: skip
    return sorted((checked_drug(one) for one in found), key=lambda one: one.name)


#: Every drug of the package by its name.
DRUGS: dict[str, type[Drug]] = {
    drug.name: drug
    for file in iter_modules(__path__)
    for drug in drugs_in(import_module(f"{__name__}.{file.name}"))
}
