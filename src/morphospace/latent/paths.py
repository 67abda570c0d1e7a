"""Paths between latent points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError, did_you_mean

__all__ = ["PATHS", "lerp", "path_through", "slerp"]

Points = NDArray[np.float32]


def lerp(a: Points, b: Points, shares: NDArray[np.float64]) -> Points:
    """The straight line from ``a`` to ``b`` (d,) at ``shares`` (F,) of its length, as (F, d)."""
    points: Points = ((1 - shares)[:, None] * a + shares[:, None] * b).astype(np.float32)
    return points


def slerp(a: Points, b: Points, shares: NDArray[np.float64]) -> Points:
    r"""The great-circle path from ``a`` to ``b``, its length going evenly from one's to the other's.

    .. math:: \frac{\sin((1-t)\omega)}{\sin\omega} \hat a + \frac{\sin(t\omega)}{\sin\omega} \hat b,
              \text{ times } (1-t)\,|a| + t\,|b|

    In many dimensions a straight line between two typical points passes through the untypical middle;
    this one does not. Where a or b is 0, or they are (anti)parallel, there is no one such path: lerp.

    Source: Shoemake, SIGGRAPH 1985; White, Sampling generative networks, arXiv:1609.04468.
    """
    length_a, length_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if length_a < 1e-6 or length_b < 1e-6:
        return lerp(a, b, shares)
    unit_a, unit_b = a.astype(np.float64) / length_a, b.astype(np.float64) / length_b
    angle = float(np.arccos(np.clip(unit_a @ unit_b, -1.0, 1.0)))
    if angle < 1e-4 or np.pi - angle < 1e-4:
        return lerp(a, b, shares)
    t = shares[:, None]
    turn = (np.sin((1 - t) * angle) * unit_a + np.sin(t * angle) * unit_b) / np.sin(angle)
    points = turn * ((1 - t) * length_a + t * length_b)
    # Law 4: the ends are the two codes themselves, to the last bit.
    points[shares == 0], points[shares == 1] = a, b
    path: Points = points.astype(np.float32)
    return path


PATHS = {"lerp": lerp, "slerp": slerp}


def path_through(points: Sequence[Points], frames: int, kind: str = "lerp") -> Points:
    """A path through two or more points, each pair getting its share of the frames.

    Args:
        points: at least two (d,) points.
        frames: how many points come back, at least as many as go in.
        kind: "lerp" or "slerp".

    Returns:
        (frames, d); the first, the last and every given point among them exactly.

    Raises:
        ArgumentError: for fewer than two points, too few frames or an unknown kind.

    Example:
        >>> path_through([np.zeros(2, np.float32), np.ones(2, np.float32)], 3).tolist()
        [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]
    """
    if len(points) < 2:
        raise ArgumentError(f"a morph needs at least two images, got {len(points)}.")
    if frames < len(points):
        raise ArgumentError(f"--frames: expected at least {len(points)}, one for each image, got {frames}.")
    if kind not in PATHS:
        raise ArgumentError(f'--path: there is no path "{kind}". {did_you_mean(kind, PATHS)}')
    knots = np.linspace(0, frames - 1, len(points)).round().astype(int)
    pieces = [np.asarray(points[0])[None]]
    for i in range(len(points) - 1):
        steps = knots[i + 1] - knots[i]
        pieces.append(PATHS[kind](points[i], points[i + 1], np.linspace(0, 1, steps + 1))[1:])
    return np.concatenate(pieces)
