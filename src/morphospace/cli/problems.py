"""Files that cannot be used, in words."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from morphospace.cli.screen import note
from morphospace.cli.spelling import spell_words
from morphospace.errors import DataError, plural

if TYPE_CHECKING:
    from morphospace.data import Dataset
    from morphospace.data.folder import Problem

__all__ = ["note_problems", "one_line", "problem_lines", "problem_summary"]

_SHOWN = 12  # problems said one by one
_NAMED = 5  # broken files named in a summary


def problem_summary(dataset: Dataset) -> str:
    """What is wrong with the files of a set, in a sentence that names the first few."""
    from morphospace.data.folder import problem_kinds

    problems = dataset.problems
    names = ", ".join(one_line(problem.name) for problem in problems[:_NAMED])
    named = names if len(problems) <= _NAMED else f"the first are {names}"
    count = plural(len(problems), "problem")
    return f"{count}: {problem_kinds(problems)}; {named}; listed by morpho data info {shlex.quote(dataset.source)}"


def problem_lines(problems: Sequence[Problem]) -> list[str]:
    """Problems in lines, those of one reason in one; the last line says where each is found, where they are many."""
    from morphospace.data.tables import shortened

    names: dict[str, list[str]] = {}
    for problem in problems:
        names.setdefault(problem.reason, []).append(one_line(problem.name))
    lines = [f"{shortened(some, _NAMED)}: {spell_words(reason)}" for reason, some in list(names.items())[:_SHOWN]]
    if others := sum(map(len, list(names.values())[_SHOWN:])):
        lines.append(f"{others:,} more of other kinds")
    return [*lines, "--json lists each"] if others or max(map(len, names.values()), default=0) > _NAMED else lines


def one_line(name: str) -> str:
    r"""A file's name without what would break the line.

    Example:
        >>> one_line("line\nbreak.png")
        'line\\nbreak.png'
    """
    return name.encode("unicode_escape").decode() if any(not c.isprintable() for c in name) else name


def note_problems(problems: Sequence[Problem], good: int) -> None:
    """Say which pictures of a folder were left out.

    Raises:
        DataError: if none could be used.
    """
    if not good:
        first = problems[0]
        raise DataError(
            f"none of the {len(problems)} pictures can be used; {first.name}: {first.reason}.", argument="image"
        )
    for problem in problems[:_SHOWN]:
        note(f"left out {one_line(problem.name)}: {problem.reason}")
    if len(problems) > _SHOWN:
        note(f"left out {len(problems) - _SHOWN:,} more; --json lists them all")
