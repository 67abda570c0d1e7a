"""The VampPrior: its density is the mean of its components', its samples have it, and its images learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from morphospace.errors import ArgumentError
from morphospace.nn import MLPDecoder, MLPEncoder
from morphospace.vae import (
    ELBO,
    VAE,
    Batch,
    Bernoulli,
    GaussianPosterior,
    PointPosterior,
    Posterior,
    Progress,
)
from morphospace.vae.posteriors.gaussian import GaussianQ
from morphospace.vae.priors.vamp import VampP, VampPrior
from morphospace.vae.terms import kl_of

SHAPE = (1, 3, 3)
Q = GaussianQ(
    mean=torch.tensor([[-2.0, 0.5], [1.0, 1.0], [0.0, -1.5]]),
    log_var=torch.tensor([[-1.0, 0.0], [0.4, -2.0], [0.0, 0.0]]),
)


def vamp_vae(posterior: Posterior | None = None, components: int = 5) -> VAE:
    torch.manual_seed(0)
    return VAE(
        MLPEncoder(SHAPE, (16,)), posterior or GaussianPosterior(16, 2), VampPrior(components, SHAPE),
        MLPDecoder(2, SHAPE, (16,)), Bernoulli(),
    )  # fmt: skip


def test_its_density_is_a_sum_by_hand() -> None:
    z = torch.randn(4, 6, 2)
    found = VampP(Q).log_prob(z)
    assert found.shape == (4, 6)
    for k in range(4):
        for b in range(6):
            by_hand = 0.0
            for mean, log_var in zip(Q.mean.tolist(), Q.log_var.tolist(), strict=True):
                density = 1.0
                for j in range(2):
                    variance = math.exp(log_var[j])
                    square = (z[k, b, j].item() - mean[j]) ** 2
                    density *= math.exp(-square / (2 * variance)) / math.sqrt(2 * math.pi * variance)
                by_hand += density / 3
            assert found[k, b].item() == pytest.approx(math.log(by_hand), rel=1e-4, abs=1e-4)


def test_its_samples_have_its_density() -> None:
    """Their mean and covariance are the mixture's, and so is the share that falls into each of many regions."""
    count = 60_000
    z = VampP(Q).sample(count, np.random.default_rng(0))
    assert z.shape == (count, 2)
    mean = Q.mean.mean(0)
    offsets = Q.mean - mean
    covariance = torch.diag(Q.log_var.exp().mean(0)) + offsets.T @ offsets / 3
    torch.testing.assert_close(z.mean(0), mean, atol=0.03, rtol=0)
    torch.testing.assert_close(z.T.cov(), covariance, atol=0.05, rtol=0)
    edges = torch.linspace(-8, 8, 81)
    middles = (edges[1:] + edges[:-1]) / 2
    density = VampP(Q).log_prob(torch.cartesian_prod(middles, middles).unsqueeze(0)).exp().view(80, 80) * 0.2**2
    assert density.sum() == pytest.approx(1, abs=1e-3)
    shares = torch.histogramdd(z, [edges, edges]).hist / count
    for first in range(0, 80, 16):
        torch.testing.assert_close(
            shares[first : first + 16].sum(0), density[first : first + 16].sum(0), atol=0.004, rtol=0
        )
    again = VampP(Q).sample(count, np.random.default_rng(0))
    assert torch.equal(z, again)
    assert not torch.equal(z, VampP(Q).sample(count, np.random.default_rng(1)))
    assert VampP(Q).sample(0, np.random.default_rng(0)).shape == (0, 2)


def test_with_one_component_the_kl_is_the_one_between_gaussians() -> None:
    """The draws' mean, for there is no closed form."""
    q, one = GaussianQ(torch.tensor([[0.2, -0.4]]), torch.tensor([[-1.0, 0.3]])), GaussianQ(Q.mean[:1], Q.log_var[:1])
    p = VampP(one)
    assert p.kl(q) is None
    draw = q.draw((torch.randn(200_000, 1, 2, generator=torch.Generator().manual_seed(0)),))
    assert draw.log_q is not None
    exact = torch.distributions.kl_divergence(
        torch.distributions.Normal(q.mean, (0.5 * q.log_var).exp()),
        torch.distributions.Normal(one.mean, (0.5 * one.log_var).exp()),
    ).sum()
    assert (draw.log_q - p.log_prob(draw.z)).mean().item() == pytest.approx(exact.item(), rel=0.01)


def test_it_reads_its_images_through_the_encoder_and_both_learn() -> None:
    model, x = vamp_vae(), torch.rand(7, *SHAPE)
    prior = model.prior
    assert isinstance(prior, VampPrior)
    torch.testing.assert_close(prior.images, torch.sigmoid(prior.logits))
    torch.testing.assert_close(prior(model.infer).q.mean, model.infer(prior.images).mean)
    terms = model.terms(Batch(x, x, torch.arange(7)), model.noise(3, 7, torch.Generator().manual_seed(0)))
    group = terms.groups[0]
    assert group.log_q is not None and group.log_p is not None  # noqa: PT018
    torch.testing.assert_close(kl_of(terms), (group.log_q - group.log_p).mean(0))
    noise = model.noise(1, 7, torch.Generator().manual_seed(0))
    progress = Progress(torch.tensor(0.0), 1, 7)
    ELBO()("", model, Batch(x, x, torch.arange(7)), noise, progress).total.backward()
    assert all(bool((torch.as_tensor(p.grad) != 0).any()) for p in model.parameters())


def test_points_have_no_mixture() -> None:
    model, x = vamp_vae(PointPosterior(16, 2)), torch.rand(7, *SHAPE)
    with pytest.raises(ArgumentError, match="points make no mixture"):
        model.terms(Batch(x, x, torch.arange(7)), ())


def test_its_samples_are_the_same_after_loading() -> None:
    model, other = vamp_vae().eval(), vamp_vae(components=5).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    other.load_state_dict(model.state_dict())
    one, same = (some.prior(some.infer).sample(9, np.random.default_rng(0)) for some in (model, other))
    assert torch.equal(one, same)
