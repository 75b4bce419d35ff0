"""Bone that the program has simulated: made, packed, and read again.

    python benchmarks/living_bone.py --out benchmarks/living

Real turnover leaves bone that is harder to solve than any synthetic block: thin, pitted, partly
unmineralised. So the mechanics is measured on it. Each block is one of `configs/suppression_small.toml`
(2.5 mm, elderly) after its burn-in, as mechanics sees it: elements of two voxels. Those kept were made at
commit 667ea99; whatever changes results makes other bone of the same kind.

    healthy       at the end of the burn-in, before the suppression
    suppressed    on days 300 and 330 of the suppression: the second is solved warm from the first
"""

import argparse
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "configs" / "suppression_small.toml"
FOLDER = Path(__file__).with_name("living")
#: Block -> days on which it is kept.
BLOCKS = {"healthy": (0,), "suppressed": (300, 330)}
#: Moduli are kept in steps of this share of that of full bone.
STEPS = 65535


class Living(NamedTuple):
    """One block: weight (z, y, x) of each element (modulus x edge, N/mm) on each day kept, edge in mm."""

    weights: list[np.ndarray]
    edge_mm: float


def simulated(
    days: tuple[int, ...], suppressed: bool = True, seed: int | None = None, **specimen: Any
) -> Living:
    """Simulate a block until each of `days` after its burn-in; `specimen` changes that of the config.

    Without `suppressed` hormones stay as they were in the burn-in.
    """
    from bonesim.config.config import validated
    from bonesim.engine.burn_in import equilibrated
    from bonesim.engine.days import advance
    from bonesim.mechanics.bone import elements_of
    from bonesim.specimens import make_specimen

    settings = tomllib.loads(CONFIG.read_text())
    settings["specimen"] |= specimen
    settings["schedule"] = {"duration_day": max(1, *days), "snapshots_day": [0]}
    if seed is not None:
        settings["seed"] = seed
    if not suppressed:
        settings["hormones"]["course"]["steps"] = []
    config = validated(settings, CONFIG.name)
    material = config.mechanics
    simulation, _ = equilibrated(config, make_specimen(config.specimen))
    edge = 0.0
    weights = []
    for day in days:
        advance(simulation, day)
        tissue = simulation.tissue
        edge = 1e-3 * tissue.voxel_um * material.voxels_per_element
        quanta = tissue.inner(tissue.lattice.quanta)
        _, modulus = elements_of(quanta, tissue.mineral_image(simulation.day), material)
        weights.append(modulus * np.float32(edge))
    return Living(weights, edge)


def pack(block: Living, path: Path) -> None:
    """Write a block: where bone is, in bits; moduli in steps."""
    top = max(float(weight.max()) for weight in block.weights)
    solid = np.stack(block.weights) > 0.0
    values = np.stack(block.weights)[solid]
    np.savez_compressed(
        path, shape=solid.shape, solid=np.packbits(solid), top=top, edge_mm=block.edge_mm,
        steps=np.maximum(np.rint(values / top * STEPS), 1.0).astype(np.uint16),
    )  # fmt: skip


def living(name: str) -> Living:
    """A block of `BLOCKS`."""
    with np.load(FOLDER / f"{name}.npz") as stored:
        shape = tuple(stored["shape"])
        solid = np.unpackbits(stored["solid"])[: np.prod(shape)].reshape(shape).astype(bool)
        weights = np.zeros(shape, np.float32)
        weights[solid] = stored["steps"] * np.float32(stored["top"] / STEPS)
        return Living(list(weights), float(stored["edge_mm"]))


def main() -> None:
    """Make the blocks and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, days in BLOCKS.items():
        pack(simulated(days), out / f"{name}.npz")


if __name__ == "__main__":
    main()
