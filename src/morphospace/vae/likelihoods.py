"""Likelihoods p(x | z): how the decoder's values score an image, in nats summed over its pixels.

Images are in [0, 1]. A Bernoulli's score of grey values is the cross-entropy of the field's custom, not
a density; the continuous Bernoulli and the Gaussian are densities, so their nats do not compare with it.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Bernoulli", "ContinuousBernoulli", "Gaussian", "Likelihood"]

_PIXELS = (-3, -2, -1)


def _products(values: Tensor, images: Tensor) -> Tensor:
    """(M, B): each of the ``values`` (M, n) times each of the ``images`` (B, n), in float32 within autocast too.

    Thousands of pixels are summed: in bfloat16 that is tens of nats astray.
    """
    with torch.autocast(values.device.type, enabled=False):
        return values @ images.float().t()


class Likelihood(nn.Module):
    """Scores images under the decoder's values (``params``), which have the images' own shape."""

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """(K, B) for params (K, B, C, H, W) and images x (B, C, H, W)."""
        raise NotImplementedError

    def log_prob_pairs(self, params: Tensor, x: Tensor) -> Tensor:
        """(M, B): every params (M, C, H, W) scores every image x (B, C, H, W)."""
        raise NotImplementedError

    def mean(self, params: Tensor) -> Tensor:
        """The expected image in [0, 1], of the shape of ``params``."""
        raise NotImplementedError


class Bernoulli(Likelihood):
    r"""Each pixel is a coin; params are logits: :math:`\log p = x l - \log(1 + e^l)`.

    Example:
        >>> Bernoulli().log_prob(torch.zeros(1, 1, 1, 2, 2), torch.ones(1, 1, 2, 2)).item()  # 4 log(1/2)
        -2.7725887298583984
    """

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """(K, B), see :class:`Likelihood`."""
        # Over whole rows: the loop of this kernel is far faster on 784 numbers than on 28.
        logits = params.float().flatten(2)
        target = x.flatten(1).expand_as(logits)
        return -F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)

    def log_prob_pairs(self, params: Tensor, x: Tensor) -> Tensor:
        """(M, B), see :class:`Likelihood`."""
        logits = params.float().flatten(1)
        return _products(logits, x.flatten(1)) - F.softplus(logits).sum(1, keepdim=True)

    def mean(self, params: Tensor) -> Tensor:
        """The sigmoid."""
        return torch.sigmoid(params.float())


class ContinuousBernoulli(Bernoulli):
    r"""The Bernoulli made a density on [0, 1]: :math:`\log p = x l - \log(1 + e^l) + \log C(l)`.

    In logits the normaliser is :math:`C(l) = l / \tanh(l/2)`, which tends to 2 at 0.

    Source: Loaiza-Ganem and Cunningham, The continuous Bernoulli, arXiv:1907.06845.
    """

    @staticmethod
    def log_normaliser(logits: Tensor) -> Tensor:
        """Log C, by its series where the quotient would be 0/0."""
        near = logits.abs() < 0.1
        safe = torch.where(near, torch.ones_like(logits), logits)
        series = math.log(2.0) + logits.square() / 12 - 7 * logits.pow(4) / 1440
        return torch.where(near, series, torch.log(safe / torch.tanh(0.5 * safe)))

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """(K, B), see :class:`Likelihood`."""
        return super().log_prob(params, x) + self.log_normaliser(params.float()).sum(_PIXELS)

    def log_prob_pairs(self, params: Tensor, x: Tensor) -> Tensor:
        """(M, B), see :class:`Likelihood`."""
        return super().log_prob_pairs(params, x) + self.log_normaliser(params.float()).sum(_PIXELS)[:, None]

    def mean(self, params: Tensor) -> Tensor:
        r""":math:`1/(1 - e^{-l}) - 1/l`, which is 1/2 at 0."""
        logits = params.float()
        near = logits.abs() < 0.1
        safe = torch.where(near, torch.ones_like(logits), logits)
        return torch.where(near, 0.5 + logits / 12, -1 / torch.expm1(-safe) - 1 / safe)


class Gaussian(Likelihood):
    r"""Each pixel is :math:`N(\mu, \sigma^2)`; params are the means, one sigma serves all pixels.

    Args:
        sigma: the standard deviation in units of the pixel range [0, 1], > 0; where it starts if learned.
        learned: let training find the sigma (sigma-VAE: then no weight between the two losses is needed).

    Source: Rybkin, Daniilidis and Levine, Simple and effective VAE training with calibrated decoders,
    arXiv:2006.13202.
    """

    def __init__(self, sigma: float = 0.1, *, learned: bool = False) -> None:
        super().__init__()
        log_sigma = torch.tensor(math.log(sigma))
        if learned:
            self.log_sigma: Tensor = nn.Parameter(log_sigma)
        else:
            self.register_buffer("log_sigma", log_sigma)

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """(K, B), see :class:`Likelihood`."""
        values = params.float()
        squares = F.mse_loss(values, x.expand_as(values), reduction="none").sum(_PIXELS)  # one pass each way
        return self._from_squares(squares, x)

    def log_prob_pairs(self, params: Tensor, x: Tensor) -> Tensor:
        """(M, B), see :class:`Likelihood`."""
        means, images = params.float().flatten(1), x.flatten(1)
        squares = means.square().sum(1)[:, None] - 2 * _products(means, images) + images.square().sum(1)
        return self._from_squares(squares.clamp_min(0), x)

    def _from_squares(self, squares: Tensor, x: Tensor) -> Tensor:
        pixels = x[0].numel()
        constant = pixels * (self.log_sigma + 0.5 * math.log(2 * math.pi))
        return -0.5 * squares * torch.exp(-2 * self.log_sigma) - constant

    def mean(self, params: Tensor) -> Tensor:
        """The means, within the range of pixels."""
        return params.float().clamp(0, 1)
