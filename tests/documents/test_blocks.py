"""Every code block of README and the guide is well formed, names what exists, and (slow) runs."""

import ast
import re
import shlex
import subprocess
import time
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from blocks import (
    DOCUMENTS,
    LANGUAGES,
    ROOT,
    Block,
    blocks_of,
    bounded,
    lay_out,
    run,
    write_bounded,
)
from pydantic import BaseModel

import bonesim
from bonesim.cli.main import app
from bonesim.config.config import Config
from bonesim.histology.biopsy import BiopsyParameters
from bonesim.instruments.visits import ClinicParameters

MOST_WORDS, MOST_LINES = 1000, 130
#: Columns of a code block.
WIDTH = 105
#: A dotted path into one of the groups of parameters.
PARAMETER = re.compile(
    r"(?:`|--set '?)((?:specimen|hormones|protocol|cells|signals|mechanics|tissue|density|markers|schedule"
    r"|biopsy)\.[a-z][\w.]*[a-z0-9])(?=[=`])"
)
#: Made from the code, whose functions they name too; their own tests compare them with it.
MADE = {"model", "parameters"}
each = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)


def commands(block: Block) -> list[list[str]]:
    """The calls of bonesim in a block of shell, as words."""
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        for part in line.split("&&"):
            words = shlex.split(part, comments=True)
            if words and Path(words[0]).name == "bonesim":
                found.append(words[1:])
    return found


def exists(group: Any, path: list[str]) -> bool:
    """Whether a group of parameters has a path; into a choice of groups, or a list of them, too."""
    if not path or group is None:
        return not path
    kinds = [group]
    while kinds:
        kind = kinds.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(path[0])
            if field is not None:
                return len(path) == 1 or exists(field.annotation, path[1:])
        kinds += get_args(kind)
    return False


def check_command(words: list[str]) -> None:
    """Parse a command line as the program does; nothing is run."""
    command: Any = typer.main.get_command(app)
    while "--module" in words:  # with any command
        k = words.index("--module")
        assert words[k + 1].endswith(".py")
        words = words[:k] + words[k + 2 :]
    while hasattr(command, "commands"):
        assert words[0] in command.commands, f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    # Redirections and pipes are the shell's, and so are variables: numbers of tasks here.
    ends = [k for k, word in enumerate(words) if word in ("|", ">", "&", "2>")]
    words = words[: ends[0]] if ends else words
    command.make_context("bonesim", ["1" if word.startswith("$") else word for word in words])


def test_readme_is_one_screen() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.split()) <= MOST_WORDS
    assert len(text.splitlines()) <= MOST_LINES


@each
def test_blocks_are_well_formed(document: Path) -> None:
    for block in blocks_of(document):
        where = f"{document.name}:{block.line}"
        assert block.language in LANGUAGES, where
        assert "../" not in block.text, f"{where} reads a folder beside the project"
        if block.language == "toml":
            assert block.file.endswith(".toml"), f"{where}: which file is it?"
            tomllib.loads(block.text)
        elif block.language == "python":
            ast.parse(block.text)
            assert "pip install" not in block.text
        elif block.language == "bash":
            done = subprocess.run(
                ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{where}: {done.stderr}"
            assert not block.runs or "pip install" not in block.program, where
            for words in commands(block):
                check_command(words)


@each
def test_a_reader_learns_the_name_of_every_file(document: Path) -> None:
    """The remark that names it is not printed, so the text above must."""
    lines = document.read_text().splitlines()
    for block in blocks_of(document):
        if block.file:
            above = "\n".join(line for line in lines[: block.line - 1] if "<!--" not in line)
            assert f"`{block.file}`" in above, block.file


@each
def test_lines_of_blocks_fit_a_terminal(document: Path) -> None:
    for block in blocks_of(document):
        for line in block.text.splitlines():
            assert len(line) <= WIDTH, f"{document.name}:{block.line}: {line}"


@each
def test_blocks_name_configs_that_are_there(document: Path) -> None:
    made = {block.file for block in blocks_of(document) if block.file}
    for block in blocks_of(document):
        if block.language == "bash":
            for words in commands(block):
                for word in words:
                    if word.startswith("configs/"):
                        assert (ROOT / word).is_file() or word in made, word


@each
def test_public_names_in_blocks_exist(document: Path) -> None:
    for block in blocks_of(document):
        if block.language == "python":
            for node in ast.walk(ast.parse(block.text)):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    assert node.value.id != "bonesim" or node.attr in bonesim.__all__, node.attr


@each
def test_named_parameters_exist(document: Path) -> None:
    """`cells.osteoclast.strain_stop=0` and the like, in text or in a block."""
    if document.stem in MADE:
        pytest.skip("made from the code")
    for name in PARAMETER.findall(document.read_text()):
        if name.endswith(".py"):
            continue
        if not exists(Config, name.split(".")) and not exists(ClinicParameters, name.split(".")):
            assert exists(BiopsyParameters, name.split(".")[1:]), name


@pytest.mark.parametrize(
    "words",
    [
        ["rnu", "a.toml"],
        ["run", "a.toml", "--outptu", "a"],
        ["measure", "--quick"],
        ["sweep", "go"],
    ],
)
def test_a_wrong_command_would_be_noticed(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"no command|No such option|Missing argument"):
        check_command(words)


def test_blocks_run_small_configs_of_the_same_kind() -> None:
    for config in sorted((ROOT / "configs").glob("*.toml")):
        tree = tomllib.loads(config.read_text())
        small = bounded(tree)
        assert tree.keys() <= small.keys() <= tree.keys() | {"mechanics", "repeats"}
        if "specimen" in tree:
            assert small["specimen"]["size_mm"] == [0.8] * 3


@pytest.mark.slow
@each
def test_blocks_run(document: Path, tmp_path: Path) -> None:
    every = blocks_of(document)
    if not any(block.runs for block in every):
        pytest.skip("no block of this document runs")
    lay_out(tmp_path)
    wrong = []
    for block in every:
        if block.file:
            write_bounded(block.text, tmp_path / block.file)
        elif block.runs:
            began = time.monotonic()
            done = run(block, tmp_path)
            shown = f"{document.name}:{block.line}\n{block.program}\n{done.stdout}\n{done.stderr}"
            if done.returncode or "Traceback" in done.stderr:
                wrong.append(shown)
            print(f"{document.name}:{block.line}: {time.monotonic() - began:.1f} s")
    assert not wrong, "\n\n".join(wrong)
