"""A checkpoint comes back bit for bit, or is refused: damaged, foreign, of an earlier version."""

import hashlib
import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from bonesim.errors import CorruptFileError, InputError
from bonesim.storage import checkpoint
from bonesim.storage.content_hash import content_hash

STATE: dict[str, Any] = {
    "day": -3,
    "deficit": 0.1 + 0.2,
    "none_yet": math.inf,
    "counting": True,
    "nothing": {},
    "tissue": {
        "quanta": np.arange(60, dtype=np.uint8).reshape(3, 4, 5),
        "age": np.array([0.0, -0.0, np.nan, 1e-310], np.float32),
        "deeper": {"columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "empty": {}},
        "none": np.zeros((0, 3), np.int16),
        "row": np.array([(1, 2.5)], [("id", "<u8"), ("depth", "<f4")]),
        "big_endian": np.arange(3, dtype=">i4"),
        "scalar": np.float32(0.1),
    },
}


def test_state_comes_back_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, STATE, {"day": 5, "names": ["x"]})
    state, meta = checkpoint.load(path)
    assert meta == {"day": 5, "names": ["x"]}
    assert content_hash(state) == content_hash(STATE)
    assert (type(state["day"]), state["day"]) == (int, -3)
    assert (state["deficit"], state["counting"]) == (0.1 + 0.2, True)
    assert state["nothing"] == state["tissue"]["deeper"]["empty"] == {}
    assert state["tissue"]["age"].tobytes() == STATE["tissue"]["age"].tobytes()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    array=stn.arrays(
        stn.integer_dtypes() | stn.unsigned_integer_dtypes() | stn.floating_dtypes(),
        stn.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    ),
    number=st.integers() | st.floats(allow_nan=False),
)
def test_any_array_and_number_comes_back(tmp_path: Path, array: np.ndarray, number: float) -> None:
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, {"a": {"array": array}, "n": number}, {})
    state, _ = checkpoint.load(path)
    back = state["a"]["array"]
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()
    assert (type(state["n"]), state["n"]) == (type(number), number)


def test_equal_states_are_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        checkpoint.save(tmp_path / name, STATE, {"day": 5})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_every_damage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, STATE, {"day": 5})
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 97)]
    for place in range(0, len(whole), 53):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        damaged.append(bytes(flipped))
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(CorruptFileError) as error:
            checkpoint.load(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


def test_pickle_with_a_right_hash_is_not_loaded(tmp_path: Path) -> None:
    buffer, part = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array(part, np.array([{}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(checkpoint.INDEX, '{"meta": {}, "numbers": {}, "empty": []}')
        archive.writestr("trap", part.getvalue())
    payload = buffer.getvalue()
    path = tmp_path / "a.checkpoint"
    digest = hashlib.sha256(checkpoint.MAGIC + payload).digest()
    path.write_bytes(checkpoint.MAGIC + digest + payload)
    with pytest.raises(CorruptFileError, match="no checkpoint"):
        checkpoint.load(path)


def as_of_0_1(path: Path) -> bytes:
    """Make the checkpoint at `path` one of version 0.1, which had the same archive."""
    payload = path.read_bytes()[len(checkpoint.MAGIC) + 32 :]
    data = b"bonesim checkpoint 3\n" + hashlib.sha256(payload).digest() + payload
    path.write_bytes(data)
    return data


def test_an_earlier_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, STATE, {"day": 5})
    data = as_of_0_1(path)
    with pytest.raises(checkpoint.EarlierVersionError) as error:
        checkpoint.load(path)
    assert error.value.exit_code == 2
    assert str(error.value) == (
        f"{path}: was written by bonesim 0.1, which 0.2 cannot continue; "
        "run it again from its config"
    )
    for place in (19, 30, 70, len(data) - 1):
        damaged = bytearray(data)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(CorruptFileError):
            checkpoint.load(path)


def test_the_first_line_is_under_the_hash(tmp_path: Path) -> None:
    """An old first line before a present archive is damage, and so is a present one before an old."""
    path = tmp_path / "a.checkpoint"
    checkpoint.save(path, STATE, {"day": 5})
    now = path.read_bytes()
    then = as_of_0_1(path)
    size = len(checkpoint.MAGIC)
    for mixed in (then[:size] + now[size:], now[:size] + then[size:]):
        path.write_bytes(mixed)
        with pytest.raises(CorruptFileError):
            checkpoint.load(path)


def test_objects_and_slashes_are_refused(tmp_path: Path) -> None:
    for state in ({"a": np.array([{}], dtype=object)}, {"a/b": 1}, {checkpoint.INDEX: 1}):
        with pytest.raises(ValueError, match=r"."):
            checkpoint.save(tmp_path / "a", state, {})
    assert list(tmp_path.iterdir()) == []


def test_unreadable_and_unwritable_places(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        checkpoint.load(tmp_path / "none")
    with pytest.raises(InputError, match="no folder"):
        checkpoint.save(tmp_path / "none" / "a", STATE, {})


def test_content_hash_distinguishes_what_differs() -> None:
    different: list[dict[str, Any]] = [
        {"a": 1},
        {"a": 1.0},
        {"a": [1]},
        {"a": np.uint8(1)},
        {"b": 1},
        {"a": "1"},
        {"a": 0.0},
        {"a": -0.0},
        {"a": {}},
        {"a": {"b": 1}},
        {"a": {}, "b": 1},
        {"a": np.zeros((2, 3))},
        {"a": np.zeros((3, 2))},
        {"a": np.zeros(1, [("x", "<f8")])},
        {"a": np.zeros(1, [("y", "<f8")])},
        {},
    ]
    assert len({content_hash(content) for content in different}) == len(different)


def test_content_hash_ignores_order_of_names_and_memory() -> None:
    x, y = np.arange(6.0).reshape(2, 3), {"p": 1, "q": 2}
    other = {"y": {"q": 2, "p": 1}, "x": np.asfortranarray(x)}
    assert content_hash({"x": x, "y": y}) == content_hash(other)
    with pytest.raises(TypeError, match="objects"):
        content_hash({"a": np.array([{}], dtype=object)})
