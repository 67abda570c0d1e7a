"""From class to class: where the codes of each class lie, and how a code moves from one to another.

A class is a Gaussian of codes. An edit carries a code over by optimal transport, which keeps its place within the
class (its slant, its weight), and from there goes back as near to where it came from as the target class allows: what
an image of the target class needs is changed, the rest is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError, DataError, did_you_mean

__all__ = ["MARGINS", "Classes", "change_class", "class_chances", "class_scores", "learn_classes"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]

MARGINS = (4.0, 6.0, 8.0, 10.0, 12.0)
"""Nats; what an edit's margin is chosen from."""

_RIDGE = 1e-3  # of a latent's variance; a latent that a class does not use has none of its own
_LEAST = 1e-6  # of the latents' mean variance, for one that no class uses
_STEPS, _RATE = 60, 0.1  # spreads of a latent
_STAY = 0.1  # nats a squared spread of distance from where the code came from
_OUTSIDE = 0.5  # nats a nat of untypicality
_LEAST_COUNT = 5
_HALVINGS = 16


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The Gaussians of K classes of codes.

    Attributes:
        names: K labels.
        means: (K, d).
        covariances: (K, d, d), of draws from the posteriors, not of their means alone.
        margin: nats by which an edit makes the target class likelier than any other.
        source: which images they were learned from, in words.
    """

    names: tuple[str, ...]
    means: Numbers
    covariances: Numbers
    margin: float = 8.0
    source: str = ""

    @property
    def spreads(self) -> Numbers:
        """(d,) the standard deviation of each latent over all classes, each as frequent: the scale of the codes."""
        within = np.diagonal(self.covariances, axis1=1, axis2=2).mean(0)
        spreads: Numbers = np.sqrt(within + self.means.var(0))
        return spreads

    def number(self, name: str, argument: str = "target") -> int:
        """The place of the class called ``name``; ``argument`` is what an error names.

        Raises:
            ArgumentError: if there is none.
        """
        if name not in self.names:
            raise ArgumentError(f'there is no class "{name}". {did_you_mean(name, self.names)}', argument=argument)
        return self.names.index(name)


def learn_classes(
    names: Sequence[str], codes: Points, labels: NDArray[np.int64], variances: Points | None = None, source: str = ""
) -> Classes:
    """The Gaussian of each class.

    Args:
        names: K labels.
        codes: (N, d) posterior means.
        labels: (N,) of 0 .. K-1.
        variances: (N, d) of the posteriors; zero if left out.
        source: which images they are, in words.

    Raises:
        DataError: for a class of fewer than 5 codes, or fewer than two classes.

    Example:
        >>> z = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
        >>> learn_classes(["a", "b"], z, np.arange(40) % 2).means.shape
        (2, 2)
    """
    counts = np.bincount(labels, minlength=len(names))
    if len(names) < 2 or counts.min() < _LEAST_COUNT:
        few = "" if len(names) < 2 else f', "{names[int(counts.argmin())]}" has {counts.min()}'
        raise DataError(
            f"expected two classes or more of at least {_LEAST_COUNT} images, got {len(names)}{few}.", argument="data"
        )
    spread = codes.var(0, dtype=np.float64)
    ridge = _RIDGE * spread + _LEAST * (spread.mean() or 1.0)
    means, covariances = [], []
    for k in range(len(names)):
        own = labels == k
        z = codes[own].astype(np.float64)
        blur = 0.0 if variances is None else variances[own].mean(0, dtype=np.float64)
        means.append(z.mean(0))
        covariances.append(np.atleast_2d(np.cov(z.T)) + np.diag(ridge + blur))
    return Classes(names=tuple(names), means=np.stack(means), covariances=np.stack(covariances), source=source)


def class_scores(classes: Classes, z: Points) -> Numbers:
    """Log-densities of codes (N, d) under each class, (N, K) nats: the largest is the class it belongs to."""
    return _scores(z.astype(np.float64), classes.means, *_precisions(classes))[0]


def class_chances(classes: Classes, z: Points) -> Numbers:
    """The chances (N, K) that codes (N, d) are of each class, as where all classes are equally frequent."""
    scores = class_scores(classes, z)
    shares = np.exp(scores - scores.max(1, keepdims=True))
    chances: Numbers = shares / shares.sum(1, keepdims=True)
    return chances


def change_class(
    classes: Classes, z: Points, source: str, target: str, *, strength: float = 1.0, chance: float | None = None
) -> Points:
    r"""Move codes from one class to another.

    .. math:: T(z) = \mu_t + A\,(z - \mu_s), \quad
              A = \Sigma_s^{-1/2} (\Sigma_s^{1/2} \Sigma_t \Sigma_s^{1/2})^{1/2} \Sigma_s^{-1/2}

    then gradient steps from :math:`T(z)` back towards z, as far as :math:`\log p_t - \max_{k \ne t} \log p_k` stays
    above the margin and the distance from :math:`\mu_t` a typical one.

    Args:
        classes: of the space.
        z: (N, d) codes of images of the class ``source``.
        source: the class they are of.
        target: the class they are to be of.
        strength: the share of the way; 1 is the whole, 0 nothing, more goes beyond.
        chance: go only as far as it takes for the target class to have this chance, 0 < chance < 1.

    Raises:
        ArgumentError: for an unknown class, twice the same, a strength that is not finite, or a chance outside 0..1.

    Source: Peyre and Cuturi, Computational optimal transport, arXiv:1803.00567, remark 2.31.
    """
    s, t = classes.number(source, "source"), classes.number(target)
    if s == t:
        raise ArgumentError(f'expected another class than `source`, got "{target}" twice.', argument="target")
    if not np.isfinite(strength):
        raise ArgumentError(f"expected a finite number, got {strength}.", argument="strength")
    root = _power(classes.covariances[s], 0.5)
    back = _power(classes.covariances[s], -0.5)
    carry = back @ _power(root @ classes.covariances[t] @ root, 0.5) @ back
    start = z.astype(np.float64)
    end = _settled(classes, start, classes.means[t] + (start - classes.means[s]) @ carry, t)
    shares: Numbers | float = strength
    if chance is not None:
        if not 0 < chance < 1:
            raise ArgumentError(f"expected a chance between 0 % and 100 %, got {chance:.4g}.", argument="chance")
        shares = strength * _least_shares(classes, start, start + strength * (end - start), t, chance)[:, None]
    moved: Points = (start + shares * (end - start)).astype(np.float32)
    return moved


def _least_shares(classes: Classes, start: Numbers, end: Numbers, target: int, chance: float) -> Numbers:
    """The shares (N,) of the ways at which the target class comes to have the chance; 1 where it never has."""
    low, high = np.zeros(len(start)), np.ones(len(start))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        there = start + middle[:, None] * (end - start)
        enough = class_chances(classes, there.astype(np.float32))[:, target] >= chance
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _settled(classes: Classes, home: Numbers, start: Numbers, target: int) -> Numbers:
    """Adam's steps from ``start`` (N, d) to the place in the target class that is nearest to ``home``.

    Slopes are in nats a spread, and steps in spreads: codes of any scale take the same way.
    """
    precisions, offsets = _precisions(classes)
    spreads = classes.spreads
    z = start.copy()
    rows = np.arange(len(z))
    first, second = np.zeros_like(z), np.zeros_like(z)
    for step in range(1, _STEPS + 1):
        scores, pulls = _scores(z, classes.means, precisions, offsets)
        rivals = scores.copy()
        rivals[:, target] = -np.inf
        rival = rivals.argmax(1)
        short = scores[:, target] - scores[rows, rival] < classes.margin
        outside = 2 * (offsets[target] - scores[:, target]) > z.shape[1]
        slope = 2 * _STAY * (z - home) / spreads
        slope += short[:, None] * (pulls[rows, rival] - pulls[:, target]) * spreads
        slope -= 2 * _OUTSIDE * outside[:, None] * pulls[:, target] * spreads
        first += 0.1 * (slope - first)
        second += 0.001 * (slope**2 - second)
        z -= _RATE * spreads * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return z


def _precisions(classes: Classes) -> tuple[Numbers, Numbers]:
    """Inverse covariances (K, d, d), and the log-density at each mean (K,), without the constant of all."""
    offsets = -0.5 * np.linalg.slogdet(classes.covariances)[1].astype(np.float64)
    return np.linalg.inv(classes.covariances).astype(np.float64), offsets


def _scores(z: Numbers, means: Numbers, precisions: Numbers, offsets: Numbers) -> tuple[Numbers, Numbers]:
    """Log-densities (N, K), and their slopes in z (N, K, d)."""
    away = z[:, None] - means  # (N, K, d)
    pulls: Numbers = -np.matmul(away.transpose(1, 0, 2), precisions).transpose(1, 0, 2)
    return offsets + 0.5 * (away * pulls).sum(-1), pulls


def _power(matrix: Numbers, exponent: float) -> Numbers:
    """A power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    power: Numbers = (vectors * values.clip(1e-12 * values.max()) ** exponent) @ vectors.T
    return power
