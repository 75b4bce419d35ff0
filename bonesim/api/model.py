"""The model described: one parameter or all, and the ODD protocol, as tables."""

from typing import TYPE_CHECKING

from bonesim.api.inputs import AnyConfig, as_config

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explain", "odd"]


def explain(path: str = "", config: AnyConfig | None = None) -> "pd.DataFrame":
    """Value, unit, range, meaning, source and readers of a parameter, or of all of a group.

    Readers are the functions of the package that use the value, derived from its sources.
    `attrs["references"]` has the line of the guide for each citation.

    Args:
        path: dotted, as in a configuration file, e.g. "cells.osteoclast.dig_um_per_day"; its last
            names suffice if no other path has them; "" is everything.
        config: whose values: an object, a nested dict or a TOML file; the defaults if not given.

    Raises:
        InputError: no such parameter; a configuration that cannot be read.
    """
    from bonesim.reports import explain as report

    return report.table(path, None if config is None else as_config(config))


def odd(config: AnyConfig | None = None) -> "pd.DataFrame":
    """The tables of the model's ODD protocol: one row each.

    Columns: element (entities, schedule, initial, inputs, parameters), part, name, value, unit,
    meaning. `bonesim.reports.odd.text` gives the whole protocol with these tables in it.

    Args:
        config: whose values: an object, a nested dict or a TOML file; the defaults if not given.

    Raises:
        InputError: a configuration that cannot be read.
    """
    from bonesim.reports import odd as report

    return report.table(None if config is None else as_config(config))
