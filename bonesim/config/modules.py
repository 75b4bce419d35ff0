"""A user's modules: Python files with drugs of his own and functions that measure.

    modules = ["denosumab.py"]              # relative to the config

    [[measure]]
    module = "my_measures.py"
    function = "thin_percent"

A module is code. It is loaded only because the user names it: in a config that he gives, or with
`load_module`. A configuration that comes from elsewhere (a run file, a checkpoint, the folder of a
sweep) has the SHA-256 of its modules and loads none: they must have been loaded already.
"""

import hashlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, NamedTuple

from pydantic import Field, field_validator

from bonesim.endocrine.drug import Drug, checked_drug
from bonesim.endocrine.drugs import DRUGS, drugs_in
from bonesim.errors import InputError
from bonesim.parameters import Parameters

#: What stands for a path where a drug's class was given in Python.
IN_PYTHON = "python:"
#: A larger file is no module.
MAX_MODULE_BYTES = 1_000_000


class ModuleParameters(Parameters):
    """A Python file with drugs or functions that measure."""

    path: Annotated[
        str, Field(min_length=1, description="Python file, relative to the config file; input")
    ]
    sha256: Annotated[
        str | None,
        Field(
            pattern="^[0-9a-f]{64}$",
            description="the file must have this SHA-256; noted by a run for its resumption; input",
        ),
    ] = None


class MeasureParameters(Parameters):
    """A function of a module that measures each day: a column of the daily table."""

    module: Annotated[
        str, Field(min_length=1, description="Python file, relative to the config file; input")
    ]
    function: Annotated[
        str, Field(pattern=r"^[A-Za-z_]\w*$", description="takes a `Day`, returns a number; input")
    ]
    name: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z][a-z0-9_]*$", description="of the column; none: the function's; input"
        ),
    ] = None
    unit: Annotated[str, Field(max_length=40, description="of the column; input")] = ""
    meaning: Annotated[
        str | None,
        Field(max_length=200, description="of the column; none: the docstring's first line; input"),
    ] = None
    every_day: Annotated[
        int, Field(ge=1, le=50000, description="days between two; the others have none; input")
    ] = 1

    @field_validator("module")
    @classmethod
    def _is_a_file(cls, module: str) -> str:
        if not module.endswith(".py"):
            raise ValueError(f"got {module!r}; allowed a Python file, *.py; change the value")
        return module


def paths_as_modules(given: Any) -> Any:
    """A path stands for a module without its hash."""
    if not isinstance(given, list | tuple):
        return given
    return [{"path": one} if isinstance(one, str) else one for one in given]


class Loaded(NamedTuple):
    """A module that was loaded."""

    path: str
    sha256: str
    drugs: dict[str, type[Drug]]
    content: ModuleType | None


#: SHA-256 -> module, of all that this process has loaded.
_LOADED: dict[str, Loaded] = {}
#: Drug -> SHA-256 of the module given last to `load_module` that has it.
_OFFERED: dict[str, str] = {}


def load_module(source: str | Path | type[Drug]) -> tuple[str, ...]:
    """Load a Python file, or a drug's class, for all configs from now on; returns its drugs' names.

    A config may then name its drugs, and a run file that names this module can be continued.

    Args:
        source: path of a Python file, or a subclass of `bonesim.Drug`.

    Raises:
        InputError: no such file, an error in it, a drug that is not complete.
    """
    found = _of_class(source) if isinstance(source, type) else _of_file(Path(source))
    for name in found.drugs:
        _OFFERED[name] = found.sha256
    return tuple(found.drugs)


def named_by_user(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A user's config with its modules loaded and their SHA-256 noted.

    Args:
        tree: nested dict; the modules of its measures are added to `modules`.

    Raises:
        InputError: a module that cannot be loaded, or has another SHA-256 than the config gives.
    """
    entries = paths_as_modules(_list(tree, "modules"))
    known = {one.get("path") for one in entries if isinstance(one, Mapping)}
    for measure in _list(tree, "measure"):
        path = measure.get("module") if isinstance(measure, Mapping) else None
        if isinstance(path, str) and path.endswith(".py") and path not in known:
            entries.append({"path": path})
            known.add(path)
    if not entries:
        return dict(tree)
    return dict(tree) | {"modules": [_noted(one) for one in entries]}


def load_planned(tree: Mapping[str, Any]) -> None:
    """Load the modules of a config that another process of this program, which had them, sent here.

    Raises:
        InputError: as `named_by_user`.
    """
    for one in _list(tree, "modules"):
        if isinstance(one, Mapping) and one.get("sha256") not in _LOADED:
            _noted(one)


def with_offered(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A config with the modules of `load_module` whose drugs it names and that it does not list."""
    listed = {d for one in _known(tree) for d in one.drugs}
    hormones = tree.get("hormones")
    groups = (
        tree.get("protocol"),
        hormones.get("drugs") if isinstance(hormones, Mapping) else None,
    )
    named = {str(name) for group in groups if isinstance(group, Mapping) for name in group}
    more = {_OFFERED[name] for name in (named - listed) & _OFFERED.keys()}
    if not more:
        return dict(tree)
    added = [{"path": _LOADED[one].path, "sha256": one} for one in sorted(more)]
    return dict(tree) | {"modules": [*_list(tree, "modules"), *added]}


def drugs_of(tree: Mapping[str, Any], where: str) -> dict[str, type[Drug]]:
    """The drugs of the modules that a config lists; nothing is loaded.

    Raises:
        InputError: a module that this process has not loaded; two with the same drug.
    """
    found: dict[str, type[Drug]] = {}
    for one in _list(tree, "modules"):
        given = one if isinstance(one, Mapping) else {"path": str(one)}
        path, digest = given.get("path"), given.get("sha256")
        if digest not in _LOADED:
            raise InputError(
                f"{where}: needs the module {path} (sha256 {str(digest)[:12]}), which is code and is "
                "not loaded from here; name it yourself: `modules`"
            )
        for name, drug in _LOADED[digest].drugs.items():
            if name in found:
                raise InputError(f"{where}: modules: two have a drug {name}; leave one out")
            found[name] = drug
    return found


def function_of(measure: MeasureParameters, modules: tuple[ModuleParameters, ...]) -> Any:
    """The function that a measure of a config names.

    Raises:
        InputError: its module is not loaded or has no such function.
    """
    for one in modules:
        if one.path == measure.module and one.sha256 in _LOADED:
            found = getattr(_LOADED[one.sha256].content, measure.function, None)
            if callable(found):
                return found
    raise InputError(
        f"measure: {measure.module} has no function {measure.function}; check the name"
    )


def _list(tree: Mapping[str, Any], name: str) -> list[Any]:
    """The entries of a list in a config, whatever the config has there."""
    entries = tree.get(name)
    return list(entries) if isinstance(entries, list | tuple) else []


def _known(tree: Mapping[str, Any]) -> list[Loaded]:
    digests = [one.get("sha256") for one in _list(tree, "modules") if isinstance(one, Mapping)]
    return [_LOADED[digest] for digest in digests if digest in _LOADED]


def _noted(entry: Any) -> Any:
    """A module's entry with the SHA-256 of what was loaded."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
        return entry  # validation reports it
    wanted = entry.get("sha256")
    if wanted in _LOADED:
        return dict(entry)
    if entry["path"].startswith(IN_PYTHON):
        raise InputError(
            f"modules: {entry['path']} was given in Python; give it to load_module again"
        )
    found = _of_file(Path(entry["path"]), wanted)
    return dict(entry) | {"sha256": found.sha256}


def _of_file(path: Path, wanted: str | None = None) -> Loaded:
    """Load a file, or take it from what was loaded with the same content.

    Args:
        path: of the file.
        wanted: the SHA-256 it must have; another content is not run.
    """
    try:
        if path.suffix != ".py" or not path.is_file():
            raise InputError(f"{path}: is no Python file; give the path of a file *.py")
        if path.stat().st_size > MAX_MODULE_BYTES:
            raise InputError(f"{path}: is larger than {MAX_MODULE_BYTES} bytes; split it")
        source = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    digest = hashlib.sha256(source).hexdigest()
    if wanted is not None and wanted != digest:
        raise InputError(
            f"{path}: has changed (its SHA-256 is {digest[:12]}, not {str(wanted)[:12]}); put the old "
            "file back or start a new run"
        )
    if digest not in _LOADED:
        content = _run(path, source, f"bonesim_module_{digest[:16]}")
        try:
            drugs = {one.name: one for one in drugs_in(content)}
        except InputError as error:
            raise InputError(f"{path}: {error.message}") from None
        _refuse_package_names(drugs, str(path))
        _LOADED[digest] = Loaded(str(path), digest, drugs, content)
    return _LOADED[digest]


def _run(path: Path, source: bytes, name: str) -> ModuleType:
    """Run a module's source: exactly the bytes that were hashed."""
    content = ModuleType(name)
    content.__file__ = str(path)
    sys.modules[name] = content
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), content.__dict__)
    except InputError as error:
        sys.modules.pop(name, None)
        raise InputError(f"{path}: {error.message}") from None
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        raise InputError(f"{path}: {_line_of(error, path)}{_one_line(error)}") from None
    return content


def _line_of(error: BaseException, path: Path) -> str:
    """ "line 3: ", where in the file an error arose."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: "
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return "" if line is None else f"line {line}: "


def _one_line(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {' '.join(str(text).split())[:200]}"


def _of_class(drug: type[Any]) -> Loaded:
    """A drug that was defined in Python."""
    if not issubclass(drug, Drug):
        raise InputError(f"got the class {drug.__name__}; give a subclass of bonesim.Drug")
    checked_drug(drug)
    drugs = {drug.name: drug}
    _refuse_package_names(drugs, drug.__name__)
    digest = hashlib.sha256(_source_of(drug).encode()).hexdigest()
    _LOADED[digest] = Loaded(f"{IN_PYTHON}{drug.__name__}", digest, drugs, None)
    return _LOADED[digest]


def _source_of(drug: type[Drug]) -> str:
    """The text of a class; where there is none (a prompt), what its methods were compiled to."""
    import inspect

    try:
        return inspect.getsource(drug)
    except (OSError, TypeError):
        codes = [
            (name, one.__code__.co_code.hex(), repr(one.__code__.co_consts))
            for name, one in sorted(vars(drug).items())
            if hasattr(one, "__code__")
        ]
        values = {name: str(getattr(drug, name, None)) for name in ("about", "sources", "regimen")}
        return re.sub(
            r" at 0x[0-9a-f]+", "", repr((codes, values, drug.model_validate({}).model_dump()))
        )


def _refuse_package_names(drugs: Mapping[str, type[Drug]], where: str) -> None:
    for name in drugs:
        if name in DRUGS:
            raise InputError(f"{where}: drug {name}: is one of bonesim's; choose another name")
