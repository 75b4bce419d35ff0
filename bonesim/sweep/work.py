"""What a worker does with a point: run it, and return its outcomes as plain numbers.

Outcomes are what the daily table and the panel say at every snapshot, under their names there
(ASBMR symbols and units are in those tables), one row per snapshot.
"""

import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from bonesim.errors import BonesimError


def outcomes(config_text: str, keep: str | None) -> list[dict[str, Any]]:
    """Live a config; one row of outcomes per snapshot.

    Args:
        config_text: resolved config, TOML.
        keep: where the run file stays; None if only outcomes are wanted.
    """
    import tomllib

    from bonesim.config import validated
    from bonesim.run import run
    from bonesim.storage.reader import open_run

    config = validated(tomllib.loads(config_text), "point")
    with tempfile.TemporaryDirectory(prefix="bonesim_point_") as folder:
        place = Path(keep) if keep else Path(folder) / "run.vtkhdf"
        run(config, place, overwrite=True)
        with open_run(place) as opened:
            table = opened.table.merge(
                opened.snapshot_table, on="day", suffixes=("", "_snapshot"), validate="one_to_one"
            )
    table.insert(0, "snapshot", range(len(table)))
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def attempt(point: str, config_text: str, keep: str | None, work: Any = outcomes) -> dict[str, Any]:
    """One try at a point: its outcomes, or what went wrong; never raises."""
    begun = time.perf_counter()
    done: dict[str, Any] = {"point": point}
    try:
        done |= {"status": "done", "rows": work(config_text, keep)}
    except BonesimError as error:
        done |= {"status": "refused", "error": str(error)}
    except Exception as error:
        done |= {"status": "failed", "error": f"{type(error).__name__}: {error}",
                 "traceback": traceback.format_exc()}  # fmt: skip
    done["seconds"] = round(time.perf_counter() - begun, 3)
    return done
