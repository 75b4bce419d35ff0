"""Files to start from: a run, a study, a trial or an experiment, with comments and their schema."""

from pathlib import Path
from typing import Any

from bonesim.config.schema import NAMES, Kind
from bonesim.errors import InputError
from bonesim.storage.durable import failures_explained, write_durably
from bonesim.storage.outputs import check_outputs

__all__ = ["new", "schema"]

TEMPLATES = Path(__file__).parents[1] / "config" / "templates"
#: Kind -> its files, the first one being the one that is used.
FILES = {
    "run": ("run.toml",),
    "study": ("study.toml", "run.toml"),
    "trial": ("trial.toml", "person.toml"),
    "experiment": ("study.toml", "run.toml", "answer.py", "README.md"),
}
#: What else a kind is called.
ALSO_CALLED = {"sweep": "study"}
#: File -> the schema that its first line names.
SCHEMAS: dict[str, Kind] = {
    "run.toml": "run", "person.toml": "run", "study.toml": "study", "trial.toml": "trial",
}  # fmt: skip


def schema(kind: str = "run") -> dict[str, Any]:
    """The JSON schema of a config, a study or a trial: each parameter with unit, range and meaning.

    Args:
        kind: "run", "study" or "trial".

    Raises:
        InputError: another kind.
    """
    import json

    return dict(json.loads(schema_text(kind)))


def schema_text(kind: str) -> str:
    """As `schema`, as text.

    Raises:
        InputError: another kind.
    """
    from bonesim.config.schema import text

    found = next((one for one in NAMES if one == kind), None)
    if found is None:
        raise InputError(f"{kind!r} is not known; one of {', '.join(NAMES)}", parameter="kind")
    return text(found)


def new(kind: str, folder: str | Path = ".", *, overwrite: bool = False) -> tuple[Path, ...]:
    """Write commented files to start from, and the schemas that an editor completes them by.

    They run as written. All are of a small bone: minutes, not hours.

    Args:
        kind: "run" (run.toml), "study" or "sweep" (study.toml and run.toml), "trial" (trial.toml and
            person.toml) or "experiment" (a study with a README and the program of its answer).
        folder: where to; made if it is not there.
        overwrite: replace files of these names.

    Returns:
        Their paths; first the one to use.

    Raises:
        InputError: another kind, files that exist, a folder that cannot be made.
    """
    kind = ALSO_CALLED.get(kind, kind)
    if kind not in FILES:
        raise InputError(f"{kind!r} is not known; one of {', '.join(FILES)}", parameter="kind")
    place = Path(folder)
    contents = {name: (TEMPLATES / name).read_text(encoding="utf-8") for name in FILES[kind]}
    for one in dict.fromkeys(SCHEMAS[name] for name in FILES[kind] if name in SCHEMAS):
        contents[f"{one}.schema.json"] = schema_text(one)
    with failures_explained(place):
        if place.exists() and not place.is_dir():
            raise InputError(f"{place}: is a file, and a folder is needed", parameter="folder")
        if place.is_dir():
            # The schemas are those of this version and may be renewed.
            check_outputs((place / name for name in FILES[kind]), overwrite)
        place.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_durably(place / name, content.encode())
    return tuple(place / name for name in contents)
