"""Every parameter of the schema acts: moved, it changes something that can be seen.

What is seen: the daily table, images and events of a bone; the run file; the blood of a person and the
laboratory's readings; the specimen; a biopsy; a patient's record. All parameters take some minutes and
are behind the marker; a sample of them by a fixed rule runs always.
"""

from collections.abc import Iterator

import pytest
from files import written
from moves import CHECKS, WHERE, Laboratory, Leaf, leaves, worlds_of

from bonesim.specimens import published

#: Parameters that act nowhere -> why. Each is a finding; the list may only become shorter.
DEAD: dict[str, str] = {
    "cells.osteoblast.lining_share": "a lining cell does the same as one that dies",
    "hormones.assay.immunoassay_cv": "readings are means: nobody reads it",
    "hormones.assay.spectrometry_cv": "readings are means: nobody reads it",
    "hormones.drugs.estradiol_patch.absorption_per_day": "a patch releases past the first stage",
    "hormones.drugs.gnrh_agonist.absorption_per_day": "an implant releases past the first stage",
    "protocol.gnrh_agonist.route": "a note: kinetics are the same for both",
    "protocol.testosterone_cypionate.route": "a note: kinetics are the same for both",
}
#: Not dead, as far as is known, but silent in the worlds here: pieces that are freed are tiny.
SILENT = {"tissue.fragment.search_voxel"}
#: Of those that can be moved, every so many-eth is in the sample.
SAMPLE = 60

MOVABLE = [leaf for leaf in leaves() if not leaf.one_valued]


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """The worlds, and the files that they read."""
    folder = tmp_path_factory.mktemp("liveness")
    written(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(published, "PLACE", folder / "list.toml")
        published.published_bones.cache_clear()
        yield Laboratory(folder)
    published.published_bones.cache_clear()


def test_every_parameter_has_a_world() -> None:
    """One without is in the list of the dead; nothing in the lists is of the past."""
    names = {leaf.name for leaf in leaves()}
    assert [leaf.name for leaf in MOVABLE if not worlds_of(leaf)] == []
    assert names >= {*DEAD, *CHECKS, *SILENT}
    assert len(MOVABLE) > 350
    for key in WHERE:
        path, _, kind = key.partition(" ")
        assert any(leaf.path == path or leaf.path.startswith(f"{path}.") for leaf in leaves()), key
        assert not kind or any(leaf.kind == kind for leaf in leaves()), key


def acting(laboratory: Laboratory, chosen: list[Leaf]) -> tuple[list[str], list[str]]:
    """Names of the parameters that change nothing though they should, and of those revived."""
    seen = {leaf.name: laboratory.seen_to_act(leaf) for leaf in chosen}
    listed = {*DEAD, *SILENT}
    silent = [name for name, acts in seen.items() if not acts and name not in listed]
    return silent, [name for name, acts in seen.items() if acts and name in listed]


def test_a_sample_of_the_parameters_acts(laboratory: Laboratory) -> None:
    assert acting(laboratory, MOVABLE[::SAMPLE]) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("group", sorted({leaf.path.split(".")[0] for leaf in MOVABLE}))
def test_all_parameters_act(laboratory: Laboratory, group: str) -> None:
    """All of a group at the top of the configuration; a dead one that acts leaves the list."""
    chosen = [leaf for leaf in MOVABLE if leaf.path.split(".")[0] == group]
    assert acting(laboratory, chosen) == ([], [])
