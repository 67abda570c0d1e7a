"""A prior made of posteriors: the mixture of those of images that are learned."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.vae.interfaces import Infer, VariationalPosterior

__all__ = ["VampP", "VampPrior"]

_DARKEST = 0.01  # no pseudo-image starts at 0 or 1, where a sigmoid has no slope left


class VampP:
    """The mixture, in equal shares, of the posteriors ``q`` of U pseudo-images."""

    def __init__(self, q: VariationalPosterior) -> None:
        self.q = q

    def log_prob(self, z: Tensor) -> Tensor:
        """(K, B) for z (K, B, d): the log of the mean of the U densities."""
        count = len(self.q.mean)
        points = z.flatten(0, 1).unsqueeze(1)  # every point under every component: (K B, 1, d)
        each = self.q.log_prob(points.expand(-1, count, -1))  # (K B, U)
        if each is None:
            raise ArgumentError("prior: expected a posterior with a density, got points: a mixture of them has none.")
        return (each.logsumexp(1) - math.log(count)).unflatten(0, z.shape[:2])

    def kl(self, q: VariationalPosterior) -> Tensor | None:
        """None: a mixture's has no closed form, so the draws' mean serves."""
        del q
        return None

    def sample(self, count: int, generator: Generator) -> Tensor:
        """(count, d): each point from the posterior of a pseudo-image drawn by lot."""
        mean, device = self.q.mean, generator.device
        which = torch.randint(len(mean), (count,), generator=generator, device=device)
        place = torch.nn.functional.one_hot(which, len(mean)).cumsum(0)[torch.arange(count, device=device), which] - 1
        most = int(place.max()) + 1 if count else 0
        noise = torch.randn((most, *mean.shape), generator=generator, device=device)  # as many as the fullest needs
        return self.q.draw((noise,)).z[place, which]


class VampPrior(nn.Module):
    r"""The mixture of the posteriors of U learned pseudo-images, :math:`p(z) = \frac1U \sum_u q(z | x_u)`.

    The best prior for a given encoder is the mean of the posteriors of all images; this is that mean over a few images
    that training makes up. The KL then no longer presses all codes into one Gaussian: the space may have gaps between
    its classes. There is no closed form of it: each draw gives an estimate.

    The pseudo-images are sigmoids of what is learned, so that they stay images. They start as noise, or as images of
    the set by :meth:`start_from`.

    Args:
        components: U, >= 1. Each step encodes all of them.
        shape: (C, H, W) of an image.

    Source: Tomczak and Welling, VAE with a VampPrior, arXiv:1705.07120.

    Example:
        >>> from morphospace.vae import GaussianPosterior
        >>> prior = VampPrior(12, (1, 8, 8))
        >>> encode = nn.Sequential(nn.Flatten(), GaussianPosterior(64, 2))
        >>> prior(encode).sample(5, torch.Generator().manual_seed(0)).shape
        torch.Size([5, 2])
    """

    def __init__(self, components: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.randn(components, *shape))

    @property
    def images(self) -> Tensor:
        """The pseudo-images, (U, C, H, W) in 0..1."""
        return torch.sigmoid(self.logits)

    @torch.no_grad()
    def start_from(self, images: Tensor) -> None:
        """Begin at images of the set, (n, C, H, W) in [0, 1]: one after the other, again and again if they are few."""
        turn = torch.arange(len(self.logits), device=images.device) % len(images)
        self.logits.copy_(torch.logit(images[turn], eps=_DARKEST))

    def forward(self, infer: Infer, condition: Tensor | None = None) -> VampP:
        """P by ``infer``, the encoder and posterior: it changes with them."""
        del condition
        return VampP(infer(self.images))
