"""Experiments in miniature: their own studies on smaller bones and fewer seeds, in this process.

The normal suite simulates the smallest bones that still show an effect; `pytest -m slow` those on
which its size can be compared.
"""

import importlib.util
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import tomli_w

from bonesim.config.config import load_config, to_toml
from bonesim.sweeps.design import rows_of
from bonesim.sweeps.folder import Folder
from bonesim.sweeps.study import Study, StudyParameters, read_as
from bonesim.sweeps.sweep import run_share

ROOT = Path(__file__).parents[2]
EXPERIMENTS = ROOT / "experiments"
#: A test in its small form, and in its full form behind the marker.
both_forms = pytest.mark.parametrize(
    "full", [pytest.param(False, id="small"), pytest.param(True, id="full", marks=pytest.mark.slow)]
)

#: In the small form: bone that turns over quickly under a strong response, so that one small block shows
#: the fall, not chance.
STRONG = {
    "cells.bmu.origination_per_mm2_per_year": 8.0, "hormones.response.rankl_exponent": 1.5,
    "hormones.response.depth_exponent": 0.3,
}  # fmt: skip


def importer(patch: pytest.MonkeyPatch, folder: Path) -> Callable[[str], Any]:
    """Imports scripts of one experiment by name, whatever another has of that name."""
    patch.syspath_prepend(str(folder))
    for place in folder.glob("*.py"):
        patch.delitem(sys.modules, place.stem, raising=False)
    return importlib.import_module


def script(experiment: str) -> ModuleType:
    """An experiment's `answer.py`."""
    place = EXPERIMENTS / experiment / "answer.py"
    spec = importlib.util.spec_from_file_location(f"answer_{experiment}", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def printed_and_drawn(answer: ModuleType, table: pd.DataFrame, place: Path) -> str:
    """What a script prints of a table; its figure is drawn too."""
    answer.draw(table).savefig(place)
    assert place.stat().st_size > 10_000
    return str(answer.words_of(table))


@pytest.fixture
def miniature(tmp_path: Path) -> Callable[..., pd.DataFrame]:
    """Simulates some rows of an experiment's study on smaller bones; returns the results.

    Call it with the study's path, how many seeds, which rows (a condition on the design's
    columns), and changes of the base config.
    """

    def simulated(study: Path, seeds: int, where: str, base: dict[str, Any]) -> pd.DataFrame:
        parameters, text = read_as(study, StudyParameters)
        config = load_config(study.parent / parameters.base, base)
        (tmp_path / "base.toml").write_text(to_toml(config))
        rows = rows_of(parameters.design, study.parent).query(where)
        assert len(rows) > 1
        rows.to_csv(tmp_path / "rows.csv", index=False)
        tree = tomllib.loads(text) | {"base": "base.toml"}
        # The rows are those that the study itself would have made.
        tree["design"] |= {"kind": "list", "rows_csv": "rows.csv", "seeds": seeds}
        tree["design"].pop("where", None)
        for variable in tree["design"]["variable"]:
            variable.pop("values", None)
        (tmp_path / "study.toml").write_text(tomli_w.dumps(tree))
        assert run_share(Study(tmp_path / "study.toml"), tmp_path / "out", 0, 1) == 0
        return Folder(tmp_path / "out").results()

    return simulated
