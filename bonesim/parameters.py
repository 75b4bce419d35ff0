"""The one way a group of parameters is declared.

A group is a frozen pydantic model: it reads TOML, refuses unknown keys, NaN and
infinity, and exports a JSON schema. Each field carries its unit in its name (see
`quantities`), a default, a range and one line of meaning with its source or "assumed".
`numbers_of` turns a group of plain numbers into the named tuple that kernels read.
"""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["Parameters", "numbers_of"]


class Parameters(BaseModel):
    """Base of every parameter group: frozen, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )


def numbers_of(group: Parameters, tuple_type: Callable[..., Any]) -> Any:
    """The kernel's view of a parameter group: a named tuple with the same field names.

    `tuple_type` must be made once, at module level, from the group's `model_fields`, so that
    Numba's compiled cache is hit across processes. Integers in float fields arrive as floats
    already (pydantic converts them), so that one compiled version serves all.
    """
    return tuple_type(**group.model_dump())
