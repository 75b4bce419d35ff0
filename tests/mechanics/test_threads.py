"""Work in parts: each once, errors raised."""

import numba
import numpy as np
import pytest

from bonesim.mechanics.threads import PARTS, in_parts, several


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_part_is_done_once(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
    assert several() == (threads > 1)
    seen = np.zeros(PARTS, int)

    def work(more: int, part: int, parts: int) -> None:
        assert parts == PARTS
        seen[part] += more

    in_parts(work, 3)
    assert (seen == 3).all()


def test_an_error_in_a_part_is_raised() -> None:
    def work(part: int, parts: int) -> None:
        if part == 2:
            raise ValueError("part 2")

    with pytest.raises(ValueError, match="part 2"):
        in_parts(work)
