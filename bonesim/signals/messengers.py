"""What each messenger is: which cells release it, how far it reaches, and where it is sensed.

    RANKL       viable and dying osteocytes, lining cells
    OPG         lining cells, osteocytes
    sclerostin  viable osteocytes
    coupling    matrix factors released by resorption: eroded sites until formation starts
    death       osteocytes that died recently
    lining      quiescent surface
    strain      u: mean stimulus of the living osteocytes around; nearer ones count more

The stimulus of an osteocyte is its strain relative to its own set-point. Like the other fields, u is
relative to its mean in the burn-in. That mean is a few percent above 1: bone remodels after the
set-points were taken, and the mean of a ratio that scatters exceeds 1.

RANK is occupied by RANKL in competition with OPG. Osteocyte RANKL is membrane-bound and reaches the
surface through dendrites: its reach stands for the reach of the dendrites. Fields spread alike
in bone and marrow. An osteocyte at stimulus u secretes 2/(1 + u) of its baseline sclerostin, more
RANKL if u is below 1, and OPG that rises with u (`_secretion`). Left out: RANKL and OPG of active
osteoblasts (their surface is a tenth), exchange with blood, latent and active TGF-beta. Source:
guide M3 (reaches are choices), guide M4, M6.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.fft import next_fast_len

from bonesim.kernel import lean_kernel
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import Parameters
from bonesim.signals.diffusion import Diffusion, Floats
from bonesim.signals.fields import WHOLE, Fields, read_voxels, release

#: The fields of `Fields` that are relative to health, in order.
MESSENGERS = ("rankl", "opg", "sclerostin", "coupling", "death", "lining")
#: Where a messenger is sensed if not on quiescent surface.
SENSED_IN = {"coupling": "reversal"}


#: Solves over which the burn-in's mean of a field is remembered.
SOLVES_REMEMBERED = 10
#: Surface of one osteocyte's bone, um2: 17,000 lacunae per mm3 in a plate of 130 um.
LINED_UM2_PER_OSTEOCYTE = 900.0
#: Stimuli and secretion are counted in this many parts: sums of integers do not depend on order.
FINE = 1024
#: Weight of a stimulus of 1 in each cube, in osteocytes: it gives u = 1 where there are none.
BACKGROUND = 0.01
#: Places side by side of what is released, before and after `mix`.
LIVING, DYING, LINING, ERODED = slice(0, 5), slice(5, 6), slice(6, 7), slice(7, 8)
SPREAD = (*MESSENGERS, "stimulus", "cells")
STIMULUS, CELLS = 6, 7
#: Bounds of the effect of strain on the OPG of one osteocyte; assumed.
MIN_OPG, MAX_OPG = 0.5, 2.0


class SignalParameters(Parameters):
    """Reach and sources of the messengers, and how finely they are computed."""

    grid_um: Annotated[
        float,
        Field(
            ge=10, le=500, description="edge of a cube of the fields; choice, see guide decisions"
        ),
    ] = 60.0
    interval_day: Annotated[
        int, Field(ge=1, le=365, description="days between solves; choice, see guide decisions")
    ] = 14
    rankl_reach_um: Annotated[
        float, Field(ge=0, le=2000, description="RANKL's reach; choice, 40-150 (guide M3)")
    ] = 80.0
    opg_reach_um: Annotated[
        float, Field(ge=0, le=5000, description="OPG's reach; choice, 100-500 (guide M3)")
    ] = 250.0
    sclerostin_reach_um: Annotated[
        float, Field(ge=0, le=2000, description="sclerostin's reach; choice, 40-100 (guide M3)")
    ] = 60.0
    coupling_reach_um: Annotated[
        float, Field(ge=0, le=2000, description="coupling factors' reach; choice, 60 (guide M3)")
    ] = 60.0
    lining_reach_um: Annotated[
        float, Field(ge=0, le=2000, description="shelter of lining cells; 50-100, Kristensen 2013")
    ] = 50.0
    rankl_production: Annotated[
        float,
        Field(ge=0, le=20, description="RANKL released, over that of health; input, usually 1"),
    ] = 1.0
    opg_production: Annotated[
        float, Field(ge=0, le=20, description="OPG released, over that of health; input, usually 1")
    ] = 1.0
    rankl_osteocyte_share: Annotated[
        float,
        Field(ge=0, le=1, description="of healthy RANKL, the rest from lining; assumed, most"),
    ] = 0.7
    rankl_dying_gain: Annotated[
        float,
        Field(ge=0, le=50, description="RANKL of a dying osteocyte over a living one's; assumed"),
    ] = 3.0
    opg_osteocyte_share: Annotated[
        float, Field(ge=0, le=1, description="of healthy OPG, the rest from lining; assumed")
    ] = 0.5
    held_day: Annotated[
        float,
        Field(
            gt=0,
            le=1000,
            description="eroded matrix's coupling factors fall to 1/e; assumed, 30-200",
        ),
    ] = 90.0
    dying_day: Annotated[
        int,
        Field(ge=1, le=1000, description="days a dead osteocyte signals; assumed, 60-200"),
    ] = 120

    strain_reach_um: Annotated[
        float,
        Field(
            ge=0, le=2000, description="screening length of the strain signal; assumed (guide M4)"
        ),
    ] = 100.0
    sclerostin_strain_exponent: Annotated[
        float,
        Field(ge=0, le=4, description="sclerostin x (2/(1+u))^n; assumed (guide M4); 0: none"),
    ] = 1.0
    rankl_disuse_gain: Annotated[
        float,
        Field(
            ge=0,
            le=5,
            description="osteocytes' RANKL x(1+g max(0,1-u)); calibrated to bed rest; guide M4 has .5",
        ),
    ] = 1.75
    opg_strain_gain: Annotated[
        float, Field(ge=0, le=2, description="osteocytes' OPG x(1+g (u-1)), .5 to 2; assumed")
    ] = 0.3


class Shares(NamedTuple):
    """How much each kind of cell releases of a messenger, see `SignalParameters`."""

    rankl_osteocyte: float
    rankl_dying: float
    rankl_lining: float
    opg_osteocyte: float
    opg_lining: float
    lined: float  # surface voxels in those of an osteocyte


@lean_kernel
def mix(released: NDArray[np.float32], shares: Shares) -> None:
    """From what cells release to the sources of the messengers, in place, cube after cube.

    `released` (float32; cube, place) has RANKL, OPG, sclerostin, stimulus and number of the living
    (counted in 1/FINE), then dying, lining and eroded; afterwards the `SPREAD`, in order.

    Args:
        released: float32 (cube, place).

    Writes:
        released
    """
    one = np.float32  # all arithmetic is in single precision
    fine = one(FINE)
    for cube in range(released.shape[0]):
        rankl, opg = released[cube, 0] / fine, released[cube, 1] / fine
        sclerostin = released[cube, 2] / fine
        stimulus, cells = released[cube, 3], released[cube, 4]
        dying, lining, eroded = released[cube, 5], released[cube, 6], released[cube, 7]
        lined = lining * one(shares.lined)
        rankl = one(shares.rankl_osteocyte) * (rankl + one(shares.rankl_dying) * dying)
        released[cube, 0] = rankl + one(shares.rankl_lining) * lined
        released[cube, 1] = one(shares.opg_osteocyte) * opg + one(shares.opg_lining) * lined
        released[cube, 2] = sclerostin
        released[cube, 3] = eroded
        released[cube, 4] = dying
        released[cube, 5] = lining
        released[cube, 6] = stimulus
        released[cube, 7] = cells


@lean_kernel
def relate(
    fields: NDArray[np.float32], concentrations: NDArray[np.float32], health: NDArray[np.float64]
) -> None:
    """Write the first concentrations, each over what it is in health, to `fields`; 1 if that is 0.

    `concentrations` (z, y, x, messenger), `fields` (messenger, z, y, x), both float32.

    Args:
        fields: float32 (messenger, z, y, x).
        concentrations: float32 (z, y, x, messenger).
        health: float64 (messenger,), the concentration that counts as 1.

    Writes:
        fields
    """
    count, nz, ny, nx = fields.shape
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                for n in range(count):
                    ratio = np.float64(1.0)
                    if health[n] > 0.0:
                        ratio = np.float64(concentrations[z, y, x, n]) / health[n]
                    fields[n, z, y, x] = ratio


class Sources(NamedTuple):
    """Where cells are on one day, as padded flat voxels; fields are sensed at some of them.

    Those at which they are sensed are in storage order: a mean must not depend on their order.

    Attributes:
        living: living osteocytes.
        stimulus: strain of each of them at habitual load, relative to its set-point.
        dying: osteocytes that died within `dying_day`.
        lining: quiescent surface, in storage order.
        eroded: centres of eroded sites whose formation has not begun.
        held: coupling factors that each of those still holds, whole quanta.
        reversal: centres of sites in reversal, in storage order.
    """

    living: NDArray[np.int64]
    stimulus: NDArray[np.float32]
    dying: NDArray[np.int64]
    lining: NDArray[np.int64]
    eroded: NDArray[np.int64]
    held: NDArray[np.int64]
    reversal: NDArray[np.int64]


def _mean_stimulus(stimulus: Floats, cells: Floats) -> NDArray[np.float32]:
    """Mean stimulus of the living osteocytes around, at habitual load; 1 where there is none."""
    return np.asarray((stimulus / FINE + BACKGROUND) / (cells / FINE + BACKGROUND), np.float32)


class Signals:
    """The fields of one specimen.

    Attributes:
        fields: what kernels read.
        health: the concentration that counts as 1, for each messenger: its mean where it is
            sensed, over the last solves of the burn-in; fixed from day 0 on.
        solves: how many solves are in `health`.
        mean_surface_strain: mean of `strain` on quiescent surface, at habitual load.
        solved_load_level: load level at the last solve.
        baseline_strain: the mean strain that counts as 1; as `health`.
    """

    def __init__(self, parameters: SignalParameters, tissue: Tissue) -> None:
        self.parameters = parameters
        self.shape = tissue.padded_shape
        self.voxel_um = tissue.voxel_um
        extent = [n * tissue.voxel_um for n in tissue.shape]
        # Lengths with small prime factors: their transforms are quick.
        self.cubes = tuple(
            int(next_fast_len(max(1, round(e / parameters.grid_um)), real=True)) for e in extent
        )
        self.spacing_um = tuple(e / n for e, n in zip(extent, self.cubes, strict=True))
        self.per_voxel = tuple(
            n / voxels for n, voxels in zip(self.cubes, tissue.shape, strict=True)
        )
        self.diffusion = Diffusion(self.cubes, self.spacing_um)
        level = {name: np.ones(self.cubes, np.float32) for name in MESSENGERS}
        z, y, x = self.per_voxel
        self.fields = Fields(
            **level, cubes_per_voxel_z=z, cubes_per_voxel_y=y, cubes_per_voxel_x=x,
            strain=np.ones(self.cubes, np.float32),
            rankl_level=1.0, opg_level=1.0, load_level=1.0,
        )  # fmt: skip
        self.mean_surface_strain = 1.0
        self.solved_load_level = 1.0
        self.health = np.zeros(len(MESSENGERS), np.float64)
        self.baseline_strain = 0.0
        self.solves = 0

    def due(self, day: int) -> bool:
        """Whether the fields are to be solved today: the interval is over, or load has changed."""
        changed = self.fields.load_level != self.solved_load_level
        return self.solves == 0 or changed or day % self.parameters.interval_day == 0

    def today(self, rankl: float, opg: float, load: float) -> None:
        """Set today's multipliers of the sources by hormones and load, relative to health."""
        p = self.parameters
        self.fields = self.fields._replace(
            rankl_level=float(rankl * p.rankl_production),
            opg_level=float(opg * p.opg_production),
            load_level=float(load),
        )

    def solve(self, sources: Sources, day: int) -> None:
        """Solve all fields for today's sources; until day 0 also update `health`."""
        found = self._spread(sources)
        self.solved_load_level = self.fields.load_level
        strain = _mean_stimulus(found[..., STIMULUS], found[..., CELLS])
        surface_strain = self._mean_at(strain, sources.lining)
        if day <= 0 or self.solves == 0:
            self.solves += 1
            now = np.array(
                [self._mean_at(np.ascontiguousarray(found[..., n]),
                               getattr(sources, SENSED_IN.get(name, "lining")))
                 for n, name in enumerate(MESSENGERS)]
            )  # fmt: skip
            share = 1.0 / min(self.solves, SOLVES_REMEMBERED)
            self.health += share * (now - self.health)
            self.baseline_strain += share * (surface_strain - self.baseline_strain)
        baseline = self.baseline_strain if self.baseline_strain > 0.0 else 1.0
        self.mean_surface_strain = surface_strain / baseline
        related = np.empty((len(MESSENGERS), *self.cubes), np.float32)
        relate(related, found, self.health)
        self.fields = self.fields._replace(
            **dict(zip(MESSENGERS, related, strict=True)),
            strain=(strain / baseline).astype(np.float32),
        )

    def _spread(self, sources: Sources) -> Floats:
        """Concentrations of the `SPREAD` side by side (z, y, x, which), any unit."""
        p = self.parameters
        transformed = self.diffusion.transformed(self._released(sources))
        # Scaled so that in a plate as thick as a trabecula both cell types release their shares.
        lined = self.voxel_um**2 / LINED_UM2_PER_OSTEOCYTE
        mix(
            transformed.reshape(-1, len(SPREAD)),
            Shares(p.rankl_osteocyte_share, p.rankl_dying_gain, 1.0 - p.rankl_osteocyte_share,
                   p.opg_osteocyte_share, 1.0 - p.opg_osteocyte_share, lined),
        )  # fmt: skip
        reach_um = (
            p.rankl_reach_um, p.opg_reach_um, p.sclerostin_reach_um, p.coupling_reach_um,
            p.rankl_reach_um, p.lining_reach_um, p.strain_reach_um, p.strain_reach_um,
        )  # fmt: skip
        return self.diffusion.concentration(transformed, reach_um)

    def _released(self, sources: Sources) -> Floats:
        """What cells release into each cube, kind beside kind."""
        released = np.empty((*self.cubes, len(SPREAD)), np.float32)
        for kinds, voxels, amounts in (
            (LIVING, sources.living, self._of_living(sources.stimulus)),
            (DYING, sources.dying, np.ones((sources.dying.size, 1), np.int64)),
            (LINING, sources.lining, np.ones((sources.lining.size, 1), np.int64)),
            (ERODED, sources.eroded, sources.held[:, None]),
        ):
            grid = np.zeros((*self.cubes, amounts.shape[1]), np.int64)
            release(grid, voxels, amounts, self.shape, self.per_voxel)
            np.divide(grid, WHOLE, out=released[..., kinds], casting="same_kind")
        return released

    def _of_living(self, stimulus: NDArray[np.float32]) -> NDArray[np.int64]:
        """RANKL, OPG, sclerostin, stimulus and number of each living osteocyte, in 1/FINE."""
        each = np.ones(stimulus.size, np.float32)
        kinds = (*self._secretion(self.fields.load_level * stimulus), stimulus, each)
        amounts = np.empty((stimulus.size, len(kinds)), np.int64)
        for n, one in enumerate(kinds):
            amounts[:, n] = np.rint(FINE * one)
        return amounts

    def _secretion(self, u: Floats) -> tuple[Floats, Floats, Floats]:
        """RANKL, OPG and sclerostin of osteocytes at stimulus `u`, relative to u = 1."""
        p = self.parameters
        return (
            1.0 + p.rankl_disuse_gain * np.maximum(0.0, 1.0 - u),
            np.clip(1.0 + p.opg_strain_gain * (u - 1.0), MIN_OPG, MAX_OPG),
            (2.0 / (1.0 + u)) ** p.sclerostin_strain_exponent,
        )

    def _mean_at(self, field: Floats, voxels: NDArray[np.int64]) -> float:
        """Mean of a field over some places."""
        return (
            float(read_voxels(field, self.fields, voxels, self.shape).mean())
            if voxels.size
            else 0.0
        )

    # -- restart -------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything a restart needs."""
        return {
            "fields": {name: getattr(self.fields, name).copy() for name in MESSENGERS},
            "strain": self.fields.strain.copy(),
            "mean_surface_strain": self.mean_surface_strain,
            "solved_load_level": self.solved_load_level,
            "health": self.health.copy(),
            "baseline_strain": self.baseline_strain,
            "solves": self.solves,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put a `state` back."""
        self.health[:] = state["health"]
        self.baseline_strain = float(state["baseline_strain"])
        self.solves = int(state["solves"])
        self.mean_surface_strain = float(state["mean_surface_strain"])
        self.solved_load_level = float(state["solved_load_level"])
        kept: dict[str, Any] = {"strain": np.array(state["strain"])} | {
            name: np.array(state["fields"][name]) for name in MESSENGERS
        }
        self.fields = self.fields._replace(**kept)
