"""Likelihoods against NumPy and SciPy, and in float32 whatever surrounds them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import special, stats
from tests.models import gaussians, vae_of

from morphospace.data import Dataset
from morphospace.evaluate import score
from morphospace.recipes import changed, find_recipe, keys_of
from morphospace.training.loop import generator_seed
from morphospace.vae import Bernoulli, ContinuousBernoulli, Gaussian, Likelihood


@pytest.mark.parametrize("likelihood", [Bernoulli(), ContinuousBernoulli(), Gaussian(0.1), Gaussian(0.1, learned=True)])
def test_autocast_changes_no_likelihood(likelihood: Likelihood) -> None:
    """The pairs of 784 pixels once were 50 nats astray in bfloat16."""
    generator = torch.Generator().manual_seed(0)
    params = 3 * torch.randn(20, 1, 28, 28, generator=generator)
    x = torch.rand(20, 1, 28, 28, generator=generator)

    def scores() -> list[torch.Tensor]:
        return [likelihood.log_prob(params[None], x), likelihood.log_prob_pairs(params, x), likelihood.mean(params)]

    with torch.no_grad():
        exact = scores()
        with torch.autocast("cpu", torch.bfloat16):
            found = scores()
    for one, other in zip(found, exact, strict=True):
        assert one.dtype == torch.float32
        assert torch.equal(one, other)
    torch.testing.assert_close(exact[1].diagonal(), exact[0][0], rtol=1e-4, atol=0.05)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_a_score_is_what_numpy_and_scipy_make_of_it(digits: Dataset, likelihood: str) -> None:
    seed, images = 4, digits.train.images[:620]  # more than one batch of 500
    recipe = changed(find_recipe("quick"), {"likelihood": likelihood})
    model = vae_of(recipe, digits.shape, seed=1)
    found = score(model, images, beta=1.0, seed=seed)

    pixels = images[..., 0].reshape(len(images), -1) / 255
    generator = torch.Generator().manual_seed(generator_seed(seed, -1, 0))
    with torch.no_grad():
        q = gaussians(model, torch.from_numpy(pixels).float().reshape(-1, 1, 8, 8))
        noise = [torch.randn(1, n, 2, generator=generator)[0] for n in (500, 120)]  # as batches draw it
        z = q.mean + torch.exp(q.log_var / 2) * torch.cat(noise)
        values = model.decode(z).flatten(1).double().numpy()
    if likelihood == "bernoulli":
        each = special.xlogy(pixels, special.expit(values)) + special.xlogy(1 - pixels, special.expit(-values))
    else:
        each = stats.norm.logpdf(pixels, values, keys_of(recipe)["likelihood.sigma"].value)
    mean, log_var = q.mean.double().numpy(), q.log_var.double().numpy()
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(1).mean()
    assert found.reconstruction == pytest.approx(-each.sum(1).mean(), rel=1e-6)
    assert found.kl == pytest.approx(kl, rel=1e-5)
    assert found.neg_elbo == pytest.approx(kl - each.sum(1).mean(), rel=1e-6)
