"""Concepts that follow the codes: on straight sets the mean difference, on curved ones they stay on the curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from morphospace.errors import ArgumentError
from morphospace.latent import Concept, learn_concept, learn_field, move

Points = NDArray[np.float32]
few = settings(max_examples=20)


def arc(seed: int, count: int = 4000) -> tuple[Points, NDArray[np.float64]]:
    """Codes along three quarters of a circle in 5 dimensions, with a little noise, and the angle of each."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 1.5 * np.pi, count)
    plane = np.linalg.qr(rng.normal(size=(5, 2)))[0].T
    codes = np.stack([np.cos(angle), np.sin(angle)], 1) @ plane + 0.05 * rng.normal(size=(count, 5))
    return codes.astype(np.float32), angle


@few
@given(st.integers(0, 10_000), st.floats(-0.6, 0.6))
def test_a_move_along_a_curve_stays_on_it_and_goes_as_far_as_asked(seed: int, strength: float) -> None:
    codes, angle = arc(seed)
    concept = learn_concept("angle", codes, angle)
    inside = np.flatnonzero(np.abs(angle + strength * concept.distance / 2 - 0.75 * np.pi) < 0.4)[:50]
    moved = move(codes[inside], {"angle": concept}, {"angle": strength})
    plane = np.linalg.svd(codes, full_matrices=False)[2][:2]
    radius = np.linalg.norm(moved @ plane.T, axis=1)
    assert radius.mean() == pytest.approx(1, abs=0.08), "a straight line would end inside or outside of it"
    assert np.abs(radius - 1).mean() < 0.15, "the codes themselves have a noise of 0.05"
    went = concept.read(moved) - concept.read(codes[inside])
    assert np.abs(went - strength * concept.distance).mean() < 0.05 * concept.distance


@few
@given(st.integers(0, 10_000))
def test_on_a_straight_set_it_is_the_mean_difference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=2000)
    along = rng.normal(size=4)
    codes = (values[:, None] * along + 0.3 * rng.normal(size=(2000, 4))).astype(np.float32)
    both = {kind: learn_concept("c", codes, values, method=kind) for kind in ("local", "mean-difference")}
    start = codes[:40]
    ends = {kind: move(start, {"c": concept}, {"c": 0.5}) for kind, concept in both.items()}
    way = np.linalg.norm(both["local"].direction)
    assert np.abs(ends["local"] - ends["mean-difference"]).mean() < 0.2 * way
    assert both["local"].correlation == pytest.approx(both["mean-difference"].correlation, abs=0.05)


@few
@given(st.integers(0, 10_000))
def test_a_field_reads_values_and_chances(seed: int) -> None:
    codes, angle = arc(seed)
    seen, held = slice(0, 3000), slice(3000, 4000)
    concept = learn_concept("angle", codes[seen], angle[seen], held_out=(codes[held], angle[held]))
    assert concept.of_number
    assert concept.correlation is not None
    assert concept.correlation > 0.99
    far = angle > np.pi
    yes = learn_concept("far", codes[seen], far[seen], held_out=(codes[held], far[held]))
    assert not yes.of_number
    chances = yes.read(codes[held])
    assert chances[angle[held] > 1.2 * np.pi].mean() > 0.9
    assert chances[angle[held] < 0.8 * np.pi].mean() < 0.1


def test_balance_is_taken_within_strata_at_every_place() -> None:
    """What differs between groups alone, moves no code."""
    rng = np.random.default_rng(0)
    group = np.arange(3000) % 2
    values = rng.normal(size=3000) + 3 * group
    codes = np.stack([values - 3 * group, 0.5 * group, rng.normal(size=3000)], 1) + 0.1 * rng.normal(size=(3000, 3))
    slope = np.array([0.3, 0.0, 0.0])
    plain, balanced = (learn_field(codes.astype(np.float32), values, slope, s) for s in (None, group))
    middle = np.array([[0.0, 0.25, 0.0]])
    along_group = [abs(float(field.at(middle)[0][0, 1])) for field in (plain, balanced)]
    assert along_group[0] > 0.06 > 0.03 > along_group[1]
    assert 0.5 < balanced.at(middle)[0][0, 0] < 1.1, "neighbours differ less than all codes do"


@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(-3, 3))
def test_directions_add_up_and_come_back(seed: int, one: float, other: float) -> None:
    rng = np.random.default_rng(seed)
    concepts = {n: Concept(name=n, direction=rng.normal(size=6).astype(np.float32)) for n in ("a", "b")}
    z = rng.normal(size=(7, 6)).astype(np.float32)
    together = move(z, concepts, {"a": one, "b": other})
    assert np.allclose(together, z + one * concepts["a"].direction + other * concepts["b"].direction, atol=1e-4)
    assert np.allclose(move(together, concepts, {"b": -other, "a": -one}), z, atol=1e-5)
    each = move(z, concepts, {"a": np.linspace(0, 1, 7)})
    assert np.allclose(each - z, np.linspace(0, 1, 7)[:, None] * concepts["a"].direction, atol=1e-5)


@few
@given(st.integers(0, 10_000), st.floats(-1, 1))
def test_what_is_kept_reads_as_before_and_what_moves_goes_all_the_way(seed: int, strength: float) -> None:
    """Two values that come together in the examples."""
    rng = np.random.default_rng(seed)
    kept = rng.normal(size=4000)
    moved = 0.7 * kept + rng.normal(size=4000)
    mix = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    codes = (np.stack([moved, kept, *rng.normal(size=(2, 4000))], 1) @ mix).astype(np.float32)
    concepts = {
        "moved": learn_concept("moved", codes, moved, method="mean-difference"),
        "kept": learn_concept("kept", codes, kept, method="mean-difference"),
    }
    start = codes[:50]
    free = move(start, concepts, {"moved": strength}) @ mix.T
    held = move(start, concepts, {"moved": strength}, ["kept"]) @ mix.T
    before = start @ mix.T
    way = concepts["moved"].distance * strength
    assert np.allclose(held[:, 1], before[:, 1], atol=0.03)
    assert np.allclose(held[:, 0] - before[:, 0], way, atol=0.05 * max(1, abs(way)))
    assert np.abs(free[:, 1] - before[:, 1]).mean() >= np.abs(held[:, 1] - before[:, 1]).mean()


def test_what_makes_no_sense_is_refused() -> None:
    codes, angle = arc(0)
    concepts = {"a": learn_concept("a", codes, angle), "same": learn_concept("same", codes, 2 * angle)}
    with pytest.raises(ArgumentError, match="cannot be kept too"):
        move(codes[:3], concepts, {"a": 1.0}, ["a"])
    with pytest.raises(ArgumentError, match="too much alike"):
        move(codes[:3], concepts, {"a": 1.0}, ["same"])
    with pytest.raises(ArgumentError, match='no concept "b"'):
        move(codes[:3], concepts, {"a": 1.0}, ["b"])
    with pytest.raises(ArgumentError, match="finite"):
        move(codes[:3], concepts, {"a": np.array([0.0, 1.0, np.inf])})
