"""What each messenger is: who releases it, how far it reaches, and how bone's cells hear it.

    RANKL       viable and dying osteocytes, lining cells
    OPG         lining cells, osteocytes
    sclerostin  viable osteocytes
    coupling    what resorption released and has not been used: eroded sites until formation starts
    death       osteocytes that died lately
    lining      quiescent surface
    strain      u: what living osteocytes around feel over what each is used to; nearer ones count
                more; over the burn-in's mean, as all others: remodelling alone makes cells feel
                some percent more than they are used to on average, because a ratio that scatters has a
                mean above 1

RANK is occupied by RANKL in competition with OPG. Osteocyte RANKL is bound to membranes and comes
to the surface through dendrites: its reach stands for that of the dendrites. Fields spread alike
in bone and marrow. An osteocyte that feels u times its usual strain makes 2/(1 + u) of its
sclerostin, more RANKL below 1 and OPG by u (`said`). Left out: RANKL and OPG of osteoblasts at work
(their surface is a tenth), exchange with blood, latent and active TGF-beta. Source: mechanisms 3
(reaches are choices), 4, 5 and 6.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.fft import next_fast_len

from bonesim.lattice.tissue import Tissue
from bonesim.parameters import Parameters
from bonesim.signals.diffusion import Diffusion, Floats
from bonesim.signals.fields import WHOLE, Fields, read_voxels, release

#: The fields of `Fields` that are relative to health, in order.
MESSENGERS = ("rankl", "opg", "sclerostin", "coupling", "death", "lining")


#: Solves over which the burn-in's mean of a field is remembered.
SOLVES_REMEMBERED = 10
#: Surface of one osteocyte's bone, um2: 17,000 lacunae per mm3 in a plate of 130 um.
LINED_UM2_PER_OSTEOCYTE = 900.0
#: What cells feel and say is counted in this many parts: sums of whole numbers know no order.
FINE = 1024
#: A place is held to feel the usual strain as if this share of an osteocyte in a cube did.
NOBODY = 0.01
#: Bounds of what strain does to one osteocyte's OPG; assumed.
LEAST_OPG, MOST_OPG = 0.5, 2.0


class SignalParameters(Parameters):
    """Reach and sources of the messengers, and how finely they are computed."""

    grid_um: Annotated[
        float, Field(ge=10, le=500, description="edge of a cube of the fields; choice, see README")
    ] = 60.0
    interval_day: Annotated[
        int, Field(ge=1, le=365, description="days between solves; choice, see README")
    ] = 14
    rankl_reach_um: Annotated[
        float, Field(ge=0, le=2000, description="RANKL's reach; choice, 40-150 (mech. 3)")
    ] = 80.0
    opg_reach_um: Annotated[
        float, Field(ge=0, le=5000, description="OPG's reach; choice, 100-500 (mech. 3)")
    ] = 250.0
    sclerostin_reach_um: Annotated[
        float, Field(ge=0, le=2000, description="sclerostin's reach; choice, 40-100 (mech. 3)")
    ] = 60.0
    coupling_reach_um: Annotated[
        float, Field(ge=0, le=2000, description="coupling factors' reach; choice, 60 (mech. 3)")
    ] = 60.0
    lining_reach_um: Annotated[
        float, Field(ge=0, le=2000, description="shelter of lining cells; Kristensen 2013, 50-100")
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
        Field(ge=1, le=1000, description="days a dead osteocyte is noticed; assumed, 60-200"),
    ] = 120

    strain_reach_um: Annotated[
        float, Field(ge=0, le=2000, description="osteocytes feel for cells so far; 100, mech. 4")
    ] = 100.0
    sclerostin_strain_exponent: Annotated[
        float, Field(ge=0, le=4, description="sclerostin x (2/(1+u))^n; 1, mech. 4; 0: deaf")
    ] = 1.0
    rankl_disuse_gain: Annotated[
        float,
        Field(
            ge=0,
            le=5,
            description="osteocytes' RANKL x(1+g max(0,1-u)); calibrated to bed rest, .5 in mech. 10",
        ),
    ] = 1.75
    opg_strain_gain: Annotated[
        float, Field(ge=0, le=2, description="osteocytes' OPG x(1+g (u-1)), .5 to 2; assumed")
    ] = 0.3


class Sources(NamedTuple):
    """Where cells are on one day, as padded flat voxels; and where each field is heard in health.

    Attributes:
        living: living osteocytes.
        felt: what each of them feels at habitual load, of what it is used to.
        dying: osteocytes that died within `dying_day`.
        lining: quiescent surface.
        eroded: centres of eroded sites whose formation has not begun.
        held: what each of those still holds of coupling factors, whole quanta.
        reversal: centres of sites in reversal.
    """

    living: NDArray[np.int64]
    felt: NDArray[np.float32]
    dying: NDArray[np.int64]
    lining: NDArray[np.int64]
    eroded: NDArray[np.int64]
    held: NDArray[np.int64]
    reversal: NDArray[np.int64]


class Signals:
    """The fields of one specimen.

    Attributes:
        fields: what kernels read.
        health: what is 1 of each messenger: its mean, where it is heard, over the last solves of
            the burn-in; fixed from day 0 on.
        solves: how many solves `health` has seen.
        strain_heard: mean of `strain` on quiescent surface, at habitual load.
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
        self.strain_heard = 1.0
        self.spoken_level = 1.0
        self.health = np.zeros(len(MESSENGERS), np.float64)
        self.usual_strain = 0.0
        self.solves = 0

    def due(self, day: int) -> bool:
        """Whether the fields are to be solved anew today: in turn, or because load has changed."""
        changed = self.fields.load_level != self.spoken_level
        return self.solves == 0 or changed or day % self.parameters.interval_day == 0

    def today(self, rankl: float, opg: float, load: float) -> None:
        """What today's hormones and load make of the sources, relative to health."""
        p = self.parameters
        self.fields = self.fields._replace(
            rankl_level=float(rankl * p.rankl_production),
            opg_level=float(opg * p.opg_production),
            load_level=float(load),
        )

    def solve(self, sources: Sources, day: int) -> None:
        """Let the messengers spread from where cells are now; before day 0 learn what health is."""
        found = self._spread(sources)
        self.spoken_level = self.fields.load_level
        felt = self._felt(sources)
        felt_now = self._heard(felt, "strain", sources)
        if day <= 0 or self.solves == 0:
            self.solves += 1
            now = np.array([self._heard(found[name], name, sources) for name in MESSENGERS])
            share = 1.0 / min(self.solves, SOLVES_REMEMBERED)
            self.health += share * (now - self.health)
            self.usual_strain += share * (felt_now - self.usual_strain)
        usual = self.usual_strain if self.usual_strain > 0.0 else 1.0
        self.fields = self.fields._replace(strain=(felt / usual).astype(np.float32))
        self.strain_heard = felt_now / usual
        related: dict[str, Any] = {
            name: (found[name] / one if one > 0.0 else np.ones(self.cubes)).astype(np.float32)
            for name, one in zip(MESSENGERS, self.health, strict=True)
        }
        self.fields = self.fields._replace(**related)

    def _spread(self, sources: Sources) -> dict[str, Floats]:
        """Each messenger's concentration, any unit."""
        p = self.parameters
        dying, lining = (self._released(voxels) for voxels in (sources.dying, sources.lining))
        makers_rankl, makers_opg, makers_sclerostin = (
            self._released(sources.living, np.rint(FINE * one).astype(np.int64)) / FINE
            for one in self._said(self.fields.load_level * sources.felt)
        )
        # Counted so that in a plate as thick as a trabecula each releases its share.
        lined = lining * (self.voxel_um**2 / LINED_UM2_PER_OSTEOCYTE)
        osteocyte, other = p.rankl_osteocyte_share, 1.0 - p.rankl_osteocyte_share
        rankl = osteocyte * (makers_rankl + p.rankl_dying_gain * dying) + other * lined
        opg = p.opg_osteocyte_share * makers_opg + (1.0 - p.opg_osteocyte_share) * lined
        eroded = self._released(sources.eroded, sources.held)
        return {
            name: self.diffusion.concentration(source, reach)
            for name, source, reach in (
                ("rankl", rankl, p.rankl_reach_um),
                ("opg", opg, p.opg_reach_um),
                ("sclerostin", makers_sclerostin, p.sclerostin_reach_um),
                ("coupling", eroded, p.coupling_reach_um),
                ("death", dying, p.rankl_reach_um),
                ("lining", lining, p.lining_reach_um),
            )
        }

    def _said(self, u: Floats) -> tuple[Floats, Floats, Floats]:
        """RANKL, OPG and sclerostin of osteocytes that feel `u`, over those of the usual."""
        p = self.parameters
        return (
            1.0 + p.rankl_disuse_gain * np.maximum(0.0, 1.0 - u),
            np.clip(1.0 + p.opg_strain_gain * (u - 1.0), LEAST_OPG, MOST_OPG),
            (2.0 / (1.0 + u)) ** p.sclerostin_strain_exponent,
        )

    def _felt(self, sources: Sources) -> NDArray[np.float32]:
        """Mean of what living osteocytes around feel at habitual load; 1 where there is none."""
        reach = self.parameters.strain_reach_um
        amounts = np.rint(FINE * sources.felt).astype(np.int64)
        each = np.full(amounts.size, FINE, np.int64)
        felt, cells = (
            self.diffusion.concentration(self._released(sources.living, one), reach) / FINE
            for one in (amounts, each)
        )
        return np.asarray((felt + NOBODY) / (cells + NOBODY), np.float32)

    def _heard(self, field: Floats, name: str, sources: Sources) -> float:
        """A field's mean where cells listen to it."""
        listening = sources.reversal if name == "coupling" else sources.lining
        if not listening.size:
            return 0.0
        # Sorted: a sum must not depend on the order of the surface set.
        heard = read_voxels(field, self.fields, np.sort(listening), self.shape)
        return float(heard.mean())

    def _released(
        self, voxels: NDArray[np.int64], amounts: NDArray[np.int64] | None = None
    ) -> Floats:
        """The cosine transform of what is released at some voxels."""
        grid = np.zeros(self.cubes, np.int64)
        each = np.ones(voxels.size, np.int64) if amounts is None else amounts
        release(grid, voxels, each, self.shape, self.per_voxel)
        return self.diffusion.transformed((grid / WHOLE).astype(np.float32))

    # -- restart -------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything a restart needs."""
        return {
            "fields": {name: getattr(self.fields, name).copy() for name in MESSENGERS},
            "strain": self.fields.strain.copy(),
            "strain_heard": self.strain_heard,
            "spoken_level": self.spoken_level,
            "health": self.health.copy(),
            "usual_strain": self.usual_strain,
            "solves": self.solves,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put a `state` back."""
        self.health[:] = state["health"]
        self.usual_strain = float(state["usual_strain"])
        self.solves = int(state["solves"])
        self.strain_heard = float(state["strain_heard"])
        self.spoken_level = float(state["spoken_level"])
        kept: dict[str, Any] = {"strain": np.array(state["strain"])} | {
            name: np.array(state["fields"][name]) for name in MESSENGERS
        }
        self.fields = self.fields._replace(**kept)
