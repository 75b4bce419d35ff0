"""Pictures of sweeps refuse an unknown outcome, moment or kind, and name the parameter."""

import io
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


PAIRED = DesignParameters(
    variable=(
        Variable(path="a.dose", name="dose", values=(1, 2)),
        Variable(path="a.age", name="age", values=(50, 60)),
    ),
    seeds=3,
)


def paired_results(effect: float, wobble: float) -> pd.DataFrame:
    """Each seed has a start of its own; dose 2 takes `effect` more, and `wobble` by seed."""
    rows = []
    grid = [(dose, age) for dose in (1, 2) for age in (50, 60)]
    for row, (dose, age) in enumerate(grid):
        for replicate in range(3):
            own = 10.0 * (replicate + 1)
            end = own - age / 50.0 - (dose - 1) * (effect + wobble * (replicate - 1))
            rows += [
                {"point": f"{row}_{replicate}", "row": row, "replicate": replicate, "seed": replicate,
                 "dose": dose, "age": age, "snapshot": k, "bvtv_percent": value}
                for k, value in enumerate((own, end))
            ]  # fmt: skip
    return pd.DataFrame(rows)


def test_rows_that_share_seeds_are_compared_within_pairs() -> None:
    """Means of the rows scatter by 10, their differences by the wobble alone."""
    drawing = draw(
        paired_results(2.0, 0.5), PAIRED, outcome="bvtv_percent", moment="end", kind="curves"
    )
    table = pd.read_csv(io.StringIO(drawing.beside["_paired.csv"]))
    assert table["mean"].tolist() == pytest.approx([-2.0, -2.0])
    # t(0.975; 2) = 4.3027; the SD of the differences is 0.5.
    assert table["ci"].tolist() == pytest.approx([4.3027 * 0.5 / 3**0.5] * 2, rel=1e-4)
    assert table["at"].tolist() == ["age = 50", "age = 60"]
    plain = pd.read_csv(io.StringIO(drawing.beside[".csv"]))
    assert plain["ci"].min() > 20.0
    left, right = drawing.figure.axes
    titles = [axis.get_title(loc="left") for axis in (left, right)]
    assert titles == ["$\\bf{a}$  each value", "$\\bf{b}$  paired differences"]
    assert "n = 3 runs" in left.get_ylabel() and "n = 3 seed-sharing pairs" in right.get_ylabel()
    assert "difference from dose = 1 (percentage points)" in right.get_ylabel().replace("\n", " ")
    assert left.get_ylabel().replace("\n", " ").startswith("bvtv_percent (%), last snapshot")
    assert left.get_xlim() == right.get_xlim()


def test_rows_that_share_no_seed_are_not() -> None:
    for design in (
        PAIRED.model_copy(update={"common_random_numbers": False}),
        PAIRED.model_copy(update={"kind": "latin_hypercube"}),
    ):
        drawing = draw(
            paired_results(2.0, 0.5), design, outcome="bvtv_percent", moment="end", kind="curves"
        )
        assert set(drawing.beside) == {".csv"}
        assert len(drawing.figure.axes) == 1
        with pytest.raises(InputError, match="needs rows that pair") as error:
            draw(
                paired_results(2.0, 0.5), design, outcome="bvtv_percent", moment="end", reference=1
            )
        assert error.value.parameter == "reference"


def test_one_at_a_time_is_against_its_centre() -> None:
    design = PAIRED.model_copy(update={"kind": "one_at_a_time"})
    results = paired_results(2.0, 0.5)
    rows = results[~((results["dose"] == 2) & (results["age"] == 60))]
    drawing = draw(rows, design, outcome="bvtv_percent", moment="end", kind="curves")
    table = pd.read_csv(io.StringIO(drawing.beside["_paired.csv"]))
    assert table["differs"].tolist() == ["age = 60", "dose = 2"]
    assert table["reference"].tolist() == ["age = 50", "dose = 1"]
    assert table["mean"].tolist() == pytest.approx([-0.2, -2.0])
    labels = [text.get_text() for text in drawing.figure.axes[1].get_yticklabels()]
    assert labels == ["age = 60\nagainst age = 50", "dose = 2\nagainst dose = 1"]
