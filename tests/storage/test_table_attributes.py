"""Every table of a run carries the run's title, and unit and meaning of each column."""

import json
from pathlib import Path

import pandas as pd
import pytest

from bonesim.storage.reader import Run, open_run


def tables(run: Run) -> dict[str, pd.DataFrame]:
    return {
        "table": run.table,
        "snapshot_table": run.snapshot_table,
        "events": run.events,
        "counts": run.cells(),
        "cells": run.cells("osteoclasts", 10),
        "no cells": run.cells("osteoblasts", 10),
    }


def test_titles_units_and_meaning(run_file: Path) -> None:
    with open_run(run_file) as run:
        found = tables(run)
    assert found["table"].attrs == {
        "title": "a title",
        "units": {"day": "d", "bvtv_percent": "%"},
        "meaning": {"day": "day", "bvtv_percent": "bone volume"},
    }
    assert found["cells"].attrs["units"] == {"id": "", "age_day": "d", "phase": "", "viable": ""}
    for table in found.values():
        assert set(table.attrs) == {"title", "units", "meaning"}
        assert list(table.attrs["units"]) == list(table.attrs["meaning"]) == list(table)
        assert json.loads(json.dumps(table.attrs)) == table.attrs
        texts = [table.attrs["title"], *table.attrs["units"].values()]
        assert {type(text) for text in texts + list(table.attrs["meaning"].values())} == {str}


def test_they_survive_copies_but_are_not_shared(run_file: Path) -> None:
    with open_run(run_file) as run:
        for table in tables(run).values():
            copy = table.copy()
            assert copy.attrs == table.attrs
            copy.attrs["units"]["day"] = "changed"
            assert table.attrs["units"].get("day") != "changed"


def test_they_survive_parquet(run_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with open_run(run_file) as run:
        found = tables(run)
    for name, table in found.items():
        path = tmp_path / f"{name}.parquet"
        table.to_parquet(path)
        back = pd.read_parquet(path)
        assert back.attrs == table.attrs
        pd.testing.assert_frame_equal(back, table)
