"""The picture of two arms: where surfaces are coloured, letters, texts, and a panel for each day."""

from pathlib import Path

import numpy as np
import pytest

import bonesim
from bonesim.config.config import validated
from bonesim.config.twin import untreated_twin
from bonesim.engine.run import run as simulate
from bonesim.errors import InputError
from bonesim.viewer import pair_blocks
from bonesim.viewer.surface import bone_block
from tests.viewer.conftest import SMALL


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = untreated_twin(validated(SMALL, "test"))
    return simulate(config, tmp_path_factory.mktemp("pairs") / "twin.vtkhdf")


def test_only_where_the_other_has_none_is_coloured() -> None:
    """A slab with a hole against the slab without: coloured are the points over the hole, no others."""
    whole = np.zeros((40, 40, 40), np.uint8)
    whole[:, 15:25] = 255
    holed = whole.copy()
    holed[15:25, :, 15:25] = 0
    block = bone_block(whole, 0.02)
    found = pair_blocks.lacking(block, whole, holed, 0.02)
    points = np.asarray(block.surface.points) / 0.02
    over = ((points[:, [0, 2]] > 15.5) & (points[:, [0, 2]] < 24.5)).all(axis=1)
    near = ((points[:, [0, 2]] > 14.0) & (points[:, [0, 2]] < 26.0)).all(axis=1)
    assert over.sum() > 50
    assert found[over].all()
    assert not found[~near].any()
    assert not pair_blocks.lacking(bone_block(holed, 0.02), holed, whole, 0.02).any()


def test_a_bone_lacks_nothing_of_itself(small_run: Path) -> None:
    with bonesim.open_run(small_run) as run:
        quanta = run.quanta(60)
    block = bone_block(quanta, 0.02)
    assert not pair_blocks.lacking(block, quanta, quanta, 0.02).any()


@pytest.mark.long
def test_blocks_curves_and_differences(small_run: Path, twin: Path, tmp_path: Path) -> None:
    place = tmp_path / "pair.png"
    found = bonesim.compare(small_run, twin, output=place, days=[0, 120])
    assert found.figure is not None
    parts = found.figure.subfigs
    blocks, curves = (list(part.axes) for part in parts)
    assert len(blocks) == 4  # two days of A and B
    assert len(curves) == 3
    letters = [axis.texts[0].get_text() for axis in (*blocks, *curves)]
    assert sorted(letters) == list("abcdefg")
    titles = [axis.get_title() for axis in blocks]
    assert all("BV/TV" in title for title in titles)
    row = found.table[
        (found.table["quantity"] == "bvtv_percent") & (found.table["day"] == 120)
    ].iloc[0]
    assert f"({row['a_change_percent']:+.1f} %)" in titles[1]
    assert f"({row['b_change_percent']:+.1f} %)" in titles[3]
    assert (tmp_path / "pair.csv").exists() and (tmp_path / "pair_curves.csv").exists()
    assert all(axis.get_xlabel() for axis in curves)
    differences = curves[1].lines[0].get_ydata()
    assert np.asarray(differences)[-1] == pytest.approx(row["difference_percent"])
    renderer = found.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    texts = [text.get_window_extent(renderer) for axis in curves for text in axis.texts]
    legends = [axis.get_legend().get_window_extent(renderer) for axis in curves]
    assert not any(text.overlaps(legend) for text in texts for legend in legends)


def test_an_unknown_colour_is_refused(small_run: Path, twin: Path) -> None:
    with pytest.raises(InputError, match="'red' is not known; one of difference") as error:
        bonesim.compare(small_run, twin, colour="red", draw=True)
    assert error.value.parameter == "colour"
