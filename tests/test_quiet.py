"""Silence about warnings is kept for each thread that asked for it, and leaves nothing behind."""

from __future__ import annotations

import threading
import warnings

import pytest

from morphospace.quiet import quiet


def test_who_leaves_first_takes_nobody_elses_silence() -> None:
    before = list(warnings.filters)
    entered, left = threading.Event(), threading.Event()

    def first() -> None:
        with quiet(DeprecationWarning):
            entered.set()
            assert both.wait(10)
        left.set()

    both = threading.Event()
    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(10)
    with quiet(UserWarning):
        both.set()
        assert left.wait(10)
        warnings.warn("said while the other thread is gone", UserWarning, stacklevel=1)
    thread.join()
    assert warnings.filters == before
    with pytest.raises(UserWarning, match="not silent"):
        warnings.warn("not silent any more", UserWarning, stacklevel=1)


def test_only_the_kind_is_silent_and_an_error_ends_it() -> None:
    before = list(warnings.filters)
    with pytest.raises(UserWarning, match="another kind"), quiet(DeprecationWarning):
        warnings.warn("as is meant", DeprecationWarning, stacklevel=1)
        warnings.warn("another kind", UserWarning, stacklevel=1)
    assert warnings.filters == before
