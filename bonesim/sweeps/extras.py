"""Libraries that only some studies need, and what to do where one is not installed."""

import sys
from importlib.util import find_spec

from bonesim.errors import InputError

#: Module -> the name it is installed by.
PACKAGES = {"dask_jobqueue": "dask-jobqueue", "sklearn": "scikit-learn", "distributed": "Dask"}


def is_installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    if module in sys.modules:
        return sys.modules[module] is not None
    return find_spec(module) is not None


def require(
    module: str, what: str, extra: str, otherwise: str = "", *, parameter: str | None = None
) -> None:
    """Raise InputError if a module is not installed.

    Args:
        module: its name in an import.
        what: what needs it.
        extra: the extra of bonesim that brings it.
        otherwise: what can be done without it.
        parameter: Python name of the argument at fault.
    """
    if not is_installed(module):
        remedy = f"; install it: pip install 'bonesim[{extra}]'"
        name = PACKAGES.get(module, module)
        other = f" ({otherwise})" if otherwise else ""
        raise InputError(f"{what} need {name}{remedy}{other}", parameter=parameter)
