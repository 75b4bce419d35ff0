"""Strain energy of the bone under its habitual load, for a picture with a colour bar.

A run file has no energies. They are solved here from bone and mineral of a snapshot, with the run's
parameters.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from bonesim.config.explain import explain
from bonesim.config.renamed import translated
from bonesim.errors import InputError
from bonesim.mechanics.habitual import Habitual
from bonesim.mechanics.loading import MechanicsParameters
from bonesim.storage.reader import Run
from bonesim.viewer import palette
from bonesim.viewer.surface import RGB, Block

if TYPE_CHECKING:
    from matplotlib.colors import LogNorm

#: Quantiles of the bone's energies at the ends of the colour scale. Without them a few elements at
#: cut faces, and free ends without load, would take most of the scale.
RANGE = (0.1, 0.98)
#: Greatest span of the colour scale, decades of energy below its upper end.
MAX_DECADES = 3.0


class Strained(NamedTuple):
    """Strain energy density of each element (z, y, x), MPa, 0 without bone; edge, mm.

    `modulus_mpa` is the apparent one along z; NaN if no bone joins those faces.
    """

    energy: NDArray[np.float32]
    edge_mm: float
    modulus_mpa: float

    def text(self) -> str:
        """The stiffness of the block, as text."""
        if np.isnan(self.modulus_mpa):
            return "carries nothing along z"
        return f"stiffness along z {self.modulus_mpa:.3g} MPa"


def parameters_of(run: Run) -> MechanicsParameters:
    """The run's mechanics; defaults for parameters that its configuration does not have.

    Raises:
        InputError: it has parameters that this version of bonesim does not know.
    """
    try:
        return MechanicsParameters.model_validate(translated(run.config).get("mechanics", {}))
    except ValidationError as error:
        where = f"{run.path}: [mechanics]"
        raise InputError(explain(error, where, MechanicsParameters)) from None


def strained(run: Run, day: int) -> Strained:
    """Bone of a snapshot under the habitual load.

    Raises:
        NumericalError: it does not converge.
    """
    habitual = Habitual(parameters_of(run), run.shape, run.voxel_um)
    habitual.solve(run.quanta(day), run.field("mineral", day), day)
    modulus = habitual.results["apparent_modulus_z_mpa"]
    return Strained(habitual.energy, habitual.edge_mm, modulus)


def scale_of(snapshots: list[Strained]) -> "LogNorm":
    """One scale of colours for all snapshots.

    Raises:
        InputError: none carries load.
    """
    from matplotlib.colors import LogNorm

    energies = np.concatenate([s.energy[s.energy > 0.0] for s in snapshots])
    if energies.size == 0:
        raise InputError(
            "'sed' needs bone under load, but no bone joins two opposite faces; take another colour",
            parameter="colour",
        )
    low, high = np.quantile(energies, RANGE)
    return LogNorm(max(float(low), float(high) * 10.0**-MAX_DECADES), float(high), clip=True)


def paint_energy(block: Block, bone: Strained, scale: "LogNorm") -> None:
    """Colour each point of the surface by the energy of the elements beside it; adds `RGB`.

    Energies are averaged as logarithms over elements with energy, so that marrow does not dilute them.
    """
    from matplotlib import colormaps
    from scipy.ndimage import map_coordinates

    has = bone.energy > 0.0
    logs = np.where(has, np.log(np.where(has, bone.energy, 1.0)), 0.0)
    places = (np.asarray(block.surface.points) / bone.edge_mm - 0.5).T[::-1]
    weight = map_coordinates(has.astype(np.float32), places, order=1, mode="nearest")
    total = map_coordinates(logs, places, order=1, mode="nearest")
    least = np.full_like(total, np.log(bone.energy[has].min() if has.any() else 1.0))
    mean = np.divide(total, weight, out=least, where=weight > 0.0)
    shade = np.asarray(colormaps[palette.NUMBER_MAP](scale(np.exp(mean))))
    block.surface.point_data[RGB] = (255 * shade[:, :3]).astype(np.uint8)


def load_text(p: MechanicsParameters) -> str:
    """The habitual load, for a title."""
    shares = np.array([p.share_z, p.share_y, p.share_x])
    stresses = p.habitual_stress_mpa * shares / max(float(shares.max()), 1e-12)
    z, y, x = (f"{stress:.2g}" for stress in stresses)
    return (
        f"strain energy density under the habitual load: {z} MPa along z, {y} along y, {x} along x"
    )
