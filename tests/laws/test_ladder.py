"""The ladder of two rungs: flat points are N(0, I) under the prior, and its bound is one of the true density."""

from __future__ import annotations

import pytest
import torch
from tests.laws.linear import SIGMA, normal_log_prob
from torch import nn
from torch.distributions import Normal, kl_divergence

from morphospace.nn import MLPDecoder, MLPEncoder
from morphospace.vae import ELBO, Batch, Bernoulli, Gaussian, Progress
from morphospace.vae.models.ladder import Ladder
from morphospace.vae.terms import kl_of, log_weights_of

SHAPE = (1, 8, 8)


def ladder() -> Ladder:
    torch.manual_seed(0)
    return Ladder(
        MLPEncoder(SHAPE, (32,)), 32, MLPDecoder(3, SHAPE, (32,)), Bernoulli(), lower=3, upper=2, widths=(16,)
    )


def linear_ladder() -> Ladder:
    """Everything linear, and the deviation of z1 the same whatever z2: images are Gaussian."""
    torch.manual_seed(1)
    decoder = nn.Sequential(nn.Linear(3, 4), nn.Unflatten(1, (1, 2, 2)))
    model = Ladder(nn.Flatten(), 4, decoder, Gaussian(SIGMA), lower=3, upper=2, widths=())
    with torch.no_grad():
        model.rung.heads.log_var.weight.zero_()
        model.rung.heads.log_var.bias.copy_(torch.tensor([-0.5, 0.2, 0.6]))
        model.rung.heads.mean.bias.copy_(torch.tensor([0.3, -0.1, 0.0]))
        # Wider than the true posterior, else weights would have no variance and no number of draws would do.
        model.lower.log_var.bias.fill_(3.0)
        model.upper.log_var.bias.fill_(1.0)
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
        bounds.append((torch.tensor(float(samples)).log() - log_weights_of(terms).logsumexp(0)).mean().item())
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
    draw = terms.draws[0].z[..., 3:]
    p, below = model.rung(draw), q.below(draw)
    deviation = (0.5 * p.log_var).exp()
    by_z1 = kl_divergence(
        Normal(p.mean + deviation * below.mean, deviation * (0.5 * below.log_var).exp()),
        Normal(p.mean, deviation),
    ).sum(-1)
    assert terms.groups[0].kl is not None
    torch.testing.assert_close(terms.groups[0].kl, by_z1.mean(0))
    assert kl_of(terms).shape == (7,)


def test_its_kl_is_the_mean_of_its_draws() -> None:
    model, x = ladder(), torch.rand(3, *SHAPE)
    with torch.no_grad():
        terms = model.terms(Batch(x, x, torch.arange(3)), model.noise(60_000, 3, torch.Generator().manual_seed(0)))
    by_draws = (terms.log_px - log_weights_of(terms)).mean(0)
    torch.testing.assert_close(kl_of(terms), by_draws, atol=0.02, rtol=0)


def test_flat_points_are_one_posterior_and_decode_as_z1() -> None:
    model, x = ladder(), torch.rand(4, *SHAPE)
    noise = model.noise(6, 4, torch.Generator().manual_seed(0))
    q, terms = model.infer(x), model.terms(Batch(x, x, torch.arange(4)), noise)
    (draw,) = terms.draws
    assert draw.z.shape == (6, 4, 5)
    assert q.mean.shape == q.scale.shape == (4, 5)
    assert draw.log_q is not None
    by_level = [group.log_q for group in terms.groups if group.log_q is not None]
    torch.testing.assert_close(draw.log_q, torch.stack(by_level).sum(0))
    torch.testing.assert_close(model.decode(draw.z), terms.reconstruction)
    e1, z2 = draw.z[..., :3], draw.z[..., 3:]
    torch.testing.assert_close(z2, q.top.mean + q.top.scale * noise[1])
    torch.testing.assert_close(e1, q.below(z2).mean + q.below(z2).scale * noise[0])
    z1 = model.rung(z2).mean + model.rung(z2).scale * e1
    torch.testing.assert_close(model.decode(draw.z)[2], model.decoder(z1[2]))
    by_level = [group.log_p for group in terms.groups if group.log_p is not None]
    torch.testing.assert_close(model.prior(model.infer).log_prob(draw.z), torch.stack(by_level).sum(0))


def test_every_parameter_learns() -> None:
    model, x = ladder(), torch.rand(9, *SHAPE)
    batch, noise = Batch(x, x, torch.arange(9)), model.noise(1, 9, torch.Generator().manual_seed(0))
    ELBO()("", model, batch, noise, Progress(torch.tensor(0.0), 1, 9)).total.backward()
    assert all(bool((torch.as_tensor(p.grad) != 0).any()) for p in model.parameters())


def test_its_density_at_a_draw_can_be_held() -> None:
    """As a function of the draw alone: the value is log q, no parameter gets a gradient, the draw gets its own."""
    model, x = ladder(), torch.rand(4, *SHAPE)
    q = model.infer(x)
    draw = q.draw(model.noise(2, 4, torch.Generator().manual_seed(0)))
    assert draw.held is not None
    torch.testing.assert_close(draw.held(), draw.log_q)
    at = draw.z.detach().requires_grad_()
    (expected,) = torch.autograd.grad(q.log_prob(at).sum(), at)
    (found,) = torch.autograd.grad(draw.held().sum(), draw.z, retain_graph=True)
    torch.testing.assert_close(found, expected)
    assert not model.rung.held(at.detach()[..., 3:]).mean.requires_grad
    before = model.rung(at.detach()[..., 3:]).mean
    assert before.requires_grad
    assert torch.equal(model.rung.held(at.detach()[..., 3:]).mean, before)
