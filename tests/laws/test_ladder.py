"""The ladder of two rungs: flat points are N(0, I) under the prior, and its bound is one of the true density."""

from __future__ import annotations

import pytest
import torch
from tests.laws.linear import SIGMA, normal_log_prob
from torch import nn
from torch.distributions import Normal, kl_divergence

from morphospace.nn import MLPDecoder, MLPEncoder
from morphospace.vae import ELBO, Batch, Bernoulli, Gaussian, Model, Optimiser, Progress
from morphospace.vae.ladder import Ladder
from morphospace.vae.objectives import kl_of

SHAPE = (1, 8, 8)


def ladder() -> Ladder:
    torch.manual_seed(0)
    return Ladder(MLPEncoder(SHAPE, (32,)), 32, MLPDecoder(3, SHAPE, (32,)), Bernoulli(), rungs=(3, 2), widths=(16,))


def linear_ladder() -> Ladder:
    """Everything linear, and the deviation of z1 the same whatever z2: images are Gaussian."""
    torch.manual_seed(1)
    decoder = nn.Sequential(nn.Linear(3, 4), nn.Unflatten(1, (1, 2, 2)))
    model = Ladder(nn.Flatten(), 4, decoder, Gaussian(SIGMA), rungs=(3, 2), widths=())
    with torch.no_grad():
        model.rung.heads.log_var.weight.zero_()
        model.rung.heads.log_var.bias.copy_(torch.tensor([-0.5, 0.2, 0.6]))
        model.rung.heads.mean.bias.copy_(torch.tensor([0.3, -0.1, 0.0]))
    return model


def test_its_bound_tightens_to_the_true_value() -> None:
    model = linear_ladder()
    x = torch.rand(40, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    heads, out = model.rung.heads, model.decoder[0]  # type: ignore[index]
    mean = out(heads.mean.bias).detach()
    factor = (out.weight @ torch.cat([heads.mean.weight, torch.diag((0.5 * heads.log_var.bias).exp())], 1)).detach()
    exact = -normal_log_prob(x, mean, factor).mean().item()
    bounds = []
    for samples in (1, 10, 20_000):
        noise = model.noise(samples, len(x), torch.Generator().manual_seed(1))
        with torch.no_grad():
            terms = model.terms(Batch(x, x, torch.arange(40)), noise)
        weights = terms.log_px + sum(g.log_p - g.log_q for g in terms.groups)
        bounds.append((torch.tensor(float(samples)).log() - weights.logsumexp(0)).mean().item())
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] > exact + 0.1
    assert bounds[-1] == pytest.approx(exact, abs=0.01)


def test_its_posterior_is_the_product_of_image_and_prior() -> None:
    """In coordinates of z1, as in the paper: precisions add, and means by their precision; the KL is the one there."""
    model, x = ladder(), torch.rand(7, *SHAPE)
    q = model.infer(x)
    z2 = torch.randn(5, 7, 2)
    p = model.rung(z2)
    below = q.below(z2)
    deviation = (0.5 * p.log_var).exp()
    mean, spread = p.mean + deviation * below.mean, deviation * (0.5 * below.log_var).exp()
    of_image, of_prior = (-q.image.log_var).exp(), (-p.log_var).exp()
    torch.testing.assert_close(spread.pow(-2), of_image + of_prior)
    torch.testing.assert_close(mean, (of_image * q.image.mean + of_prior * p.mean) / (of_image + of_prior))
    noise = model.noise(5, 7, torch.Generator().manual_seed(0))
    terms = model.terms(Batch(x, x, torch.arange(7)), noise)
    draw = terms.draws[1].z
    p, below = model.rung(draw), q.below(draw)
    deviation = (0.5 * p.log_var).exp()
    by_z1 = kl_divergence(
        Normal(p.mean + deviation * below.mean, deviation * (0.5 * below.log_var).exp()),  # type: ignore[no-untyped-call]
        Normal(p.mean, deviation),  # type: ignore[no-untyped-call]
    ).sum(-1)
    assert terms.groups[0].kl is not None
    torch.testing.assert_close(terms.groups[0].kl, by_z1.mean(0))
    assert kl_of(terms).shape == (7,)


def test_its_kl_is_the_mean_of_its_draws() -> None:
    model, x = ladder(), torch.rand(3, *SHAPE)
    with torch.no_grad():
        terms = model.terms(Batch(x, x, torch.arange(3)), model.noise(60_000, 3, torch.Generator().manual_seed(0)))
    by_draws = sum(((g.log_q - g.log_p).mean(0) for g in terms.groups), torch.zeros(3))
    torch.testing.assert_close(kl_of(terms), by_draws, atol=0.02, rtol=0)


def test_flat_points_are_one_posterior_and_decode_as_z1() -> None:
    model, x = ladder(), torch.rand(4, *SHAPE)
    noise = model.noise(6, 4, torch.Generator().manual_seed(0))
    q, terms = model.infer(x), model.terms(Batch(x, x, torch.arange(4)), noise)
    draw = q.draw(noise)
    flat = model.flatten(tuple(d.z for d in terms.draws))
    assert torch.equal(draw.z, flat)
    assert q.mean.shape == q.log_var.shape == (4, 5)
    torch.testing.assert_close(draw.log_q, q.log_prob(draw.z), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(draw.log_q, sum(g.log_q for g in terms.groups))
    assert torch.equal(model.flatten(model.unflatten(flat)), flat)
    torch.testing.assert_close(model.decode(flat), terms.reconstruction)
    e1, z2 = model.unflatten(flat)
    z1 = model.rung(z2).mean + (0.5 * model.rung(z2).log_var).exp() * e1
    torch.testing.assert_close(model.decode(flat)[2], model.decoder(z1[2]))
    prior = model.prior(model.infer)
    torch.testing.assert_close(prior.log_prob(flat), sum(g.log_p for g in terms.groups))


def test_it_is_a_model_whose_every_parameter_learns() -> None:
    model, x = ladder(), torch.rand(9, *SHAPE)
    assert isinstance(model, Model)
    batch, noise = Batch(x, x, torch.arange(9)), model.noise(1, 9, torch.Generator().manual_seed(0))
    ELBO(Optimiser())("", model, batch, noise, Progress(torch.tensor(0.0), 1, 9)).total.backward()
    assert all(bool((torch.as_tensor(p.grad) != 0).any()) for p in model.parameters())
