"""The synthetic bones beside donors, from synthetic.csv and donors.csv: the tables of README.md."""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
#: PMC3352993, nine elderly donors: mean and SD.
A9 = {
    "bvtv_percent": (6.75, 2.45), "tb_th_um": (132.0, 22.0), "tb_sp_um": (1020.0, 217.0),
    "bstv_per_mm": (1.77, 0.50), "conn_d_per_mm3": (4.84, 2.26),
}  # fmt: skip
#: Twelve BoneBox cubes of 3.2 mm with BV/TV 9 to 15 %: mean and SD.
TWELVE = {
    "bvtv_percent": (12.1, 2.0), "tb_th_um": (173.0, 36.0), "tb_sp_um": (1155.0, 250.0),
    "bstv_per_mm": (2.15, 0.37), "conn_d_per_mm3": (2.45, 0.72), "smi": (1.47, 0.34),
    "da": (1.42, 0.15), "plate_share_percent": (53.0, 13.0), "nodes_per_mm3": (3.7, 1.0),
    "free_ends_per_mm3": (0.30, 0.09),
}  # fmt: skip
SHAPE = ("smi", "da", "plate_share_percent", "nodes_per_mm3", "free_ends_per_mm3")
#: Cubes with more bone than this are left out of the relation: two with a dense, thick corner.
MOST_BVTV_PERCENT = 18.0


def relation(donors: pd.DataFrame, measure: str) -> tuple[float, float, float, int]:
    """Value at BV/TV 10 %, slope per unit of ln BV/TV, SD of what is left, cubes: least squares."""
    some = donors[donors["bvtv_percent"] < MOST_BVTV_PERCENT]
    x, y = np.log(some["bvtv_percent"] / 10.0), some[measure]
    slope, at_10 = np.polyfit(x, y, 1)
    left = float(np.sqrt(((y - at_10 - slope * x) ** 2).sum() / (len(y) - 2)))
    return float(at_10), float(slope), left, len(some)


def expected(donors: pd.DataFrame, bvtv_percent: float) -> dict[str, tuple[float, float]]:
    """Shape that donors with this BV/TV have: mean and SD."""
    found = {}
    for measure in SHAPE:
        at_10, slope, left, _ = relation(donors, measure)
        found[measure] = (at_10 + slope * float(np.log(bvtv_percent / 10.0)), left)
    return found


def compared(bones: pd.DataFrame, bands: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Mean and SD over seeds beside the donors', and how many of their SDs lie between."""
    rows = []
    for measure, (mean, sd) in bands.items():
        found = float(bones[measure].mean())
        rows.append({
            "measure": measure, "donors": mean, "donors_sd": sd, "synthetic": found,
            "synthetic_sd": float(bones[measure].std()), "off_sd": (found - mean) / sd,
        })  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    """Print the relation to BV/TV and each preset's table."""
    donors, bones = pd.read_csv(HERE / "donors.csv"), pd.read_csv(HERE / "synthetic.csv")
    for measure in SHAPE:
        at_10, slope, left, cubes = relation(donors, measure)
        print(f"{measure}: {at_10:.3g} {slope:+.3g} ln(BV/TV / 10 %), SD {left:.3g}, {cubes} cubes")
    for preset, ruled in (("elderly_vertebra", A9), ("young_vertebra", TWELVE)):
        own = bones[bones["bone"] == preset]
        bvtv = float(own["bvtv_percent"].mean())
        at = {f"{name}": band for name, band in expected(donors, bvtv).items()}
        variation = float((own["tb_th_sd_um"] / own["tb_th_um"]).mean())
        print(f"\n{preset}, {len(own)} seeds; Tb.Th.SD/Tb.Th {variation:.2f}")
        for title, bands in (("donors", ruled), (f"relation at BV/TV {bvtv:.1f} %", at)):
            print(title)
            print(compared(own, bands).to_string(index=False, float_format=lambda x: f"{x:.2f}"))


if __name__ == "__main__":
    main()
