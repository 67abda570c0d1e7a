"""Likelihoods p(x | z): how the decoder's values score an image, in nats summed over its pixels.

Images are in [0, 1]. A Bernoulli's score of grey values is the cross-entropy of the field's custom, not
a density; the continuous Bernoulli and the Gaussian are densities, so their nats do not compare with it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["PIXELS", "Likelihood", "products"]

PIXELS = (-3, -2, -1)
"""The dimensions of an image: channels, rows and columns."""


def products(values: Tensor, images: Tensor) -> Tensor:
    """(M, B): each of the ``values`` (M, n) times each of the ``images`` (B, n), in float32 within autocast too.

    Thousands of pixels are summed: in bfloat16 that is tens of nats astray.
    """
    with torch.autocast(values.device.type, enabled=False):
        return values @ images.float().t()


class Likelihood(nn.Module):
    """Scores images under the decoder's values (``params``), which have the images' own shape.

    Attributes:
        name: what kind its nats are of: those of others do not compare with them.
        cross_entropy: whether its score is the cross-entropy of pixels, which the book's loss is made of.
    """

    name: str = ""
    cross_entropy: bool = False

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """(K, B) for params (K, B, C, H, W) and images x (B, C, H, W)."""
        raise NotImplementedError

    def log_prob_pairs(self, params: Tensor, x: Tensor) -> Tensor:
        """(M, B): every params (M, C, H, W) scores every image x (B, C, H, W)."""
        raise NotImplementedError

    def mean(self, params: Tensor) -> Tensor:
        """The expected image in [0, 1], of the shape of ``params``."""
        raise NotImplementedError
