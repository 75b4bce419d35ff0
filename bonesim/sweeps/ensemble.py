"""One configuration over members of the posterior (`members`), and runs that split the spread."""

import hashlib
from functools import cache
from typing import Any, NamedTuple

import tomli_w

from bonesim.analysis.bands import BONE, CHANCE, MEMBER, TREATED, TWIN
from bonesim.config.config import Config, tree_of
from bonesim.config.inputs import digest_of
from bonesim.config.twin import is_treated, untreated_twin
from bonesim.errors import InputError
from bonesim.specimens.synthetic import SyntheticParameters
from bonesim.sweeps.members import members
from bonesim.sweeps.study import Point, burn_in_group, identity
from bonesim.sweeps.worker import Simulate, simulate_for


class Role(NamedTuple):
    """What a point is for, and its number within that."""

    name: str
    number: int
    changes: dict[str, Any]


class Ensemble:
    """A configuration over members of the posterior; it is `StudyLike`.

    Each member is one run on a bone and with random numbers of its own, beside its untreated twin if
    there is treatment. So that the spread can be split, the point defaults are simulated too: on
    `split` other bones, and `split` times on one bone with other random numbers.

    Args:
        config: what is simulated.
        count: members.
        split: runs of each kind for the split of the spread; 0: none.

    Raises:
        InputError: no such number of members; a split of one, which has no spread.
    """

    def __init__(self, config: Config, count: int, split: int) -> None:
        if split == 1 or split < 0:
            raise InputError(f"got {split}; allowed 0 (none) or 2 and more", parameter="split")
        self.config, self.members, self.split = config, members(count), split

    @property
    def title(self) -> str:
        """Its name: of one configuration, so that a folder never holds two."""
        text = tomli_w.dumps(tree_of(self.config))
        return f"posterior {hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def text(self) -> str:
        """Title, numbers and configuration, TOML."""
        return tomli_w.dumps(
            {"title": self.title, "posterior": len(self.members), "split": self.split,
             "run": tree_of(self.config)}
        )  # fmt: skip

    @property
    def keep_files(self) -> bool:
        """Only tables are kept."""
        return False

    @property
    def decompose(self) -> bool:
        """Losses are not decomposed."""
        return False

    @property
    def simulate(self) -> Simulate:
        """The function that returns a point's outcomes at its snapshots."""
        return simulate_for(False)

    def roles(self) -> list[Role]:
        """Every run but for its twin: members, other bones, other random numbers."""
        found = [
            Role(MEMBER, number, dict(member) | self._bone(number) | self._seed(number))
            for number, member in enumerate(self.members)
        ]
        first = len(self.members)
        found += [
            Role(BONE, k, self._bone(first + k) | self._seed(first + k)) for k in range(self.split)
        ]
        return found + [
            Role(CHANCE, k, self._bone(first) | self._seed(first + self.split + k))
            for k in range(self.split)
        ]

    def _bone(self, number: int) -> dict[str, Any]:
        """Another bone, of a synthetic one; of a scan there is one."""
        if not isinstance(self.config.specimen, SyntheticParameters):
            return {}
        return {"specimen.seed": self.config.specimen.seed + number}

    def _seed(self, number: int) -> dict[str, Any]:
        return {"seed": self.config.seed + number}

    @cache  # noqa: B019 (it exists as long as its command)
    def points(self) -> list[Point]:
        """Every run and its untreated twin."""
        found: list[Point] = []
        seen = dict[tuple[str, ...], str]()
        for row, role in enumerate(self.roles()):
            treated = self.config.with_changes(role.changes)
            arms = {TREATED: treated}
            if is_treated(treated):
                arms[TWIN] = untreated_twin(treated)
            for arm, config in arms.items():
                tree = tree_of(config)
                text, inputs = tomli_w.dumps(tree), digest_of(config, seen)
                columns = {"role": role.name, "number": role.number, "arm": arm}
                found.append(
                    Point(
                        identity(text, inputs), row, len(found) % len(arms), config.seed, columns,
                        text, burn_in_group(tree), inputs,
                    )
                )  # fmt: skip
        return found
