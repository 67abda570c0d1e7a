"""Mixtures of Gaussians fitted to codes: where images really lie, and how far from there a place is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.evenly import evenly_spaced
from morphospace.quiet import quiet

__all__ = [
    "ATYPICAL",
    "FEWEST_CODES",
    "Mixture",
    "Population",
    "check_mixture",
    "draw_from",
    "fit_mixture",
    "fit_population",
    "log_density",
    "typicality",
]

Points = NDArray[np.float32]

_MOST_COMPONENTS = 10
_CODES_A_COMPONENT = 50
_MOST_CODES = 2000
_LEAST_VARIANCE = 1e-3  # of a component in any direction, of the latents' mean variance
_ROUNDING = 1e-6  # nats: a code is as likely as itself, whatever is computed beside it
_CODES_A_RANKING_COMPONENT = 100

ATYPICAL = 0.01
"""The typicality below which a place counts as outside the populated part."""
FEWEST_CODES = 4
"""Fewer codes say nothing of where others lie."""


class Mixture(NamedTuple):
    """K Gaussians: ``weights`` (K,), ``means`` (K, d), ``factors`` (K, d, d), Cholesky factors of the covariances."""

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    factors: NDArray[np.float64]


class Population(NamedTuple):
    """Codes in two halves: the mixture fitted to each, and the densities (n,) that it gives the other one, sorted."""

    mixtures: tuple[Mixture, Mixture]
    densities: tuple[NDArray[np.float64], NDArray[np.float64]]


def fit_mixture(
    codes: Points,
    *,
    codes_a_component: int = _CODES_A_COMPONENT,
    most_components: int = _MOST_COMPONENTS,
    most_codes: int = _MOST_CODES,
) -> Mixture:
    """The mixture of at most 10 Gaussians that makes ``codes`` likely; the same one for the same codes.

    Args:
        codes: (N, d), N >= 2.
        codes_a_component: the fewest codes, on average, of each Gaussian.
        most_components: the most Gaussians.
        most_codes: so many codes, from all over them, are enough.

    Example:
        >>> fit_mixture(np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)).means.shape
        (4, 3)
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    chosen = codes[evenly_spaced(len(codes), most_codes)]
    distinct = len(np.unique(chosen, axis=0))  # a collapsed space has one code for all
    components = max(1, min(most_components, distinct // codes_a_component))
    least = _LEAST_VARIANCE * (float(chosen.var(0, dtype=np.float64).mean()) or 1.0)
    with quiet(ConvergenceWarning):  # it need not be the best of all mixtures
        fitted = GaussianMixture(components, reg_covar=least, random_state=0).fit(chosen.astype(np.float64))
    return Mixture(fitted.weights_, fitted.means_, np.linalg.cholesky(fitted.covariances_))


def draw_from(mixture: Mixture, n: int, rng: np.random.Generator) -> Points:
    """``n`` draws (n, d)."""
    component = rng.choice(len(mixture.weights), n, p=mixture.weights)
    noise = rng.standard_normal((n, mixture.means.shape[1], 1))
    points: Points = (mixture.means[component] + (mixture.factors[component] @ noise)[..., 0]).astype(np.float32)
    return points


def check_mixture(arrays: Mapping[str, NDArray[Any]], latents: int) -> Mixture:
    """The mixture over ``latents`` that arrays by name say, as those of somebody's file may not.

    Raises:
        ValueError: naming the array that is missing, of another shape, or no part of a mixture.
    """
    weights, means, factors = (_numbers(arrays, name) for name in Mixture._fields)
    count = len(weights) if weights.ndim == 1 else 0
    for name, values, wanted in (
        ("weights", weights, (max(1, count),)),
        ("means", means, (count, latents)),
        ("factors", factors, (count, latents, latents)),
    ):
        if values.shape != wanted:
            raise ValueError(f"{name}: expected shape {wanted}, got {values.shape}")
    if not (weights >= 0).all() or not np.isclose(weights.sum(), 1):
        raise ValueError("weights: expected shares of 1")
    return Mixture(weights / weights.sum(), means, factors)


def _numbers(arrays: Mapping[str, NDArray[Any]], name: str) -> NDArray[np.float64]:
    if name not in arrays:
        raise ValueError(f"expected an array {name}, got {sorted(arrays)}")
    if arrays[name].dtype.kind != "f" or not np.isfinite(arrays[name]).all():
        raise ValueError(f"{name}: expected finite numbers")
    return arrays[name].astype(np.float64)


def log_density(mixture: Mixture, z: Points) -> NDArray[np.float64]:
    r"""How likely latents are, :math:`\log \sum_k w_k N(z; \mu_k, L_k L_k^T)`, in nats (N,).

    Args:
        mixture: K Gaussians.
        z: (N, d).

    Example:
        >>> standard = Mixture(np.ones(1), np.zeros((1, 2)), np.eye(2)[None])
        >>> log_density(standard, np.zeros((1, 2), np.float32)).round(4)  # -log(2 pi)
        array([-1.8379])
    """
    total = np.full(len(z), -np.inf)
    for weight, mean, factor in zip(*mixture, strict=True):
        away = np.linalg.solve(factor, (z - mean).T)  # (d, N)
        volume = np.log(np.diag(factor)).sum() + 0.5 * len(mean) * np.log(2 * np.pi)
        with np.errstate(divide="ignore"):  # a component may weigh nothing
            total = np.logaddexp(total, np.log(weight) - volume - 0.5 * np.square(away).sum(0))
    return total


def fit_population(codes: Points) -> Population:
    """Where codes lie, for :func:`typicality`: a mixture of each half, with densities of the other half.

    A mixture makes the very codes that it was fitted to likelier than others like them; ranked against those, too
    many places would seem atypical. Codes take turns, so that both halves come from all over.

    Args:
        codes: (N, d), N >= 4.
    """
    halves = codes[::2], codes[1::2]
    # Of few codes in many dimensions, more components say less of the other half.
    mixtures = [fit_mixture(half, codes_a_component=_CODES_A_RANKING_COMPONENT) for half in halves]
    first, second = (
        np.sort(log_density(mixture, other)) for mixture, other in zip(mixtures, halves[::-1], strict=True)
    )
    return Population((mixtures[0], mixtures[1]), (first, second))


def typicality(population: Population, z: Points) -> NDArray[np.float64]:
    """The share of a population's codes that are no more likely than ``z``, in [0, 1].

    0: no code lies so far out; 1: nothing is more typical. It is a p-value: of other codes of the same kind about
    the share ``p`` is less typical than ``p``. Below ``ATYPICAL``, 0.01, lie 0.9 % of the 60,000 training images of
    MNIST in a space of 16 latents, ranked by 10,000 test images, and 1.3 % of the 9,040 of sprites in one of 32,
    ranked by 960.

    Each code is ranked by the mixture of the half that it is not in. A code of the population itself was fitted by
    one of the two, and seems a little more typical than it is: of the MNIST test images, 0.4 % lie below 0.01.

    Args:
        population: see :func:`fit_population`.
        z: (N, d).

    Returns:
        (N,).

    Source: cross-conformal prediction, Vovk, arXiv:1208.0806.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
        >>> typicality(fit_population(codes), np.array([[0, 0], [9, 0]], np.float32)).round(1)
        array([1., 0.])
    """
    below = np.zeros(len(z))
    for mixture, densities in zip(*population, strict=True):
        below += np.searchsorted(densities, log_density(mixture, z) + _ROUNDING, "right")
    share: NDArray[np.float64] = below / sum(len(densities) for densities in population.densities)
    return share
