"""The errors that users can meet: each says what, where, what was expected, what came, what to do.

A message is read in Python, in a terminal and in a page, so it never draws how an argument is typed:

- The argument that is at fault is not in the words but beside them, by its Python name:
  ``ArgumentError("expected 1 to 10, got 11.", argument="latent_dim")``.
- Another argument that the words speak of stands in backquotes, as Python has it: ``"`frames="all"` makes a picture of
  each"``. Notes, which are no errors, do the same.
- A whole command, to be pasted into a shell, may stand there as it is: ``"morpho concept classes SPACE --data DATA"``;
  and so may what Python does in another way, behind ``"On the command line: "``.

Python and the server show this as it is written; the command line draws ``--latent-dim:`` and ``--frames all``
(:mod:`morphospace.cli.spelling`).
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ArgumentError",
    "DataError",
    "FileError",
    "MissingPartError",
    "MorphospaceError",
    "NonFiniteLossError",
    "RunBusyError",
    "did_you_mean",
    "plural",
]


class MorphospaceError(ValueError):
    """Something that the user can mend; the command line prints it as one line, never as a traceback.

    Args:
        words: what was expected, what came, what to do, without the argument's name.
        argument: which argument is at fault, by its Python name; a key of a recipe is one, too.

    Attributes:
        exit_code: what a shell gets: 1 failed, 2 wrong usage.

    Example:
        >>> error = MorphospaceError("expected 1 to 10, got 11.", argument="latent_dim")
        >>> str(error), error.argument, error.words
        ('latent_dim: expected 1 to 10, got 11.', 'latent_dim', 'expected 1 to 10, got 11.')
    """

    exit_code: int = 1

    def __init__(self, words: str, *, argument: str | None = None) -> None:
        super().__init__(words)  # alone: an exception goes from process to process by its arguments
        self.words = words
        self.argument = argument

    def __str__(self) -> str:
        return self.words if self.argument is None else f"{self.argument}: {self.words}"


class ArgumentError(MorphospaceError):
    """An argument has the wrong name, type or range."""

    exit_code = 2


class MissingPartError(ArgumentError):
    """A part of another package that nobody gave, or that cannot be had: nothing is imported because a file says so."""


class DataError(MorphospaceError):
    """Images, labels or latents that cannot be used as they are."""


class FileError(MorphospaceError):
    """A file or folder that is missing, foreign, damaged, in the way or not writable."""


class RunBusyError(FileError):
    """Another process is training in the same run folder."""


class NonFiniteLossError(MorphospaceError):
    """Training produced a loss or a weight that is not a finite number."""


def plural(count: int, what: str) -> str:
    """How many of what.

    Example:
        >>> plural(1, "file"), plural(1200, "file")
        ('1 file', '1,200 files')
    """
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def did_you_mean(word: object, options: Iterable[str]) -> str:
    """The end of an error sentence: the nearest option if one is near, and all of them.

    Example:
        >>> did_you_mean("mnits", ["digits", "mnist"])
        'Did you mean "mnist"? Known: digits, mnist.'
    """
    known = list(options)
    near = difflib.get_close_matches(str(word).lower(), known, n=1, cutoff=0.5)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    return f"{hint}Known: {', '.join(known) or 'none'}."
