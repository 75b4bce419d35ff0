"""Measures of twenty synthetic bones of each preset, and of real cubes, by bonesim's own panel.

    python measure.py                      synthetic.csv: 4 mm at 20 um, seeds 1 to 20
    python measure.py --donors bonebox     donors.csv: two cubes of 3.2 mm of each donor's NRRD

A file that is there already is gone on with, bone by bone.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from bonesim.morphometry import measure
from bonesim.specimens import ScanParameters, Specimen, SyntheticParameters, make_specimen

HERE = Path(__file__).parent
SEEDS = range(1, 21)
PRESETS = ("elderly_vertebra", "young_vertebra")
#: Voxels of 50 um: the middle 3.2 mm, and as much near one corner.
CUBES = {"centre": (68, 132) * 3, "corner": (4, 68) * 3}


def synthetic() -> Iterator[tuple[str, int | str, SyntheticParameters]]:
    """Preset, seed, and the bone's parameters."""
    for seed in SEEDS:
        for preset in PRESETS:
            yield preset, seed, SyntheticParameters(preset=preset, seed=seed)


def donors(folder: Path) -> Iterator[tuple[str, int | str, ScanParameters]]:
    """Donor, cube, and how it is read: segmented as published, resampled to 20 um."""
    for path in sorted(folder.glob("*.nrrd")):
        for cube, crop in CUBES.items():
            yield path.stem, cube, ScanParameters(
                path=str(path), voxel_um=50.0, threshold=127.5, crop_voxel=crop, resample_um=20.0
            )  # fmt: skip


def row_of(bone: str, number: int | str, specimen: Specimen) -> dict[str, float | int | str]:
    """One line of the table."""
    panel = measure(specimen.quanta, specimen.voxel_um)
    return {"bone": bone, "number": number} | {name: one.value for name, one in panel.items()}


def main() -> None:
    """Measure what is not in the file yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--donors", type=Path, help="folder with the BoneBox NRRD files")
    folder = parser.parse_args().donors
    path = HERE / ("synthetic.csv" if folder is None else "donors.csv")
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    there = {(row["bone"], str(row["number"])) for row in rows}
    wanted: Iterator[tuple[str, int | str, SyntheticParameters | ScanParameters]]
    wanted = synthetic() if folder is None else donors(folder)
    for bone, number, parameters in wanted:
        if (bone, str(number)) in there:
            continue
        rows.append(row_of(bone, number, make_specimen(parameters)))
        pd.DataFrame(rows).to_csv(path, index=False, float_format="%.6g")
        print(bone, number, flush=True)


if __name__ == "__main__":
    main()
