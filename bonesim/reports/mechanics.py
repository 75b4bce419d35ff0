"""Stiffness and strength of a scan, an array, or every snapshot of a run."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bonesim.config.explain import explain
from bonesim.config.renamed import translated
from bonesim.errors import InputError
from bonesim.mechanics.apparent import (
    QUANTILES,
    STRAIN,
    ApparentParameters,
    Block,
    Tensor,
    compress,
    strain_name,
)
from bonesim.mechanics.apparent import tensor as stiffness_tensor
from bonesim.mechanics.bone import Material, elements_of
from bonesim.reports import structure
from bonesim.specimens.bones import Bone
from bonesim.storage.program import version_of
from bonesim.storage.reader import Run
from bonesim.units import unit_of

if TYPE_CHECKING:
    import pandas as pd

#: Beginning of the names of the tensor's entries, C.
ENTRY = "stiffness_"
_MIXED = "six unit strains, mixed uniform boundary conditions (Pahr 2008)"


def parameters_of(given: Mapping[str, Any], run: Run | None = None) -> ApparentParameters:
    """The parameters of the test, checked; the material as a run has it, if not `given`.

    Raises:
        InputError: one is out of its range.
    """
    own: dict[str, Any] = {}
    if run is not None:
        own = {
            name: value
            for name, value in translated(run.config).get("mechanics", {}).items()
            if name in Material.model_fields and name != "voxels_per_element"
        }
    try:
        return ApparentParameters.model_validate(own | dict(given))
    except ValidationError as error:
        raise InputError(explain(error, "mechanical test", ApparentParameters)) from None


def table(
    bones: Iterable[Bone], p: ApparentParameters | Mapping[str, Any], *, tensor: bool = False
) -> "pd.DataFrame":
    """Stiffness and strength, one row per measure (and day, of a run).

    Args:
        bones: what to compress, e.g. `bones_of_run(run)`.
        p: the test and the material.
        tensor: also the whole stiffness tensor.

    Raises:
        InputError: options out of range, bone that carries no load.
        ResourceError, NumericalError: see `compress`.
    """
    import pandas as pd

    p = p if isinstance(p, ApparentParameters) else parameters_of(p)
    parts: list[pd.DataFrame] = []
    notes: list[str] = []
    for bone in bones:
        try:
            rows = _rows(bone, p, tensor)
        except InputError as error:
            where = f"{bone.source}: " if bone.source else ""
            raise InputError(f"{where}{error.message}", parameter=error.parameter) from None
        if bone.day is not None:
            rows.insert(0, "day", bone.day)
        parts.append(rows)
        notes += bone.notes
    found = pd.concat(parts, ignore_index=True)
    found.attrs["notes"] = notes
    return found


def text(table: "pd.DataFrame") -> str:
    """The table as text; the entries of a stiffness tensor as a matrix."""
    body = structure.text(table[~table["measure"].str.startswith(ENTRY)])
    matrices = _matrices(table)
    return f"{body}\n\n{matrices}" if matrices else body


def _matrices(table: "pd.DataFrame") -> str:
    """The stiffness tensor as 6 x 6, for each day; "" if there is none."""
    entries = table[table["measure"].str.startswith(ENTRY)]
    if entries.empty:
        return ""
    days = entries.groupby("day") if "day" in entries else [("", entries)]
    parts = []
    for day, rows in days:
        matrix = rows["value"].to_numpy().reshape(6, 6)
        names = [strain_name(case) for case in range(6)]
        head = f"stiffness, MPa{f', day {day}' if day != '' else ''}"
        lines = ["".join([" " * 4, *(f"{name:>10}" for name in names)])]
        lines += [
            f"{name:4}" + "".join(f"{value:10.2f}" for value in row)
            for name, row in zip(names, matrix, strict=True)
        ]
        parts.append("\n".join([head, *lines]))
    return "\n\n".join(parts)


def _rows(bone: Bone, p: ApparentParameters, whole_tensor: bool) -> "pd.DataFrame":
    import pandas as pd

    quanta, voxel_um, mineral = bone.quanta, bone.voxel_um, bone.mineral
    n = p.voxels_per_element
    kept = tuple(slice(size // n * n) for size in quanta.shape)
    if min(side.stop for side in kept) == 0:
        raise InputError(f"a block of {quanta.shape} voxels holds no element of {n} voxels an edge")
    share, modulus = elements_of(quanta[kept], None if mineral is None else mineral[kept], p)
    block = Block(share, modulus, voxel_um * 1e-3 * n)
    values = compress(block, p)
    methods = _methods(p, mineral is not None)
    if whole_tensor:
        found = stiffness_tensor(block, p)
        values |= _tensor_values(found)
        methods |= _tensor_methods(found)
    return pd.DataFrame(
        {"measure": name, "symbol": methods[name][0], "value": value, "unit": unit_of(name),
         "voxel_um": voxel_um, "region": "whole elements" if n > 1 else "all",
         "method": methods[name][1], "version": f"bonesim {version_of('bonesim')}"}
        for name, value in values.items()
    )  # fmt: skip


def _methods(p: ApparentParameters, graded: bool) -> dict[str, tuple[str, str]]:
    """Measure -> (symbol, method) of the compression."""
    case = f"{STRAIN:.0%} along {p.axis}, {p.ends} ends, {p.sides} sides"
    material = f"tissue {p.tissue_modulus_mpa:g} MPa, Poisson {p.poisson:g}"
    if graded:
        material += f", x bone x mineral^{p.mineral_exponent:g}"
    s = p.strength
    strains = {
        f"effective_strain_q{q}": (
            f"strain {q} %", f"sqrt(2 U / E) that {q} % of the carrying bone does not exceed, at {case}",
        )
        for q in QUANTILES
    }  # fmt: skip
    return strains | {
        "apparent_modulus_mpa": ("E.app", f"strain energy at {case}; {material}"),
        "reaction_n": ("F", f"twice the strain energy over the displacement, at {case}"),
        "face_force_n": ("", "nodal forces of the two faces, mean: an independent check of F"),
        "yield_load_n": ("F.yield", f"apparent strain {100 * s.yield_strain:g} % (Morgan 2001)"),
        "failure_load_n": (
            "F.fail",
            f"{s.critical_volume_percent:g} % of bone beyond {1e6 * s.critical_strain:g} microstrain "
            "(Pistoia 2002), linear; depends on the voxel size",
        ),
        "load_to_strength": (
            "", f"{p.habitual_stress_mpa or 0.0:g} MPa on the whole face over F.fail",
        ),
        "bone_carrying_percent": (
            "", f"of the block: bone that joins the faces, in elements of {p.voxels_per_element} voxel(s)",
        ),
        "unknowns": ("", "three a node"),
        "energy_error": ("", f"of the strain energy, estimated; asked for {p.tolerance:g}"),
        "imbalance": ("", "of the two faces' reactions, over the reaction"),
        "residual": ("", "norm of the force out of balance over that at rest, in float64"),
        "cycles": ("", "V-cycles of conjugate gradients"),
    }  # fmt: skip


def _tensor_values(found: Tensor) -> dict[str, float]:
    names = [strain_name(case) for case in range(6)]
    entries = {
        f"{ENTRY}{row}_{column}_mpa": float(found.stiffness[i, j])
        for i, row in enumerate(names)
        for j, column in enumerate(names)
    }
    worst = found.worst
    return entries | found.constants | {
        "tensor_asymmetry": found.asymmetry,
        "tensor_energy_error": worst.energy_error,
        "tensor_imbalance": worst.imbalance,
        "tensor_residual": worst.residual,
        "tensor_cycles": float(worst.iterations),
    }  # fmt: skip


def _tensor_methods(found: Tensor) -> dict[str, tuple[str, str]]:
    """Measure -> (symbol, method) of the tensor."""
    names = [strain_name(case) for case in range(6)]
    entries = {
        f"{ENTRY}{row}_{column}_mpa": (
            f"C {row},{column}",
            f"stress {row} at strain {column}: {_MIXED}",
        )
        for row in names
        for column in names
    }
    constants = {}
    for name in found.constants:
        kind, which = name.split("_")[:2]
        symbol = f"{kind if kind == 'nu' else kind.upper()} {which}"
        constants[name] = (symbol, "of the tensor's orthotropic part")
    return entries | constants | {
        "tensor_asymmetry": ("", "largest difference of C's opposite entries over its largest"),
        "tensor_energy_error": ("", "largest of the six cases, estimated"),
        "tensor_imbalance": ("", "largest of the six cases"),
        "tensor_residual": ("", "largest of the six cases"),
        "tensor_cycles": ("", "V-cycles, all six cases"),
    }  # fmt: skip
