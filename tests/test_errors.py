"""Errors name the argument that is at fault beside their words, not in them."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import morphospace as ms
from morphospace.errors import ArgumentError, DataError, FileError, MorphospaceError


@pytest.mark.parametrize("kind", [MorphospaceError, ArgumentError, DataError, FileError])
def test_an_error_has_its_argument_beside_its_words(kind: type[MorphospaceError]) -> None:
    error = kind("expected 1 to 10, got 11.", argument="latent_dim")
    assert str(error) == "latent_dim: expected 1 to 10, got 11."
    assert (error.argument, error.words) == ("latent_dim", "expected 1 to 10, got 11.")


def test_an_error_of_no_argument_is_its_words() -> None:
    error = DataError("nothing there.")
    assert (str(error), error.argument, error.words) == ("nothing there.", None, "nothing there.")


def test_an_error_comes_back_whole_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(FileError("is empty.", argument="data")))
    assert (type(error), str(error), error.argument, error.words) == (FileError, "data: is empty.", "data", "is empty.")


COMMAND = re.compile(r"(\bmorpho |On the command line: )[^\n;,]*")
TYPED = re.compile(r"(?<![\w-])--[a-z{]|^-[a-z]: |^[A-Z]{2,}: |\bas DATA\b")


def strings(path: Path) -> Iterator[str]:
    """The strings of a file that are no docstrings; what is put into them as {}."""
    tree = ast.parse(path.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told | inside:
            yield node.value


def test_nothing_below_the_command_line_says_how_an_argument_is_typed() -> None:
    source = Path(ms.__file__).parent
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source).as_posix()
        if name.startswith("cli/") or name == "report/html.py":  # which has CSS
            continue
        for words in strings(path):
            # A whole command may be told: it is to be pasted into a shell.
            assert not TYPED.search(COMMAND.sub("", words)), f"{name}: {words}"
