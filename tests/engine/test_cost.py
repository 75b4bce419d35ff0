"""What a run will take is known before it starts, and what cannot fit is refused before it starts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bonesim
from bonesim.config.config import Config, validated
from bonesim.engine import cost as costs
from bonesim.engine import machine
from bonesim.engine.cost import cost_of, planned, refuse_what_cannot_fit, size_of
from bonesim.errors import ResourceError
from bonesim.specimens import ScanParameters, SyntheticParameters, make_specimen
from bonesim.sweeps.cost import WORKER_BYTES, plan_of
from bonesim.sweeps.study import Point

#: Runs a config and prints the peak of the process, bytes, and the sizes of its files.
PEAK = """
import json, re, resource, sys, tempfile
from pathlib import Path
import bonesim
with tempfile.TemporaryDirectory() as folder:
    out = bonesim.run(json.loads(sys.argv[1]), Path(folder) / "out.vtkhdf")
    size = out.stat().st_size
status = Path("/proc/self/status")
if status.exists():  # what getrusage gives begins with the peak of the parent, before exec
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]) * 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([peak, size]))
"""


def tree_of(specimen: dict[str, Any], *, load: bool) -> dict[str, Any]:
    """A short run: burn-in, a checkpoint, two snapshots."""
    return {
        "specimen": specimen,
        "mechanics": {"interval_day": 10 if load else 0},
        "schedule": {"burn_in_day": 12, "duration_day": 12, "checkpoint_every_day": 5},
    }


def synthetic(size_mm: float, **more: Any) -> dict[str, Any]:
    return {"kind": "synthetic", "size_mm": [size_mm] * 3, "seed": 3, **more}


def compare(tree: dict[str, Any]) -> None:
    """The peak of a real run is within 15 % of the prediction, its file within half."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, json.dumps(tree)], capture_output=True, text=True, check=True
    )
    peak, file = json.loads(done.stdout)
    config = validated(tree, "test")
    predicted = cost_of(planned(config.specimen)[0], config)
    assert predicted.memory_bytes == pytest.approx(peak, rel=0.15)
    assert predicted.run_file_bytes == pytest.approx(file, rel=0.5)


@pytest.mark.parametrize(
    ("size_mm", "load"), [(0.8, False), pytest.param(2.0, True, marks=pytest.mark.long)]
)
def test_peak_memory_is_as_predicted(size_mm: float, load: bool) -> None:
    compare(tree_of(synthetic(size_mm), load=load))


@pytest.mark.slow
@pytest.mark.parametrize("load", (False, True))
@pytest.mark.parametrize("size_mm", (0.8, 1.6, 2.4, 3.2, 4.0))
@pytest.mark.parametrize("preset", ("elderly_vertebra", "young_vertebra"))
def test_peak_memory_over_five_sizes(preset: str, size_mm: float, load: bool) -> None:
    compare(tree_of(synthetic(size_mm, preset=preset), load=load))


@pytest.mark.slow
@pytest.mark.parametrize(("voxel_um", "more"), [
    (20.0, {"voxels": 4}), (40.0, {}), (10.0, {}),
])  # fmt: skip
def test_peak_memory_at_other_voxels(voxel_um: float, more: dict[str, Any]) -> None:
    """Fine voxels, coarse ones (the growing of the bone is the peak), and elements of one voxel."""
    tree = tree_of(synthetic(1.6 if voxel_um < 40.0 else 4.0, voxel_um=voxel_um), load=True)
    if more:
        tree["mechanics"]["voxels_per_element"] = 1
    compare(tree)


def scan_of(folder: Path, size_mm: float, voxel_um: float) -> str:
    """A grey image of a synthetic bone, as an array file."""
    bone = make_specimen(
        SyntheticParameters(
            preset="young_vertebra", size_mm=(size_mm,) * 3, voxel_um=voxel_um, seed=4
        )
    )
    grey = np.clip(bone.quanta.astype(np.int16) // 2 + 40, 0, 255).astype(np.uint8)
    np.save(folder / "scan.npy", grey)
    return str(folder / "scan.npy")


@pytest.mark.slow
@pytest.mark.parametrize(("voxel_um", "resample_um", "size_mm"), [
    (20.0, None, 2.4), (20.0, None, 4.0), (10.0, 20.0, 2.0), (40.0, 20.0, 3.2),
])  # fmt: skip
def test_peak_memory_of_a_scan(
    tmp_path: Path, voxel_um: float, resample_um: float | None, size_mm: float
) -> None:
    scan = {"kind": "scan", "path": scan_of(tmp_path, size_mm, voxel_um), "voxel_um": voxel_um}
    if resample_um:
        scan["resample_um"] = resample_um
    compare(tree_of(scan, load=True))


@pytest.mark.parametrize("crop", (None, (3, 50, 0, 47, 4, 52)))
@pytest.mark.parametrize("resample_um", (None, 20.0, 27.5, 40.0))
def test_a_scan_has_the_predicted_size(
    tmp_path: Path, crop: tuple[int, ...] | None, resample_um: float | None
) -> None:
    values = {"path": scan_of(tmp_path, 1.3, 25.0), "voxel_um": 25.0, "threshold": 104.0,
              "crop_voxel": crop, "resample_um": resample_um}  # fmt: skip
    parameters = ScanParameters.model_validate(values)
    size, make = planned(parameters)
    bone = make()
    assert size.shape == bone.quanta.shape
    assert size.voxel_um == bone.voxel_um
    assert size.bone_share == pytest.approx(size_of(bone).bone_share, rel=0.25)


def test_a_synthetic_bone_has_the_predicted_size() -> None:
    parameters = SyntheticParameters(size_mm=(1.0, 1.26, 0.7), voxel_um=24.0)
    size, make = planned(parameters)
    assert size.shape == make().quanta.shape


def test_terms_grow_as_they_must() -> None:
    config = validated({}, "test")
    size = planned(config.specimen)[0]
    one = cost_of(size, config)
    assert cost_of(size, config, files=2).run_file_bytes == 2 * one.run_file_bytes
    assert cost_of(size, config, files=2).burn_in_seconds == one.burn_in_seconds
    assert cost_of(size, config, until_day=100).days_seconds < 0.05 * one.days_seconds
    assert cost_of(size, config, compiled=False).compile_seconds > 60.0
    none = config.with_changes({"mechanics.interval_day": 0})
    assert cost_of(size, none).solves_seconds == 0.0 < one.solves_seconds
    assert cost_of(size, none).memory_bytes < one.memory_bytes
    snapshots = config.with_changes({"schedule.snapshots_day": list(range(0, 2900, 100))})
    assert cost_of(size, snapshots).run_file_bytes > 8 * one.run_file_bytes
    text = one.text(fast=1.0)
    assert "200 x 200 x 200 (x, y, z) of 20 um" in text
    assert [line.split()[0] for line in text.splitlines()] == ["voxels", "memory", "disk", "time"]
    assert "compiling" not in text
    assert "compiling" in cost_of(size, config, compiled=False).text(fast=1.0)


@pytest.mark.parametrize("dry", ([], ["--dry-run"]))
def test_two_thousand_cubed_is_refused_at_once(tmp_path: Path, dry: list[str]) -> None:
    (tmp_path / "big.toml").write_text(
        '[specimen]\nkind = "synthetic"\nsize_mm = [20, 20, 20]\nvoxel_um = 10\n'
    )
    command = [sys.executable, "-m", "bonesim", "run", "big.toml", "-o", "out.vtkhdf", *dry]
    before = os.times()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    after = os.times()
    took = after.children_user + after.children_system
    assert took - before.children_user - before.children_system < 5.0
    assert done.returncode == 4
    assert done.stdout == ""
    line = done.stderr.strip()
    assert line.startswith("bonesim: 2000 x 2000 x 2000 voxels of 10 um need about ")
    assert "GB of memory, and this machine has" in line and "larger voxels" in line
    assert len(line.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["big.toml"]


def test_too_little_disk_is_refused(
    tmp_path: Path, small: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "free_disk_bytes", lambda place: 1e5)
    for call in (bonesim.run, bonesim.run_twins, bonesim.run_cost):
        with pytest.raises(ResourceError, match=r"of disk, and 100 kB are free; keep fewer"):
            call(small, tmp_path / "out.vtkhdf")
    assert not list(tmp_path.iterdir())


def test_a_bone_at_hand_is_what_counts(small: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "memory_bytes", lambda: 1e9)
    refuse_what_cannot_fit(cost_of(planned(small.specimen)[0], small), Path())
    shape = (600, 600, 600)
    bone = bonesim.Specimen(np.broadcast_to(np.uint8(255), shape), 20.0, "large", ())  # type: ignore[arg-type]
    with pytest.raises(ResourceError, match="600 x 600 x 600 voxels"):
        refuse_what_cannot_fit(cost_of(planned(small.specimen, bone)[0], small), Path())


def test_a_sweep_counts_with_the_same_cost(tmp_path: Path, small: Config) -> None:
    """The real size of a scan, not an assumed one; workers times a run's memory."""
    from bonesim.config.config import to_toml

    path = scan_of(tmp_path, 1.3, 25.0)
    scan = small.with_changes(
        {"specimen": {"kind": "scan", "path": path, "voxel_um": 25.0, "threshold": 104.0}}
    )
    points = [Point("a", 0, 0, 1, {}, to_toml(scan), "g")]
    plan = plan_of(False, points, points, 3)
    run = cost_of(planned(scan.specimen)[0], scan)
    assert plan.bytes_per_run == run.memory_bytes + WORKER_BYTES
    assert plan.bytes_per_run < 0.6e9


def test_a_containers_limits_are_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, cpu = tmp_path / "memory.max", tmp_path / "cpu.max"
    monkeypatch.setattr(machine, "MEMORY_LIMITS", (memory,))
    monkeypatch.setattr(machine, "CPU_LIMIT", cpu)
    whole, all_cores = machine.memory_bytes(), machine.cores()
    memory.write_text("123000000\n")
    cpu.write_text("100000 100000\n")
    assert machine.memory_bytes() == 123e6
    assert machine.free_memory_bytes() <= 123e6
    assert machine.cores() == 1
    memory.write_text("max\n")
    cpu.write_text("max 100000\n")
    assert (machine.memory_bytes(), machine.cores()) == (whole, all_cores)
