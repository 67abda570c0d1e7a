"""Pixels as Gaussians around the decoder's values."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphospace.parts import option
from morphospace.vae.likelihoods.interfaces import PIXELS, Likelihood, products
from morphospace.vae.slots import LikelihoodConfig

__all__ = ["Gaussian"]


class Gaussian(Likelihood):
    r"""Each pixel is :math:`N(\mu, \sigma^2)`; params are the means, one sigma serves all pixels.

    Args:
        sigma: the standard deviation in units of the pixel range [0, 1], > 0; where it starts if learned.
        learned: let training find the sigma (sigma-VAE: then no weight between the two losses is needed).

    Source: Rybkin, Daniilidis and Levine, Simple and effective VAE training with calibrated decoders,
    arXiv:2006.13202.
    """

    class Config(LikelihoodConfig, kind="gaussian"):
        """One standard deviation for all pixels, fixed or learned."""

        sigma: float = option(
            "the standard deviation, for pixels from 0 to 1; of a learned one where it starts", default=0.1,
            low=1e-6, high=1e3, starts=True,
        )  # fmt: skip
        learned: bool = option("whether training finds it", default=False)

        def build(self) -> Gaussian:
            """See :class:`LikelihoodConfig`."""
            return Gaussian(self.sigma, learned=self.learned)

    name = "gaussian"

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
        squares = F.mse_loss(values, x.expand_as(values), reduction="none").sum(PIXELS)  # one pass each way
        return self._from_squares(squares, x)

    def log_prob_pairs(self, params: Tensor, x: Tensor) -> Tensor:
        """(M, B), see :class:`Likelihood`."""
        means, images = params.float().flatten(1), x.flatten(1)
        squares = means.square().sum(1)[:, None] - 2 * products(means, images) + images.square().sum(1)
        return self._from_squares(squares.clamp_min(0), x)

    def _from_squares(self, squares: Tensor, x: Tensor) -> Tensor:
        pixels = x[0].numel()
        constant = pixels * (self.log_sigma + 0.5 * math.log(2 * math.pi))
        return -0.5 * squares * torch.exp(-2 * self.log_sigma) - constant

    def mean(self, params: Tensor) -> Tensor:
        """The means, within the range of pixels."""
        return params.float().clamp(0, 1)
