"""How far to trust a direction: how well it tells apart, and how little it depends on the examples that were drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["auc", "auc_interval", "cosine", "draws", "hold_out", "stability"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]
Scores = NDArray[np.floating]

_DRAWS = 200
_HELD_OUT = 5
_INTERVAL = (0.025, 0.975)
_UNSTABLE_END = 0.05


def auc(positives: Scores, negatives: Scores) -> float:
    """The chance that a positive's score exceeds a negative's, ties counting half; (P,) and (N,) scores.

    Example:
        >>> auc(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
        0.875
    """
    ones = np.ones((1, len(positives))), np.ones((1, len(negatives)))
    return float(_weighted_auc(positives, negatives, *ones)[0])


def auc_interval(positives: Scores, negatives: Scores, seed: int) -> tuple[float, float]:
    """Where 95 % of AUCs lie when the examples are drawn again: Bayesian bootstrap with 200 draws.

    Source: Rubin, The Bayesian bootstrap, Annals of Statistics 9 (1981).

    Example:
        >>> low, high = auc_interval(np.arange(5.0, 45.0), np.arange(0.0, 40.0), seed=0)
        >>> bool(0.4 < low < high < 0.8)
        True
    """
    found = _weighted_auc(positives, negatives, draws(len(positives), seed), draws(len(negatives), seed + 1))
    low, high = np.quantile(found, _INTERVAL)
    return float(low), float(high)


def cosine(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """The cosine between directions (d,); 0 where one has no length.

    Example:
        >>> cosine(np.array([1.0, 0.0]), np.array([1.0, 1.0]))
        0.7071067811865475
    """
    return float(a @ b) / max(float(np.linalg.norm(a)) * float(np.linalg.norm(b)), 1e-30)


def hold_out(values: NDArray[np.bool_] | Numbers) -> NDArray[np.bool_]:
    """Which examples (N,) are held out, to test what is learned from the rest: a fifth of both sides, or of all sizes.

    Example:
        >>> hold_out(np.array([True, False, True, False, False])).tolist()
        [False, True, False, False, False]
    """
    held_out = np.zeros(len(values), bool)
    held_out[np.argsort(values, kind="stable")[::_HELD_OUT]] = True
    return held_out


def draws(count: int, seed: int) -> NDArray[np.float32]:
    """Weights (200, ``count``) of a Bayesian bootstrap: each row one draw of the examples, its mean about 1."""
    return np.random.default_rng(seed).standard_exponential((_DRAWS, count), dtype=np.float32)


def stability(direction: Points, others: Numbers) -> float:
    """The cosine to ``direction`` (d,) that 95 % of directions (B, d), learned from other draws, exceed."""
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(direction)
    cosines = others @ direction / np.maximum(lengths, 1e-30)
    return float(np.quantile(cosines, _UNSTABLE_END))


def _weighted_auc(
    positives: Scores, negatives: Scores, weights: NDArray[np.floating], others: NDArray[np.floating]
) -> Numbers:
    """AUCs (B,) with weights (B, P) of the positives and (B, N) of the negatives."""
    order = np.argsort(negatives)
    below = np.searchsorted(negatives[order], positives, "left")
    not_above = np.searchsorted(negatives[order], positives, "right")
    sums = np.concatenate([np.zeros((len(others), 1)), np.cumsum(others[:, order], 1, dtype=np.float64)], 1)
    won = (weights * (sums[:, below] + sums[:, not_above])).sum(1) / 2
    share: Numbers = won / (weights.sum(1, dtype=np.float64) * sums[:, -1])
    return share
