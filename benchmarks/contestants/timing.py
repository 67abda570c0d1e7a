"""How fast a contestant is: one measure for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["best"]


def best(call: Callable[[], object], amount: float, seconds: float) -> float:
    """The most of it that a call reaches a second, after a warm-up, within so many seconds."""
    call()
    found, began = 0.0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        start = time.perf_counter()
        call()
        found = max(found, amount / (time.perf_counter() - start))
    return found
