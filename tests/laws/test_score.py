"""What a model is scored by, against the same figures computed another way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import xlogy
from torch import nn

from morphospace.data import Dataset
from morphospace.evaluate import score
from morphospace.vae import VAE, Bernoulli, GaussianPosterior, StandardNormalPrior


class Stuck(nn.Module):
    """A decoder that draws the same picture whatever the latents are, (1, 1, H, W) logits."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(z), -1, -1, -1)


def test_reconstruction_and_kl_are_those_of_numpy(digits: Dataset) -> None:
    """Nats an image, a mean over all of them: of a picture q, the cross-entropy of its pixels with those of x."""
    images = digits.train.images[:1203]  # no multiple of the scoring batch
    x = np.asarray(images, np.float64).reshape(len(images), -1) / 255
    torch.manual_seed(0)
    logits = 2 * torch.randn(1, 1, 8, 8)
    posterior = GaussianPosterior(64, 3)
    nn.init.normal_(posterior.log_var.weight, std=0.1)
    model = VAE(nn.Flatten(), posterior, StandardNormalPrior(3), Stuck(logits), Bernoulli())

    found = score(model, images, beta=1.0)

    q = 1 / (1 + np.exp(-logits.double().numpy().ravel()))
    expected = -(xlogy(x, q) + xlogy(1 - x, 1 - q)).sum(1).mean()
    assert found.reconstruction == pytest.approx(expected, rel=1e-5)
    mean, log_var = (
        x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()
        for layer in (posterior.mean, posterior.log_var)
    )
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(1).mean()
    assert kl > 0.1
    assert found.kl == pytest.approx(kl, rel=1e-4)
    assert found.neg_elbo == pytest.approx(expected + kl, rel=1e-5)
    assert found.book_loss == pytest.approx(expected / 64 + 5e-4 * 2 * kl / 3, rel=1e-5)
