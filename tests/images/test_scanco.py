"""ISQ and AIM: files by our writer read by our reader, and by an independent one where installed."""

import itertools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bonesim.errors import BonesimError, CorruptFileError, InputError
from bonesim.images import aim, isq
from tests.images import scanco_files as files

RNG = np.random.default_rng(3)
SHORT = RNG.integers(-3000, 9000, (9, 7, 11)).astype(np.int16)
STEPS = (20.0, 20.0, 20.5)
#: Slope and intercept of the calibration, per stored value.
DENSITY = (1603.55 / 4096, -391.209)


def volume(kind: str, border: int = 0) -> NDArray[Any]:
    """Voxels that a kind can hold, 0 in the border."""
    shape = SHORT.shape
    made: dict[str, Any] = {
        "char": RNG.integers(-100, 100, shape).astype(np.int8), "short": SHORT,
        "bits": (RNG.random(shape) < 0.3).astype(np.int8) * np.int8(127),
        "binary": (np.indices(shape).sum(0) % 17 < 12).astype(np.int8) * np.int8(127),
        "runs": np.sort(RNG.integers(-3, 4, shape).astype(np.int8), axis=2),
        "float": (SHORT / 7).astype(np.float32), "ieee": (SHORT / 7).astype(np.float32),
    }  # fmt: skip
    values = np.zeros_like(made[kind])
    inner = tuple(slice(border, n - border) for n in shape)
    values[inner] = made[kind][inner]
    return values


@pytest.mark.parametrize(("multi", "pad"), list(itertools.product((False, True), repeat=2)))
def test_isq(tmp_path: Path, multi: bool, pad: bool) -> None:
    for name in ("a.isq", "C0001234.ISQ;1"):
        path = files.write(tmp_path / name, files.isq(SHORT, STEPS, multi=multi, pad=pad))
        found = isq.read(path)
        np.testing.assert_array_equal(found.values, SHORT)
        assert found.step_um == pytest.approx((20.5, 20.0, 20.0), rel=0.003)
        assert found.mg_per_cm3 == pytest.approx(DENSITY, rel=1e-12)
        assert (found.scale, found.offset) == (1.0, 0.0)
        assert "0.391492 * grey value -391.209 mg HA/ccm" in found.notes[0]


def test_isq_without_calibration_or_with_another_unit(tmp_path: Path) -> None:
    plain = isq.read(files.write(tmp_path / "a.isq", files.isq(SHORT, density=None)))
    assert plain.mg_per_cm3 is None and plain.notes == ()
    other = isq.read(files.write(tmp_path / "b.isq", files.isq(SHORT, density=(1, 0, "1/cm"))))
    assert other.mg_per_cm3 is None
    assert "no density calibration" in other.notes[0] and "1/cm" in other.notes[0]


def test_voxels_stay_on_disk(tmp_path: Path) -> None:
    """A crop of a scan larger than memory reads no more than the crop."""
    for reader, data in ((isq.read, files.isq(SHORT)), (aim.read, files.aim(SHORT))):
        assert isinstance(reader(files.write(tmp_path / "a", data)).values, np.memmap)


@pytest.mark.parametrize(
    ("version", "kind", "border"), list(itertools.product((10, 11, 20, 30), files.TYPES, (0, 2)))
)
def test_aim(tmp_path: Path, version: int, kind: str, border: int) -> None:
    values = volume(kind, border)
    steps = (20.0, 20.0, 20.0) if version < 20 else STEPS
    data = files.aim(values, steps, version=version, kind=kind, border=border, position=(3, 4, 5))
    path = files.write(tmp_path / "C1.AIM;1", data)
    assert aim.recognises(data[:64], path)
    found = aim.read(path)
    np.testing.assert_array_equal(found.values, values)
    assert found.values.dtype == values.dtype
    assert found.step_um == steps[::-1]
    assert found.origin_um == (60.0, 80.0, 5 * steps[2])
    expected = pytest.approx(DENSITY, rel=1e-8) if kind == "short" else None
    assert found.mg_per_cm3 == expected


def test_long_runs(tmp_path: Path) -> None:
    """Runs of 254, 255, 256, 508 and 509 voxels, where codes of one byte end."""
    for length in (1, 253, 254, 255, 256, 508, 509, 510, 765):
        values = np.full((1, 1, 1200), 127, np.int8)
        values[..., :length] = 0
        for kind, version in itertools.product(("binary", "runs"), (20, 30)):
            data = files.aim(values, version=version, kind=kind)
            found = aim.read(files.write(tmp_path / "a.aim", data))
            np.testing.assert_array_equal(found.values, values)


def test_vax_numbers() -> None:
    """Known pairs: VAX F 1.0 is 80 40 00 00, -15.5 is 78 C2 00 00 (VAX Architecture Reference)."""
    from bonesim.images.scanco import vax_double, vax_float

    assert vax_float(b"\x80\x40\0\0") == 1.0 and vax_float(b"\x78\xc2\0\0") == -15.5
    assert vax_float(bytes(4)) == 0 and vax_double(bytes(8)) == 0
    assert vax_double(b"\x10\x40" + bytes(6)) == 1.0
    for value in RNG.normal(0, 1e3, 200):
        assert vax_double(files.vax_g(value)) == value
        assert vax_float(files.vax_f(value)) == np.float32(value)


def test_an_independent_reader_agrees(tmp_path: Path) -> None:
    """AimIO (Numerics88, C++) reads what our writer wrote as our reader does."""
    py_aimio = pytest.importorskip("py_aimio", reason="aimio-py is not installed")
    path = files.write(tmp_path / "a.isq", files.isq(SHORT, STEPS))
    values, meta = py_aimio.read_isq(str(path))
    np.testing.assert_array_equal(values, SHORT)
    assert meta["mu_scaling"] == 4096
    assert meta["rescale_slope"] == pytest.approx(1603.55, rel=1e-12)
    kinds = [kind for kind in files.TYPES if kind != "ieee"]
    for version, kind, border in itertools.product((10, 11, 20, 30), kinds, (0, 2)):
        voxels = volume(kind, border)
        data = files.aim(voxels, version=version, kind=kind, border=border)
        path = files.write(tmp_path / "a.aim", data)
        values, meta = py_aimio.read_aim(str(path))
        np.testing.assert_array_equal(values, voxels)
        ours = aim.read(path)
        np.testing.assert_allclose(
            ours.step_um, 1e3 * np.array(meta["element_size"][::-1]), rtol=1e-6
        )
        if kind == "short":
            log = meta["processing_log_raw"]
            assert ours.mg_per_cm3 == pytest.approx(
                py_aimio.get_aim_density_equation(log), rel=1e-8
            )


def test_our_reader_reads_what_the_independent_one_wrote(tmp_path: Path) -> None:
    py_aimio = pytest.importorskip("py_aimio", reason="aimio-py is not installed")
    for values in (SHORT, volume("char"), volume("float")):
        path = tmp_path / "b.aim"
        meta = {"element_size": (0.02, 0.02, 0.02), "dimensions": values.shape[::-1]}
        py_aimio.write_aim(str(path), values, meta)
        found = aim.read(path)
        np.testing.assert_array_equal(found.values, values)
        assert found.step_um == (20.0, 20.0, 20.0)


def changed(data: bytes, place: int, kind: str, value: int) -> bytes:
    made = bytearray(data)
    struct.pack_into(kind, made, place, value)
    return bytes(made)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (44, 0, "lengths of 1 or more"), (48, -7, "lengths of 1 or more"), (52, 10, "cut short"),
        (44, 2**30, "allowed are"), (44, 10, "cut short"), (508, -1, "cut short"),
        (508, 2**30, "cut short"), (56, 0, "1 um or more"), (64, 10**6, "contradicts itself"),
    ],
)  # fmt: skip
def test_isq_headers_that_contradict_the_file(
    tmp_path: Path, place: int, value: int, words: str
) -> None:
    path = files.write(tmp_path / "a.isq", changed(files.isq(SHORT), place, "<i", value))
    with pytest.raises((CorruptFileError, InputError), match=words):
        isq.read(path)


def test_projections_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="type 9, not a reconstructed volume"):
        isq.read(files.write(tmp_path / "a.rad", files.isq(SHORT, kind=9)))


EXAMPLES = {
    "isq": (isq.read, files.isq(SHORT)),
    "isq padded": (isq.read, files.isq(SHORT, pad=True)),
    **{
        f"aim {version} {kind}": (aim.read, files.aim(volume(kind), version=version, kind=kind))
        for version, kind in itertools.product((11, 20, 30), ("short", "float", "bits", "binary", "runs"))
    },
    "aim padded": (aim.read, files.aim(SHORT, pad=True)),
}  # fmt: skip


#: Bytes before the processing log, or before what ISQ adds to its first block.
HEADERS = {"isq": 512, "aim 11": 20 + 96, "aim 20": 20 + 140, "aim 30": 56 + 224, "aim padded": 160}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_truncation_is_damaged(tmp_path: Path, name: str) -> None:
    reader, data = EXAMPLES[name]
    padding = 512 if "padded" in name else 0
    for length in [*range(0, len(data) - padding, 37), len(data) - padding - 1]:
        path = files.write(tmp_path / "a", data[:length])
        with pytest.raises(CorruptFileError):
            reader(path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_more_data_than_described_is_damaged(tmp_path: Path, name: str) -> None:
    reader, data = EXAMPLES[name]
    with pytest.raises(CorruptFileError):
        reader(files.write(tmp_path / "a", data + b"\1" * 700))


def flipped(name: str, count: int, folder: Path) -> tuple[int, int]:
    """Flip one bit of the header at a time: cases read with other voxels, and those refused."""
    reader, data = EXAMPLES[name]
    whole = reader(files.write(folder / "whole", data)).values
    header = next(size for word, size in HEADERS.items() if word in name)
    wrong = refused = 0
    for n in range(count):
        made = bytearray(data)
        made[int(RNG.integers(header))] ^= 1 << int(RNG.integers(8))
        path = files.write(folder / f"f{n % 7}", bytes(made))
        try:
            found = reader(path)
        except BonesimError as error:
            assert "\n" not in str(error)
            refused += 1
            continue
        wrong += found.values.shape != whole.shape or not np.array_equal(found.values, whole)
    return wrong, refused


@pytest.mark.parametrize("name", EXAMPLES)
def test_flips_in_the_header(tmp_path: Path, name: str) -> None:
    """Never a crash, never other voxels; what no header repeats (edges of a voxel) may differ."""
    wrong, refused = flipped(name, 60, tmp_path)
    assert wrong == 0
    assert refused > 0


def test_a_padded_file_whose_log_has_another_length(tmp_path: Path) -> None:
    """Padding hides a wrong length of the log, which would shift all voxels: the log shows it."""
    data = files.aim(SHORT, pad=True)
    assert len(data) % 512 == 0
    for bit in range(32):
        size = struct.unpack_from("<i", data, 8)[0] ^ (1 << bit)
        with pytest.raises(CorruptFileError):
            aim.read(files.write(tmp_path / "a", changed(data, 8, "<I", size & 0xFFFFFFFF)))


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_many_flips_in_the_header(tmp_path: Path, name: str) -> None:
    assert flipped(name, 2000, tmp_path)[0] == 0
