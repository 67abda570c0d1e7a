"""How a concept is learned from codes of images that show it and of others, or with a value for each."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError, DataError, did_you_mean
from morphospace.latent.concepts import Concept, checked_name
from morphospace.latent.evidence import auc, auc_interval, draws, stability
from morphospace.latent.fields import learn_field, within

__all__ = ["METHODS", "learn_concept", "sides", "upper_half"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]
Values = NDArray[np.bool_] | NDArray[np.float64]

METHODS = ("mean-difference", "local", "ridge", "lda", "logistic", "auto")
"""How a direction is learned, see :func:`learn_concept`."""

_RIDGE = 1e-3  # of the mean variance of the latents
_NEWTON = 25
_NOTHING = 1e-9  # of the codes' root mean square: a difference of means that is one of rounding


def learn_concept(
    name: str,
    codes: Points,
    values: Values,
    *,
    strata: NDArray[np.int64] | None = None,
    method: str | None = None,
    held_out: tuple[Points, Values] | None = None,
    source: str = "",
    seed: int = 0,
    origin: Mapping[str, str] | None = None,
) -> Concept:
    r"""A concept from codes that show it and codes that do not, or from a number for each.

    ``mean-difference`` is :math:`\bar z_+ - \bar z_-`; of a number v the slope of codes over it,
    :math:`\mathrm{cov}(z, v) / \mathrm{var}(v)`, times how far its upper half lies above its lower half. With strata
    both are of what is left when each stratum's means are taken away: what comes with the stratum is not learned.

    ``local`` is the same among the neighbours of each of many places, see :func:`morphospace.latent.learn_field`: an
    edit follows it from place to place, where codes of growing v lie on no straight line.

    ``ridge`` is the normal of the best linear fit of the values; ``lda`` that of linear discriminant analysis, its
    covariance shrunk as Ledoit and Wolf do, which suits few examples; and ``logistic`` that of logistic regression.
    They tell apart better and are steps off the populated part of the space: good detectors, poorer edits. Their
    strength 1.0 moves as far along themselves as the mean difference does.

    Args:
        name: what to call it; letters, digits and most signs, but no ``=``.
        codes: (N, d).
        values: (N,) bool, whether the image shows it; or float, how much.
        strata: (N,) of 0 .. S-1, groups within which to compare, such as other attributes.
        method: "mean-difference", "local", "ridge", "lda" or "logistic" (both for yes and no only), or "auto": the
            mean difference unless another has, on half of the held-out images, an AUC beyond its interval; the rest
            then give the evidence. None is "local" for numbers and "mean-difference" for yes and no, which edit best.
        held_out: codes and values of other images, for the evidence.
        source: which images these are, in words.
        seed: stored with it.
        origin: stored with it.

    Raises:
        ArgumentError: for an empty name or one with ``=``, an unknown method or one that does not fit the values.
        DataError: for no examples, other shapes, values that are not finite or all the same, or a direction of
            length 0.

    Source: Larsen et al., Autoencoding beyond pixels using a learned similarity metric, arXiv:1512.09300; balance:
    White, Sampling generative networks, arXiv:1609.04468; shrinkage: Ledoit and Wolf, Honey, I shrunk the sample
    covariance matrix, Journal of Portfolio Management 30 (2004).

    Example:
        >>> z = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
        >>> (10 * learn_concept("right", z, z[:, 0] > 0).direction).round().tolist()
        [16.0, 0.0]
    """
    checked_name(name)
    yes_or_no = values.dtype == np.bool_
    if method is None:
        method = "mean-difference" if yes_or_no else "local"
    if method not in METHODS:
        raise ArgumentError(f'there is no "{method}". {did_you_mean(method, METHODS)}', argument="method")
    if codes.ndim != 2 or values.shape != codes.shape[:1]:
        raise DataError(f"concept {name}: expected codes (N, d) and N values, got {codes.shape} and {values.shape}.")
    if not np.isfinite(values).all() or (held_out is not None and not np.isfinite(held_out[1]).all()):
        raise DataError(f"concept {name}: expected a finite value for each image. Leave out those that have none.")
    shows = upper_half(values)
    if shows.all() or not shows.any():
        raise DataError(f"concept {name}: expected images that show it and images that do not, N >= 1 of each.")
    if method in ("logistic", "lda") and not yes_or_no:
        known = "local, mean-difference, ridge or auto"
        raise ArgumentError(f"{method} is for yes and no; of a number, expected {known}.", argument="method")
    if held_out is not None and not 2 <= upper_half(held_out[1]).sum() <= len(held_out[1]) - 2:
        held_out = None  # nothing to measure on
    if method == "auto":
        others = ("lda", "logistic") if yes_or_no else ("local", "ridge")
        choosing, held_out = (None, None) if held_out is None else _halves(*held_out)
        tried = functools.partial(
            learn_concept,
            name,
            codes,
            values,
            strata=strata,
            held_out=choosing,
            source=source,
            seed=seed,
            origin=origin,
        )
        plain, *rivals = (tried(method=kind) for kind in ("mean-difference", *others))
        best = max(rivals, key=lambda concept: concept.auc or 0)
        better = plain.auc_interval is not None and (best.auc or 0) > plain.auc_interval[1]
        return _with_evidence(best if better else plain, codes, values, held_out)
    z, v = codes.astype(np.float64), values.astype(np.float64)
    groups = np.zeros(len(z), np.int64) if strata is None else strata
    within_z, within_v = within(z, groups), within(v, groups)
    direction, again = _direction(name, within_z, within_v, v, shows, method, seed)
    short = direction.astype(np.float32)
    if not np.isfinite(short).all() or np.linalg.norm(short) <= _NOTHING * np.sqrt(np.square(z).sum(1).mean()):
        raise DataError(f"concept {name}: positives and negatives have the same mean, there is no direction.")
    normal, offset = _reading(z, v, shows, yes_or_no=yes_or_no)
    distance = float(normal @ direction)
    way = float(v[shows].mean() - v[~shows].mean())
    if method == "local":
        distance = way
    places = learn_field(codes, v, direction / way, strata)
    concept = Concept(
        name=name,
        direction=short,
        field=places,
        normal=normal.astype(np.float32),
        offset=offset,
        distance=distance,
        method=method if strata is None else f"{method}, balanced",
        positives=int(shows.sum()),
        negatives=int((~shows).sum()),
        source=source,
        stability=stability(short, again),
        seed=seed,
        origin=dict(origin or {}),
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
    if spread <= 1e-12 * count * values.var():
        raise DataError(f"concept {name}: within every stratum the values are all the same; balance by something else.")
    distance = values[shows].mean() - values[~shows].mean()
    weights = draws(count, seed)
    slopes = z.T @ v  # (d,)
    mean = slopes / spread * distance
    totals = weights.sum(1, dtype=np.float64)[:, None]
    means_z, means_v = weights @ z / totals, weights @ v[:, None] / totals
    slopes_again = (weights * v.astype(np.float32)) @ z - totals * means_v * means_z
    if method in ("mean-difference", "local"):
        spreads = (weights @ np.square(v))[:, None] - totals * means_v**2
        return mean, slopes_again / np.maximum(spreads, 1e-30) * distance
    covariance = _with_ridge(z.T @ z / count)
    if method == "logistic":
        normal, again = _logistic(z, shows, covariance, weights)
    else:
        if method == "lda":
            covariance = _within_sides(z, shows)
        solved: Numbers = np.linalg.solve(covariance, np.column_stack([slopes, slopes_again.T])).astype(np.float64)
        normal, again = solved[:, 0], solved[:, 1:].T
    return normal * (normal @ mean) / max(normal @ normal, 1e-30), again


def _with_ridge(covariance: NDArray[np.floating]) -> Numbers:
    ridge = _RIDGE * np.trace(covariance) / len(covariance) or 1e-12
    return np.asarray(covariance + ridge * np.eye(len(covariance)), np.float64)


def _within_sides(z: Numbers, shows: NDArray[np.bool_]) -> Numbers:
    """The covariance (d, d) of codes (N, d) around the mean of their side, shrunk towards a round one."""
    from sklearn.covariance import ledoit_wolf

    shrunk: Numbers = ledoit_wolf(within(z, shows.astype(np.int64)), assume_centered=True)[0]
    return _with_ridge(shrunk)


def _reading(z: Numbers, v: Numbers, shows: NDArray[np.bool_], *, yes_or_no: bool) -> tuple[Numbers, float]:
    """(d,) and an offset: the best linear reading of the value, or of the log-odds at equal frequencies."""
    middle = z.mean(0)
    away = z - middle
    covariance = _with_ridge(away.T @ away / len(z))
    if not yes_or_no:
        normal: Numbers = np.linalg.solve(covariance, away.T @ (v - v.mean()) / len(z)).astype(np.float64)
        return normal, float(v.mean() - normal @ middle)
    w = _newton(away, shows, covariance)[0]
    frequency = np.log(shows.sum() / (~shows).sum())
    return w[:-1], float(w[-1] - w[:-1] @ middle - frequency)


def _logistic(
    z: Numbers, shows: NDArray[np.bool_], covariance: Numbers, weights: NDArray[np.float32]
) -> tuple[Numbers, Numbers]:
    """Weights (d,), and (B, d) one of Newton's steps from there for each draw."""
    w, curvature, penalty = _newton(z, shows, covariance)
    x = np.column_stack([z, np.ones(len(z))])
    error = (shows - _chance(x @ w)).astype(np.float32)
    scale = len(z) / weights.sum(1, dtype=np.float64)[:, None]
    again = w + np.linalg.solve(curvature, (((weights * error) @ x) * scale - penalty @ w).T).T
    return w[:-1], again[:, :-1]


def _newton(z: Numbers, shows: NDArray[np.bool_], covariance: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Logistic regression: weights with the constant last (d + 1,), curvature and penalty (d + 1, d + 1)."""
    x = np.column_stack([z, np.ones(len(z))])
    penalty = _RIDGE * len(z) * np.diag([*np.diag(covariance), 0.0])
    w = np.zeros(x.shape[1])
    for _ in range(_NEWTON):
        chance = _chance(x @ w)
        curvature = (x * (chance * (1 - chance) + 1e-9)[:, None]).T @ x + penalty
        step = np.linalg.solve(curvature, x.T @ (shows - chance) - penalty @ w)
        w = w + step
        if np.abs(x @ step).max() < 1e-6:
            break
    return w, curvature, penalty


def _chance(logits: Numbers) -> Numbers:
    chance: Numbers = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return chance


def _with_evidence(concept: Concept, codes: Points, values: Values, held_out: tuple[Points, Values] | None) -> Concept:
    shown, known = (codes, values) if held_out is None else held_out
    field = concept.field if concept.follows else None
    scores = shown @ concept.direction if field is None else field.read(shown)
    shows = upper_half(known)
    return replace(
        concept,
        auc=auc(scores[shows], scores[~shows]),
        auc_interval=None if held_out is None else auc_interval(scores[shows], scores[~shows], concept.seed),
        correlation=None if known.dtype == np.bool_ else _correlation(scores, known),
        held_out=held_out is not None,
    )


def _correlation(a: NDArray[np.floating], b: Values) -> float:
    """Of two sets of numbers; 0 where one does not vary."""
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def upper_half(values: Values) -> NDArray[np.bool_]:
    """Which images show it: of a number those above the median, or at it where none is above; never where it is NaN.

    Example:
        >>> upper_half(np.array([1.0, 2.0, 3.0])).tolist(), upper_half(np.array([0.0, 1.0, 1.0])).tolist()
        ([False, False, True], [False, True, True])
    """
    if values.dtype == np.bool_:
        return np.asarray(values, np.bool_)
    middle = np.nanmedian(values)
    above = np.asarray(values > middle)
    return above if above.any() else np.asarray(values >= middle)


def _halves(codes: Points, values: Values) -> tuple[tuple[Points, Values], tuple[Points, Values]]:
    """Every second of the images that show it, and of those that do not, and the rest."""
    order = np.argsort(upper_half(values), kind="stable")
    first, second = order[::2], order[1::2]
    return (codes[first], values[first]), (codes[second], values[second])
