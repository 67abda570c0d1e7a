"""The diagonal Gaussian posterior."""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import torch
from torch import Generator, Tensor, nn

from morphospace.nn.layers import glorot_
from morphospace.parts import option
from morphospace.vae.interfaces import Draw, Draws, Noise
from morphospace.vae.posteriors.interfaces import Posterior
from morphospace.vae.slots import PosteriorConfig

__all__ = ["GaussianPosterior", "GaussianQ"]


_LARGE_LOG_VAR = 5.0


class GaussianQ(NamedTuple):
    """A diagonal Gaussian for each image: ``mean`` and ``log_var`` (B, d)."""

    mean: Tensor
    log_var: Tensor

    @property
    def scale(self) -> Tensor:
        """The standard deviations (B, d)."""
        return torch.exp(0.5 * self.log_var)

    def draw(self, noise: Noise) -> Draw:
        r"""``z = mean + exp(log_var / 2) * epsilon`` for epsilon (K, B, d)."""
        (epsilon,) = noise
        z = self.mean + torch.exp(0.5 * self.log_var) * epsilon
        # In terms of epsilon the density needs no division by a small variance.
        log_q = -0.5 * (epsilon.square() + self.log_var + math.log(2 * math.pi)).sum(-1)
        return Draw(z, log_q, held=lambda: GaussianQ(self.mean.detach(), self.log_var.detach()).log_prob(z))

    def log_prob(self, z: Tensor) -> Tensor:
        """(K, B) for z (K, B, d)."""
        squares = (z - self.mean).square() * torch.exp(-self.log_var)
        return -0.5 * (squares + self.log_var + math.log(2 * math.pi)).sum(-1)


def _slower(log_var: Tensor) -> Tensor:
    """Log-variances, those above 5 growing only as a logarithm.

    No posterior near the prior has one above 0. But an early encoder can meet an image that it gives 70, a deviation
    of 10^15, and one NaN in its reconstruction would end the training; this keeps it finite, and its gradient alive.
    """
    excess = torch.relu(log_var - _LARGE_LOG_VAR)
    return log_var - excess + torch.log1p(excess)


class GaussianPosterior(Posterior):
    r"""The diagonal Gaussian :math:`q(z|x) = N(\mu(x), \mathrm{diag}\,\sigma^2(x))` by two dense heads.

    Args:
        features: what the encoder gives.
        latent_dim: d, >= 1.
        log_var: where the log-variances start.

    Source: Kingma and Welling, Auto-encoding variational Bayes, arXiv:1312.6114.

    Example:
        >>> q = GaussianPosterior(32, 2)(torch.zeros(5, 32))
        >>> q.mean.shape, q.log_var.shape
        (torch.Size([5, 2]), torch.Size([5, 2]))
    """

    class Config(PosteriorConfig, kind="gaussian"):
        """A diagonal Gaussian for each image."""

        draws: ClassVar[Draws] = "density"

        latent_dim: int = option("the number of latents", default=2, low=1)
        log_var: float = option(
            "where log-variances start; below 0 the decoder hears the latents from the first step", default=0.0,
            low=-20, high=5, starts=True,
        )  # fmt: skip

        def build(self, features: int) -> GaussianPosterior:
            """See :class:`PosteriorConfig`."""
            return GaussianPosterior(features, self.latent_dim, log_var=self.log_var)

    def __init__(self, features: int, latent_dim: int, *, log_var: float = 0.0) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.mean = nn.Linear(features, latent_dim)
        self.log_var = nn.Linear(features, latent_dim)
        glorot_(self)
        nn.init.constant_(self.log_var.bias, log_var)

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        """Standard normal noise of ``k`` draws an image."""
        shape = (k, batch, self.latent_dim)
        return (torch.randn(shape, generator=generator, device=generator.device),)

    def forward(self, h: Tensor) -> GaussianQ:
        """(B, features) to Q, in float32 whatever the features' precision."""
        return GaussianQ(self.mean(h).float(), _slower(self.log_var(h).float()))
