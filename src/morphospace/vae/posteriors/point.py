"""Posteriors that are points: what makes an autoencoder."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Generator, Tensor, nn

from morphospace.nn.layers import glorot_
from morphospace.parts import option
from morphospace.vae.interfaces import Draw, Draws, Noise
from morphospace.vae.posteriors.interfaces import Posterior
from morphospace.vae.slots import PosteriorConfig

__all__ = ["PointPosterior", "PointQ"]


class PointQ(NamedTuple):
    """One point for each image, (B, d): no density, no noise."""

    mean: Tensor

    @property
    def scale(self) -> None:
        """A point has none."""
        return None

    def draw(self, noise: Noise) -> Draw:
        """The point itself, as one draw (1, B, d)."""
        del noise
        return Draw(self.mean.unsqueeze(0), None)

    def log_prob(self, z: Tensor) -> Tensor | None:
        """A point has no density."""
        del z
        return None


class PointPosterior(Posterior):
    """One code for each image: what makes a VAE a classical autoencoder.

    Args:
        features: what the encoder gives.
        latent_dim: d, >= 1.
        relu: keep codes at zero or above, so that an L1 penalty makes exact zeros.
    """

    class Config(PosteriorConfig, kind="point"):
        """One code for each image."""

        draws: ClassVar[Draws] = "points"

        latent_dim: int = option("the number of latents", default=2, low=1)

        def build(self, features: int) -> PointPosterior:
            """See :class:`PosteriorConfig`."""
            return PointPosterior(features, self.latent_dim)

    class NonnegativeConfig(PosteriorConfig, kind="relu"):
        """One code for each image, at zero or above in every latent."""

        draws: ClassVar[Draws] = "points"

        latent_dim: int = option("the number of latents", default=2, low=1)

        def build(self, features: int) -> PointPosterior:
            """See :class:`PosteriorConfig`."""
            return PointPosterior(features, self.latent_dim, relu=True)

    draws: Draws = "points"

    def __init__(self, features: int, latent_dim: int, *, relu: bool = False) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.mean = nn.Linear(features, latent_dim)
        self.nonnegative = relu
        glorot_(self)

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        """There is none."""
        del k, batch, generator
        return ()

    def forward(self, h: Tensor) -> PointQ:
        """(B, features) to Q."""
        code = self.mean(h).float()
        return PointQ(torch.relu(code) if self.nonnegative else code)
