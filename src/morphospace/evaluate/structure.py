"""What the latents are used for."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.evaluate.likelihood import TestFigures

__all__ = ["UNUSED_VARIANCE", "LatentUse", "latent_use", "overfitting"]

UNUSED_VARIANCE = 0.01
"""Of the prior's variance, which is 1; where there is no prior, of the mean variance of all latents."""
_ROUNDING = 1e-10  # of a latent's mean square: codes that differ by so little are all one
_FEWEST = 10  # codes whose variance says something
_OVERFITTED = 0.05  # nats a value


class LatentUse(NamedTuple):
    """Which latents carry something.

    Attributes:
        variances: (d,) of the posterior mean over the data.
        unused: the latents whose variance is 0.01 or less: of the prior's, or where there is none of the mean one.
        images: how many codes say so.
    """

    variances: NDArray[np.float32]
    unused: tuple[int, ...]
    images: int

    def warning(self, penalty: str | None) -> str | None:
        """In plain words, what is wrong and what to try; None if nothing is, or images are too few to tell.

        Args:
            penalty: what of the recipe keeps codes near 0, "beta" or "l1"; None for nothing.
        """
        if not self.unused or self.images < _FEWEST:
            return None
        if len(self.unused) == len(self.variances):
            what = "posterior collapse" if penalty == "beta" else "collapse"
            lower = f"Lower {penalty} (`{penalty}=0.3`), train" if penalty else "Train"
            return (
                f"{what}: no latent tells images apart, so every point decodes to the same picture. "
                f"{lower} longer, or lower the learning rate."
            )
        names = ", ".join(f"z{i + 1}" for i in self.unused[:8]) + (", ..." if len(self.unused) > 8 else "")
        return (
            f"{len(self.unused)} of {len(self.variances)} latents are unused ({names}): moving along them changes "
            "nothing. A smaller `latent_dim` gives the same space"
            + (f"; a lower {penalty} may wake them." if penalty else ".")
        )


def latent_use(means: NDArray[np.float32], *, prior: bool = True) -> LatentUse:
    """Measure (N, d) posterior means.

    A space that was trained towards N(0, I) has its scale from there: a latent that carries something has a variance
    of about 1. An autoencoder's codes may have any scale, and its latents are measured by each other.

    Args:
        means: of the posteriors.
        prior: whether the space was trained towards N(0, I).

    Source: the active units of Burda, Grosse and Salakhutdinov, arXiv:1509.00519.

    Example:
        >>> latent_use(np.array([[0.0, 1.0], [0.0, -1.0]], np.float32)).unused
        (0,)
        >>> latent_use(np.array([[0.0, 0.001], [0.0, -0.001]], np.float32), prior=False).unused
        (0,)
    """
    variances = means.var(0, dtype=np.float64)
    whole = 1.0 if prior else variances.mean()
    rounding = _ROUNDING * np.square(means, dtype=np.float64).mean(0)
    unused = np.flatnonzero(variances <= np.maximum(UNUSED_VARIANCE * whole, rounding))
    return LatentUse(variances.astype(np.float32), tuple(unused.tolist()), len(means))


def overfitting(seen: TestFigures, test: TestFigures, shape: tuple[int, int, int], count: int) -> str | None:
    """In plain words, how much better the images score that the model learned from; None where it hardly matters.

    Args:
        seen: figures of images that were trained on.
        test: figures of images that were not.
        shape: (H, W, C) of an image.
        count: the images that were trained on.
    """
    better = (test.neg_elbo or test.reconstruction) - (seen.neg_elbo or seen.reconstruction)
    if better / math.prod(shape) < _OVERFITTED:
        return None
    return (
        f"over-fitting: the {count:,} training images score {better:,.0f} nats an image better than the test images. "
        "Reconstructions and edits of other pictures will be poorer than those of the set; samples resemble training "
        "images. More pictures help most; fewer latents (`latent_dim`) and more change (`augment=0.1`) help too."
    )
