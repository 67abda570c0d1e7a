"""A prior made of posteriors: the mixture of those of images that are learned."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Infer, VariationalPosterior
from morphospace.vae.priors.interfaces import Prior
from morphospace.vae.slots import PosteriorConfig, PriorConfig

__all__ = ["VampP", "VampPrior"]


class VampP:
    """The mixture, in equal shares, of the posteriors ``q`` of U pseudo-images."""

    def __init__(self, q: VariationalPosterior) -> None:
        self.q = q

    def log_prob(self, z: Tensor) -> Tensor:
        """(K, B) for z (K, B, d): the log of the mean of the U densities.

        Raises:
            ArgumentError: if the posterior has no density.
        """
        points = z.flatten(0, 1).unsqueeze(1)  # every point under every component: (K B, 1, d)
        each = self.q.log_prob(points.expand(-1, len(self.q.mean), -1))  # (K B, U)
        if each is None:
            raise ArgumentError("expected a posterior with a density: points make no mixture.", argument="prior")
        return (each.logsumexp(1) - math.log(each.shape[1])).view(z.shape[:2])

    def kl(self, q: VariationalPosterior) -> Tensor | None:
        """None: a mixture's has no closed form, so the draws' mean serves."""
        del q
        return None

    def sample(self, count: int, rng: np.random.Generator) -> Tensor:
        """(count, d): each point from the posterior of a pseudo-image drawn by lot."""
        mean = self.q.mean
        which = np.sort(rng.integers(len(mean), size=count))
        turn = np.arange(count) - np.searchsorted(which, which)  # 0, 1, ... of each component
        noise = rng.standard_normal((int(turn.max(initial=-1)) + 1, *mean.shape), np.float32)
        drawn = self.q.draw((torch.from_numpy(noise).to(mean.device),)).z
        return drawn[turn, which][rng.permutation(count)]


class VampPrior(Prior):
    r"""The mixture of the posteriors of U learned pseudo-images, :math:`p(z) = \frac1U \sum_u q(z | x_u)`.

    The best prior for a given encoder is the mean of the posteriors of all images; this is that mean over a few images
    that training makes up. The KL then no longer presses all codes into one Gaussian: the space may have gaps between
    its classes. There is no closed form of it: each draw gives an estimate.

    The pseudo-images are sigmoids of what is learned, so that they stay images. They start as noise.

    Args:
        components: U, >= 1. Each step encodes all of them.
        shape: (C, H, W) of an image.

    Source: Tomczak and Welling, VAE with a VampPrior, arXiv:1705.07120.

    Example:
        >>> from morphospace.vae import GaussianPosterior
        >>> encode = nn.Sequential(nn.Flatten(), GaussianPosterior(64, 2))
        >>> VampPrior(12, (1, 8, 8))(encode).sample(5, np.random.default_rng(0)).shape
        torch.Size([5, 2])
    """

    class Config(PriorConfig, kind="vamp"):
        """The mixture of the posteriors of learned images."""

        of_posteriors: ClassVar[bool] = True

        components: int = option("how many learned images; each step encodes all", default=100, low=1, high=1e5)

        def check(self, posterior: PosteriorConfig) -> None:
            """See :class:`PriorConfig`."""
            if posterior.draws != "density":
                raise ArgumentError(
                    "a mixture of posteriors needs one with a density. Add posterior=gaussian, or keep prior=normal.",
                    argument="prior",
                )

        def build(self, latent_dim: int, shape: Shape) -> VampPrior:
            """See :class:`PriorConfig`."""
            del latent_dim
            return VampPrior(self.components, shape)

    def __init__(self, components: int, shape: Shape) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.randn(components, *shape))

    @property
    def images(self) -> Tensor:
        """The pseudo-images, (U, C, H, W) in 0..1."""
        return torch.sigmoid(self.logits)

    def forward(self, infer: Infer, condition: Tensor | None = None) -> VampP:
        """P by ``infer``, the encoder and posterior: it changes with them."""
        del condition
        return VampP(infer(self.images))
