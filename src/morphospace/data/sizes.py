"""The size that images get where none is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morphospace.data.items import SMALLEST_SIDE

__all__ = ["size_as_before", "size_for"]

_KEPT = 128 * 128  # pixels; sets of one size up to this keep it
_PIXELS = 64 * 64  # all others get so many, in their proportions
_LONGEST = 256  # pixels a side that every network takes well
_SHORTEST = 8


def size_for(found: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The (H, W) of most use for pictures of these sizes: their proportions, and not too many pixels.

    Example:
        >>> size_for([(100, 120)]), size_for([(128, 1000), (64, 500)])
        ((100, 120), (23, 178))
    """
    height, width = found[0]
    if len(set(found)) == 1 and height * width <= _KEPT and max(height, width) <= _LONGEST:
        return height, width
    ratio = float(np.median([width / height for height, width in found]))
    across = max(ratio, 1 / ratio)
    pixels = min(_PIXELS, float(np.median([height * width for height, width in found])))
    longer = min(_LONGEST, (pixels * across) ** 0.5)
    shorter = max(_SHORTEST, round(longer / across))
    sides = shorter, max(_SHORTEST, min(round(longer), _PIXELS // shorter))
    return sides if ratio >= 1 else sides[::-1]


def size_as_before(found: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The (H, W) that version 0.1 gave to pictures of these sizes."""
    if len(set(found)) == 1 and max(found[0]) <= 128:
        return found[0]
    ratio = float(np.median([width / height for height, width in found]))
    longer = min(64, int(np.median([max(size) for size in found])))
    shorter = max(SMALLEST_SIDE, round(longer * min(ratio, 1 / ratio)))
    return (shorter, longer) if ratio >= 1 else (longer, shorter)
