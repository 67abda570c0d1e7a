"""Which images are no part of what a space has learned: badly reconstructed, in an empty region, or both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from morphospace.codec import batch_for
from morphospace.data import ImageArray
from morphospace.latent.mixtures import ATYPICAL
from morphospace.space import Space
from morphospace.training.loop import to_input

__all__ = ["OutlierFigures", "outlier_figures", "reconstruction_errors"]

Numbers = NDArray[np.float64]

_ROUNDING = 1e-5


@torch.inference_mode()
def reconstruction_errors(
    space: Space, images: ImageArray, codes: NDArray[np.float32], labels: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    r"""How badly each image is reconstructed, :math:`-\log p(x \mid z)`, in nats summed over its pixels, in float32.

    Unlike the reconstruction that ``morpho evaluate`` prints, it has no noise: z is the posterior's mean.

    Args:
        space: decodes and scores.
        images: uint8 (N, H, W, C) of the space's size, any that can be sliced.
        codes: their posterior means (N, d).
        labels: (N,), for models that are told them.

    Returns:
        (N,), finite: what is beyond float32 is its largest number.
    """
    parts = [np.empty(0, np.float32)]
    step = batch_for(space.shape)
    for start in range(0, len(images), step):
        x = to_input(torch.from_numpy(images[start : start + step]).to(space.device))
        z = torch.from_numpy(codes[start : start + step]).to(space.device)
        told = None if labels is None else torch.from_numpy(labels[start : start + step]).to(space.device)
        parts.append(-space.model.log_likelihood(z[None], x, told)[0].float().cpu().numpy())
    worst = float(np.finfo(np.float32).max)
    return np.nan_to_num(np.concatenate(parts), nan=worst, posinf=worst)


@dataclass(frozen=True)
class OutlierFigures:
    """What was found of N images.

    Attributes:
        errors: (N,) nats, see :func:`reconstruction_errors`.
        share: (N,) the share of the images compared with that are reconstructed no better: a p-value.
        typicality: (N,) of their codes, see :meth:`morphospace.Space.typicality`: a p-value; NaN where unknown.
        against: the images compared with, in words.
    """

    errors: Numbers
    share: Numbers
    typicality: Numbers
    against: str

    @property
    def badly_reconstructed(self) -> NDArray[np.bool_]:
        """(N,) whether fewer than 1 % of the images compared with are reconstructed as badly."""
        return self.share < ATYPICAL

    @property
    def in_an_empty_region(self) -> NDArray[np.bool_]:
        """(N,) whether fewer than 1 % of the test images' codes are as atypical."""
        return self.typicality < ATYPICAL

    @property
    def outliers(self) -> NDArray[np.bool_]:
        """(N,) whether either is so: of images like the test images, up to 2 % are."""
        return self.badly_reconstructed | self.in_an_empty_region

    def worst(self, n: int) -> NDArray[np.intp]:
        """The places of the ``n`` worst, worst first: by the lower p-value, then by the higher one, then by nats."""
        both = np.stack([self.share, np.where(np.isnan(self.typicality), 1, self.typicality)])
        return np.lexsort((-self.errors, both.max(0), both.min(0)))[:n]

    def reasons(self, place: int) -> list[str]:
        """Why the image at ``place`` is an outlier, in words; empty if it is none."""
        found = []
        if self.badly_reconstructed[place]:
            share = float(self.share[place])
            but = f"all but {_percent(share)}" if share else "all"
            found.append(f"badly reconstructed (worse than {but} of {self.against})")
        if self.in_an_empty_region[place]:
            found.append("in an empty region")
        return found

    def summary(self) -> str:
        """The counts, in a sentence."""
        bad, empty, either = self.badly_reconstructed, self.in_an_empty_region, self.outliers
        parts = [f"{bad.sum():,} badly reconstructed", f"{empty.sum():,} in an empty region"]
        if both := (bad & empty).sum():
            parts.append(f"{both:,} both")
        return f"{_percent(float(either.mean()))} of {len(either):,} images are outliers: {', '.join(parts)}"


def outlier_figures(
    errors: NDArray[np.float32], typicality: Numbers, reference: NDArray[np.float32] | None = None
) -> OutlierFigures:
    """Turn the two scores of images into p-values.

    Args:
        errors: (N,) of the images, in nats.
        typicality: (N,) of their codes; a p-value already.
        reference: (M,) the errors of the space's own test images; None compares the images with each other, which
            finds the worst of a set but not a set that is foreign as a whole.

    Example:
        >>> tests = np.arange(1000, dtype=np.float32)
        >>> found = outlier_figures(np.float32([500, 998, 2000]), np.array([0.5, 0.4, 0.001]), tests)
        >>> found.share.tolist(), found.worst(1).tolist(), found.reasons(1)
        ([0.5, 0.002, 0.0], [2], ['badly reconstructed (worse than all but 0.2 % of the test images)'])
    """
    against = "these images" if reference is None else "the test images"
    others = np.sort(errors if reference is None else reference)
    # An image is as bad as itself, whatever it was computed beside.
    least = errors - _ROUNDING * (1 + np.abs(errors))
    share = (len(others) - np.searchsorted(others, least, "left")) / len(others)
    return OutlierFigures(errors.astype(np.float64), share, typicality, against)


def _percent(share: float) -> str:
    return (f"{100 * share:.2g}" if share < 0.01 else f"{100 * share:.1f}".removesuffix(".0")) + " %"
