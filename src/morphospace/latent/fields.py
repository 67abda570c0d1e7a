"""Fields: concepts whose direction changes from place to place, as that of a curved set of codes must.

The book's concept vector is one slope of codes over a value for the whole space. A field is the same slope among the
neighbours of many places: a step along it leads from codes to codes, where one straight line soon leads past them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.evenly import evenly_spaced

__all__ = ["Field", "learn_field", "within"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]

_PLACES = 512
_CODES_A_PLACE = 20
_NEIGHBOURS = 100  # at least; with many codes a 150th of them
_SHARE = 150
_SHARPNESS = 4.0  # of the weights, a squared width
_TRUST = 0.001  # of the values' variance: where neighbours hardly differ, the slope is that of all codes
_RIDGE = 0.01  # of the neighbours' mean variance
_LEAST = 1e-12  # of the codes' mean square: where neighbours are copies, a width and a ridge that are none of 0
_BATCH = 5000


class Field(NamedTuple):
    r"""K places in a space, with what is known of a value v around each.

    The slope and the reading anywhere are means over places, weighted by :math:`e^{-4 |z - c_k|^2 / w_k}`.

    Attributes:
        places: (K, d), codes among those it was learned from.
        widths: (K,) squared distances to the farthest neighbour.
        slopes: (K, d), how codes change as v grows by 1: dz/dv.
        gradients: (K, d), how v changes with the code: dv/dz.
        offsets: (K,); v is read as ``offsets + gradients @ z``.
    """

    places: Points
    widths: Points
    slopes: Points
    gradients: Points
    offsets: Points

    def at(self, z: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Slopes (N, d), gradients (N, d) and readings (N,) at codes (N, d)."""
        nearness = -_SHARPNESS * _squared_distances(z, self.places.astype(np.float64)) / self.widths
        weights = np.exp(nearness - nearness.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        gradients = weights @ self.gradients
        return weights @ self.slopes, gradients, weights @ self.offsets + (gradients * z).sum(1)

    def span(self) -> tuple[float, float]:
        """The least and the largest value at its places: beyond them it knows no way."""
        values = self.offsets + (self.gradients * self.places).sum(1)
        return float(values.min()), float(values.max())

    def read(self, z: Points) -> Numbers:
        """The value (N,) that codes (N, d) seem to have."""
        parts = [self.at(z[i : i + _BATCH].astype(np.float64))[2] for i in range(0, len(z), _BATCH)]
        return np.concatenate(parts) if parts else np.empty(0)


def learn_field(codes: Points, values: Numbers, slope: Numbers, strata: NDArray[np.int64] | None = None) -> Field:
    r"""The slopes of codes over values among the neighbours of up to 512 places.

    .. math:: \frac{\sum_i w_i (z_i - \bar z)(v_i - \bar v)}{\sum_i w_i (v_i - \bar v)^2}

    Args:
        codes: (N, d).
        values: (N,) finite.
        slope: (d,) that of all codes, which stands in where neighbours hardly differ in value.
        strata: (N,) of 0 .. S-1; means are taken away within each stratum.

    Source: local regression, Cleveland and Devlin, Journal of the American Statistical Association 83 (1988).

    Example:
        >>> turn = np.linspace(0, 3, 900)
        >>> codes = np.stack([np.cos(turn), np.sin(turn)], 1).astype(np.float32)
        >>> slopes, _, read = learn_field(codes, turn, np.zeros(2)).at(codes[[0, 450]].astype(float))
        >>> (slopes.round() + 0.0).tolist(), read.round(1).tolist()
        ([[0.0, 1.0], [-1.0, 0.0]], [0.0, 1.5])
    """
    count, d = codes.shape
    chosen = evenly_spaced(count, max(1, min(_PLACES, count // _CODES_A_PLACE)))
    near = min(count, max(_NEIGHBOURS, 4 * d, count // _SHARE))
    trust = _TRUST * float(values.var())
    found: list[tuple[Points, float, Numbers, Numbers, float]] = []
    squares = np.square(codes).sum(1)
    least = _LEAST * float(squares.mean()) or _LEAST
    for place in codes[chosen]:
        row = np.maximum(squares - 2 * codes @ place + place @ place, 0)
        here = np.argpartition(row, near - 1)[:near]
        width = max(float(row[here].max()), least)
        weights = np.exp(-2 * row[here].astype(np.float64) / width)
        weights /= weights.sum()
        z, v = codes[here].astype(np.float64), values[here]
        middle, level = weights @ z, float(weights @ v)
        away, above = z - middle, v - level
        spreads = (away * weights[:, None]).T @ away
        spreads += (_RIDGE * np.trace(spreads) / d or _LEAST) * np.eye(d)
        gradient = np.linalg.solve(spreads, (away * weights[:, None]).T @ above)
        if strata is not None:
            group = np.unique(strata[here], return_inverse=True)[1]
            away, above = within(z, group, weights), within(v, group, weights)
        both = (away * weights[:, None]).T @ above + trust * slope
        found.append((place, width, both / (weights @ np.square(above) + trust), gradient, level - middle @ gradient))
    return Field(*(np.array(part, np.float32) for part in zip(*found, strict=True)))


def within(values: Numbers, strata: NDArray[np.int64], weights: Numbers | None = None) -> Numbers:
    """Values (N,) or (N, d) without the mean of each one's stratum, 0 .. S-1, of which some may be empty.

    Example:
        >>> within(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1])).tolist()
        [-1.0, 1.0, 0.0]
    """
    rows = values.reshape(len(values), -1)
    if weights is None:
        weights = np.ones(len(values))
    mass = np.maximum(np.bincount(strata, weights), 1e-30)
    means = np.stack([np.bincount(strata, weights * column) for column in rows.T], 1) / mass[:, None]
    left: Numbers = values - means[strata].reshape(values.shape)
    return left


def _squared_distances(a: Numbers, b: Numbers) -> Numbers:
    """(N, M) of points (N, d) and (M, d)."""
    squares = np.square(a).sum(1)[:, None] - 2 * a @ b.T + np.square(b).sum(1)
    clipped: Numbers = np.maximum(squares, 0)
    return clipped
