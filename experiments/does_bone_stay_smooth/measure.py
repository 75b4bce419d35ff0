"""Measures finished sweeps: looks.csv, one row per run and snapshot, and cost.csv, what runs cost.

    python measure.py health sources burn_in suppressed

Folders are named as the studies here. What is measured already stays; a folder given again is measured
again. Nothing is simulated here.
"""

import argparse
from pathlib import Path

import pandas as pd

from bonesim import measure, open_run
from bonesim.sweeps import Folder

HERE = Path(__file__).parent
#: Columns that distinguish the runs of a study, of all studies.
KEYS = ("bone", "source", "burn_in_day", "e2_pg_per_ml")
#: Of the daily table.
DAILY = ("es_bs_percent", "os_bs_percent", "arrested_bs_percent", "strain_mean",
         "closed_eroded_mm3", "closed_formed_mm3", "apparent_modulus_z_mpa")  # fmt: skip
#: Of the full panel, of the bone as it is and of the closed copy: too slow for the studies of many runs.
FULL = ("da", "tb_th_smooth_um", "conn_d_per_mm3", "conn_d_unfiltered_per_mm3")
WITH_FULL = ("health", "suppressed")


def looks_of(path: Path, full: bool) -> pd.DataFrame:
    """One row per snapshot; Ac.f is the mean of the days since the snapshot before."""
    with open_run(path) as run:
        looks = run.snapshot_table.merge(run.table[["day", *DAILY]], on="day", how="left")
        since = pd.cut(run.table["day"], looks["day"], labels=looks["day"].iloc[1:])
        ac_f = run.table["ac_f_per_year"].groupby(since, observed=True).mean()
        looks["ac_f_per_year"] = looks["day"].map(ac_f).astype(float)
        if not full:
            return looks
        for prefix, closed in (("", False), ("closed_", True)):
            panel = measure(run, closed=closed).pivot(
                index="day", columns="measure", values="value"
            )
            for name in FULL:
                looks[f"{prefix}{name}"] = panel.loc[looks["day"], name].to_numpy()
    return looks


def main() -> None:
    """Replace the rows of the studies given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    place = HERE / "looks.csv"
    kept = pd.read_csv(place) if place.exists() else pd.DataFrame({"study": []})
    for folder in parser.parse_args().folders:
        study, found = folder.name, []
        for point in Folder(folder).points().to_dict("records"):
            path = folder / "runs" / f"{point['point']}.vtkhdf"
            if not path.exists():
                continue
            head = {"study": study, **{key: point.get(key) for key in KEYS}, "seed": point["seed"]}
            looks = looks_of(path, study in WITH_FULL)
            found.append(pd.DataFrame(head, index=looks.index).join(looks))
            print(path, flush=True)
        kept = pd.concat([kept[kept["study"] != study], *found], ignore_index=True)
        kept.to_csv(place, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
