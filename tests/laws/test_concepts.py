"""Concepts: what each method learns, what balance takes away, and what the evidence is worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from morphospace.errors import ArgumentError, DataError
from morphospace.latent import METHODS, learn_concept
from morphospace.latent.evidence import auc, auc_interval

Points = NDArray[np.float32]


def drawn(seed: int, count: int = 400, d: int = 4) -> tuple[Points, NDArray[np.bool_]]:
    """Two overlapping Gaussians of one form."""
    rng = np.random.default_rng(seed)
    shows = rng.random(count) < 0.4
    form = rng.normal(size=(d, d)) / 4 + np.eye(d)  # far from flat, where a penalty counts
    return (rng.normal(size=(count, d)) @ form + shows[:, None] * rng.normal(size=d)).astype(np.float32), shows


def cosine(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


@given(st.integers(0, 10_000))
def test_strength_one_moves_the_average_negative_to_the_average_positive(seed: int) -> None:
    z, shows = drawn(seed)
    difference = z[shows].mean(0) - z[~shows].mean(0)
    assert np.allclose(learn_concept("c", z, shows).direction, difference, atol=1e-4)
    for method in ("ridge", "logistic"):
        direction = learn_concept("c", z, shows, method=method).direction
        assert direction @ direction == pytest.approx(direction @ difference, rel=1e-3), "as far along itself"


@given(st.integers(0, 10_000))
def test_boundaries_are_those_of_scikit_learn(seed: int) -> None:
    z, shows = drawn(seed)
    ridge = learn_concept("c", z, shows, method="ridge").direction
    assert cosine(ridge, LinearDiscriminantAnalysis().fit(z, shows).coef_[0]) > 0.99
    logistic = learn_concept("c", z, shows, method="logistic").direction
    theirs = LogisticRegression(C=1e4, max_iter=1000).fit(z, shows).coef_[0]
    assert roc_auc_score(shows, z @ logistic) > roc_auc_score(shows, z @ theirs) - 0.02


@given(st.integers(0, 10_000))
def test_a_number_moves_codes_as_it_grows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.uniform(-3, 7, 500)
    along = rng.normal(size=3)
    along /= np.linalg.norm(along)
    z = (values[:, None] * along + 0.1 * rng.normal(size=(500, 3))).astype(np.float32)
    concept = learn_concept("c", z, values)
    upper = values > np.median(values)
    assert np.allclose(concept.direction, along * (values[upper].mean() - values[~upper].mean()), atol=0.1)
    assert concept.correlation == pytest.approx(1, abs=0.01)


@given(st.integers(0, 10_000))
def test_balance_takes_away_what_only_comes_along(seed: int) -> None:
    """Glasses move the first latent, age the second; in these examples the old wear most of the glasses."""
    rng = np.random.default_rng(seed)
    old = rng.random(2000) < 0.5
    glasses = rng.random(2000) < np.where(old, 0.8, 0.2)
    z = (np.stack([2 * glasses, 2 * old, np.zeros(2000)], 1) + rng.normal(size=(2000, 3)) / 2).astype(np.float32)
    plain, balanced = (learn_concept("glasses", z, glasses, strata=s) for s in (None, old.astype(np.int64)))
    assert plain.direction[1] > 0.8
    assert abs(balanced.direction[1]) < 0.25
    assert balanced.direction[0] == pytest.approx(2, abs=0.25)
    assert "balanced" in balanced.method


@given(st.integers(0, 10_000))
def test_the_auc_is_that_of_scikit_learn_and_lies_in_its_interval(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, shows = rng.integers(0, 30, 300).astype(float), rng.random(300) < 0.3
    scores[shows] += rng.integers(0, 30)
    found = auc(scores[shows], scores[~shows])
    assert found == pytest.approx(roc_auc_score(shows, scores))
    low, high = auc_interval(scores[shows], scores[~shows], seed)
    assert low <= found <= high or found > 0.999


def test_the_interval_covers_what_it_promises() -> None:
    truth = 0.7602  # of N(1, 1) against N(0, 1): Phi(1 / sqrt(2))
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(100):
        low, high = auc_interval(rng.normal(1, 1, 60), rng.normal(0, 1, 60), seed)
        hits += low <= truth <= high
    assert hits >= 88


def test_few_examples_are_unstable_and_many_are_not() -> None:
    z, shows = drawn(3, 4000)
    z[shows] += 1
    few, many = learn_concept("c", z[:10], shows[:10]), learn_concept("c", z, shows)
    assert few.stability is not None
    assert many.stability is not None
    assert few.stability < 0.9 < 0.98 < many.stability
    assert any("unstable" in words for words in few.warnings())
    assert not many.warnings()
    assert "nearly the same" in many.warnings({"other": many, "c": few, "d": learn_concept("d", z, shows)})[0]


def test_auto_takes_the_plain_one_unless_another_is_clearly_better() -> None:
    rng = np.random.default_rng(0)
    shows = np.arange(6000) % 2 == 0
    round_, flat = rng.normal(size=(6000, 2)), rng.normal(size=(6000, 2)) * [4, 0.5]
    for z, wanted in ((round_ + shows[:, None], ("mean-difference",)), (flat + shows[:, None], ("lda", "logistic"))):
        codes = z.astype(np.float32)
        concept = learn_concept("c", codes[:3000], shows[:3000], method="auto", held_out=(codes[3000:], shows[3000:]))
        assert concept.method in wanted
        assert concept.held_out
        assert concept.auc_interval is not None
        plain = learn_concept("c", codes[:3000], shows[:3000], method="auto")
        assert not plain.held_out


def test_what_cannot_be_learned_is_refused() -> None:
    z, shows = drawn(0)
    values = np.arange(len(z), dtype=float)
    for method in METHODS:
        with pytest.raises(DataError, match="N >= 1 of each"):
            learn_concept("c", z, np.ones(len(z), bool), method=method)
    with pytest.raises(DataError, match="finite value"):
        learn_concept("c", z, np.where(shows, np.nan, values))
    with pytest.raises(DataError, match="finite value"):
        learn_concept("c", z, values, held_out=(z, np.where(shows, np.nan, values)))
    with pytest.raises(DataError, match="within every stratum"):
        learn_concept("c", z, shows, strata=shows.astype(np.int64))
    with pytest.raises(ArgumentError, match="yes and no"):
        learn_concept("c", z, values, method="logistic")
    with pytest.raises(ArgumentError, match='Did you mean "ridge"'):
        learn_concept("c", z, shows, method="rigde")
