"""Paths between latent points, and the measure of what they show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError, did_you_mean

__all__ = ["KINDS", "PATHS", "PathLength", "gaussian", "lerp", "path_length", "path_through", "places_of", "slerp"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]


def lerp(a: Points, b: Points, shares: Numbers) -> Points:
    """The straight line from ``a`` to ``b`` (d,) at ``shares`` (F,) of its length, as (F, d)."""
    points: Points = ((1 - shares)[:, None] * a + shares[:, None] * b).astype(np.float32)
    return points


def slerp(a: Points, b: Points, shares: Numbers) -> Points:
    r"""The great-circle path from ``a`` to ``b``, its length going evenly from one's to the other's.

    .. math:: \frac{\sin((1-t)\omega)}{\sin\omega} \hat a + \frac{\sin(t\omega)}{\sin\omega} \hat b,
              \text{ times } (1-t)\,|a| + t\,|b|

    In many dimensions a straight line between two typical points passes through the untypical middle;
    this one does not. Where a or b is 0, or they are (anti)parallel, there is no one such path: lerp.

    Source: Shoemake, SIGGRAPH 1985; White, Sampling generative networks, arXiv:1609.04468.
    """
    length_a, length_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if min(length_a, length_b) <= 1e-6 * max(length_a, length_b):
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


def gaussian(a: Points, b: Points, shares: Numbers) -> Points:
    r"""From ``a`` to ``b`` in equal shares of the prior's probability, each latent by itself.

    .. math:: z(t) = \Phi^{-1}\big((1-t)\,\Phi(a) + t\,\Phi(b)\big)

    Where the prior N(0, 1) is dense it goes slowly, and it hurries through the tails. The logarithm of the nearer
    tail is interpolated, so that codes far out stay finite and apart.

    Args:
        a: (d,) where it starts.
        b: (d,) where it ends.
        shares: (F,) in 0..1.

    Returns:
        (F, d).

    Source: the spacing of the atlas of Kingma and Welling, Auto-encoding variational Bayes, arXiv:1312.6114.

    Example:
        >>> path = gaussian(np.float32([-2, 40]), np.float32([0, 41]), np.linspace(0, 1, 3))
        >>> [[round(z, 3) for z in point] for point in path.tolist()]
        [[-2.0, 40.0], [-0.639, 40.017], [0.0, 41.0]]
    """
    from scipy.special import log_ndtr, ndtri_exp

    a64, b64, t = a.astype(np.float64), b.astype(np.float64), shares[:, None]
    with np.errstate(divide="ignore"):
        here, there = np.log1p(-t), np.log(t)
    below = np.logaddexp(here + log_ndtr(a64), there + log_ndtr(b64))
    above = np.logaddexp(here + log_ndtr(-a64), there + log_ndtr(-b64))
    # ndtri_exp is good in the lower tail: what lies in the upper one is mirrored.
    points = np.where(below < above, ndtri_exp(below), -ndtri_exp(above))
    path: Points = points.clip(np.minimum(a64, b64), np.maximum(a64, b64)).astype(np.float32)
    path[shares == 0], path[shares == 1] = a, b  # law 4
    return path


PATHS = {"lerp": lerp, "slerp": slerp, "gaussian": gaussian}

KINDS = (*PATHS, "geodesic")
"""All kinds of paths; the last needs a decoder, see :func:`morphospace.latent.geodesic_through`."""


def places_of(points: int, frames: int) -> NDArray[np.intp]:
    """Which of ``frames`` show the points that a path goes through: the first, the last, the others evenly between.

    Raises:
        ArgumentError: for fewer than two points or too few frames.

    Example:
        >>> places_of(3, 9).tolist()
        [0, 4, 8]
    """
    if points < 2:
        raise ArgumentError(f"a morph needs at least two images, got {points}.")
    if frames < points:
        raise ArgumentError(f"expected at least {points}, one for each image, got {frames}.", argument="frames")
    return np.linspace(0, frames - 1, points).round().astype(np.intp)


def path_through(points: Sequence[Points], frames: int, kind: str = "lerp") -> Points:
    """A path through two or more points, each pair getting its share of the frames.

    Args:
        points: at least two (d,) points.
        frames: how many points come back, at least as many as go in.
        kind: "lerp", "slerp" or "gaussian".

    Returns:
        (frames, d); the first, the last and every given point among them exactly.

    Raises:
        ArgumentError: for fewer than two points, too few frames or an unknown kind.

    Example:
        >>> path_through([np.zeros(2, np.float32), np.ones(2, np.float32)], 3).tolist()
        [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]
    """
    if kind not in PATHS:
        if kind in KINDS:
            raise ArgumentError(f'"{kind}" needs a decoder: call geodesic_through.', argument="path")
        raise ArgumentError(f'there is no path "{kind}". {did_you_mean(kind, KINDS)}', argument="path")
    places = places_of(len(points), frames)
    pieces = [np.asarray(points[0])[None]]
    for (a, b), steps in zip(pairwise(points), np.diff(places), strict=True):
        pieces.append(PATHS[kind](a, b, np.linspace(0, 1, steps + 1))[1:])
    return np.concatenate(pieces)


class PathLength(NamedTuple):
    """How much the picture changes along a path.

    Attributes:
        steps: (F - 1,) distances between pictures that follow each other.
        length: their sum.
        evenness: their standard deviation over their mean: 0 is perfectly even, and where nothing changes.
    """

    steps: Numbers
    length: float
    evenness: float


def path_length(frames: Iterable[NDArray[Any]]) -> PathLength:
    r"""The length of a path in pictures, :math:`\sum_i |x_{i+1} - x_i|`, and how even its steps are.

    Args:
        frames: pictures of one shape in [0, 1], at least two; an array (F, H, W, C) or one by one.

    Raises:
        ArgumentError: for fewer than two pictures.

    Example:
        >>> path_length(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 9.0]]))
        PathLength(steps=array([5., 5.]), length=10.0, evenness=0.0)
    """
    steps = np.array([np.linalg.norm(np.subtract(b, a, dtype=np.float64)) for a, b in pairwise(frames)])
    if not len(steps):
        raise ArgumentError("expected at least two pictures.", argument="frames")
    mean = steps.mean()
    return PathLength(steps, float(steps.sum()), float(steps.std() / mean) if mean > 0 else 0.0)
