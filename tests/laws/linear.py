"""Models whose images have a density in closed form."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from morphospace.vae import VAE, Gaussian, GaussianPosterior, StandardNormalPrior

SIGMA = 0.4


def linear_vae(latents: int = 2, seed: int = 3) -> VAE:
    """Images (1, 2, 2) by a linear decoder: N(b, W W' + sigma^2), to which its posterior only comes near."""
    torch.manual_seed(seed)
    return VAE(
        nn.Flatten(), GaussianPosterior(4, latents, log_var=1), StandardNormalPrior(latents),
        nn.Sequential(nn.Linear(latents, 4), nn.Unflatten(1, (1, 2, 2))), Gaussian(SIGMA),
    )  # fmt: skip


def normal_log_prob(x: Tensor, mean: Tensor, factor: Tensor) -> Tensor:
    """(B,) log p(x) under N(mean, factor factor' + sigma^2) for images (B, 1, 2, 2)."""
    covariance = factor @ factor.T + SIGMA**2 * torch.eye(len(mean))
    density: Tensor = torch.distributions.MultivariateNormal(mean, covariance).log_prob(x.flatten(1))  # type: ignore[no-untyped-call]
    return density
