"""The standard normal prior."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from morphospace.parts import Shape
from morphospace.vae.interfaces import Infer, VariationalPosterior
from morphospace.vae.posteriors.gaussian import GaussianQ
from morphospace.vae.priors.interfaces import Prior
from morphospace.vae.slots import PriorConfig

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

    def sample(self, count: int, rng: np.random.Generator) -> Tensor:
        """(count, d)."""
        return torch.from_numpy(rng.standard_normal((count, self.latent_dim)).astype(np.float32))


class StandardNormalPrior(Prior):
    """N(0, I), which learns nothing.

    Args:
        latent_dim: d, >= 1.
    """

    class Config(PriorConfig, kind="normal"):
        """N(0, I)."""

        def build(self, latent_dim: int, shape: Shape) -> StandardNormalPrior:
            """See :class:`PriorConfig`."""
            del shape
            return StandardNormalPrior(latent_dim)

    normal = True

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim

    def forward(self, infer: Infer, condition: Tensor | None = None) -> StandardNormalP:
        """P; ``infer`` (the encoder, for priors made of posteriors) is not needed here."""
        del infer, condition
        return StandardNormalP(self.latent_dim)
