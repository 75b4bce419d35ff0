"""Measures finished sweeps: looks.csv, one row per run and snapshot.

    python measure.py health sources burn_in suppressed

Folders are named as the studies here. What is measured already stays; a folder given again is measured
again. Nothing is simulated here.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bonesim import Run, measure, open_run
from bonesim.morphometry import closed_lattice, fabric, surface_mesh
from bonesim.sweeps import Folder

HERE = Path(__file__).parent
#: Columns that distinguish the runs of a study, of all studies.
KEYS = ("bone", "source", "burn_in_day", "e2_pg_per_ml")
#: Of the daily table.
DAILY = ("es_bs_percent", "os_bs_percent", "arrested_bs_percent", "strain_mean",
         "closed_eroded_mm3", "closed_formed_mm3", "apparent_modulus_z_mpa")  # fmt: skip
#: Studies whose anisotropy and closed panel are measured too.
FULL = ("health", "suppressed")
#: Of the quick panel of closed bone.
CLOSED = ("tb_th_smooth_um", "conn_d_per_mm3", "conn_d_unfiltered_per_mm3")


def looks_of(path: Path, full: bool) -> pd.DataFrame:
    """One row per snapshot; Ac.f is the mean of the days since the snapshot before."""
    with open_run(path) as run:
        looks = run.snapshot_table.merge(run.table[["day", *DAILY]], on="day", how="left")
        since = pd.cut(run.table["day"], looks["day"], labels=looks["day"].iloc[1:])
        ac_f = run.table["ac_f_per_year"].groupby(since, observed=True).mean()
        looks["ac_f_per_year"] = looks["day"].map(ac_f).astype(float)
        if full:
            more = [closed_and_da(run, int(day)) for day in looks["day"]]
            looks = looks.join(pd.DataFrame(more, index=looks.index))
    return looks


def closed_and_da(run: Run, day: int) -> dict[str, float]:
    """DA of bone as it is and closed, and the quick panel of closed bone."""
    quanta = run.quanta(day)
    closed = closed_lattice(quanta, run.field("stock", day))
    panel = measure(closed, run.voxel_um, quick=True, quanta=True)
    return {
        "da": anisotropy(quanta), "closed_da": anisotropy(closed),
        **{f"closed_{name}": panel[name].value for name in CLOSED},
    }  # fmt: skip


def anisotropy(quanta: NDArray[np.uint8]) -> float:
    """DA of all but a rim of two voxels, as the panel has it."""
    inside = np.zeros(quanta.shape, bool)
    inside[2:-2, 2:-2, 2:-2] = True
    return float(fabric(surface_mesh(quanta, inside)).anisotropy)


def is_complete(path: Path) -> bool:
    """Whether a run has reached its end."""
    with open_run(path) as run:
        return run.status == "complete"


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
            if not path.exists() or not is_complete(path):
                continue
            head = {"study": study, **{key: point.get(key) for key in KEYS}, "seed": point["seed"]}
            looks = looks_of(path, study in FULL)
            found.append(pd.DataFrame(head, index=looks.index).join(looks))
            print(path, flush=True)
        kept = pd.concat([kept[kept["study"] != study], *found], ignore_index=True)
        kept["seed"] = kept["seed"].astype(
            "int64"
        )  # a seed has more digits than a float is written with
        kept.to_csv(place, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
