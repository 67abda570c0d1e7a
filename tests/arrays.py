"""Arrays for tests, written as lists."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def float32(values: ArrayLike) -> NDArray[np.float32]:
    """Points, directions and whatever else is kept in single precision."""
    return np.array(values, np.float32)
