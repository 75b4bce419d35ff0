"""A drug: its kinetics, how it is given, and what it acts on. `drugs/` has one file for each.

class Denosumab(Drug):
    name = "denosumab"
    about = "antibody against RANKL; input"
    sources = "half-life 26 d: ..."
    regimen = InjectionRegimen
    absorption_per_day: Absorption = 0.2
    elimination_per_day: Elimination = 0.027
    clearance_l_per_day: Clearance = 0.2
    ec50_ng_per_ml: Annotated[float, Field(gt=0, description="half effect; assumed")] = 200.0

    def effects(self, level, taker):
        return {"rankl": level / (level + self.ec50_ng_per_ml)}
"""

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from bonesim.endocrine.kinetics import inhibition
from bonesim.endocrine.regimen import Regimen, TabletRegimen
from bonesim.endocrine.targets import RANGE, TARGETS, Values
from bonesim.errors import InputError
from bonesim.parameters import Parameters

#: Types of the numbers of kinetics. Every drug has them; but one that is released at a constant rate
#: (`Regimen.has_first_stage`) has no absorption.
Absorption = Annotated[float, Field(gt=0, le=1000, description="k1; default: the drug's")]
Elimination = Annotated[float, Field(gt=0, le=1000, description="k2; default: the drug's")]
Clearance = Annotated[float, Field(gt=0, le=1e5, description="CL; default: the drug's")]
Bioavailability = Annotated[
    float, Field(gt=0, le=1, description="F; 1 where CL is the apparent CL/F; default: the drug's")
]
ClearanceCv = Annotated[
    float, Field(ge=0, le=1, description="CV between persons, lognormal; assumed .2-.4")
]
#: Keys of the random draws of a drug without a number of its own are from here on.
HASHED_KEYS = 1 << 30


class Taker(NamedTuple):
    """Who takes a drug, and when: what an effect may depend on beside the level.

    Attributes:
        day: moments of the levels, in order, d since the end of the burn-in.
        ic50: the person's IC50 of aromatase inhibitors over the typical person's.
        inhibition_hill: steepness of the inhibition of aromatase.
        testis_ic50_ratio: IC50 in the testis, where its testosterone competes, over the periphery's.
    """

    day: Values
    ic50: float
    inhibition_hill: float
    testis_ic50_ratio: float


class Drug(Parameters):
    """Kinetics and strength of one drug; a subclass adds its own numbers and `effects`."""

    #: In a config: `protocol.<name>` and `hormones.drugs.<name>`.
    name: ClassVar[str]
    #: What it is, one line.
    about: ClassVar[str]
    #: Where its kinetics are from, one line.
    sources: ClassVar[str]
    #: How it is given.
    regimen: ClassVar[type[Regimen]] = TabletRegimen
    #: Whether a person's clearance changes the half-life; else only the level (release is slower).
    clearance_sets_half_life: ClassVar[bool] = True
    #: Key of its random draws; None: made from the name. Never to be changed.
    draw_key: ClassVar[int | None] = None
    #: Its parameters' paths in earlier versions -> their names here.
    former: ClassVar[Mapping[str, str]] = {}

    if TYPE_CHECKING:
        #: Of a drug that goes through a first stage; its class declares it.
        absorption_per_day: float
    elimination_per_day: Elimination
    clearance_l_per_day: Clearance
    bioavailability: Bioavailability = 1.0
    clearance_cv: ClearanceCv = 0.3

    def effects(self, level: Values, taker: Taker) -> Mapping[str, Values]:
        """What it does to its targets at each level (ng/mL); 0 where the level is 0.

        Args:
            level: in the blood, shape (n,).
            taker: moments of the levels, and the person.

        Returns:
            target (of `TARGETS`) -> numbers of shape (n,).
        """
        raise NotImplementedError

    def signal_of_held_receptors(self) -> float:
        """The signal of an estrogen receptor that it holds, 0..1: 0 unless it is an agonist."""
        return 0.0

    def kinetics(self, clearance: float = 1.0) -> tuple[float, float, float]:
        """k1 (1/d), k2 (1/d) and ng/mL per mg in the second stage.

        `clearance`: a person's, over the typical. Without absorption nothing is in the first stage, and
        any k1 will do.
        """
        absorbed = "absorption_per_day" in type(self).model_fields
        k1 = self.absorption_per_day if absorbed else self.elimination_per_day
        per_mg = 1000.0 * (
            self.bioavailability * self.elimination_per_day / self.clearance_l_per_day
        )
        if self.clearance_sets_half_life:
            return k1, self.elimination_per_day * clearance, per_mg
        return k1, self.elimination_per_day, per_mg * (1.0 / clearance)

    @classmethod
    def key(cls) -> int:
        """The constant that the drug's random draws are keyed by, whatever other drugs there are."""
        if cls.draw_key is not None:
            return cls.draw_key
        digest = hashlib.sha256(cls.name.encode()).digest()
        return HASHED_KEYS + int.from_bytes(digest[:4], "big") % HASHED_KEYS

    def checked_effects(self, level: Values, taker: Taker) -> dict[str, Values]:
        """`effects`, with only known targets and possible numbers.

        Raises:
            InputError: another target or shape, a number out of range, an effect without the drug.
        """
        found: dict[str, Values] = {}
        for target, given in self.effects(level, taker).items():
            where = f"drug {self.name}: effects: {target}"
            if target not in TARGETS:
                raise InputError(f"{where}: no such target; allowed {', '.join(TARGETS)}")
            values = np.asarray(given, np.float64)
            if values.shape != level.shape:
                raise InputError(
                    f"{where}: has shape {values.shape}; give one number for each level, "
                    f"{level.shape}"
                )
            low, high = RANGE[TARGETS[target].rule]
            if not np.all((values >= low) & (values <= high) & np.isfinite(values)):
                wrong = values[~((values >= low) & (values <= high))]
                raise InputError(
                    f"{where}: gives {wrong[0] if wrong.size else np.inf:g}; allowed {low:g} to {high:g}"
                )
            if level.size and level[0] == 0.0 and values[0] != 0.0:
                raise InputError(f"{where}: is {values[0]:g} without the drug; give 0 at level 0")
            found[target] = values
        return found


class Hormone(Drug):
    """A hormone that is given and adds to the person's own; release, not clearance, sets its half-life."""

    #: The target it is (of `TARGETS`).
    given: ClassVar[str]
    clearance_sets_half_life = False

    def effects(self, level: Values, taker: Taker) -> Mapping[str, Values]:
        """The level, given."""
        return {self.given: level}


class AromataseInhibitor(Drug):
    """A reversible inhibitor of aromatase: in the testis testosterone competes with it (guide M7.3)."""

    #: g/mol: amounts per litre to nmol/L.
    molar_mass: ClassVar[float]

    ic50_nmol_per_l: Annotated[
        float, Field(gt=0, le=1000, description="half inhibition in vivo; default: the drug's")
    ]
    max_inhibition: Annotated[
        float, Field(gt=0, le=1, description="maximal inhibition; default: the drug's")
    ]
    insensitive_share: Annotated[
        float,
        Field(ge=0, le=1, description="share of peripheral E2 not inhibited; default: the drug's"),
    ] = 0.0

    def effects(self, level: Values, taker: Taker) -> Mapping[str, Values]:
        """Inhibition in periphery and testis."""
        ic50_ng_per_ml = self.ic50_nmol_per_l * taker.ic50 * self.molar_mass / 1e3
        blocked = inhibition(level, ic50_ng_per_ml, self.max_inhibition, taker.inhibition_hill)
        in_testis = inhibition(
            level, ic50_ng_per_ml * taker.testis_ic50_ratio, self.max_inhibition,
            taker.inhibition_hill,
        )  # fmt: skip
        return {
            "aromatase_periphery": (1.0 - self.insensitive_share) * blocked,
            "aromatase_testis": in_testis,
        }


class PartialAgonist(Drug):
    """A drug that holds estrogen receptors of bone and gives them a signal of its own (guide M7.4)."""

    ec50_ng_per_ml: Annotated[
        float, Field(gt=0, le=1000, description="half occupancy; default: the drug's")
    ]
    receptor_signal: Annotated[
        float, Field(ge=0, le=1, description="signal of a held receptor; default: the drug's")
    ]

    def effects(self, level: Values, taker: Taker) -> Mapping[str, Values]:
        """Share of the receptors held."""
        return {"receptor": half_effect(level, self.ec50_ng_per_ml)}

    def signal_of_held_receptors(self) -> float:
        """Its `receptor_signal`."""
        return self.receptor_signal


def half_effect(level: Values, ec50_ng_per_ml: float) -> Values:
    """level / (level + EC50): the share of a target that a drug holds at equilibrium."""
    return level / (level + ec50_ng_per_ml)


def checked_drug(drug: type[Drug]) -> type[Drug]:
    """A drug's class, if it is complete.

    Raises:
        InputError: no name, no description, a number without default.
    """
    where = f"drug {drug.__name__}"
    for attribute in ("name", "about", "sources"):
        if not isinstance(getattr(drug, attribute, None), str):
            raise InputError(f'{where}: has no {attribute}; add a line {attribute} = "..."')
    if not re.fullmatch(r"[a-z][a-z0-9_]*", drug.name):
        raise InputError(f"{where}: got name {drug.name!r}; allowed a-z, 0-9 and _")
    if drug.effects is Drug.effects:
        raise InputError(f"{where}: has no effects; add a method effects(self, level, taker)")
    missing = [name for name, field in drug.model_fields.items() if field.is_required()]
    if missing:
        raise InputError(f"{where}: {missing[0]} has no default; give one")
    if not (isinstance(drug.regimen, type) and issubclass(drug.regimen, Regimen)):
        raise InputError(f"{where}: got regimen {drug.regimen!r}; give a subclass of Regimen")
    absorbed = "absorption_per_day" in drug.model_fields
    if drug.regimen.has_first_stage and not absorbed:
        raise InputError(f"{where}: has no absorption_per_day; give it with a default")
    if absorbed and not drug.regimen.has_first_stage:
        raise InputError(
            f"{where}: absorption_per_day acts nowhere, as its regimen releases at a constant rate; "
            "leave it out"
        )
    return drug
