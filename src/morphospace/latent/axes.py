"""The directions along which codes spread most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["principal_axes", "with_signs"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]

_SHORTEST = 1e-6  # of the longest: where codes do not spread, any length will do that is none of zero


def principal_axes(codes: Points, most: int | None = None) -> tuple[Numbers, Numbers, Numbers]:
    """The directions along which codes spread most.

    Args:
        codes: (N, d).
        most: the most axes wanted, >= 1; there are no more than N or d.

    Returns:
        The codes' mean (d,); up to ``most`` unit vectors (k, d), the widest spread first; deviations along them (k,).

    Example:
        >>> mean, axes, deviations = principal_axes(np.float32([[-3, 0], [3, 0], [0, 1], [0, -1]]), 2)
        >>> mean.tolist(), axes.tolist(), deviations.round(2).tolist()
        ([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], [2.12, 0.71])
    """
    origin = codes.mean(0, dtype=np.float64)
    centred = codes - origin
    variances, vectors = np.linalg.eigh(centred.T @ centred / len(codes))
    count = min(codes.shape) if most is None else min(most, *codes.shape)
    deviations = np.sqrt(variances[::-1][:count].clip(min=0))
    return origin, with_signs(vectors.T[::-1][:count]), np.maximum(deviations, _SHORTEST * (deviations.max() or 1.0))


def with_signs(axes: Numbers) -> Numbers:
    """Axes (k, d), the largest entry of each positive: an eigenvector's sign is arbitrary, and maps must not flip.

    Example:
        >>> with_signs(np.array([[0.0, -1.0]])).tolist()
        [[0.0, 1.0]]
    """
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])
    signed: NDArray[np.float64] = axes * signs[:, None] + 0.0  # no -0.0
    return signed
