"""The Laplace likelihood: SciPy's density, the median, and a space that is trained by it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import laplace

import morphospace as ms
from morphospace.data import Dataset
from morphospace.vae.likelihoods.laplace import Laplace


@pytest.mark.parametrize("scale", [0.05, 0.3, 2.0])
def test_it_is_the_density_of_scipy(scale: float) -> None:
    rng = np.random.default_rng(0)
    values, images = rng.normal(0.5, 1, (3, 4, 2, 5, 5)).astype("f4"), rng.random((4, 2, 5, 5), "f4")
    expected = laplace(values, scale).logpdf(images).sum((-3, -2, -1))  # (K, B)
    likelihood = Laplace(scale)
    found = likelihood.log_prob(torch.tensor(values), torch.tensor(images))
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32), rtol=1e-4, atol=1e-3)
    pairs = likelihood.log_prob_pairs(torch.tensor(values[:, 1]), torch.tensor(images))
    every = laplace(values[:, 1][:, None], scale).logpdf(images).sum((-3, -2, -1))  # (M, B)
    torch.testing.assert_close(pairs, torch.tensor(every, dtype=torch.float32), rtol=1e-4, atol=1e-3)


def test_the_likeliest_value_is_the_median_and_the_likeliest_scale_the_mean_error() -> None:
    pixels = torch.tensor([0.0, 0.1, 0.2, 0.9, 1.0]).view(5, 1, 1, 1)
    grid = torch.linspace(0, 1, 101).view(-1, 1, 1, 1)
    best = Laplace(0.1).log_prob_pairs(grid, pixels).sum(1).argmax()
    assert grid[best].item() == pytest.approx(0.2)
    errors = (pixels - 0.2).abs().mean().item()
    scales = [errors * factor for factor in (0.5, 0.9, 1.0, 1.1, 2.0)]
    nats = [Laplace(scale).log_prob_pairs(torch.full((1, 1, 1, 1), 0.2), pixels).sum().item() for scale in scales]
    assert int(np.argmax(nats)) == 2


def test_a_space_is_trained_by_it_and_its_scale_is_found(digits: Dataset) -> None:
    space = ms.train(digits, ms.recipe("quick", likelihood="laplace", learned=True, epochs=6), seed=0)
    images = np.asarray(digits.train.images) / 255.0
    error = np.abs(space.reconstruct(digits.train.images) / 255.0 - images).mean()
    found = float(space.model.state_dict()["likelihood.log_scale"].exp())
    assert found == pytest.approx(error, rel=0.1)
    assert space.about["test"]["reconstruction"] < 0  # a density's, in nats
