"""From class to class: the numbers themselves, by other means."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from scipy.optimize import minimize
from scipy.special import softmax
from scipy.stats import multivariate_normal

from morphospace.latent import change_class, class_chances, class_scores, learn_classes
from morphospace.latent.classes import Classes, _power

Numbers = NDArray[np.float64]

CLASSES = Classes(
    names=("a", "b", "c"),
    means=np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]),
    covariances=np.array([[[1.0, 0.3], [0.3, 0.5]], [[0.5, 0.0], [0.0, 2.0]], [[1.0, -0.2], [-0.2, 1.0]]]),
    margin=4.0,
)


def test_a_class_is_the_mean_and_covariance_of_its_codes() -> None:
    rng = np.random.default_rng(0)
    codes, labels = rng.normal(size=(60, 3)).astype(np.float32), np.arange(60) % 2
    blur = rng.uniform(0.1, 0.2, (60, 3)).astype(np.float32)
    found = learn_classes(["x", "y"], codes, labels, blur)
    for k in range(2):
        own = codes[labels == k].astype(np.float64)
        assert np.allclose(found.means[k], own.mean(0))
        spread = np.cov(own.T) + np.diag(blur[labels == k].mean(0))
        assert np.allclose(found.covariances[k], spread, atol=2e-3)  # and a thousandth of the variance of all
        assert (np.diag(found.covariances[k]) > np.diag(spread)).all()


def test_spreads_are_those_of_draws_from_all_classes() -> None:
    rng = np.random.default_rng(1)
    drawn = [rng.multivariate_normal(m, c, 60_000) for m, c in zip(CLASSES.means, CLASSES.covariances, strict=True)]
    assert np.allclose(CLASSES.spreads, np.concatenate(drawn).std(0), rtol=0.01)


def test_chances_are_those_of_bayes_where_classes_are_equally_frequent() -> None:
    z = np.random.default_rng(2).normal(1, 2, (20, 2)).astype(np.float32)
    logs = [multivariate_normal(m, c).logpdf(z) for m, c in zip(CLASSES.means, CLASSES.covariances, strict=True)]
    assert np.allclose(class_chances(CLASSES, z), softmax(logs, axis=0).T, atol=1e-9)


def test_powers_of_a_matrix_are_those_of_scipy_and_bear_a_direction_without_extent() -> None:
    matrix = CLASSES.covariances[0]
    assert np.allclose(_power(matrix, 0.5), sqrtm(matrix))
    assert np.allclose(_power(matrix, -0.5), np.linalg.inv(sqrtm(matrix)))
    for scale in (1e-8, 1.0, 1e8):
        flat = scale * np.diag([1.0, 0.0])
        assert np.isfinite(_power(flat, -0.5)).all()
        assert _power(flat, 0.5)[0, 0] == pytest.approx(scale**0.5)


def cost(z: Numbers, home: Numbers, target: int) -> float:
    """What an edit is to make small: the way from home, what is missing of the margin, and what lies too far out."""
    scores = class_scores(CLASSES, z[None].astype(np.float32))[0]
    lead = scores[target] - np.delete(scores, target).max()
    away = z - CLASSES.means[target]
    out = away @ np.linalg.inv(CLASSES.covariances[target]) @ away
    way = np.square((z - home) / CLASSES.spreads).sum()
    return float(0.1 * way + max(CLASSES.margin - lead, 0) + 0.5 * max(out - len(z), 0))


@pytest.mark.parametrize("target", [1, 2])
def test_an_edit_ends_where_its_cost_is_least(target: int) -> None:
    homes = np.array([[0.0, 0.0], [-1.0, 0.5], [0.5, -0.8]], np.float32)
    moved = change_class(CLASSES, homes, "a", CLASSES.names[target])
    for home, end in zip(homes.astype(np.float64), moved.astype(np.float64), strict=True):
        starts = (CLASSES.means[target], end)
        best = min(minimize(cost, start, (home, target), "Nelder-Mead").fun for start in starts)
        assert cost(end, home, target) < best + 0.5, "60 steps come within half a nat of it"
        assert cost(end, home, target) < cost(CLASSES.means[target], home, target) + 0.5


def test_an_edit_until_a_chance_has_that_chance() -> None:
    home = np.array([[0.0, 0.0], [0.3, -0.2]], np.float32)
    for chance in (0.2, 0.5, 0.9):
        moved = change_class(CLASSES, home, "a", "b", chance=chance)
        assert np.allclose(class_chances(CLASSES, moved)[:, 1], chance, atol=2e-3)
    there = np.array([[3.0, 0.0]], np.float32)
    assert np.allclose(change_class(CLASSES, there, "a", "b", chance=0.5), there, atol=1e-3), "it has it already"
