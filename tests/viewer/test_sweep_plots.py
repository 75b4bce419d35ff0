"""Pictures of sweeps refuse an unknown outcome, moment or kind, and name the parameter."""

from pathlib import Path

import pandas as pd
import pytest

from bonesim.errors import InputError
from bonesim.sweeps.design import DesignParameters, Variable
from bonesim.viewer.sweep_plots import draw

DESIGN = DesignParameters(variable=(Variable(path="a.hill", name="hill", values=(1, 2)),))


@pytest.fixture
def results() -> pd.DataFrame:
    """Two runs of two snapshots."""
    return pd.DataFrame(
        [
            {"point": f"p{row}", "row": row, "replicate": 0, "seed": 1, "hill": row + 1,
             "snapshot": k, "bvtv_percent": 10.0 - k * row}
            for row in range(2) for k in range(2)
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("outcome", "bvtv", "outcome: 'bvtv' is not known; among others bvtv_percent"),
        ("moment", "later", "moment: 'later' is not known; one of end"),
        ("moment", "regained", "moment: 'regained' needs three snapshots"),
        ("kind", "pie", "kind: 'pie' is not known; one of curves"),
        ("kind", "sobol", "kind: 'sobol' indices need a design of that kind; it is 'grid'"),
        ("kind", "heatmap", "kind: 'heatmap' needs two variables"),
    ],
)
def test_the_parameter_at_fault_is_named(
    results: pd.DataFrame, tmp_path: Path, parameter: str, value: str, words: str
) -> None:
    given = {"outcome": "bvtv_percent", "moment": "end", "kind": "curves", parameter: value}
    with pytest.raises(InputError, match=words) as error:
        draw(results, DESIGN, **given)
    assert error.value.parameter == parameter
    assert not list(tmp_path.iterdir())
