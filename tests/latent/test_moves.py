"""Moves along concepts, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.arrays import float32

from morphospace.latent import Concept, Field, move
from morphospace.latent.learning import upper_half

HOME = np.array([[1.0, 2.0]], np.float32)


def straight(name: str, direction: list[float], normal: list[float] | None = None, offset: float = 0.0) -> Concept:
    found = None if normal is None else float32(normal)
    return Concept(name=name, direction=float32(direction), normal=found, offset=offset)


CONCEPTS = {
    "right": straight("right", [2, 0]),
    "slope": straight("slope", [1, 1]),
    "read": straight("read", [1, 0], [0.5, 0.5], 3.0),
}


def test_directions_add_up_whatever_their_order_and_each_point_has_its_own_strengths() -> None:
    assert move(HOME, CONCEPTS, {"right": 1.5, "slope": -1.0}).tolist() == [[3, 1]]
    both = np.repeat(HOME, 2, 0)
    assert move(both, CONCEPTS, {"right": np.array([0.5, -1.0]), "slope": 1.0}).tolist() == [[3, 3], [0, 3]]
    assert move(HOME, CONCEPTS, {}).tolist() == HOME.tolist()


def test_what_is_kept_is_the_reading_by_the_normal() -> None:
    """ "right" reads z1 / 2 (its direction is its normal), "slope" reads (z1 + z2) / 2.

    To raise the first by 1 and the second by 0, ways m1 (2, 0) + m2 (1, 1) must have 2 m1 + m2 = 2 and 2 m1 + 2 m2 = 0:
    m1 = 2, m2 = -2, which ends at home + (2, -2). The ridge of 0.01 on the solution takes a few per cent of it.
    """
    moved = move(HOME, CONCEPTS, {"right": 1.0}, ("slope",))
    assert np.allclose(moved - HOME, [[2, -2]], atol=0.12)
    assert (moved.sum() - HOME.sum()) / 2 == pytest.approx(0, abs=0.02)


def test_a_linear_reading_is_in_strengths() -> None:
    """Strength 1 of "read" moves its value 0.5 z1 + 0.5 z2 + 3 by 0.5."""
    ways, gradients, readings = CONCEPTS["read"].linear(HOME.astype(np.float64))
    assert (ways.tolist(), gradients.tolist()) == ([[1, 0]], [[1, 1]])
    assert readings.tolist() == [(0.5 * 1 + 0.5 * 2 + 3) / 0.5]
    turned = straight("turned", [1, 0], [-1, 0], 5.0)  # a reading that strength would lower is no reading of it
    assert [part.tolist() for part in turned.linear(HOME.astype(np.float64))] == [[[1, 0]], [[1, 0]], [1]]


def test_a_field_mixes_what_its_places_know_by_nearness() -> None:
    """Half-way both places count the same; at (1, 0), of squared widths 4, their weights are 1 and exp(-4)."""
    field = Field(
        places=float32([[0, 0], [2, 0]]),
        widths=float32([4, 4]),
        slopes=float32([[1, 0], [0, 1]]),
        gradients=float32([[1, 0], [0, 3]]),
        offsets=float32([10, 20]),
    )
    slopes, gradients, values = field.at(np.array([[1.0, 5.0], [0.0, 1.0]]))
    assert np.allclose(slopes[0], [0.5, 0.5])
    assert np.allclose(gradients[0], [0.5, 1.5])
    assert values[0] == pytest.approx(15 + 0.5 * 1 + 1.5 * 5)
    far = np.exp(-4.0) / (1 + np.exp(-4.0))
    assert np.allclose(slopes[1], [1 - far, far])
    assert values[1] == pytest.approx(10 + 10 * far + 3 * far)
    assert field.span() == (10.0, 20.0)
    assert field.read(float32([[1, 5]])).tolist() == [pytest.approx(23)]


def test_a_move_along_a_field_of_one_slope_goes_as_far_as_asked_but_not_far_beyond_what_it_knows() -> None:
    """v = z1 from 0 to 4; strength 1 is 2 of v, and a quarter of a strength beyond the ends is all it dares."""
    places = float32([[0, 0], [1, 0], [2, 0], [3, 0], [4, 0]])
    field = Field(places, np.full(5, 9, np.float32), *(np.tile(float32([1, 0]), (5, 1)),) * 2, np.zeros(5, np.float32))
    concept = Concept(name="v", direction=float32([2, 0]), field=field, distance=2.0, method="local", correlation=1.0)
    start = float32([[1, 7]])
    for strength, end in ((1.0, 3.0), (-0.5, 0.0), (9.0, 4.5), (-9.0, -0.5)):
        assert np.allclose(move(start, {"v": concept}, {"v": strength}), [[end, 7]], atol=1e-4)


def test_of_numbers_the_upper_half_shows_it() -> None:
    assert upper_half(np.array([3.0, 1.0, np.nan, 2.0])).tolist() == [True, False, False, False]
    assert upper_half(np.array([0.0, 1.0, 1.0, 1.0])).tolist() == [False, True, True, True]
    assert upper_half(np.array([True, False])).tolist() == [True, False]
