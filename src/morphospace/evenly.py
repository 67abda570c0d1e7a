"""A few of many things, from all over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["evenly_spaced"]


def evenly_spaced(count: int, n: int) -> NDArray[np.intp]:
    """At most ``n`` places from all over ``count`` things, always the same ones.

    Example:
        >>> evenly_spaced(9, 3).tolist()
        [0, 4, 8]
    """
    return np.unique(np.linspace(0, count - 1, min(n, count)).astype(np.intp))
