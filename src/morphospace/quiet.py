"""Silence where a library warns of what is meant, kept by several threads at once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

__all__ = ["quiet"]

_turn = Lock()
_silence = ExitStack()
_inside = 0


@contextmanager
def quiet(category: type[Warning] = Warning) -> Iterator[None]:
    """Ignore warnings of a kind, until the last of the threads that are in here has left.

    ``warnings.catch_warnings`` alone swaps the filters of the whole process: of two threads within it, the one that
    leaves first ends the silence of the other, and the one that leaves last brings it back for good.

    Args:
        category: the kind.

    Example:
        >>> with quiet(UserWarning):
        ...     warnings.warn("as is meant", stacklevel=1)
    """
    global _inside
    with _turn:
        if not _inside:
            _silence.enter_context(warnings.catch_warnings())
        _inside += 1
        warnings.simplefilter("ignore", category)
    try:
        yield
    finally:
        with _turn:
            _inside -= 1
            if not _inside:
                _silence.close()
