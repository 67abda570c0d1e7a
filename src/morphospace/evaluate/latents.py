"""What each latent carries by itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.codec import Encoding
from morphospace.data import ImageArray
from morphospace.space import Space

__all__ = ["LatentFigures", "kl_by_latent", "latent_figures"]

Numbers = NDArray[np.float64]


class LatentFigures(NamedTuple):
    """Of each of d latents: ``kl`` (d,) in nats, None where there is none; ``variances`` (d,) of the codes."""

    kl: Numbers | None
    variances: Numbers

    def order(self) -> NDArray[np.intp]:
        """The latents' places, those that carry most first: by their KL, else by the variance of their codes."""
        return np.argsort(-(self.variances if self.kl is None else self.kl), kind="stable")


def latent_figures(space: Space, images: ImageArray | None, labels: NDArray[np.int64] | None = None) -> LatentFigures:
    """The figures of each latent, over ``images`` or, without any, over the test images' codes that the space keeps.

    Args:
        space: encodes.
        images: uint8 (N, H, W, C) of the space's size; None leaves the KL out, and so does another prior than N(0, I).
        labels: (N,), for spaces that are told them.
    """
    if images is None:
        codes = np.zeros((1, space.latent_dim), np.float32) if space.reference is None else space.reference
        return LatentFigures(None, codes.var(0, dtype=np.float64))
    encoding = space.encode(images, labels)
    kl = kl_by_latent(encoding) if space.has_prior else None
    return LatentFigures(kl, encoding.mean.var(0, dtype=np.float64))


def kl_by_latent(encoding: Encoding) -> Numbers | None:
    r"""What each latent tells of an image on average, in nats.

    .. math:: \tfrac12 \overline{\mu_j^2 + \sigma_j^2 - \log \sigma_j^2 - 1}

    The sum over latents is the KL that ``morpho evaluate`` shows. None for a point posterior, which has no KL.

    Args:
        encoding: of N images.

    Returns:
        (d,), the mean over images.

    Example:
        >>> kl_by_latent(Encoding(np.float32([[1, 0], [-1, 0]]), np.ones((2, 2), np.float32)))
        array([0.5, 0. ])
    """
    if encoding.scale is None:
        return None
    mean, scale = encoding.mean.astype(np.float64), encoding.scale.astype(np.float64)
    kl: Numbers = 0.5 * (mean**2 + scale**2 - 2 * np.log(scale) - 1).mean(0)
    return kl
