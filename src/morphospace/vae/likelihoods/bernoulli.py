"""Pixels as coins, of two kinds: the customary cross-entropy, and the density that it is not."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from morphospace.vae.likelihoods.interfaces import PIXELS, Likelihood, products
from morphospace.vae.slots import LikelihoodConfig

__all__ = ["Bernoulli", "ContinuousBernoulli"]


def _coins(params: Tensor, x: Tensor) -> Tensor:
    """(K, B) for logits (K, B, C, H, W) and images (B, C, H, W)."""
    # Over whole rows: the loop of this kernel is far faster on 784 numbers than on 28.
    logits = params.float().flatten(2)
    target = x.flatten(1).expand_as(logits)
    return -F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)


def _coins_pairs(params: Tensor, x: Tensor) -> Tensor:
    """(M, B) for logits (M, C, H, W) and images (B, C, H, W)."""
    logits = params.float().flatten(1)
    return products(logits, x.flatten(1)) - F.softplus(logits).sum(1, keepdim=True)


class Bernoulli(Likelihood):
    r"""Each pixel is a coin; params are logits: :math:`\log p = x l - \log(1 + e^l)`.

    Example:
        >>> Bernoulli().log_prob(torch.zeros(1, 1, 1, 2, 2), torch.ones(1, 1, 2, 2)).item()  # 4 log(1/2)
        -2.7725887298583984
    """

    class Config(LikelihoodConfig, kind="bernoulli"):
        """Each pixel is a coin: the cross-entropy."""

        def build(self) -> Bernoulli:
            """See :class:`LikelihoodConfig`."""
            return Bernoulli()

    name = "bernoulli"
    cross_entropy = True

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """(K, B), see :class:`Likelihood`."""
        return _coins(params, x)

    def log_prob_pairs(self, params: Tensor, x: Tensor) -> Tensor:
        """(M, B), see :class:`Likelihood`."""
        return _coins_pairs(params, x)

    def mean(self, params: Tensor) -> Tensor:
        """The sigmoid."""
        return torch.sigmoid(params.float())


class ContinuousBernoulli(Likelihood):
    r"""The Bernoulli made a density on [0, 1]: :math:`\log p = x l - \log(1 + e^l) + \log C(l)`.

    In logits the normaliser is :math:`C(l) = l / \tanh(l/2)`, which tends to 2 at 0.

    Source: Loaiza-Ganem and Cunningham, The continuous Bernoulli, arXiv:1907.06845.
    """

    class Config(LikelihoodConfig, kind="continuous-bernoulli"):
        """The Bernoulli made a density on [0, 1]."""

        def build(self) -> ContinuousBernoulli:
            """See :class:`LikelihoodConfig`."""
            return ContinuousBernoulli()

    name = "continuous-bernoulli"

    @staticmethod
    def log_normaliser(logits: Tensor) -> Tensor:
        """Log C, by its series where the quotient would be 0/0."""
        near = logits.abs() < 0.1
        safe = torch.where(near, torch.ones_like(logits), logits)
        series = math.log(2.0) + logits.square() / 12 - 7 * logits.pow(4) / 1440
        return torch.where(near, series, torch.log(safe / torch.tanh(0.5 * safe)))

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """(K, B), see :class:`Likelihood`."""
        return _coins(params, x) + self.log_normaliser(params.float()).sum(PIXELS)

    def log_prob_pairs(self, params: Tensor, x: Tensor) -> Tensor:
        """(M, B), see :class:`Likelihood`."""
        return _coins_pairs(params, x) + self.log_normaliser(params.float()).sum(PIXELS)[:, None]

    def mean(self, params: Tensor) -> Tensor:
        r""":math:`1/(1 - e^{-l}) - 1/l`, which is 1/2 at 0."""
        logits = params.float()
        near = logits.abs() < 0.1
        safe = torch.where(near, torch.ones_like(logits), logits)
        return torch.where(near, 0.5 + logits / 12, -1 / torch.expm1(-safe) - 1 / safe)
