"""Paths between points, against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import geometric_slerp
from tests.arrays import float32

from morphospace.latent.paths import lerp, slerp


def test_a_great_circle_is_that_of_scipy_and_its_length_goes_evenly() -> None:
    a, b = float32([0.6, 0.8, 0]), float32([0, 0.6, 0.8])
    shares = np.linspace(0, 1, 7)
    units = [end / np.linalg.norm(end) for end in (a.astype(float), b.astype(float))]
    known = geometric_slerp(*units, shares)
    assert np.allclose(slerp(a, b, shares), known, atol=1e-6)
    assert np.allclose(slerp(2 * a, 5 * b, shares), known * (2 + 3 * shares)[:, None], atol=1e-5)


@pytest.mark.parametrize("b", [[0, 0], [-3, -6], [2, 4]], ids=["zero", "opposite", "parallel"])
def test_where_there_is_no_one_circle_the_path_is_straight(b: list[float]) -> None:
    a, shares = float32([1, 2]), np.linspace(0, 1, 5)
    path = slerp(a, float32(b), shares)
    assert np.allclose(path, lerp(a, float32(b), shares), atol=1e-6)
    assert np.allclose(path[1], [0.75 + 0.25 * b[0], 1.5 + 0.25 * b[1]])
