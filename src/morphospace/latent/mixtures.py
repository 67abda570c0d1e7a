"""Mixtures of Gaussians fitted to codes: where images really lie."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.data.dataset import spread

__all__ = ["Mixture", "draw_from", "fit_mixture"]

Points = NDArray[np.float32]

_MOST_PARTS = 10
_CODES_A_PART = 50
_MOST_CODES = 2000
_LEAST_VARIANCE = 1e-3


class Mixture(NamedTuple):
    """K Gaussians: ``weights`` (K,), ``means`` (K, d), ``factors`` (K, d, d), Cholesky factors of the covariances."""

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    factors: NDArray[np.float64]


def fit_mixture(codes: Points) -> Mixture:
    """The mixture of at most 10 Gaussians that makes ``codes`` likely; the same one for the same codes.

    Args:
        codes: (N, d), N >= 2; 2,000 from all over them are enough.

    Example:
        >>> fit_mixture(np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)).means.shape
        (4, 3)
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    chosen = codes[spread(len(codes), _MOST_CODES)]
    distinct = len(np.unique(chosen, axis=0))  # a collapsed space has one code for all
    parts = max(1, min(_MOST_PARTS, distinct // _CODES_A_PART))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it need not be the best of all mixtures
        fitted = GaussianMixture(parts, reg_covar=_LEAST_VARIANCE, random_state=0).fit(chosen.astype(np.float64))
    return Mixture(fitted.weights_, fitted.means_, np.linalg.cholesky(fitted.covariances_))


def draw_from(mixture: Mixture, n: int, rng: np.random.Generator) -> Points:
    """``n`` draws (n, d)."""
    part = rng.choice(len(mixture.weights), n, p=mixture.weights)
    noise = rng.standard_normal((n, mixture.means.shape[1], 1))
    points: Points = (mixture.means[part] + (mixture.factors[part] @ noise)[..., 0]).astype(np.float32)
    return points
