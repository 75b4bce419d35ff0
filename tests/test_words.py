"""The language rule: names and texts use the field's terms, not the words of `FORBIDDEN`."""

import keyword
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Words that no name and no text of the package may have; a phrase counts in texts only.
FORBIDDEN = (
    "told", "tell", "tells", "telling", "say", "says", "said", "saying",
    "hear", "hears", "heard", "feel", "feels", "felt", "deaf",
    "live", "lives", "lived", "a life", "anew", "luck", "guest", "guests", "sister", "sisters",
    "used to",
)  # fmt: skip
#: Uses of these words that are the field's own.
ALLOWED = re.compile(
    r"half[- ]lives|(?:short|long)-lived|live (?=cells?\b|osteo)|a life (?=span\b|table\b|of\b)",
    re.IGNORECASE,
)
#: Old names are quoted here.
QUOTES_OLD_NAMES = {"bonesim/config/renamed.py"}
#: Names that Python prescribes.
PRESCRIBED = {"tell"}
#: Here only identifiers are checked, and nothing in what is made of its descriptions.
NAMES_ONLY = "bonesim/cells/"
MADE_OF_IT = {"bonesim/guide/parameters.md", "bonesim/guide/model.md"}
TEXTS = ("*README.md", "bonesim/guide/*.md", "configs/*.toml")
WORDS = frozenset(word for word in FORBIDDEN if " " not in word)
ANY = re.compile(
    r"(?<![A-Za-z])("
    + "|".join(word.replace(" ", r"\s+") for word in FORBIDDEN)
    + r")(?![A-Za-z])",
    re.IGNORECASE,
)
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
#: Strings, comments and, from Python 3.12 on, the text of f-strings.
TEXT_TOKENS = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)}


def in_text(text: str, first_line: int = 1) -> Iterator[tuple[int, str]]:
    """(line, word) of every forbidden word of a text; allowed uses are blanked first."""
    blanked = ALLOWED.sub(lambda match: " " * len(match.group()), text)
    for match in ANY.finditer(blanked):
        yield first_line + blanked.count("\n", 0, match.start()), " ".join(match.group().split())


def in_name(name: str) -> Iterator[str]:
    """The name itself, if one of its parts is forbidden (parts: underscores, camel case)."""
    if (
        not keyword.iskeyword(name)
        and name not in PRESCRIBED
        and WORDS & {part.lower() for part in PART.findall(name)}
    ):
        yield name


def in_python(path: Path, texts: bool) -> Iterator[tuple[int, str]]:
    """(line, word) of the identifiers and, if wanted, of the strings and comments of a module."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.NAME:
                yield from ((token.start[0], name) for name in in_name(token.string))
            elif texts and token.type in TEXT_TOKENS:
                yield from in_text(token.string, token.start[0])


def tracked(*patterns: str) -> list[str]:
    """Files under version control, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def found(name: str) -> list[str]:
    """file:line: word of everything forbidden in a file."""
    path = ROOT / name
    if path.suffix == ".py":
        texts = not name.startswith(NAMES_ONLY) and name not in QUOTES_OLD_NAMES
        hits = in_python(path, texts)
    else:
        hits = in_text(path.read_text(encoding="utf-8"))
    return [f"{name}:{line}: {word}" for line, word in hits]


@pytest.mark.parametrize("name", sorted({*tracked("bonesim/*.py", *TEXTS)} - MADE_OF_IT))
def test_names_and_texts_use_the_terms_of_the_field(name: str) -> None:
    hits = found(name)
    assert not hits, "\n" + "\n".join(hits)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("what the blood\ntells them", [(2, "tells")]),
        ("cells feel strain, as they are used\n  to it", [(1, "feel"), (1, "used to")]),
        ("the half-lives of short-lived hormones", []),
        ("living cells; the life of an osteoclast; lifespan; live cells", []),
        ("a life, two Lives", [(1, "a life"), (1, "Lives")]),
        ("hearing, saying", [(1, "saying")]),
        ("the key strain_heard", [(1, "heard")]),
    ],
)
def test_words_are_found_as_whole_words(text: str, words: list[tuple[int, str]]) -> None:
    assert list(in_text(text)) == words


def test_names_are_split_into_their_parts() -> None:
    for name in ("strain_heard", "feltNow", "LivesOf", "LEAST_HEARD", "_said", "live"):
        assert list(in_name(name)) == [name]
    for name in (
        "alive",
        "living",
        "delivers",
        "essays",
        "BMU_BIRTH",
        "lifespan_year",
        "used_names",
    ):
        assert not list(in_name(name)), name


def test_line_and_word_of_a_module_are_named(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""Fine.\n\nCells feel.\n"""\n\nheard = f"{heard} by luck"  # anew\n')
    everything = [(3, "feel"), (6, "heard"), (6, "heard"), (6, "luck"), (6, "anew")]
    assert sorted(in_python(module, True)) == sorted(everything)
    assert next(in_python(module, False)) == (6, "heard")
