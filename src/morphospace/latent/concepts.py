"""Concepts: named directions with the evidence for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError, DataError, did_you_mean

__all__ = ["Concept", "auc", "learn_concept", "move"]

Points = NDArray[np.float32]

_FEW = 5


@dataclass(frozen=True, kw_only=True)
class Concept:
    """A named direction: strength 1.0 moves the average negative to the average positive.

    Attributes:
        name: what users call it.
        direction: (d,) the mean of the positives minus the mean of the negatives.
        method: how it was learned.
        positives, negatives: how many images of each it was learned from.
        source: which images these were, in words.
        auc: how well the direction tells positives from negatives, 0.5 is chance, 1 always; on held-out
            images if ``held_out``, else on the images it was learned from. None where there was neither.
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
    held_out: bool = False
    seed: int = 0

    def warnings(self) -> list[str]:
        """How far not to trust it, in plain words."""
        found = []
        if min(self.positives, self.negatives) < _FEW:
            found.append(f"learned from few images ({self.positives} against {self.negatives})")
        if self.auc is not None and self.auc < 0.75:
            found.append(f"hard to tell apart in this space (AUC {self.auc:.2f}; 0.5 is chance)")
        return found


def auc(positives: Points, negatives: Points) -> float:
    """The chance that a positive's score exceeds a negative's, ties counting half; (P,) and (N,) scores.

    Example:
        >>> auc(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
        0.875
    """
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left")
    not_above = np.searchsorted(ordered, positives, "right")
    return float((below + not_above).mean() / (2 * len(negatives)))


def learn_concept(
    name: str,
    positive: Points,
    negative: Points,
    *,
    held_out: tuple[Points, Points] | None = None,
    source: str = "",
    seed: int = 0,
) -> Concept:
    r"""The mean difference :math:`\bar z_+ - \bar z_-` as a concept.

    Args:
        name: what to call it; letters, digits and most signs, but no ``=``.
        positive: (P, d) codes of images that show it, P >= 1.
        negative: (N, d) codes of images that do not, N >= 1.
        held_out: codes of other positives and negatives, for the AUC.
        source: which images these are, in words.
        seed: stored with it.

    Raises:
        ArgumentError: for an empty name or one with ``=``.
        DataError: for no examples, other shapes, or two means in the same place.

    Source: Larsen et al., Autoencoding beyond pixels using a learned similarity metric, arXiv:1512.09300.
    """
    if not name.strip() or "=" in name:
        raise ArgumentError(f'NAME: expected a name without "=", got "{name}".')
    for words, codes in (("positive", positive), ("negative", negative)):
        if codes.ndim != 2 or not len(codes) or codes.shape[1] != positive.shape[-1]:
            raise DataError(f"concept {name}: expected {words} codes (N, d) with N >= 1, got {codes.shape}.")
    direction = positive.mean(0, dtype=np.float64) - negative.mean(0, dtype=np.float64)
    if not np.isfinite(direction).all() or np.linalg.norm(direction) < 1e-9:
        raise DataError(f"concept {name}: positives and negatives have the same mean, there is no direction.")
    direction = direction.astype(np.float32)
    judged = held_out if held_out is not None and all(len(codes) for codes in held_out) else None
    shown, other = judged or (positive, negative)
    return Concept(
        name=name,
        direction=direction,
        positives=len(positive),
        negatives=len(negative),
        source=source,
        auc=auc(shown @ direction, other @ direction),
        held_out=judged is not None,
        seed=seed,
    )


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
