"""Lattices: points that share all of a prior's mass evenly, so that an integral over latents is a mean over them."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

__all__ = ["MOST_LATENTS", "normal_points"]

MOST_LATENTS = 3
"""So many latents a lattice serves: the points that it needs are a power of their number."""

_GOLDEN = (math.sqrt(5) - 1) / 2
_CANDIDATES = 64
_EDGE = 1e-7  # the nearest to 0 and 1 that a share of the mass comes, in float32: 5.2 standard deviations


def normal_points(points: int, latent_dim: int, shift: Tensor | None = None) -> Tensor:
    r"""Points of N(0, I), each for as much of its mass: :math:`z_i = \Phi^{-1}(i\,(1, g, g^2)/M + s \bmod 1)`.

    The mean of a smooth function over them is its expectation, with an error that falls nearly as 1/M: that of M
    random points falls as their root. With random shifts, the mean is right in expectation whatever M is.

    Args:
        points: M, >= 1.
        latent_dim: d, 1 to 3.
        shift: s, (d,) in [0, 1), on the device that the points are to be on; half a step if left out, with which
            each latent's values lie in the middles of M equal shares.

    Returns:
        (M, d) float32.

    Source: Sloan and Joe, Lattice methods for multiple integration, 1994; the shift: Cranley and Patterson,
    SIAM J. Numer. Anal. 13, 1976.

    Example:
        >>> [round(z, 3) for z in normal_points(3, 1).flatten().tolist()]  # the middles of three thirds
        [-0.967, 0.0, 0.967]
    """
    shares = _lattice(points, latent_dim)
    shares = shares + 0.5 / points if shift is None else (shares.to(shift.device) + shift) % 1
    return math.sqrt(2) * torch.erfinv(2 * shares.clamp(_EDGE, 1 - _EDGE) - 1)


@functools.lru_cache(maxsize=8)
def _lattice(points: int, latent_dim: int) -> Tensor:
    """(M, d) in [0, 1): a rank-1 lattice, whose points fill the cube evenly."""
    numbers = torch.arange(points)
    generator, columns = _generator(points, latent_dim), []
    for _ in range(latent_dim):
        columns.append(numbers)
        numbers = numbers * generator % points
    return (torch.stack(columns, 1).double() / points).float()


def _generator(points: int, latent_dim: int) -> int:
    """The g of the most even of some lattices; where M is a Fibonacci number and d is 2, the one before it."""
    if latent_dim == 1:
        return 1
    found = [round(points * (k * _GOLDEN % 1)) for k in range(1, _CANDIDATES + 1)]
    # Without a common divisor: each latent's values are then all M multiples of 1/M.
    found = [g for g in found if math.gcd(g, points) == 1] or [1]
    return min(found, key=lambda g: _unevenness(points, g, latent_dim))


def _unevenness(points: int, generator: int, latent_dim: int) -> float:
    """P2, the worst error of the mean of a function of bounded mixed derivatives."""
    numbers, product = torch.arange(points), torch.ones(points, dtype=torch.float64)
    for _ in range(latent_dim):
        u = numbers.double() / points
        product = product * (1 + 2 * math.pi**2 * (u * u - u + 1 / 6))
        numbers = numbers * generator % points
    return product.mean().item() - 1
