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
    """None is without; nothing in the lists is of the past."""
    names = {leaf.name for leaf in leaves()}
    assert [leaf.name for leaf in MOVABLE if not worlds_of(leaf)] == []
    assert names >= {*CHECKS, *SILENT}
    assert len(MOVABLE) > 350
    for key in WHERE:
        path, _, kind = key.partition(" ")
        assert any(leaf.path == path or leaf.path.startswith(f"{path}.") for leaf in leaves()), key
        assert not kind or any(leaf.kind == kind for leaf in leaves()), key


def acting(laboratory: Laboratory, chosen: list[Leaf]) -> tuple[list[str], list[str]]:
    """Names of the parameters that change nothing, and of those in `SILENT` that do change something."""
    seen = {leaf.name: laboratory.seen_to_act(leaf) for leaf in chosen}
    silent = [name for name, acts in seen.items() if not acts and name not in SILENT]
    return silent, [name for name, acts in seen.items() if acts and name in SILENT]


def test_precisions_of_assays_act(laboratory: Laboratory) -> None:
    """They are not in the sample, and have a world of their own."""
    chosen = [leaf for leaf in MOVABLE if leaf.path.startswith("hormones.assay.")]
    assert len(chosen) == 5
    assert acting(laboratory, chosen) == ([], [])


def test_a_sample_of_the_parameters_acts(laboratory: Laboratory) -> None:
    assert acting(laboratory, MOVABLE[::SAMPLE]) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("group", sorted({leaf.path.split(".")[0] for leaf in MOVABLE}))
def test_all_parameters_act(laboratory: Laboratory, group: str) -> None:
    """All of a group at the top of the configuration."""
    chosen = [leaf for leaf in MOVABLE if leaf.path.split(".")[0] == group]
    assert acting(laboratory, chosen) == ([], [])
