"""The importance-weighted bound tightens to the known log p(x); its better gradient is the same, with less noise."""

from __future__ import annotations

import pytest
import torch
from tests.laws.linear import SIGMA, linear_vae, normal_log_prob
from torch import Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.vae import VAE, Batch, Noise, PointPosterior, Posterior, Progress
from morphospace.vae.objectives.elbo import ELBO
from morphospace.vae.objectives.iwae import IWAE
from morphospace.vae.posteriors.gaussian import GaussianQ

START = Progress(torch.tensor(0.0), 1, 1)


def batch_of(x: Tensor) -> Batch:
    return Batch(x, x, torch.arange(len(x)))


def test_the_bound_tightens_with_each_draw_to_the_true_value() -> None:
    """Draws enough that each step down is many standard errors wide, and the last lands on -log p(x)."""
    model = linear_vae()
    x = torch.rand(5, 1, 2, 2, generator=torch.Generator().manual_seed(0)).repeat(800, 1, 1, 1)
    linear = model.decoder[0]  # type: ignore[index]
    exact = -normal_log_prob(x[:5], linear.bias.detach(), linear.weight.detach()).mean().item()
    generator = torch.Generator().manual_seed(1)
    bounds = []
    with torch.no_grad():
        for samples in (1, 2, 4, 16, 64, 256):
            noise = model.noise(samples, len(x), generator)
            loss = IWAE(samples=samples, doubly_reparametrised=False)("", model, batch_of(x), noise, START)
            bounds.append(loss.parts["neg_iwae"].item())
            assert loss.total.item() == bounds[-1]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] - bounds[1] > 0.1
    assert bounds[-1] == pytest.approx(exact, abs=0.01)
    assert all(bound > exact - 0.01 for bound in bounds)


def test_one_draw_is_the_elbo() -> None:
    model, x = linear_vae(), torch.rand(6, 1, 2, 2)
    noise = model.noise(1, 6, torch.Generator().manual_seed(0))
    elbo = ELBO()("", model, batch_of(x), noise, START)
    for doubly in (True, False):
        loss = IWAE(samples=1, doubly_reparametrised=doubly)("", model, batch_of(x), noise, START)
        torch.testing.assert_close(loss.parts["reconstruction"], elbo.parts["reconstruction"])
        torch.testing.assert_close(loss.parts["kl"], elbo.parts["kl"])
        draw = model.infer(x).draw(noise)
        assert draw.log_q is not None
        by_draw = (draw.log_q - model.prior(model.infer).log_prob(draw.z)).mean()
        torch.testing.assert_close(loss.total, elbo.parts["reconstruction"] + by_draw)


class Fixed(Posterior):
    """One posterior for each of ``count`` copies of an image, near to the true one: each has a gradient of its own."""

    def __init__(self, model: VAE, x: Tensor, count: int) -> None:
        super().__init__()
        self.latent_dim = 2
        weight, bias = model.decoder[0].weight.detach(), model.decoder[0].bias.detach()  # type: ignore[index]
        covariance = torch.linalg.inv(torch.eye(2) + weight.T @ weight / SIGMA**2)
        mean = covariance @ weight.T @ (x.flatten() - bias) / SIGMA**2
        self.mean = nn.Parameter((mean + 0.15).repeat(count, 1))
        self.log_var = nn.Parameter((covariance.diag().log() + 0.3).repeat(count, 1))

    def noise(self, k: int, batch: int, generator: torch.Generator) -> Noise:
        return (torch.randn(k, batch, 2, generator=generator),)

    def forward(self, h: Tensor) -> GaussianQ:
        return GaussianQ(self.mean, self.log_var)


def gradients(samples: int, *, doubly: bool, count: int = 40_000) -> tuple[Tensor, Tensor]:
    """Those by each copy's posterior (count, 4), and the one by the decoder, of one image and equal draws."""
    model = linear_vae()
    x = torch.rand(1, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    model.posterior = posterior = Fixed(model, x, count)
    noise = model.noise(samples, count, torch.Generator().manual_seed(1))
    objective = IWAE(samples=samples, doubly_reparametrised=doubly)
    total = objective("", model, batch_of(x.expand(count, 1, 2, 2)), noise, START).total
    weight = model.decoder[0].weight  # type: ignore[index]
    by_mean, by_spread, by_decoder = torch.autograd.grad(total, [posterior.mean, posterior.log_var, weight])
    return count * torch.cat([by_mean, by_spread], 1), by_decoder


def test_the_doubly_reparametrised_gradient_is_the_plain_one_with_less_variance() -> None:
    plain, decoder = gradients(4, doubly=False)
    better, same = gradients(4, doubly=True)
    error = (plain.var(0) / len(plain)).sqrt() + (better.var(0) / len(better)).sqrt()
    assert (plain.mean(0).abs() > 7 * error).all(), "else noise would hide any difference"
    assert ((plain.mean(0) - better.mean(0)).abs() < 4 * error).all()
    assert (better.var(0) < 0.05 * plain.var(0)).all()
    torch.testing.assert_close(decoder, same)


def test_more_draws_drown_the_plain_gradient_and_clear_the_better_one() -> None:
    """The signal-to-noise ratio of the encoder's gradient, arXiv:1802.04537."""

    def ratio(samples: int, *, doubly: bool) -> Tensor:
        found, _ = gradients(samples, doubly=doubly, count=5000)
        return (found.mean(0).abs() / found.std(0)).mean()

    assert ratio(64, doubly=False) < 0.7 * ratio(4, doubly=False)
    assert ratio(64, doubly=True) > 1.4 * ratio(4, doubly=True)


def test_points_have_no_weights() -> None:
    with pytest.raises(ArgumentError, match="only where the posterior has a density"):
        IWAE.Config().check(VAE.Config(posterior=PointPosterior.Config()))
