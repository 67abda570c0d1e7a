"""A lattice has all the prior's mass: its mean is the integral over latents, and its gradient that integral's."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.evaluate.lattice import lattice_nll
from morphospace.training.loop import to_input
from morphospace.vae.interfaces import Batch, Progress
from morphospace.vae.lattices import normal_points
from morphospace.vae.likelihoods.bernoulli import Bernoulli
from morphospace.vae.likelihoods.gaussian import Gaussian
from morphospace.vae.models.vae import VAE
from morphospace.vae.objectives.lattice import Lattice
from morphospace.vae.posteriors.gaussian import GaussianPosterior
from morphospace.vae.priors.normal import StandardNormalPrior

SIDE = 3


class Linear(nn.Module):
    """Values A z + b for each pixel."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.layer = nn.Linear(latent_dim, SIDE * SIDE)

    def forward(self, z: Tensor) -> Tensor:
        values: Tensor = self.layer(z)
        return values.view(-1, 1, SIDE, SIDE)


def model_of(latent_dim: int, likelihood: Gaussian | Bernoulli) -> VAE:
    torch.manual_seed(latent_dim)
    encoder = nn.Flatten()
    posterior = GaussianPosterior(SIDE * SIDE, latent_dim)
    model = VAE(encoder, posterior, StandardNormalPrior(latent_dim), Linear(latent_dim), likelihood)
    with torch.no_grad():
        layer_of(model).weight.mul_(0.5)
    return model


def layer_of(model: VAE) -> nn.Linear:
    return cast("Linear", model.decoder).layer


def images_of(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 1), np.uint8)


@pytest.mark.parametrize(("latent_dim", "points", "error"), [(1, 500, 1e-4), (2, 2584, 1e-3), (3, 20_000, 1e-2)])
def test_the_nll_of_a_linear_gaussian_model_is_its_density(latent_dim: int, points: int, error: float) -> None:
    """x = A z + b + noise is N(b, A A' + sigma^2 I)."""
    model, images = model_of(latent_dim, Gaussian(0.4)), images_of(20)
    layer = layer_of(model)
    covariance = layer.weight @ layer.weight.t() + 0.4**2 * torch.eye(SIDE * SIDE)
    density = torch.distributions.MultivariateNormal(layer.bias.detach(), covariance.detach())
    expected = -density.log_prob(to_input(torch.from_numpy(images)).flatten(1)).mean().item()  # type: ignore[no-untyped-call]
    found = lattice_nll(model, images, points=points)
    assert found.nll == pytest.approx(expected, abs=error)
    assert 10 < found.sharing < points


@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_a_step_descends_the_sum_over_all_points(latent_dim: int) -> None:
    """Its gradient is autograd's of the direct sum, though only points that carry weight are gone back through."""
    model, points = model_of(latent_dim, Bernoulli()), 610
    with torch.no_grad():
        layer_of(model).weight.mul_(20)  # sharp: most points carry nothing
    x = (to_input(torch.from_numpy(images_of(8))) > 0.5).float()
    batch, shift = Batch(x, x, torch.arange(8)), torch.rand(latent_dim, generator=torch.Generator().manual_seed(0))
    objective = Lattice(points=points)
    loss = objective("model", model, batch, (shift,), Progress(torch.tensor(90.0), 100, 8))
    parameters = list(model.decoder.parameters())
    gradients = torch.autograd.grad(loss.total, parameters)

    values = model.decode(normal_points(points, latent_dim, shift))
    each = torch.distributions.Bernoulli(logits=values[:, None]).log_prob(x[None]).sum((2, 3, 4))  # type: ignore[no-untyped-call]
    direct = math.log(points) - each.logsumexp(0).mean()
    assert loss.parts["nll"].item() == pytest.approx(direct.item(), abs=2e-4)
    for found, expected in zip(gradients, torch.autograd.grad(direct, parameters), strict=True):
        torch.testing.assert_close(found, expected, atol=5e-4, rtol=0)
        assert expected.abs().max() > 0.05


def test_the_encoder_descends_its_distance_from_the_true_posterior() -> None:
    """Of a linear-Gaussian model the posterior is a Gaussian, and the KL of Gaussians has a closed form."""
    model, x = model_of(2, Gaussian(0.4)), to_input(torch.from_numpy(images_of(8)))
    layer, q = layer_of(model), model.infer(x)
    covariance = torch.linalg.inv(torch.eye(2) + layer.weight.t() @ layer.weight / 0.4**2)
    mean = (x.flatten(1) - layer.bias) @ layer.weight @ covariance / 0.4**2
    true = torch.distributions.MultivariateNormal(mean, covariance)
    guess = torch.distributions.MultivariateNormal(q.mean, torch.diag_embed(cast("Tensor", q.scale).square()))
    expected = torch.distributions.kl_divergence(true, guess).mean()
    progress = Progress(torch.tensor(90.0), 100, 8)
    loss = Lattice(points=10_946)("model", model, Batch(x, x, torch.arange(8)), (torch.tensor([0.3, 0.7]),), progress)
    assert loss.parts["posterior_kl"].item() == pytest.approx(expected.item(), abs=5e-3)
    assert loss.total.item() == pytest.approx((loss.parts["nll"] + loss.parts["posterior_kl"]).item())
    encoder = list(model.posterior.parameters())
    closed = torch.autograd.grad(expected, encoder, retain_graph=True)
    for found, value in zip(torch.autograd.grad(loss.total, encoder), closed, strict=True):
        torch.testing.assert_close(found, value, atol=5e-3, rtol=0.01)


def test_a_step_in_bf16_has_gradients_like_one_in_float32() -> None:
    """Autocast keeps weights that it has converted; kept from the look without gradients, they would have none."""
    model = model_of(2, Bernoulli())
    x = to_input(torch.from_numpy(images_of(8)))
    given = "model", model, Batch(x, x, torch.arange(8)), (torch.zeros(2),), Progress(torch.tensor(0.0), 10, 8)
    parameters, objective = list(model.decoder.parameters()), Lattice(points=400)
    expected = torch.autograd.grad(objective(*given).total, parameters)
    with torch.autocast("cpu", torch.bfloat16):
        total = objective(*given).total
    for found, full in zip(torch.autograd.grad(total, parameters, allow_unused=True), expected, strict=True):
        assert found is not None
        torch.testing.assert_close(found, full, atol=0.02 * full.abs().max().item(), rtol=0)


def test_a_lattice_begins_with_an_eighth_of_its_points_and_ends_with_all() -> None:
    seen = []

    class Watched(VAE):
        def log_likelihood(self, z: Tensor, x: Tensor, condition: Tensor | None = None) -> Tensor:
            seen.append(len(z))
            return super().log_likelihood(z, x, condition)

    model = model_of(2, Bernoulli())
    model.__class__ = Watched
    x = to_input(torch.from_numpy(images_of(4)))
    for step in (0, 24, 25, 49, 50, 74, 75, 99):
        progress = Progress(torch.tensor(float(step)), 100, 4)
        Lattice(points=400)("model", model, Batch(x, x, torch.arange(4)), (torch.zeros(2),), progress)
    assert seen[::2] == [50, 50, 100, 100, 200, 200, 400, 400]


@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_points_have_the_moments_of_the_prior_wherever_they_are_shifted_to(latent_dim: int) -> None:
    shift = torch.rand(latent_dim, generator=torch.Generator().manual_seed(1))
    for z in (normal_points(4181, latent_dim), normal_points(4181, latent_dim, shift)):
        assert z.shape == (4181, latent_dim)
        assert z.mean(0).abs().max() < 2e-3
        torch.testing.assert_close(z.t().cov().view(latent_dim, -1), torch.eye(latent_dim), atol=0.01, rtol=0)


def test_with_two_latents_and_a_fibonacci_number_the_lattice_is_that_of_fibonacci() -> None:
    shares = torch.special.ndtr(normal_points(233, 2).double())
    i = torch.arange(233)
    expected = torch.stack([i, i * 144 % 233], 1).double() / 233 + 0.5 / 233
    torch.testing.assert_close(shares, expected, atol=1e-6, rtol=0)


def test_an_integral_over_the_lattice_is_nearer_than_over_as_many_random_points() -> None:
    """E cos(a z) = exp(-a^2 / 2)."""
    z, a = normal_points(987, 2), torch.tensor([0.8, -0.5])
    expected = torch.exp(-0.5 * a.square().sum())
    error = abs((z @ a).cos().mean() - expected)
    draws = torch.randn(200, 987, 2, generator=torch.Generator().manual_seed(0))
    assert error < 0.1 * ((draws @ a).cos().mean(1) - expected).abs().mean()


def test_what_a_lattice_cannot_fill_is_refused_with_words() -> None:
    model = model_of(4, Bernoulli())
    with pytest.raises(ArgumentError, match="must have 1 to 3 latents; this one has 4"):
        lattice_nll(model, images_of(2))
    with pytest.raises(ArgumentError, match="expected 1 point or more, got 0"):
        lattice_nll(model_of(2, Bernoulli()), images_of(2), points=0)
