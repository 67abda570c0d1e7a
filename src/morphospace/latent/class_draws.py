"""Draws from where the codes of one label lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError, DataError, did_you_mean
from morphospace.latent.classes import Classes

__all__ = ["LabelledCodes", "draw_label", "gaussian_of"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]

_FEWEST = 5  # codes that say where those of a label lie
_RIDGE = 1e-3  # of a latent's variance: one that a label does not use has none of its own


class LabelledCodes(NamedTuple):
    """The codes of images (N, d), the number of each one's label (N,), and what the labels are called."""

    codes: Points | None
    labels: NDArray[np.int64] | None
    names: Sequence[str]

    def known(self) -> dict[str, int]:
        """The labels that there are codes of, by what they are called."""
        if self.codes is None or self.labels is None:
            return {}
        numbers = np.unique(self.labels).tolist()
        return {self.names[number] if number < len(self.names) else str(number): number for number in numbers}


def gaussian_of(label: str, classes: Classes | None, reference: LabelledCodes) -> tuple[Numbers, Numbers]:
    """Mean (d,) and covariance (d, d) of the codes of ``label``: as its class was learned, else of labelled codes.

    Args:
        label: by name.
        classes: of the space, where they have been learned.
        reference: what the space keeps of its test images.

    Raises:
        ArgumentError: for an unknown label, or where neither classes nor labelled codes are known.
        DataError: for a label of fewer than 5 codes.
    """
    known = {name: k for k, name in enumerate(classes.names)} if classes is not None else reference.known()
    if not known:
        raise ArgumentError(
            "this space knows no classes, and keeps no labels of its test images. Learn where the images of "
            "each label lie, from a set with labels: morpho concept classes SPACE --data DATA",
            argument="label",
        )
    if label not in known:
        raise ArgumentError(f'this space knows no label "{label}". {did_you_mean(label, known)}', argument="label")
    if classes is not None:
        return classes.means[known[label]], classes.covariances[known[label]]
    codes = np.asarray(reference.codes)
    own = codes[np.asarray(reference.labels) == known[label]].astype(np.float64)
    if len(own) < _FEWEST:
        raise DataError(
            f'of "{label}" the space keeps the codes of {len(own)} test images, expected {_FEWEST}. Learn '
            "from a set with more of them: morpho concept classes SPACE --data DATA",
            argument="label",
        )
    ridge = np.diag(_RIDGE * codes.var(0, dtype=np.float64) + 1e-6)
    return own.mean(0), np.atleast_2d(np.cov(own.T)) + ridge


def draw_label(
    label: str, n: int, rng: np.random.Generator, *, classes: Classes | None, reference: LabelledCodes
) -> Points:
    """``n`` draws (n, d) from the Gaussian of ``label``, see :func:`gaussian_of`.

    Example:
        >>> z = np.random.default_rng(0).normal([[5, 0]], size=(400, 2)).astype(np.float32)
        >>> known = LabelledCodes(z, np.zeros(400, np.int64), ["cat"])
        >>> draw_label("cat", 1000, np.random.default_rng(1), classes=None, reference=known).mean(0).round()
        array([5., 0.], dtype=float32)
    """
    mean, covariance = gaussian_of(label, classes, reference)
    values, vectors = np.linalg.eigh(covariance)
    points: Points = (mean + rng.standard_normal((n, len(mean))) * values.clip(0) ** 0.5 @ vectors.T).astype(np.float32)
    return points
