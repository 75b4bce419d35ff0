"""A run as a research object (RO-Crate 1.2): one ZIP with all that a reader needs to check or repeat it.

    ro-crate-metadata.json   what each file is, what made it, of which inputs (JSON-LD)
    run.vtkhdf               the run file, under its own name
    config.toml              its resolved configuration; names of scans are those in inputs/
    inputs/                  files that the configuration names, if they are the same as then
    tables/                  daily table, snapshots, events and breaks as CSV; units in columns.csv
    provenance.json          versions, machine, command, SHA-256 of inputs
    odd.md                   the model by the ODD protocol, with this run's values
    CITATION.cff             how to cite the program
    README.md                what is here, and how to repeat the run

The same run gives the same bytes: times are those of the run.
"""

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bonesim.api.inputs import AnyRun, opened
from bonesim.errors import InputError
from bonesim.storage.durable import create_exclusively, failures_explained, sync_folder
from bonesim.storage.outputs import check_output
from bonesim.storage.provenance import PACKAGES, history
from bonesim.storage.reader import Run

if TYPE_CHECKING:
    from bonesim.config.config import Config

__all__ = ["bundle"]

METADATA = "ro-crate-metadata.json"
VERSION = "1.2"
CONTEXT = f"https://w3id.org/ro/crate/{VERSION}/context"
PROFILE = f"https://w3id.org/ro/crate/{VERSION}"
#: Formats by their own pages.
TOML = {"@id": "https://toml.io", "@type": ["WebPage", "Standard"], "name": "TOML"}
VTKHDF = {
    "@id": "https://docs.vtk.org/en/latest/vtk_file_formats/vtkhdf_file_format/index.html",
    "@type": ["WebPage", "Standard"],
    "name": "VTKHDF file format",
}
NO_LICENCE = "The author of this run has not stated a licence; ask before you reuse it."
#: Packages of a run's provenance -> their pages.
PAGES = {
    "numpy": "https://numpy.org", "numba": "https://numba.pydata.org", "scipy": "https://scipy.org",
    "h5py": "https://www.h5py.org", "mesa": "https://mesa.readthedocs.io",
    "scikit-image": "https://scikit-image.org", "Python": "https://www.python.org",
}  # fmt: skip
#: Times of files in the ZIP: none, so that equal content gives equal bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)
TABLES = ("table", "snapshot_table", "events", "breaks", "break_tracks")


class _File(NamedTuple):
    """A file of the bundle: its name there, what it is, and its text or where it is copied from."""

    name: str
    title: str
    media: str
    text: str = ""
    source: Path | None = None
    about: str = ""


def bundle(
    run: AnyRun, output: str | Path | None = None, *, licence: str | None = None,
    author: str | None = None, overwrite: bool = False,
) -> Path:  # fmt: skip
    """Put a run into one ZIP, an RO-Crate: configuration, inputs, results, versions, ODD, citation.

    Args:
        run: a run file's path, or what `open_run` gives.
        output: the ZIP to make; beside the working directory's files, named after the run, if None.
        licence: of the results: an SPDX name, as "CC-BY-4.0", or an address. None states that there
            is none.
        author: name of who made the run.
        overwrite: replace the output if it exists.

    Returns:
        The path of the ZIP.

    Raises:
        InputError: a file that cannot be written; a run whose last commit is in its journal.
        CorruptFileError: a damaged file. ResourceError: a full disk.
    """
    with opened(run) as file:
        place = Path(f"{file.path.stem}.crate.zip") if output is None else Path(output)
        if place.suffix.lower() != ".zip":
            raise InputError(f"{place}: a bundle's name ends in .zip", parameter="output")
        check_output(place, overwrite, [file.path])
        if file.uses_journal:
            raise InputError(
                f"{file.path}: was stopped within a write; resume it first, then bundle it"
            )
        files = _files(file)
        metadata = _metadata(file, files, licence, author)
        with failures_explained(place):
            _write(place, [_File(METADATA, "", "", metadata), *files])
    return place


def _write(place: Path, files: list[_File]) -> None:
    """All files into a ZIP, or none."""
    temporary = place.with_name(f".{place.name}.tmp")
    descriptor = create_exclusively(temporary)
    try:
        with os.fdopen(descriptor, "w+b") as target:
            with zipfile.ZipFile(target, "w") as archive:
                for one in files:
                    _add(archive, one)
            target.flush()
            os.fsync(target.fileno())
        temporary.replace(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(place.parent)


def _add(archive: zipfile.ZipFile, one: _File) -> None:
    entry = zipfile.ZipInfo(one.name, NO_TIME)
    entry.external_attr = 0o644 << 16
    if one.source is None:
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, one.text)
        return
    entry.file_size = (
        one.source.stat().st_size
    )  # decides on ZIP64; run files are compressed already
    with one.source.open("rb") as source, archive.open(entry, "w") as target:
        shutil.copyfileobj(source, target, 2**20)


def _files(run: Run) -> list[_File]:
    """The files of a bundle but for the metadata."""
    from bonesim.config.config import to_toml, validated
    from bonesim.config.renamed import translated
    from bonesim.reports import odd

    config = validated(translated(run.config), str(run.path))
    inputs, portable = _inputs(run, config)
    version = str(run.provenance.get("bonesim", "unknown"))
    csv, toml = "text/csv", "application/toml"
    return [
        _File(run.path.name, f"Run file: {run.title}", "application/x-hdf5", source=run.path,
              about="days, tables, events, breaks, lattices and cells; VTKHDF"),
        _File("config.toml", "Configuration, resolved: every parameter", toml, to_toml(portable)),
        *inputs,
        *(_File(f"tables/{name}.csv", title, csv, text, about="units are in tables/columns.csv")
          for name, title, text in _tables(run)),
        _File("tables/columns.csv", "Columns of the tables: unit, symbol, meaning", csv, _columns(run)),
        _File("provenance.json", "Versions, machine, command, SHA-256 of inputs", "application/json",
              json.dumps(run.provenance, indent=1) + "\n"),
        _File("odd.md", "The model by the ODD protocol, with this run's values", "text/markdown",
              odd.text(odd.table(portable))),
        _File("CITATION.cff", "How to cite the program", "application/yaml", _citation(version)),
        _File("README.md", "What is in this bundle", "text/markdown", _readme(run)),
    ]  # fmt: skip


def _inputs(run: Run, config: "Config") -> "tuple[list[_File], Config]":
    """Files that a configuration names, and the configuration that names them in the bundle.

    Only those whose content is that of the run, by SHA-256, are taken.
    """
    from bonesim.config.changes import value_at
    from bonesim.config.config import tree_of
    from bonesim.config.files import FILE_PATHS, LIBRARY_FOLDER
    from bonesim.config.inputs import digests_of, files_of

    known = run.provenance.get("inputs", {})
    tree, found, changes = tree_of(config), [], {}
    try:
        now = digests_of(config)
    except InputError:  # a scan that is no longer there
        now = {}
    for path in FILE_PATHS:
        named = value_at(tree, path)
        if not isinstance(named, str):
            continue
        place = Path(named)
        changes[path] = place.name if path == LIBRARY_FOLDER else f"inputs/{place.name}"
        if path == LIBRARY_FOLDER or now.get(place.name) != known.get(place.name, ""):
            continue
        for one in files_of(place):
            name = one.relative_to(place.parent).as_posix()
            found.append(
                _File(
                    f"inputs/{name}",
                    f"Input {path}: {name}",
                    "application/octet-stream",
                    source=one,
                )
            )
    if LIBRARY_FOLDER in changes:
        # Where the library is kept is the machine's affair.
        del tree["specimen"]["folder"], changes[LIBRARY_FOLDER]
        from bonesim.config.config import validated

        config = validated(tree, "bundle")
    return found, config.with_changes(changes) if changes else config


def _tables(run: Run) -> Iterator[tuple[str, str, str]]:
    """Name, title and CSV of each table that is on file."""
    frames = {
        "table": ("Daily table", run.table),
        "snapshot_table": ("Measures at each snapshot", run.snapshot_table),
        "events": ("Topological events of single voxels", run.events),
        "breaks": ("Holes and cuts of the network", run.breaks),
        "break_tracks": ("Width and volume of each break at each look", run.break_tracks),
    }
    for name, (title, frame) in frames.items():
        yield name, title, frame.to_csv(index=False)


def _columns(run: Run) -> str:
    """The columns of all tables as CSV."""
    import pandas as pd

    rows = []
    for name in TABLES:
        try:
            columns = run.columns(name)
        except KeyError:
            continue  # of a file of an earlier version
        rows += [(name, one.name, one.unit, one.symbol, one.meaning) for one in columns]
    target = io.StringIO()
    names = ["table", "column", "unit", "symbol", "meaning"]
    pd.DataFrame(rows, columns=names).to_csv(target, index=False)
    return target.getvalue()


def _citation(version: str) -> str:
    """The citation of the program that made a run, in this version."""
    from importlib import metadata

    try:
        about = metadata.metadata("bonesim").json
        names = ("summary", "license_expression", "author")
        summary, licence, author = (str(about.get(name, "")) for name in names)
    except metadata.PackageNotFoundError:
        summary, licence, author = "", "", ""
    lines = [
        "cff-version: 1.2.0",
        'message: "If you use these results, please cite the program as below."',
        f"title: {json.dumps(f'bonesim: {summary}'.removesuffix(': '))}",
        "type: software",
        f"version: {json.dumps(version)}",
        *([f"license: {licence}"] if licence else []),
        "authors:",
        f"  - name: {json.dumps(author or 'The bonesim developers')}",
    ]
    return "\n".join(lines) + "\n"


def _readme(run: Run) -> str:
    reached = "none" if run.last_day is None else str(run.last_day)
    made = "\n".join(f"- {line}" for line in history(run.provenance))
    return (
        f"# {run.title}\n\nA run of bonesim: {run.status}, day {reached} of {run.planned_days}. "
        f"`{METADATA}` describes every file (RO-Crate {VERSION}).\n\nMade by:\n\n{made}\n\n"
        "To repeat it with the same version, in this folder:\n\n"
        "```bash\nbonesim run config.toml -o again.vtkhdf\n```\n\n"
        "A research simulation, not for clinical decisions.\n"
    )


def _metadata(run: Run, files: list[_File], licence: str | None, author: str | None) -> str:
    """The JSON-LD of the bundle: a flat list of entities that refer to each other by `@id`."""
    made = run.provenance
    when = str(made.get("created", ""))
    programs = _programs(made)
    names = [one.name for one in files]
    used = [name for name in names if name == "config.toml" or name.startswith("inputs/")]
    results = [n for n in names if n == run.path.name or n.startswith("tables/")]
    bone, terms = _bone(made), _licence(licence)
    person = [{"@id": "#author", "@type": "Person", "name": author}] if author else []
    root: dict[str, Any] = {
        "@id": "./", "@type": "Dataset", "name": run.title or run.path.stem,
        "description": f"A run of bonesim, an agent-based simulation of trabecular bone: {run.status}, "
        f"day {run.last_day} of {run.planned_days}. A research simulation, not for clinical decisions.",
        "datePublished": when, "license": {"@id": terms["@id"]},
        "hasPart": [{"@id": name} for name in names], "mentions": {"@id": "#run"},
    }  # fmt: skip
    if person:
        root["author"] = {"@id": "#author"}
    action = {
        "@id": "#run", "@type": "CreateAction", "name": f"Simulation of {run.title}",
        "description": " ".join(map(str, made.get("command", []))) or "bonesim",
        "startTime": when, "instrument": {"@id": programs[0]["@id"]},
        "object": _one_or_all([*used, *(one["@id"] for one in bone)]),
        "result": _one_or_all(results),
        **({"agent": {"@id": "#author"}} if person else {}),
    }  # fmt: skip
    graph = [
        {"@id": METADATA, "@type": "CreativeWork", "conformsTo": {"@id": PROFILE}, "about": {"@id": "./"}},
        root, *(_entity(one) for one in files), action, *programs, *bone, *person, terms, TOML, VTKHDF,
    ]  # fmt: skip
    return json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False) + "\n"


def _one_or_all(names: list[str]) -> Any:
    """References to entities; a single one stands by itself, as JSON-LD is compacted."""
    found = [{"@id": name} for name in names]
    return found[0] if len(found) == 1 else found


def _entity(one: _File) -> dict[str, Any]:
    """What a file is, with its size and SHA-256."""
    if one.source is None:
        data = one.text.encode()
        size, digest = len(data), hashlib.sha256(data).hexdigest()
    else:
        with one.source.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
        size = one.source.stat().st_size
    media: Any = one.media
    if one.name.endswith(".toml"):
        media = [one.media, {"@id": TOML["@id"]}]
    elif one.name.endswith(".vtkhdf"):
        media = [one.media, {"@id": VTKHDF["@id"]}]
    return {
        "@id": one.name, "@type": "File", "name": one.title, "encodingFormat": media,
        "contentSize": str(size), "sha256": digest, "description": one.about or one.title,
    }  # fmt: skip


def _programs(made: dict[str, Any]) -> list[dict[str, Any]]:
    """bonesim and the packages that can change its results, as they were."""
    versions = {name: made[name] for name in PACKAGES if name in PAGES and name in made}
    versions["Python"] = made.get("python", "unknown")
    packages = [
        {"@id": f"#{name}", "@type": "SoftwareApplication", "name": name, "version": str(version),
         "url": PAGES[name]}
        for name, version in versions.items()
    ]  # fmt: skip
    program = {
        "@id": "#bonesim", "@type": "SoftwareApplication", "name": "bonesim",
        "version": str(made.get("bonesim", "unknown")),
        "identifier": f"program {made.get('program', 'unknown')}",
        "description": f"the program, as it ran on {made.get('machine', 'an unknown machine')}",
        "softwareRequirements": [{"@id": one["@id"]} for one in packages],
        # There is no page of this very program: its version and the hash of its sources name it.
        "url": f"urn:x-bonesim:{made.get('bonesim', 'unknown')}:{made.get('program', 'unknown')}",
        "citation": {"@id": "CITATION.cff"},
    }  # fmt: skip
    return [program, *packages]


def _bone(made: dict[str, Any]) -> list[dict[str, Any]]:
    """The published bone that a run began with, with its licence and citation; else nothing."""
    bone = made.get("bone")
    if not isinstance(bone, dict):
        return []
    return [
        {
            "@id": str(bone.get("address") or bone.get("url") or "#bone"), "@type": "CreativeWork",
            "name": str(bone.get("name", "published bone")),
            "description": "; ".join(f"{k}: {v}" for k, v in bone.items()),
        }
    ]  # fmt: skip


def _licence(licence: str | None) -> dict[str, Any]:
    """The licence as an entity."""
    if not licence:
        return {
            "@id": "#licence", "@type": "CreativeWork", "name": "No licence stated",
            "description": NO_LICENCE,
        }  # fmt: skip
    address = licence if licence.startswith("https://") else f"https://spdx.org/licenses/{licence}"
    name = licence.rstrip("/").rpartition("/")[2]
    return {
        "@id": address, "@type": "CreativeWork", "name": name, "description": f"The licence {name}."
    }  # fmt: skip
