"""Law 1: every term of the ELBO has its closed or estimated value, its unit and its sign. Law 2: nats."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import gaussians, vae_of
from torch import nn

from morphospace.data import Dataset
from morphospace.errors import ArgumentError
from morphospace.evaluate import importance_weighted_nll, score
from morphospace.recipes import build_model, build_stages, find_recipe
from morphospace.training.loop import to_input
from morphospace.vae import (
    ELBO,
    VAE,
    Batch,
    Bernoulli,
    ContinuousBernoulli,
    Gaussian,
    GaussianPosterior,
    Likelihood,
    Progress,
    Reconstruction,
    StandardNormalPrior,
)
from morphospace.vae.posteriors.gaussian import GaussianQ
from morphospace.vae.posteriors.point import PointQ
from morphospace.vae.priors.normal import StandardNormalP

numbers = st.floats(-2.5, 2.5)


@settings(max_examples=25, deadline=None)
@given(mean=st.lists(numbers, min_size=1, max_size=4), shift=numbers)
def test_analytic_kl_equals_its_monte_carlo_estimate(mean: list[float], shift: float) -> None:
    d = len(mean)
    q = GaussianQ(torch.tensor([mean]), torch.full((1, d), shift / 2))
    p = StandardNormalP(d)
    draw = q.draw((torch.randn(200_000, 1, d, generator=torch.Generator().manual_seed(1)),))
    assert draw.log_q is not None
    ratios = (draw.log_q - p.log_prob(draw.z)).double()
    kl = p.kl(q)
    assert kl is not None
    error = 5 * ratios.std() / len(ratios) ** 0.5 + 1e-4
    assert abs(kl.item() - ratios.mean()) < error
    assert kl.item() >= -1e-6


def test_one_image_far_from_all_others_ends_no_training() -> None:
    """A log-variance of 70 once gave NaN; below 5, which every other image is, nothing changes."""
    posterior = GaussianPosterior(2, 1)
    with torch.no_grad():
        posterior.log_var.weight.fill_(1)
    q = posterior(torch.tensor([[-80.0, 0.0], [1.5, 3.5], [40.0, 35.0]]))
    assert torch.equal(q.log_var[:2, 0], torch.tensor([-80.0, 5.0]))
    assert 5 < q.log_var[2, 0] < 10
    (1e6 * q.draw((torch.ones(1, 3, 1),)).z).square().sum().backward()
    gradients = [torch.as_tensor(parameter.grad) for parameter in posterior.parameters()]
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)
    assert bool((torch.as_tensor(posterior.log_var.weight.grad) > 0).all()), "it still leads back"


def test_the_draws_density_is_the_posteriors() -> None:
    q = GaussianQ(torch.randn(5, 3), torch.randn(5, 3))
    draw = q.draw((torch.randn(7, 5, 3),))
    assert draw.z.shape == (7, 5, 3)
    torch.testing.assert_close(draw.log_q, q.log_prob(draw.z))
    normal = torch.distributions.Normal(q.mean, (0.5 * q.log_var).exp())
    torch.testing.assert_close(draw.log_q, normal.log_prob(draw.z).sum(-1))  # type: ignore[no-untyped-call]


def test_kl_of_the_prior_itself_is_zero_and_of_a_point_is_unknown() -> None:
    zero = torch.zeros(3, 2)
    kl = StandardNormalP(2).kl(GaussianQ(zero, zero))
    assert kl is not None
    assert kl.tolist() == [0, 0, 0]
    assert StandardNormalP(2).kl(PointQ(zero)) is None


LIKELIHOODS: list[Likelihood] = [
    Bernoulli(),
    ContinuousBernoulli(),
    Gaussian(0.3),
    Gaussian(0.3, learned=True),
]


@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=lambda m: type(m).__name__)
def test_a_likelihood_scores_pairs_as_it_scores_one_by_one(likelihood: Likelihood) -> None:
    params, x = torch.randn(6, 1, 4, 3), torch.rand(5, 1, 4, 3)
    pairs = likelihood.log_prob_pairs(params, x)
    assert pairs.shape == (6, 5)
    singly = likelihood.log_prob(params[:, None].expand(6, 5, 1, 4, 3), x)
    torch.testing.assert_close(pairs, singly, rtol=1e-4, atol=1e-4)
    mean = likelihood.mean(params)
    assert mean.shape == params.shape
    assert mean.min() >= 0
    assert mean.max() <= 1


@pytest.mark.parametrize("logit", [-9.0, -1.0, -0.099, 0.0, 0.05, 0.101, 3.0, 20.0])
def test_densities_integrate_to_one_and_have_the_mean_they_say(logit: float) -> None:
    x = torch.linspace(0, 1, 20_001).view(-1, 1, 1, 1)
    params = torch.full((1, len(x), 1, 1, 1), logit)
    density = ContinuousBernoulli().log_prob(params, x)[0].double().exp()
    assert abs(torch.trapezoid(density, dx=1 / 20_000) - 1) < 1e-3
    mean = torch.trapezoid(density * x.flatten(), dx=1 / 20_000)
    assert abs(ContinuousBernoulli().mean(params)[0, 0].item() - mean) < 1e-3

    wide = torch.linspace(-20, 20, 40_001).view(-1, 1, 1, 1)
    gaussian = Gaussian(0.7).log_prob(torch.full((1, len(wide), 1, 1, 1), 0.25), wide)[0].double().exp()
    assert abs(torch.trapezoid(gaussian, dx=40 / 40_000) - 1) < 1e-4


def test_bernoulli_is_the_cross_entropy_summed_over_pixels() -> None:
    logits, x = torch.randn(2, 5, 1, 4, 4), torch.rand(5, 1, 4, 4)
    expected = -nn.functional.binary_cross_entropy(torch.sigmoid(logits[1]), x, reduction="none").sum((1, 2, 3))
    torch.testing.assert_close(Bernoulli().log_prob(logits, x)[1], expected)


def test_the_elbo_is_what_its_formula_says() -> None:
    recipe = find_recipe("quick")
    model = vae_of(recipe)
    x = torch.rand(6, 1, 8, 8)
    batch, progress = Batch(x, x, torch.arange(6)), Progress(torch.tensor(5.0), 100, 6)
    noise = model.noise(1, 6, torch.Generator().manual_seed(0))
    loss = ELBO(beta=0.25)("model", model, batch, noise, progress)
    q = gaussians(model, x)
    z = q.mean + (0.5 * q.log_var).exp() * noise[0][0]
    rec = nn.functional.binary_cross_entropy_with_logits(model.decode(z), x, reduction="sum") / 6
    kl = -0.5 * (1 + q.log_var - q.mean**2 - q.log_var.exp()).sum() / 6
    torch.testing.assert_close(loss.parts["reconstruction"], rec)
    torch.testing.assert_close(loss.parts["kl"], kl)
    torch.testing.assert_close(loss.total, rec + 0.25 * kl)
    annealed = ELBO(beta=0.8, anneal=0.1)("model", model, batch, noise, progress)
    torch.testing.assert_close(annealed.total, rec + 0.4 * kl)
    torch.testing.assert_close(annealed.parts["kl"], kl)  # what is shown is never weighted


def test_the_books_loss_is_its_own_formula_in_nats(digits: Dataset) -> None:
    recipe = find_recipe("book")
    model = vae_of(recipe)
    assert find_recipe("book").weight((28, 28, 1)) == pytest.approx(0.392)
    x = to_input(torch.from_numpy(digits.test.images[:9]))
    noise = model.noise(1, 9, torch.Generator().manual_seed(0))
    q = gaussians(model, x)
    z = q.mean + (0.5 * q.log_var).exp() * noise[0][0]
    bce = nn.functional.binary_cross_entropy_with_logits(model.decode(z), x)
    book = bce + 5e-4 * -(1 + q.log_var - q.mean**2 - q.log_var.exp()).mean()
    (stage,) = build_stages(recipe, model, (8, 8, 1), seed=0)
    loss = stage.objective("model", model, Batch(x, x, torch.arange(9)), noise, Progress(torch.tensor(0.0), 1, 9))
    torch.testing.assert_close(loss.total, book)


def test_reconstruction_with_l1_is_the_sum_of_its_parts() -> None:
    model = vae_of(find_recipe("sparse-autoencoder"))
    x = torch.rand(6, 1, 8, 8)
    batch = Batch(x, x, torch.arange(6))
    loss = Reconstruction(l1=0.5)("model", model, batch, (), Progress(torch.tensor(0.0), 1, 6))
    codes = model.infer(x).mean
    assert (codes >= 0).all()
    torch.testing.assert_close(loss.parts["l1"], 0.5 * codes.abs().sum(1).mean())
    torch.testing.assert_close(loss.total, loss.parts["l1"] + loss.parts["reconstruction"])


def test_scoring_uses_every_image_once_in_eval_mode_and_float32(digits: Dataset) -> None:
    """Law 10."""
    recipe = find_recipe("quick")
    model = vae_of(recipe)
    images = digits.train.images[:1203]  # no multiple of the scoring batch
    model.train()
    whole = score(model, images, beta=1.0)
    assert model.training
    x = to_input(torch.from_numpy(images))
    with torch.no_grad():
        kl = model.prior(model.infer).kl(model.infer(x)).mean().item()
    assert whole.kl == pytest.approx(kl, rel=1e-5)
    assert whole.neg_elbo is not None
    assert whole.neg_elbo == pytest.approx(whole.reconstruction + kl, rel=1e-6)
    assert whole.book_loss == pytest.approx(whole.reconstruction / 64 + 5e-4 * kl, rel=1e-6)
    assert whole == score(model, images, beta=1.0)
    assert whole != score(model, images, beta=1.0, seed=1)


def test_an_untrained_pixel_costs_log_two() -> None:
    flat = Bernoulli().log_prob(torch.zeros(1, 1, 1, 28, 28), torch.rand(1, 1, 28, 28))
    assert flat.item() == pytest.approx(-784 * math.log(2), rel=1e-6)


def _linear(latents: int, seed: int) -> tuple[VAE, torch.Tensor, float]:
    """A VAE whose images have a density in closed form, N(b, W W' + sigma^2): its posterior only comes near to one."""
    torch.manual_seed(seed)
    sigma = 0.4
    model = VAE(
        nn.Flatten(), GaussianPosterior(4, latents, log_var=1), StandardNormalPrior(latents),
        nn.Sequential(nn.Linear(latents, 4), nn.Unflatten(1, (1, 2, 2))), Gaussian(sigma),
    )  # fmt: skip
    weight = model.decoder[0].weight.detach()  # type: ignore[index]
    return model, weight, sigma


def test_importance_weighted_nll_falls_from_the_elbo_to_the_true_value() -> None:
    """Law 9, against a density that is known."""
    model, weight, sigma = _linear(2, seed=3)
    images = np.random.default_rng(0).integers(0, 256, (60, 2, 2, 1), np.uint8)
    x = torch.from_numpy(images.reshape(60, 4) / 255).float()
    bias = model.decoder[0].bias.detach()  # type: ignore[index]
    covariance = weight @ weight.T + sigma**2 * torch.eye(4)
    exact = -torch.distributions.MultivariateNormal(bias, covariance).log_prob(x).mean().item()  # type: ignore[no-untyped-call]
    bounds = [importance_weighted_nll(model, images, samples=n) for n in (1, 5, 50, 5000)]
    neg_elbo = score(model, images, beta=1).neg_elbo
    assert neg_elbo is not None
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] == pytest.approx(neg_elbo, abs=0.5)  # another draw of the same bound, its KL by that draw
    assert bounds[0] > exact + 0.1
    assert bounds[-1] == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize(("samples", "side"), [(1, 2), (7, 2), (600, 2), (600, 200)])
def test_n_samples_are_n_samples_without_gradients(samples: int, side: int) -> None:
    """Law 9: every draw is decoded once, a few at a time, for every image."""
    seen = []

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.level = nn.Parameter(torch.zeros(()))

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            assert not torch.is_grad_enabled()
            assert not self.training
            seen.append(z)
            return self.level.expand(len(z), 1, side, side)

    encoder = nn.Sequential(nn.Flatten(), nn.Linear(side * side, 3))
    model = VAE(encoder, GaussianPosterior(3, 2), StandardNormalPrior(2), Decoder(), Bernoulli()).train()
    images = np.random.default_rng(0).integers(0, 256, (3, side, side, 1), np.uint8)
    whole = importance_weighted_nll(model, images, samples=samples)
    assert model.training
    z = torch.cat(seen)
    assert len(z) == len(np.unique(z.numpy(), axis=0)) == 3 * samples
    assert max(map(len, seen)) <= 250
    singly = [score(model, images[i : i + 1], beta=1).reconstruction for i in range(3)]
    assert whole == pytest.approx(np.mean(singly), abs=5)  # this decoder listens to no latent


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_how_many_are_taken_at_once_changes_no_draw(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    model = build_model(find_recipe("quick"), digits.shape, seed=0)
    some = digits.test.images[:9]
    whole = importance_weighted_nll(model, some, samples=20)
    monkeypatch.setattr("morphospace.evaluate.likelihood.batch_for", lambda _: at_once)
    assert importance_weighted_nll(model, some, samples=20) == pytest.approx(whole, rel=1e-6)
    assert importance_weighted_nll(model, some, samples=20, seed=1) != pytest.approx(whole, rel=1e-6)


def test_an_autoencoder_has_no_likelihood_to_bound(digits: Dataset) -> None:
    model = build_model(find_recipe("autoencoder"), digits.shape, seed=0)
    with pytest.raises(ArgumentError, match="no density"):
        importance_weighted_nll(model, digits.test.images[:2], samples=3)
    with pytest.raises(ArgumentError, match="1 draw"):
        importance_weighted_nll(model, digits.test.images[:2], samples=0)
