"""Priors p(z): what latents are expected to be before any image is seen."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from morphospace.vae.interfaces import Infer, VariationalPosterior
from morphospace.vae.posteriors import GaussianQ

__all__ = ["StandardNormalP", "StandardNormalPrior"]


class StandardNormalP(NamedTuple):
    """N(0, I) over d latents."""

    latent_dim: int

    def log_prob(self, z: Tensor) -> Tensor:
        """(K, B) for z (K, B, d)."""
        return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)

    def kl(self, q: VariationalPosterior) -> Tensor | None:
        r"""(B,) :math:`\frac12 \sum_j (\mu_j^2 + \sigma_j^2 - \log \sigma_j^2 - 1)`, in nats."""
        if not isinstance(q, GaussianQ):
            return None
        return 0.5 * (q.mean.square() + q.log_var.exp() - q.log_var - 1.0).sum(-1)

    def sample(self, count: int, generator: Generator) -> Tensor:
        """(count, d)."""
        return torch.randn((count, self.latent_dim), generator=generator, device=generator.device)


class StandardNormalPrior(nn.Module):
    """N(0, I), which learns nothing.

    Args:
        latent_dim: d, >= 1.
    """

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim

    def forward(self, infer: Infer, condition: Tensor | None = None) -> StandardNormalP:
        """P; ``infer`` (the encoder, for priors made of posteriors) is not needed here."""
        del infer, condition
        return StandardNormalP(self.latent_dim)
