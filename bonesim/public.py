"""Public names of a package that are loaded when first used, so that importing it stays quick."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

__all__ = ["loaded_when_used"]


def loaded_when_used(
    package: str, names: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package (PEP 562).

    A name must not be that of a module of the package: the module would take its place once it is
    imported. A test checks it.

    Args:
        package: its full name, `__name__`.
        names: module of the package -> public names in it, in order; "" for modules themselves.
    """
    places = {name: module for module, some in names.items() for name in some}

    def load(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if not places[name]:
            return import_module(f"{package}.{name}")
        return getattr(import_module(f"{package}.{places[name]}"), name)

    return load, lambda: sorted(places), list(places)
