"""Estradiol as a trial reads it: each assay with its own precision and lower limit."""

import numpy as np
import pandas as pd
import pytest

from bonesim.endocrine.assay import AssayParameters
from bonesim.trials.outcomes import TrialOutcomes, outcomes_of
from bonesim.trials.replicates import repeated
from bonesim.trials.visits import ASSAYS, CV_OF, LIMIT_OF, assayed
from tests.trials.conftest import parameters

PEOPLE = 400
IMMUNO, MASS = ASSAYS
LABORATORY = AssayParameters(
    cross_reacting_pg_per_ml=4.0, immunoassay_limit_pg_per_ml=5.0, immunoassay_cv=0.12,
    spectrometry_limit_pg_per_ml=0.5, spectrometry_cv=0.06,
)  # fmt: skip


def results(laboratory: AssayParameters = LABORATORY) -> pd.DataFrame:
    """Everybody at 20 pg/mL; under the drug at 1.2, just above the immunoassay's limit."""
    rows = []
    for arm, levels in (("placebo", [20.0, 20.0]), ("drug", [20.0, 1.2])):
        columns = assayed(np.array(levels), laboratory)
        for person in range(PEOPLE):
            for place, day in enumerate((0, 365)):
                row = {"person": person, "arm": arm, "seed": 900 + person, "day": day}
                rows.append(row | {name: column[place] for name, column in columns.items()})
    return pd.DataFrame(rows)


def outcomes(table: pd.DataFrame) -> TrialOutcomes:
    return outcomes_of(table, parameters(changes=[IMMUNO], levels=[MASS]))


@pytest.mark.parametrize(("name", "cv"), [(IMMUNO, 0.12), (MASS, 0.06)])
def test_a_reading_has_the_precision_of_its_assay(name: str, cv: float) -> None:
    """An SD of 400 readings is within 4 SE of the assay's; its mean is the true reading."""
    found = outcomes(results())
    ratio = found.read(name)[0] / found.true[name][0]
    assert ratio.shape == (PEOPLE, 2)
    assert ratio.std(axis=0, ddof=1) == pytest.approx(cv, rel=4 / np.sqrt(2 * PEOPLE))
    assert ratio.mean(axis=0) == pytest.approx(1.0, abs=4 * cv / np.sqrt(PEOPLE))
    # Another day is another run of the assay, another arm of the same person is not.
    assert abs(np.corrcoef(ratio.T)[0, 1]) < 0.2
    assert np.array_equal(found.read(name)[0, :, 0], found.read(name)[1, :, 0])


def test_no_reading_is_below_the_limit() -> None:
    found = outcomes(results())
    low = found.read(IMMUNO)[1, :, 1]
    assert low.min() == 5.0  # 5.2 with a CV of 12 %: near half are censored
    assert 0.2 < np.mean(low == 5.0) < 0.6
    assert low.max() > 5.8
    assert found.read(MASS)[1, :, 1].min() > 0.5


def test_a_level_below_the_limit_reads_the_limit() -> None:
    without = LABORATORY.model_copy(update={"cross_reacting_pg_per_ml": 0.0})
    assert (outcomes(results(without)).read(IMMUNO)[1, :, 1] == 5.0).all()


def test_repeats_have_the_noise_too() -> None:
    """The SD of the difference of two groups' changes, in %, from the noise of four readings."""
    p = parameters(changes=[IMMUNO], levels=[MASS], repeats=400)
    found = repeated(p, outcomes_of(results(), p), MASS)
    (difference,) = found.difference.values()
    sd = 0.06 * np.sqrt(20.0**2 / 33 + 1.2**2 / 36)
    assert difference[:, 1].std(ddof=1) == pytest.approx(sd, rel=0.15)
    exact = LABORATORY.model_copy(update={"spectrometry_cv": 0.0})
    (difference,) = repeated(p, outcomes_of(results(exact), p), MASS).difference.values()
    assert np.ptp(difference[:, 1]) == pytest.approx(0.0, abs=1e-12)


def test_a_folder_of_an_earlier_version_is_read_without_noise() -> None:
    table = results().drop(columns=[one + end for one in ASSAYS for end in (CV_OF, LIMIT_OF)])
    found = outcomes(table)
    assert np.array_equal(found.read(IMMUNO), found.true[IMMUNO])
