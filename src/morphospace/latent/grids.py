"""Regular points on a plane of the latent space, spaced so that each stands for an equal share of it."""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError
from morphospace.latent.axes import principal_axes

__all__ = ["EDGE", "Plane", "normal_quantiles", "plane_grid", "plane_of"]

EDGE = 0.05
"""The share of the prior left out on each side of an atlas, as in the book."""

Points = NDArray[np.float32]


def normal_quantiles(n: int, edge: float = EDGE) -> NDArray[np.float64]:
    """``n`` quantiles of N(0, 1) at equal probabilities from ``edge`` to 1 - ``edge``, as in the book.

    Args:
        n: how many, >= 1.
        edge: the probability left out on each side, 0 < edge < 0.5.

    Raises:
        ArgumentError: if n < 1.

    Example:
        >>> normal_quantiles(2).round(3).tolist()
        [-1.645, 1.645]
    """
    if n < 1:
        raise ArgumentError(f"expected at least 1 picture a side, got {n}.", argument="grid")
    shares = [0.5] if n == 1 else np.linspace(edge, 1 - edge, n)
    return np.array([NormalDist().inv_cdf(p) for p in shares])


class Plane(NamedTuple):
    """A plane of the latent space: an origin and two axes, each as long as one standard deviation on it.

    Attributes:
        origin: (d,) the middle.
        axes: (2, d), or (1, d) in a 1-D space.
        names: what runs along each axis.
    """

    origin: Points
    axes: Points
    names: tuple[str, ...]


def plane_of(latent_dim: int, codes: Points | None = None, *, prior: bool = True) -> Plane:
    """The plane that shows most of a space.

    In two dimensions with a standard-normal prior it is the space itself. Otherwise it is spanned by
    the two principal axes of ``codes``, scaled by their standard deviations.

    Args:
        latent_dim: d, >= 1.
        codes: (N, d) of real images; needed unless d <= 2 and there is a prior.
        prior: whether the space was trained towards N(0, I).
    """
    if (prior and latent_dim <= 2) or codes is None:
        count = min(2, latent_dim)
        return Plane(
            np.zeros(latent_dim, np.float32),
            np.eye(latent_dim, dtype=np.float32)[:count],
            tuple(f"z{i + 1}" for i in range(count)),
        )
    origin, axes, deviations = principal_axes(codes, min(2, latent_dim))
    scaled = axes * deviations[:, None]
    return Plane(
        origin.astype(np.float32),
        scaled.astype(np.float32),
        tuple(f"principal axis {i + 1}" for i in range(len(axes))),
    )


def plane_grid(plane: Plane, n: int) -> Points:
    """The (n * n, d) points of an atlas, row by row, the second axis upwards; (n, d) in a 1-D space."""
    steps = normal_quantiles(n)
    if len(plane.axes) == 1:
        points = plane.origin + steps[:, None] * plane.axes[0]
    else:
        right, up = np.meshgrid(steps, steps[::-1])
        points = plane.origin + right.reshape(-1, 1) * plane.axes[0] + up.reshape(-1, 1) * plane.axes[1]
    grid: Points = points.astype(np.float32)
    return grid
