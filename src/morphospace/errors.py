"""The errors that users can meet: each says what, where, what was expected, what came, what to do."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ArgumentError",
    "DataError",
    "FileError",
    "MorphospaceError",
    "NonFiniteLossError",
    "RunBusyError",
    "did_you_mean",
    "plural",
]


class MorphospaceError(ValueError):
    """Something that the user can mend; the command line prints it as one line, never as a traceback.

    Attributes:
        exit_code: what a shell gets: 1 failed, 2 wrong usage.
    """

    exit_code: int = 1


class ArgumentError(MorphospaceError):
    """An argument has the wrong name, type or range."""

    exit_code = 2


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
