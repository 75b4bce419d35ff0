"""Measures finished sweeps: breaks.csv (every break of every run), looks.csv (structure at each snapshot).

    python measure.py sweep library

Closed bone is measured: every open cavity filled again, so that what is lost is structure. Nothing is
simulated here.
"""

import argparse
import math
from pathlib import Path

import pandas as pd

from bonesim import measure, open_run
from bonesim.sweeps import Folder

HERE = Path(__file__).parent
#: Of the full panel of closed bone.
PANEL = ("bvtv_percent", "tb_th_um", "tb_n_per_mm", "tb_n_volume_per_mm", "tb_n_ridges_per_mm",
         "tb_n_sections_per_mm", "conn_d_per_mm3", "smi", "plate_share_percent", "nodes_per_mm3",
         "windows_under_120_um_per_mm3", "windows_under_300_um_per_mm3")  # fmt: skip
#: As a high-resolution peripheral scanner sees the bone as it is.
SCANNED = ("bvtv_percent", "tb_n_per_mm", "tb_n_volume_per_mm", "tb_n_ridges_per_mm")
#: Of the daily table.
DAILY = ("bmus_born", "apparent_modulus_z_mpa", "failure_load_n", "bstv_per_mm")


def looks_of(path: Path) -> pd.DataFrame:
    """One row per snapshot."""
    with open_run(path) as run:
        daily = run.table.set_index("day").loc[run.snapshot_days, list(DAILY)].reset_index()
        daily["volume_mm3"] = math.prod(run.shape) * (run.voxel_um / 1000.0) ** 3
        closed = measure(run, closed=True).pivot(index="day", columns="measure", values="value")
        seen = measure(run, scanner="hr_pqct_61").pivot(
            index="day", columns="measure", values="value"
        )
    for name in PANEL:
        daily[name] = closed[name].to_numpy()
    for name in SCANNED:
        daily[f"seen_{name}"] = seen[name].to_numpy()
    return daily


def breaks_of(path: Path) -> pd.DataFrame:
    """One row per break."""
    with open_run(path) as run:
        return run.breaks.drop(columns="id").assign(file=path.name)


def main() -> None:
    """Add what is new to both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    tables: dict[str, list[pd.DataFrame]] = {"looks": [], "breaks": []}
    for folder in parser.parse_args().folders:
        points = Folder(folder).points()
        for point in points.to_dict("records"):
            path = folder / "runs" / f"{point['point']}.vtkhdf"
            if not path.exists():
                continue
            head = {n: point[n] for n in ("bone", "e2_pg_per_ml", "seed")}
            tables["looks"].append(looks_of(path).assign(**head))
            tables["breaks"].append(breaks_of(path).assign(**head))
            print(path, flush=True)
    for name, found in tables.items():
        pd.concat(found).to_csv(HERE / f"{name}.csv", index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
