"""Modelling: bone formed on quiescent surface that strains more than it is used to.

    starts      rate max(0, u - 1)^2 per true area of quiescent surface
    thickness   a few um on a patch, by a team that comes of the lining cells themselves: nothing is
                drawn from the pool

The law is assumed. It begins at 1 and not at 1.5 (guide M6): a fifth more load must be able to
add bone in months (Watson 2018), while u of healthy bone scatters by a tenth and must form next to
nothing (2-5 % of forming surface). Deposits never join two surfaces (`apposition.grant`).

A site of modelling is one of `cavity` without a BMU and without stock: all it forms is granted.
Sources: guide M6, M10.
"""

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from bonesim.cells.apposition import grant
from bonesim.cells.bmu import area_weight, candidate_voxel
from bonesim.cells.bmu_parameters import BmuNumbers, BmuParameters
from bonesim.cells.cavity import AREA_MODELLED, Cavities, CavityTables
from bonesim.cells.column import axis_distance2, inward_normal, is_old_surface, set_feet
from bonesim.cells.osteoblast import Osteoblasts, settle_team
from bonesim.cells.osteoblast_parameters import OsteoblastColumns, OsteoblastParameters
from bonesim.cells.population import free_row, identity
from bonesim.cells.site import begin_modelling, open_site
from bonesim.cells.territory import take_patch
from bonesim.cells.world import World, world_of
from bonesim.chance import MODELLING_PLACE, MODELLING_START, uniform
from bonesim.kernel import lean_kernel
from bonesim.lattice.arrays import Lattice
from bonesim.lattice.indices import Row, Site
from bonesim.lattice.ledger import INTERIOR
from bonesim.lattice.tissue import Tissue
from bonesim.parameters import Parameters, numbers_of
from bonesim.signals.fields import Fields, strain_in
from bonesim.units import DAYS_PER_YEAR


class ModellingParameters(Parameters):
    """Where formation starts without resorption, and how much it forms."""

    start_per_mm2_per_year: Annotated[
        float,
        Field(ge=0, le=1000, description="starts at (u-1)^2 = 1; calibrated to training; 0: off"),
    ] = 60.0
    most_per_mm2_per_year: Annotated[
        float, Field(gt=0, le=1000, description="starts at most, whatever u; assumed")
    ] = 50.0
    thickness_um: Annotated[
        float, Field(gt=0, le=10, description="bone a team puts on quiescent surface; assumed")
    ] = 8.0
    radius_um: Annotated[
        float, Field(gt=0, le=200, description="radius of the patch of one team; assumed")
    ] = 60.0


@lean_kernel
def start(
    world: World,
    cells: OsteoblastColumns,
    bmu_numbers: BmuParameters,
    numbers: OsteoblastParameters,
    modelling: tuple[float, float, float],
    candidates: int,
) -> int:
    """Patches on which teams start to model on one day. Returns how many started.

    `modelling` is (starts per mm2 and year at (u - 1)^2 = 1, most starts, thickness). As BMUs are
    born, each of `candidates` places is accepted with the chance that makes the rate.

    Args:
        modelling: starts per mm2 and year at (u - 1)^2 = 1, most starts, thickness in um.
        candidates: how many places are proposed.

    Writes:
        world, cells
    """
    lattice, fields, cavities = world.lattice, world.fields, world.cavities
    seed, day = world.seed, world.day
    shape = lattice.shape
    per_square, most, thickness_um = modelling
    area = lattice.voxel_um * lattice.voxel_um
    volume = (shape[0] - 2) * (shape[1] - 2) * (shape[2] - 2)
    sites = cavities.sites
    started = 0
    for k in range(candidates):
        voxel = candidate_voxel(k, seed, day, MODELLING_PLACE, shape)
        if lattice.surface_slot[voxel] < 0 or lattice.region[voxel] != INTERIOR:
            continue
        if lattice.owner[voxel] >= 0:
            continue
        strained = max(0.0, strain_in(fields, voxel, shape) - 1.0)
        if strained == 0.0:
            continue
        nz, ny, nx = inward_normal(lattice, cavities, voxel, bmu_numbers.normal_radius_voxel)
        if not is_old_surface(lattice, voxel, nz, ny, nx):
            continue
        rate = min(per_square * strained * strained, most) / DAYS_PER_YEAR * area * 1e-6
        chance = rate * area_weight(lattice, voxel, nz, ny, nx) * volume / candidates
        if uniform(seed, day, voxel, MODELLING_START) >= chance:
            continue
        who = identity(voxel, day, 0)
        site = open_site(sites, who, Row(-1), who, voxel, (nz, ny, nx))
        if site < 0:
            continue
        begin_modelling(sites, site, day)
        sites.area_um2[site], _ = take_patch(lattice, cavities, site, voxel, bmu_numbers)
        if sites.area_um2[site] <= 0.0:
            free_row(sites, site)
            continue
        set_feet(lattice, cavities, site)
        thin_out(lattice, cavities, site, thickness_um, bmu_numbers.territory_radius_um)
        grant(lattice, cavities, site)
        sites.wall_um[site] = thickness_um
        sites.open_um[site] = 0.0
        sites.film_um[site] = 0.0
        cavities.tally[AREA_MODELLED] += sites.area_um2[site]
        settle_team(cavities, cells, site, numbers, seed, day)
        started += 1
    return started


@lean_kernel
def thin_out(
    lattice: Lattice, cavities: Cavities, site: Site, thickness_um: float, radius_um: float
) -> None:
    """Plan the bone of a patch: twice its mean thickness in the middle, none at its edge.

    Args:
        thickness_um: mean thickness of the patch, um.
        radius_um: of the patch, um.

    Writes:
        cavities
    """
    sites, records = cavities.sites, cavities.records
    nz, ny, nx = sites.nz[site], sites.ny[site], sites.nx[site]
    record = sites.first[site]
    while record >= 0:
        off = axis_distance2(lattice, records.voxel[record], sites.voxel[site], nz, ny, nx)
        inside = max(1.0 - off * (lattice.voxel_um / radius_um) ** 2, 0.0)
        records.film_um[record] = -2.0 * thickness_um * inside
        record = records.next[record]
    sites.film_um[site] = -2.0 * thickness_um


class Modelling:
    """Formation without resorption in one specimen."""

    def __init__(self, parameters: ModellingParameters, bmu_parameters: BmuParameters) -> None:
        self.parameters = parameters
        patch = bmu_parameters.model_copy(update={"territory_radius_um": parameters.radius_um})
        self.bmu_numbers = numbers_of(patch, BmuNumbers)

    def candidates(self, tissue: Tissue) -> int:
        """Places proposed a day: enough that no acceptance chance exceeds 1."""
        p = self.parameters
        most = p.most_per_mm2_per_year / DAYS_PER_YEAR * tissue.voxel_um**2 * 1e-6
        return int(np.ceil(float(np.prod(tissue.shape)) * most * np.sqrt(12.0))) + 1

    def start(
        self, tissue: Tissue, fields: Fields, cavities: CavityTables, teams: Osteoblasts,
        seed: int, day: int,
    ) -> None:  # fmt: skip
        """Start today's teams on strained quiescent surface."""
        p = self.parameters
        if p.start_per_mm2_per_year == 0.0:
            return
        cavities.make_room()
        teams.rows.make_room(65536 + len(teams))
        columns: Any = teams.rows.columns
        start(
            world_of(tissue, fields, cavities, seed, day),
            columns,
            self.bmu_numbers,
            teams.numbers,
            (p.start_per_mm2_per_year, p.most_per_mm2_per_year, p.thickness_um),
            self.candidates(tissue),
        )
