"""Evidence: figures that scikit-learn, SciPy and pencil and paper agree with."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cosine as cosine_distance
from sklearn.metrics import roc_auc_score
from tests.arrays import float32

from morphospace.latent.evidence import auc, auc_interval, cosine, draws, hold_out, stability
from morphospace.latent.fields import learn_field, within


def test_the_interval_is_made_of_weighted_aucs() -> None:
    rng = np.random.default_rng(0)
    positives, negatives = rng.normal(0.7, 1, 30).round(1), rng.normal(0, 1, 45).round(1)  # with ties
    scores, shows = np.concatenate([positives, negatives]), np.repeat([1, 0], [30, 45])
    weights = np.concatenate([draws(30, 5), draws(45, 6)], 1)
    known = [roc_auc_score(shows, scores, sample_weight=row) for row in weights]
    assert np.allclose(auc_interval(positives, negatives, 5), np.quantile(known, [0.025, 0.975]), atol=1e-6)
    assert auc(positives, negatives) == pytest.approx(roc_auc_score(shows, scores))


def test_draws_are_exponential_weights_of_a_seed() -> None:
    weights = draws(500, 3)
    assert weights.shape == (200, 500)
    assert weights.mean() == pytest.approx(1, abs=0.02)
    assert weights.var() == pytest.approx(1, abs=0.05)
    assert np.array_equal(weights, draws(500, 3))
    assert not np.array_equal(weights, draws(500, 4))


def test_a_cosine_is_that_of_scipy() -> None:
    a, b = np.random.default_rng(1).normal(size=(2, 7))
    assert cosine(a, b) == pytest.approx(1 - cosine_distance(a, b))
    assert cosine(a, -3 * a) == pytest.approx(-1)
    assert cosine(a, 0 * a) == 0


def test_stability_is_the_cosine_that_all_but_a_twentieth_exceed() -> None:
    angles = np.radians(np.arange(101.0))  # a direction for each degree from 0 to 100
    others = 5 * np.stack([np.cos(angles), np.sin(angles)], 1)
    assert stability(float32([2, 0]), others) == pytest.approx(np.cos(np.radians(95)), abs=1e-4)


def test_every_fifth_of_both_sides_is_held_out() -> None:
    shows = np.arange(50) % 5 == 0  # ten of fifty
    held = hold_out(shows)
    assert (held & shows).sum() == 2
    assert (held & ~shows).sum() == 8
    values = np.random.default_rng(2).permutation(50).astype(float)
    assert sorted(values[hold_out(values)].tolist()) == list(range(0, 50, 5)), "of numbers, of all sizes"


def test_what_is_left_within_strata_has_no_means_of_its_own() -> None:
    values, strata = np.array([[1.0, 0], [3, 4], [10, 10], [20, 10]]), np.array([0, 0, 2, 2])
    assert within(values, strata).tolist() == [[-1, -2], [1, 2], [-5, 0], [5, 0]]
    weighted = within(values[:, 0], strata, np.array([3.0, 1.0, 1.0, 1.0]))
    assert weighted.tolist() == [-0.5, 1.5, -5, 5]


def test_the_field_of_a_linear_value_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(3)
    codes = rng.normal(size=(600, 3)).astype(np.float32)
    normal = np.array([1.0, -2.0, 0.5])
    values = codes @ normal + 4
    field = learn_field(codes, values, np.zeros(3))
    assert np.allclose(field.gradients, normal, atol=0.06), "a ridge of a hundredth"
    assert np.allclose(field.read(codes), values, atol=0.25)
    assert np.abs(field.read(codes) - values).mean() < 0.03
    # The slope of codes over v, cov(z, v) / var(v), of round codes: the normal by its squared length.
    assert np.allclose(field.slopes.mean(0), normal / (normal @ normal), atol=0.05)
