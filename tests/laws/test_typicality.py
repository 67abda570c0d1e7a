"""Typicality: a density that is scipy's, and a p-value that is one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from morphospace.data import Dataset
from morphospace.errors import DataError
from morphospace.latent.mixtures import (
    ATYPICAL,
    Mixture,
    draw_from,
    fit_mixture,
    fit_population,
    log_density,
    typicality,
)
from morphospace.latent.nearest import nearest
from morphospace.recipes import changed
from morphospace.space import Space

relaxed = settings(deadline=None, max_examples=25)


def mixture(seed: int, parts: int = 3, dimensions: int = 4) -> Mixture:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(parts))
    roots = rng.normal(size=(parts, dimensions, dimensions)) + 2 * np.eye(dimensions)
    covariances = roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(dimensions)
    return Mixture(
        weights, 4 * rng.normal(size=(parts, dimensions)), np.linalg.cholesky(covariances).astype(np.float64)
    )


@relaxed
@given(st.integers(0, 2**32 - 1))
def test_the_density_is_that_of_scipy(seed: int) -> None:
    found = mixture(seed)
    z = draw_from(found, 20, np.random.default_rng(seed))
    each = [
        np.log(weight) + multivariate_normal(mean, factor @ factor.T).logpdf(z)
        for weight, mean, factor in zip(*found, strict=True)
    ]
    assert np.allclose(log_density(found, z), logsumexp(each, axis=0), rtol=1e-6, atol=1e-6)


def test_the_density_of_a_fit_is_that_of_scikit_learn() -> None:
    codes = draw_from(mixture(0), 500, np.random.default_rng(0))
    least = 1e-3 * codes.var(0).mean()
    expected = GaussianMixture(10, reg_covar=least, random_state=0).fit(codes.astype(np.float64))
    assert np.allclose(log_density(fit_mixture(codes), codes), expected.score_samples(codes.astype(np.float64)))


def test_a_part_that_weighs_nothing_counts_for_nothing() -> None:
    one, both = mixture(1, parts=1), mixture(1, parts=2)
    nothing = both._replace(weights=np.array([1.0, 0.0]))
    z = draw_from(one, 5, np.random.default_rng(0))
    alone = Mixture(np.ones(1), both.means[:1], both.factors[:1])
    assert np.allclose(log_density(nothing, z), log_density(alone, z))


@pytest.mark.parametrize(("codes", "dimensions"), [(2000, 2), (2000, 16), (960, 32), (200, 2)])
def test_typicality_of_held_out_draws_is_uniform(codes: int, dimensions: int) -> None:
    rng = np.random.default_rng(5)
    drawn = mixture(2, parts=3, dimensions=dimensions)
    share = typicality(fit_population(draw_from(drawn, codes, rng)), draw_from(drawn, 10_000, rng))
    assert share.min() >= 0
    assert share.max() <= 1
    # A share p counted from N codes scatters by sqrt(p (1 - p) / N).
    for p in (ATYPICAL, 0.05, 0.1, 0.5, 0.9):
        assert abs((share < p).mean() - p) < 0.01 + 3 * np.sqrt(p * (1 - p) / codes), p


def test_far_places_have_none_and_the_middle_has_most() -> None:
    rng = np.random.default_rng(0)
    population = fit_population(rng.normal(size=(1000, 3)).astype(np.float32))
    way = np.linspace(0, 8, 9, dtype=np.float32)[:, None] * np.array([1, 0, 0], np.float32)
    share = typicality(population, way)
    assert share[0] > 0.97
    assert (share[5:] == 0).all()
    assert (np.diff(share) <= 0).all()
    assert typicality(population, np.full((1, 3), 1e18, np.float32)) == 0


def test_a_collapsed_space_has_one_place_and_it_is_typical() -> None:
    population = fit_population(np.ones((50, 2), np.float32))
    assert typicality(population, np.array([[1, 1], [3, 1]], np.float32)).tolist() == [1, 0]


def test_a_space_ranks_its_own_images(space: Space, digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    images = digits.train.images
    assert (space.typicality(space.encode(images).mean) < ATYPICAL).mean() < 0.03
    monkeypatch.delattr("morphospace.latent.mixtures.fit_mixture")  # the fit is kept
    assert space.typicality(np.array([30, -30], np.float32)).tolist() == [0]
    with pytest.raises(DataError, match="this space has 2"):
        space.typicality(np.zeros((1, 3)))


def test_samples_of_codes_are_fitted_once_and_again_where_the_codes_change(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[int] = []

    def counted(codes: np.ndarray) -> Mixture:
        fitted.append(len(codes))
        return fit_mixture(codes)

    monkeypatch.setattr("morphospace.sampling.fit_mixture", counted)
    recipe = changed(space.recipe, {"sampler": "mixture"})
    codes = space.reference
    assert codes is not None
    mixed = Space(space.model, recipe, space.shape, reference=codes)
    first = mixed.sample_points(9, seed=1)
    assert np.array_equal(mixed.sample_points(9, seed=1), first)
    assert not np.array_equal(mixed.sample_points(9, seed=2), first)
    assert fitted == [len(codes)]
    assert np.array_equal(first, draw_from(fit_mixture(codes), 9, np.random.default_rng(1)))
    mixed.reference = codes[:50] + 100
    assert mixed.sample_points(9, seed=1).min() > 80
    assert mixed.typicality(codes[:1])[0] == 0
    assert fitted == [len(codes), 50]
    mixed.reference = codes
    assert np.array_equal(mixed.sample_points(9, seed=1), first)
    assert mixed.typicality(codes).mean() > 0.3


def test_without_reference_points_it_is_unknown(space: Space) -> None:
    for reference in (None, np.zeros((3, 2), np.float32)):
        bare = Space(space.model, space.recipe, space.shape, reference=reference)
        assert np.isnan(bare.typicality(np.zeros((5, 2)))).all()


@relaxed
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_the_nearest_are_nearest_first(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    codes, z = rng.normal(size=(10, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    places, distances = nearest(z, codes, n)
    every = np.linalg.norm(codes.astype(np.float64) - z, axis=1)
    assert np.allclose(distances, np.sort(every)[:n])
    assert np.allclose(every[places], distances)


def test_an_analogy_without_a_difference_changes_nothing(space: Space, digits: Dataset) -> None:
    a, b, c = (digits.test.images[i] for i in range(3))
    assert (space.analogy(a, a, c) == space.reconstruct(c)).all()
    points = space.analogy_points(a, b, digits.test.images[:5])
    assert np.allclose(points - space.encode(digits.test.images[:5]).mean, points[0] - space.encode(a).mean, atol=1e-5)
    assert np.allclose(space.analogy_points(a, b, a), space.encode(b).mean, atol=1e-5)
