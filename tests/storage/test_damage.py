"""Damaged, foreign and hostile files: one line, and never a wrong number."""

import os
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import h5py
import numpy as np
import pytest
from run_pieces import DAYS, SHAPE

from bonesim.errors import BonesimError, CorruptFileError, InputError
from bonesim.storage import layout
from bonesim.storage.reader import Run, open_run
from bonesim.storage.validation import refuse_hostile
from bonesim.storage.writer import RunWriter


def everything(run: Run) -> tuple[object, ...]:
    """All that a file holds."""
    columns = [run.columns(table) for table in ("table", "snapshot_table", "events")]
    frames = (run.table, run.snapshot_table, run.events)
    cells = [
        run.cells(population, day)
        for population in ("osteoclasts", "osteoblasts")
        for day in run.snapshot_days
    ]
    return (
        repr(run),
        run._repr_html_(),
        [(frame.to_csv(), frame.attrs) for frame in (run.cells(), *cells)],
        run.content_hash(),
        run.config_text,
        run.provenance,
        run.status,
        run.voxel_um,
        columns,
        [frame.to_csv() for frame in frames],
    )


def read_all(path: Path) -> tuple[object, ...] | None:
    """All that the file holds, or None if it is refused as damaged, in one line."""
    try:
        with open_run(path) as run:
            return everything(run)
    except CorruptFileError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
        return None


def assert_no_flip_deceives(path: Path, flips: int) -> int:
    """Flip bits all over a copy, one at a time; how many were noticed."""
    whole = path.read_bytes()
    with open_run(path) as run:
        truth = everything(run)
    noticed = 0
    for place in np.linspace(0, len(whole) - 1, flips).astype(int):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(place) % 8
        path.write_bytes(damaged)
        found = read_all(path)
        assert found is None or found == truth, f"bit flipped in byte {place}"
        noticed += found is None
    return noticed


def test_flipped_bits_are_noticed_or_harmless(run_file: Path) -> None:
    assert assert_no_flip_deceives(run_file, 150) > 20


@pytest.mark.slow
def test_many_flipped_bits_are_noticed_or_harmless(run_file: Path) -> None:
    assert assert_no_flip_deceives(run_file, 4000) > 400


def test_damaged_voxels_are_noticed(run_file: Path) -> None:
    with h5py.File(run_file) as file:
        chunk = file["VTKHDF/CellData/quanta"].id.get_chunk_info(1)
    data = bytearray(run_file.read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 0xFF
    run_file.write_bytes(data)
    with open_run(run_file) as run:
        assert len(run.table) == 21
        with pytest.raises(CorruptFileError, match="run it again"):
            [run.quanta(day) for day in DAYS]


def chunks_of(path: Path) -> list[tuple[int, int]]:
    """Offset and size of every chunk of a file."""
    found: list[tuple[int, int]] = []

    def take(_name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            infos = [item.id.get_chunk_info(n) for n in range(item.id.get_num_chunks())]
            found.extend((info.byte_offset, info.size) for info in infos)

    with h5py.File(path) as file:
        file.visititems(take)
    return found


@pytest.mark.long
def test_swapped_chunks_of_equal_size_are_noticed(run_file: Path) -> None:
    whole, swaps, noticed = run_file.read_bytes(), 0, 0
    with open_run(run_file) as run:
        truth = everything(run)
    for (one, size), (other, same) in combinations(chunks_of(run_file), 2):
        first, second = whole[one : one + size], whole[other : other + size]
        if size != same or first == second:
            continue
        swapped = bytearray(whole)
        swapped[one : one + size], swapped[other : other + size] = second, first
        run_file.write_bytes(swapped)
        found = read_all(run_file)
        assert found is None or found == truth
        swaps, noticed = swaps + 1, noticed + (found is None)
    # Only chunks that nobody reads may change places: where each step begins.
    assert swaps > 20
    assert noticed > 0.8 * swaps


def test_missing_sums_are_noticed(run_file: Path) -> None:
    with h5py.File(run_file, "r+") as file:
        del file["bonesim/table/day"].attrs["checksum"]
    with open_run(run_file) as run, pytest.raises(CorruptFileError):
        _ = run.table
    with h5py.File(run_file, "r+") as file:
        del file["bonesim"].attrs["checksums"]
    with open_run(run_file) as run:
        assert len(run.table) == 21


def test_lattices_of_other_numbers_or_shapes_are_refused(run_file: Path) -> None:
    whole = run_file.read_bytes()
    for name, dtype, shape in (
        ("quanta", "f4", SHAPE),
        ("mineral", "i1", SHAPE),
        ("quanta", "u1", SHAPE[1:]),
        ("surface_state", "u1", (*SHAPE[:2], SHAPE[2] + 1)),
    ):
        run_file.write_bytes(whole)
        with h5py.File(run_file, "r+") as file:
            del file[f"VTKHDF/CellData/{name}"]
            file.create_dataset(
                f"VTKHDF/CellData/{name}",
                (3, *shape),
                dtype,
                chunks=(1, *shape),
                compression="gzip",
            )[...] = np.ones((3, *shape))
        with pytest.raises(CorruptFileError, match=r"lattice|dimensions"):
            open_run(run_file)


def test_cut_files_are_noticed(run_file: Path) -> None:
    whole = run_file.read_bytes()
    for length in (0, 1, 8, 100, len(whole) // 2, len(whole) - 1):
        run_file.write_bytes(whole[:length])
        assert read_all(run_file) is None


def test_other_files_are_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "a.txt", tmp_path / "other.h5"
    text.write_text("no HDF5")
    with h5py.File(other, "w") as file:
        file["x"] = np.arange(3)
    for path in (text, other):
        for open_it in (open_run, RunWriter.reopen):
            with pytest.raises(CorruptFileError, match="no bonesim run file") as error:
                open_it(path)
            assert "\n" not in str(error.value)
    for path in (tmp_path / "none", tmp_path):
        for open_it in (open_run, RunWriter.reopen):
            with pytest.raises(InputError, match="no such file"):
                open_it(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "other.h5"]


def test_newer_format_is_refused(run_file: Path) -> None:
    with h5py.File(run_file, "r+") as file:
        file["bonesim"].attrs["schema_version"] = layout.SCHEMA_VERSION + 1
    with pytest.raises(CorruptFileError, match="update"):
        open_run(run_file)


def _external_storage(file: h5py.File, secret: Path) -> None:
    file.create_dataset("bonesim/x", (6,), "u1", external=[(str(secret), 0, 6)])


def _external_link(file: h5py.File, secret: Path) -> None:
    file["bonesim/x"] = h5py.ExternalLink(str(secret), "/x")


def _soft_link(file: h5py.File, secret: Path) -> None:
    file["bonesim/x"] = h5py.SoftLink("/bonesim/table/day")


def _virtual(file: h5py.File, secret: Path) -> None:
    sources = h5py.VirtualLayout((6,), "u1")
    sources[:] = h5py.VirtualSource(str(secret), "x", (6,), "u1")
    file.create_virtual_dataset("bonesim/x", sources)


def _loop(file: h5py.File, secret: Path) -> None:
    file["bonesim/cells/again"] = file["bonesim"]


def _huge(file: h5py.File, secret: Path) -> None:
    file.create_dataset("bonesim/x", (2**60,), "u1", chunks=(2**20,), compression="gzip")


def _huge_chunk(file: h5py.File, secret: Path) -> None:
    file.create_dataset("bonesim/x", (0,), "u1", maxshape=(None,), chunks=(2**30,))


def _objects(file: h5py.File, secret: Path) -> None:
    file.create_dataset("bonesim/x", data=["a", "b"], chunks=(2,))


def _foreign_filter(file: h5py.File, secret: Path) -> None:
    file.create_dataset("bonesim/x", (6,), "u1", chunks=(6,), compression="lzf")


def _type(file: h5py.File, secret: Path) -> None:
    file["bonesim/x"] = np.dtype("f8")


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (_external_storage, "elsewhere"),
        (_external_link, "link"),
        (_soft_link, "link"),
        (_virtual, "elsewhere"),
        (_loop, "twice"),
        (_huge, "claims"),
        (_huge_chunk, "chunks"),
        (_objects, "no plain numbers"),
        (_foreign_filter, "filter"),
        (_type, "neither"),
    ],
)
def test_hostile_files_are_refused_for_reading_and_writing(
    run_file: Path, tmp_path: Path, attack: Callable[[h5py.File, Path], None], reason: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    with h5py.File(run_file, "r+") as file:
        refuse_hostile(file)
        attack(file, secret)
    for open_it in (open_run, RunWriter.reopen):
        with pytest.raises(CorruptFileError, match=reason):
            open_it(run_file)
    assert secret.read_bytes() == b"secret"


def test_lattice_of_absurd_size_is_refused(run_file: Path) -> None:
    with h5py.File(run_file, "r+") as file:
        del file["VTKHDF/CellData/quanta"]
        group = file["VTKHDF/CellData"]
        layout.create_field(group, layout.FIELDS[0], (2**20, 2**20, 2**20))
    with pytest.raises(CorruptFileError, match="lattice"):
        open_run(run_file)


def test_wrong_codes_and_texts_are_damage(run_file: Path) -> None:
    with h5py.File(run_file, "r+") as file:
        file["bonesim/events/kind"][3] = 9
        file["bonesim/config"][0] = ord("[")
        file["bonesim/provenance"][0] = 0xFF
    with open_run(run_file) as run:
        for ask in (lambda: run.events, lambda: run.config, lambda: run.provenance):
            with pytest.raises(CorruptFileError):
                ask()


def test_no_permission_is_input_error(run_file: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    run_file.chmod(0)
    with pytest.raises(BonesimError, match="cannot be read"):
        open_run(run_file)
