"""Concepts: named directions with the evidence for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError, DataError, did_you_mean
from morphospace.latent.evidence import auc, auc_interval, draws, stability

__all__ = ["METHODS", "Concept", "learn_concept", "move", "sides"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]
Values = NDArray[np.bool_] | NDArray[np.float64]

METHODS = ("mean-difference", "ridge", "logistic", "auto")

_FEW = 5
_HARD, _UNSTABLE, _SAME = 0.75, 0.9, 0.95
_RIDGE = 1e-3  # of the mean variance of the latents
_NEWTON = 25


@dataclass(frozen=True, kw_only=True)
class Concept:
    """A named direction: strength 1.0 moves the average negative to the average positive.

    Of a number (a slant, an age) the positives are the images above the median.

    Attributes:
        name: what users call it.
        direction: (d,).
        method: how it was learned.
        positives, negatives: how many images of each it was learned from.
        source: which images these were, in words.
        auc: how well the direction tells positives from negatives, 0.5 is chance, 1 always; on held-out
            images if ``held_out``, else on the images it was learned from. None where there was neither.
        auc_interval: where 95 % of AUCs lie when the held-out images are drawn again.
        correlation: of a number, with the place along the direction, on the same images as ``auc``.
        stability: the cosine to this direction of 95 % of the directions learned from other draws of the same
            examples is at least this; 1 is perfectly stable.
        held_out: whether ``auc`` comes from images that the direction was not learned from.
        seed: the seed of the space that it belongs to.
    """

    name: str
    direction: Points
    method: str = "mean-difference"
    positives: int = 0
    negatives: int = 0
    source: str = ""
    auc: float | None = None
    auc_interval: Sequence[float] | None = None
    correlation: float | None = None
    stability: float | None = None
    held_out: bool = False
    seed: int = 0

    def warnings(self, others: Mapping[str, Concept] | None = None) -> list[str]:
        """How far not to trust it, in plain words; ``others`` are the space's concepts, which it may repeat."""
        found = []
        if min(self.positives, self.negatives) < _FEW:
            found.append(f"learned from few images ({self.positives} against {self.negatives})")
        if self.auc is not None and self.auc < _HARD:
            found.append(f"hard to tell apart in this space (AUC {self.auc:.2f}; 0.5 is chance)")
        if self.stability is not None and self.stability < _UNSTABLE:
            degrees = np.degrees(np.arccos(np.clip(self.stability, -1, 1)))
            found.append(f"unstable: other examples may turn it by {degrees:.0f} degrees")
        for name, other in (others or {}).items():
            if name != self.name and (same := _cosine(self.direction, other.direction)) > _SAME:
                found.append(f'nearly the same as "{name}" (cosine {same:.2f})')
        return found


def learn_concept(
    name: str,
    codes: Points,
    values: Values,
    *,
    strata: NDArray[np.int64] | None = None,
    method: str = "mean-difference",
    held_out: tuple[Points, Values] | None = None,
    source: str = "",
    seed: int = 0,
) -> Concept:
    r"""A concept from codes that show it and codes that do not, or from a number for each.

    ``mean-difference`` is :math:`\bar z_+ - \bar z_-`; of a number v the slope of codes over it,
    :math:`\mathrm{cov}(z, v) / \mathrm{var}(v)`, times how far its upper half lies above its lower half. With strata
    both are of what is left when each stratum's means are taken away: what comes with the stratum is not learned.

    ``ridge`` is the normal of the best linear fit of the values, which for yes and no is that of linear
    discriminant analysis, and ``logistic`` that of logistic regression. They tell apart better and are steps off the
    populated part of the space: good detectors, poorer edits. Their strength 1.0 moves as far along themselves as the
    mean difference does.

    Args:
        name: what to call it; letters, digits and most signs, but no ``=``.
        codes: (N, d).
        values: (N,) bool, whether the image shows it; or float, how much.
        strata: (N,) of 0 .. S-1, groups within which to compare, such as other attributes.
        method: "mean-difference", "ridge", "logistic" (yes and no only), or "auto": the mean difference unless
            another has, on half of the held-out images, an AUC beyond its interval; the rest then give the evidence.
        held_out: codes and values of other images, for the evidence.
        source: which images these are, in words.
        seed: stored with it.

    Raises:
        ArgumentError: for an empty name or one with ``=``, an unknown method or one that does not fit the values.
        DataError: for no examples, other shapes, values that are not finite or all the same, or a direction of
            length 0.

    Source: Larsen et al., Autoencoding beyond pixels using a learned similarity metric, arXiv:1512.09300; balance:
    White, Sampling generative networks, arXiv:1609.04468.

    Example:
        >>> z = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
        >>> (10 * learn_concept("right", z, z[:, 0] > 0).direction).round().tolist()
        [16.0, 0.0]
    """
    if not name.strip() or "=" in name:
        raise ArgumentError(f'NAME: expected a name without "=", got "{name}".')
    if method not in METHODS:
        raise ArgumentError(f'--method: there is no "{method}". {did_you_mean(method, METHODS)}')
    if codes.ndim != 2 or values.shape != codes.shape[:1]:
        raise DataError(f"concept {name}: expected codes (N, d) and N values, got {codes.shape} and {values.shape}.")
    if not np.isfinite(values).all():
        raise DataError(f"concept {name}: expected a finite value for each image.")
    shows = _upper(values)
    if shows.all() or not shows.any():
        raise DataError(f"concept {name}: expected images that show it and images that do not, N >= 1 of each.")
    if method == "logistic" and values.dtype != np.bool_:
        raise ArgumentError("--method: logistic is for yes and no; of a number, expected mean-difference or ridge.")
    if held_out is not None and not 2 <= _upper(held_out[1]).sum() <= len(held_out[1]) - 2:
        held_out = None  # nothing to measure on
    if method == "auto":
        others = ("ridge",) if values.dtype != np.bool_ else ("ridge", "logistic")
        judges, held_out = (None, None) if held_out is None else _halves(*held_out)
        plain, *rivals = (
            learn_concept(name, codes, values, strata=strata, method=kind, held_out=judges, source=source, seed=seed)
            for kind in ("mean-difference", *others)
        )
        best = max(rivals, key=lambda concept: concept.auc or 0)
        better = plain.auc_interval is not None and (best.auc or 0) > plain.auc_interval[1]
        return _with_evidence(best if better else plain, codes, values, held_out)
    z, v = codes.astype(np.float64), values.astype(np.float64)
    within_z, within_v = _within(z, strata), _within(v, strata)
    direction, again = _direction(name, within_z, within_v, v, shows, method, seed)
    short = direction.astype(np.float32)
    if not np.isfinite(short).all() or np.linalg.norm(short) < 1e-9:
        raise DataError(f"concept {name}: positives and negatives have the same mean, there is no direction.")
    concept = Concept(
        name=name,
        direction=short,
        method=method if strata is None else f"{method}, balanced",
        positives=int(shows.sum()),
        negatives=int((~shows).sum()),
        source=source,
        stability=stability(short, again),
        seed=seed,
    )
    return _with_evidence(concept, codes, values, held_out)


def sides(positive: Points, negative: Points) -> tuple[Points, NDArray[np.bool_]]:
    """Codes that show it and codes that do not, as codes and values for :func:`learn_concept`.

    Example:
        >>> sides(np.ones((1, 2), np.float32), np.zeros((2, 2), np.float32))[1].tolist()
        [True, False, False]
    """
    return np.concatenate([positive, negative]), np.arange(len(positive) + len(negative)) < len(positive)


def _direction(
    name: str, z: Numbers, v: Numbers, values: Numbers, shows: NDArray[np.bool_], method: str, seed: int
) -> tuple[Numbers, Numbers]:
    """(d,), and (B, d) of other draws, from centred codes (N, d) and centred values (N,)."""
    count, spread = len(z), float(v @ v)
    if spread <= 1e-12 * max(count, 1):
        raise DataError(f"concept {name}: within every stratum the values are all the same; balance by something else.")
    distance = values[shows].mean() - values[~shows].mean()
    weights = draws(count, seed)
    slopes = z.T @ v  # (d,)
    mean = slopes / spread * distance
    totals = weights.sum(1, dtype=np.float64)[:, None]
    means_z, means_v = weights @ z / totals, weights @ v[:, None] / totals
    slopes_again = (weights * v.astype(np.float32)) @ z - totals * means_v * means_z
    if method == "mean-difference":
        spreads = (weights @ np.square(v))[:, None] - totals * means_v**2
        return mean, slopes_again / np.maximum(spreads, 1e-30) * distance
    covariance = z.T @ z / count
    covariance += _RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance)) + 1e-12
    if method == "ridge":
        normal, again = np.linalg.solve(covariance, slopes), np.linalg.solve(covariance, slopes_again.T).T
    else:
        normal, again = _logistic(z, shows, covariance, weights)
    return normal * (normal @ mean) / max(normal @ normal, 1e-30), again


def _logistic(
    z: Numbers, shows: NDArray[np.bool_], covariance: Numbers, weights: NDArray[np.float32]
) -> tuple[Numbers, Numbers]:
    """Weights (d,) by Newton's steps, and (B, d) one step from there for each draw."""
    x = np.concatenate([z, np.ones((len(z), 1))], 1)
    penalty = _RIDGE * len(z) * np.diag([*np.diag(covariance), 0.0])
    w = np.zeros(x.shape[1])
    for _ in range(_NEWTON):
        chance = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        curvature = (x * (chance * (1 - chance) + 1e-9)[:, None]).T @ x + penalty
        step = np.linalg.solve(curvature, x.T @ (shows - chance) - penalty @ w)
        w = w + step
        if np.abs(step).max() < 1e-6:
            break
    error = (shows - chance).astype(np.float32)
    scale = len(z) / weights.sum(1, dtype=np.float64)[:, None]
    again = w + np.linalg.solve(curvature, (((weights * error) @ x) * scale - penalty @ w).T).T
    return w[:-1], again[:, :-1]


def _with_evidence(concept: Concept, codes: Points, values: Values, held_out: tuple[Points, Values] | None) -> Concept:
    judged, known = (codes, values) if held_out is None else held_out
    scores, shows = judged @ concept.direction, _upper(known)
    return replace(
        concept,
        auc=auc(scores[shows], scores[~shows]),
        auc_interval=None if held_out is None else auc_interval(scores[shows], scores[~shows], concept.seed),
        correlation=None if known.dtype == np.bool_ else float(np.corrcoef(scores, known)[0, 1]),
        held_out=held_out is not None,
    )


def _upper(values: Values) -> NDArray[np.bool_]:
    """Which images show it."""
    upper: NDArray[np.bool_] = values if values.dtype == np.bool_ else values > np.median(values)  # type: ignore[assignment]
    return upper


def _halves(codes: Points, values: Values) -> tuple[tuple[Points, Values], tuple[Points, Values]]:
    """Every second of the images that show it, and of those that do not, and the rest."""
    order = np.argsort(_upper(values), kind="stable")
    first, second = order[::2], order[1::2]
    return (codes[first], values[first]), (codes[second], values[second])


def _within(values: Numbers, strata: NDArray[np.int64] | None) -> Numbers:
    """Values (N,) or (N, d) without the mean of each one's stratum."""
    if strata is None:
        strata = np.zeros(len(values), np.int64)
    rows = values.reshape(len(values), -1)
    sums = np.zeros((int(strata.max()) + 1, rows.shape[1]))
    np.add.at(sums, strata, rows)
    means = sums / np.maximum(np.bincount(strata), 1)[:, None]
    left: Numbers = values - means[strata].reshape(values.shape)
    return left


def _cosine(a: Points, b: Points) -> float:
    return float(a @ b) / max(float(np.linalg.norm(a)) * float(np.linalg.norm(b)), 1e-30)


def move(z: Points, concepts: Mapping[str, Concept], strengths: Mapping[str, float]) -> Points:
    """Latents (..., d) moved along several concepts at once: ``z + sum(strength * direction)``.

    Raises:
        ArgumentError: for an unknown concept or a strength that is not a finite number.
    """
    shift = np.zeros(z.shape[-1], np.float64)
    for name, strength in strengths.items():
        if name not in concepts:
            raise ArgumentError(
                f'--concept: this space has no concept "{name}". {did_you_mean(name, concepts)} '
                "Learn one: morpho concept learn SPACE NAME --data DATA --label L"
            )
        if not np.isfinite(strength):
            raise ArgumentError(f"--concept {name}: expected a finite strength, got {strength}.")
        shift += strength * concepts[name].direction.astype(np.float64)
    return (z + shift).astype(np.float32)
