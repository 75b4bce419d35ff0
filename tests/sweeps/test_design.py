"""Designs: which rows, which seeds, and what is refused."""

import math
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bonesim.errors import InputError
from bonesim.sweeps.design import DesignParameters, Variable, rows_of, seeds_of
from bonesim.sweeps.study import Study
from bonesim.viewer.sweep_plots import indices
from tests.sweeps.conftest import HILL
from tests.sweeps.dummy import ishigami

Write = Callable[..., Path]
HERE = Path()
LIFESPAN = Variable(path="cells.osteocyte.lifespan_year", name="lifespan", low=5, high=50, log=True)
SHARE = Variable(path="hormones.response.beta_share", name="share", low=0, high=1)


def valued(**values: tuple[float, ...]) -> tuple[Variable, ...]:
    return tuple(Variable(path=f"a.{name}", name=name, values=v) for name, v in values.items())


def test_a_grid_is_every_combination() -> None:
    rows = rows_of(DesignParameters(kind="grid", variable=valued(a=(1, 2), b=(3, 4, 5))), HERE)
    assert len(rows) == 6
    assert {tuple(row) for row in rows.to_numpy()} == {(a, b) for a in (1, 2) for b in (3, 4, 5)}


def test_a_list_goes_side_by_side_and_one_at_a_time_from_the_centre() -> None:
    both = valued(a=(1, 2), b=(3, 4))
    assert rows_of(DesignParameters(kind="list", variable=both), HERE).to_numpy().tolist() == [
        [1, 3], [2, 4],
    ]  # fmt: skip
    alone = rows_of(DesignParameters(kind="one_at_a_time", variable=both), HERE)
    assert alone.to_numpy().tolist() == [[1, 3], [2, 3], [1, 4]]


def test_a_hypercube_meets_every_stratum_once_also_in_logarithms() -> None:
    design = DesignParameters(kind="latin_hypercube", variable=(LIFESPAN, SHARE), samples=40)
    rows = rows_of(design, HERE)
    assert sorted(np.floor(rows["share"] * 40).astype(int)) == list(range(40))
    share = (np.log(rows["lifespan"]) - math.log(5)) / math.log(10)
    assert sorted(np.floor(share * 40).astype(int)) == list(range(40))
    assert rows.equals(rows_of(design, HERE))


def test_a_csv_of_rows(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("hormones.response.hill,share\n1.5,0.1\n2,0.2\n")
    design = DesignParameters(kind="list", rows_csv="rows.csv", variable=(
        Variable(path="hormones.response.beta_share", name="share"),))  # fmt: skip
    assert rows_of(design, tmp_path)["share"].tolist() == [0.1, 0.2]
    (tmp_path / "rows.csv").write_text("nonsense\n1\n")
    with pytest.raises(InputError, match="no path of the config"):
        rows_of(design, tmp_path)


def test_a_condition_drops_rows() -> None:
    variables = valued(a=(1, 2, 3), b=(1, 2, 3))
    rows = rows_of(DesignParameters(variable=variables, where="a < b"), HERE)
    assert len(rows) == 3
    for wrong in ("c < 1", "a <"):
        with pytest.raises(InputError, match="cannot be read"):
            rows_of(DesignParameters(variable=variables, where=wrong), HERE)
    with pytest.raises(InputError, match="no rows"):
        rows_of(DesignParameters(variable=variables, where="a > 9"), HERE)


def test_seeds_coincide_only_on_purpose() -> None:
    common = seeds_of(DesignParameters(seeds=5, common_random_numbers=True), 100)
    assert (common == common[0]).all()
    assert len(set(common[0])) == 5
    own = seeds_of(DesignParameters(seeds=5, common_random_numbers=False), 100)
    assert len(set(own.ravel())) == 500
    other = seeds_of(DesignParameters(seeds=5, common_random_numbers=False, seed=2), 100)
    assert not set(own.ravel()) & set(other.ravel())


def test_sobol_indices_of_the_ishigami_function() -> None:
    variables = tuple(
        Variable(path=f"a.{n}", name=n, low=-math.pi, high=math.pi) for n in ("x", "y", "z")
    )
    design = DesignParameters(kind="sobol", variable=variables, samples=4096)
    rows = rows_of(design, HERE)
    runs = pd.DataFrame({
        "row": range(len(rows)), "value": [ishigami(*row) for row in rows.to_numpy()],
    })  # fmt: skip
    found = indices(runs, design).set_index("variable")
    # Exact: V = a^2/8 + b pi^4/5 + b^2 pi^8/18 + 1/2.
    np.testing.assert_allclose(found["first_order"], [0.3139, 0.4424, 0.0], atol=0.02)
    np.testing.assert_allclose(found["total"], [0.5576, 0.4424, 0.2437], atol=0.02)


def test_morris_finds_what_does_nothing() -> None:
    variables = tuple(Variable(path=f"a.{n}", name=n, low=0, high=1) for n in ("x", "y", "z"))
    design = DesignParameters(kind="morris", variable=variables, samples=50)
    rows = rows_of(design, HERE)
    values = 3 * rows["x"] + rows["y"]
    runs = pd.DataFrame({**rows, "row": range(len(rows)), "value": values})
    found = indices(runs, design).set_index("variable")["mu_star"]
    np.testing.assert_allclose(found, [3, 1, 0], atol=1e-9)
    with pytest.raises(InputError, match="need all 200 rows"):
        indices(runs.iloc[:-1], design)


def test_a_variable_sets_other_paths_with_it(write: Write) -> None:
    path = write(
        'seeds = 1\n[[design.variable]]\npath = "schedule.duration_day"\nvalues = [30, 60]\n'
        'also = { "schedule.snapshots_day" = [0, "-10", "+0"], "title" = "so long" }\n'
    )
    configs = [point.config for point in Study(path).points()]
    assert "snapshots_day = [\n    0,\n    20,\n    30,\n]" in configs[0]
    assert "snapshots_day = [\n    0,\n    50,\n    60,\n]" in configs[1]
    assert 'title = "so long"' in configs[0]


def test_each_replicate_has_a_bone_of_its_own(write: Write) -> None:
    design = 'seeds = 2\nalso = { "specimen.seed" = "+1", "title" = "one of them" }\n'
    points = Study(write(design + HILL + "values = [1, 2]")).points()
    configs = [tomllib.loads(point.config) for point in points]
    assert [config["specimen"]["seed"] for config in configs] == [1, 2, 1, 2]
    assert {config["title"] for config in configs} == {"one of them"}
    assert [config["hormones"]["response"]["hill"] for config in configs] == [1, 1, 2, 2]
    # Twins share bone, random numbers and burn-in; replicates share nothing.
    assert [point.seed for point in points[:2]] == [point.seed for point in points[2:]]
    assert points[0].group == points[2].group != points[1].group
    wrong = design.replace("specimen.seed", "specimen.sed")
    with pytest.raises(InputError, match=r"row 1 of the design.*Did you mean"):
        Study(write(wrong + HILL + "values = [1]")).points()


def test_an_id_is_of_everything_that_decides(write: Write) -> None:
    ids = [point.id for point in Study(write("seeds = 2\n" + HILL + "values = [1, 2]")).points()]
    assert len(set(ids)) == 4
    again = [point.id for point in Study(write("seeds = 2\n" + HILL + "values = [2, 3]")).points()]
    assert len(set(ids) & set(again)) == 2


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ("seeds = 1\n", "nothing varies"),
        (HILL, "hormones.response.hill: needs values"),
        (HILL + "values = []", "hormones.response.hill: got [], it needs values"),
        ('kind = "sobol"\n' + HILL, "needs low and high"),
        (HILL.replace("hill", "hil", 1) + "values = [1]", "Did you mean"),
        (HILL + "values = [99]", "row 1 of the design"),
        (HILL + 'values = [1]\nunit = "mg"', "not in mg"),
        (
            '[[design.variable]]\npath = "protocol.anastrozole.dose"\nvalues = [1]\nunit = "mg"',
            "protocol.anastrozole.dose: no such parameter. Did you mean dose_mg?",
        ),
        (HILL + "values = [1]\nlow = 0", "leave one out"),
        (HILL + "low = 2\nhigh = 1", "swap them"),
        (HILL + "low = 0\nhigh = 1\nlog = true", "give low above 0"),
        ('kind = "spiral"\n' + HILL, '"grid" or "list"'),
        ("colour = 1\n" + HILL, "no such parameter"),
    ],
)
def test_impossible_designs_are_one_line(write: Write, design: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        Study(write(design)).points()
    assert words in str(error.value)
    assert "study.toml" in str(error.value)
    assert "\n" not in str(error.value)
