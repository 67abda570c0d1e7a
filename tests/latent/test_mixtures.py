"""Mixtures of Gaussians: moments and counts that are known."""

from __future__ import annotations

import numpy as np
import pytest

from morphospace.latent.mixtures import (
    Mixture,
    Population,
    draw_from,
    fit_mixture,
    fit_population,
    log_density,
    typicality,
)

TWO = Mixture(
    np.array([0.25, 0.75]),
    np.array([[-4.0, 0.0], [4.0, 1.0]]),
    np.array([[[1.0, 0.0], [0.5, 0.5]], [[2.0, 0.0], [0.0, 1.0]]]),
)


def test_draws_have_the_mixtures_weights_means_and_covariances() -> None:
    drawn = draw_from(TWO, 40_000, np.random.default_rng(0)).astype(np.float64)
    mean = TWO.weights @ TWO.means
    inner = TWO.factors @ TWO.factors.transpose(0, 2, 1)
    outer = np.einsum("ki,kj->kij", TWO.means - mean, TWO.means - mean)
    assert np.allclose(drawn.mean(0), mean, atol=0.06)
    assert np.allclose(np.cov(drawn.T), np.einsum("k,kij->ij", TWO.weights, inner + outer), atol=0.25)
    assert (drawn[:, 0] < -2).mean() == pytest.approx(0.25 * 0.977 + 0.75 * 0.0013, abs=0.01)


def test_a_fit_of_few_codes_has_one_part_whose_moments_are_theirs() -> None:
    codes = np.random.default_rng(1).normal([1, -2, 3], [1, 2, 0.5], (60, 3)).astype(np.float32)
    weights, means, factors = fit_mixture(codes)
    spread = np.cov(codes.T.astype(np.float64), bias=True) + 1e-3 * codes.var(0).mean() * np.eye(3)
    assert weights.tolist() == [1]
    assert np.allclose(means[0], codes.mean(0), atol=1e-5)
    assert np.allclose(factors[0] @ factors[0].T, spread, atol=1e-5)


@pytest.mark.parametrize(("count", "parts"), [(99, 1), (100, 2), (260, 5), (2000, 10)])
def test_each_part_has_fifty_codes_on_average_and_there_are_ten_at_most(count: int, parts: int) -> None:
    codes = np.random.default_rng(2).normal(size=(count, 2)).astype(np.float32)
    assert len(fit_mixture(codes).weights) == parts


def test_copies_of_one_code_count_once() -> None:
    codes = np.repeat(np.random.default_rng(3).normal(size=(40, 2)), 20, 0).astype(np.float32)
    assert len(fit_mixture(codes).weights) == 1


def test_typicality_counts_the_codes_that_are_no_more_likely() -> None:
    """By N(0, 1) in one dimension a code at 1 is as likely as one at -1, and likelier than one at 2."""
    standard = Mixture(np.ones(1), np.zeros((1, 1)), np.ones((1, 1, 1)))
    halves = np.array([[0.0], [1.0], [2.0], [3.0]], np.float32), np.array([[-0.5], [-1.5]], np.float32)
    first, second = (np.sort(log_density(standard, half)) for half in halves)
    population = Population((standard, standard), (first, second))
    places = np.array([[0.0], [1.0], [-1.0], [2.5], [-9.0]], np.float32)
    assert np.allclose(typicality(population, places), [1, 4 / 6, 4 / 6, 1 / 6, 0])


def test_each_half_of_a_population_is_ranked_by_the_other() -> None:
    """Codes take turns: the even ones lie at 0, the odd ones at 100, so that neither half expects the other."""
    noise = np.random.default_rng(4).normal(size=(100, 1))
    codes = (100 * (np.arange(100) % 2)[:, None] + noise).astype(np.float32)
    even, odd = fit_population(codes).mixtures
    assert even.means.mean() == pytest.approx(0, abs=0.5)
    assert odd.means.mean() == pytest.approx(100, abs=0.5)
    assert max(fit_population(codes).densities[0]) < -1000
