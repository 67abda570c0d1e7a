"""Grids and planes: quantiles that are scipy's, rows from the upper left."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from tests.arrays import float32

from morphospace.errors import ArgumentError
from morphospace.latent.grids import EDGE, Plane, normal_quantiles, plane_grid, plane_of


@pytest.mark.parametrize("n", [1, 2, 15])
def test_quantiles_are_those_of_scipy(n: int) -> None:
    expected = [0.0] if n == 1 else norm.ppf(np.linspace(EDGE, 1 - EDGE, n))
    assert np.allclose(normal_quantiles(n), expected)
    assert np.allclose(normal_quantiles(n, 0.2)[-1], 0 if n == 1 else norm.ppf(0.8))
    with pytest.raises(ArgumentError, match="at least 1"):
        normal_quantiles(0)


def test_a_grid_runs_row_by_row_from_the_upper_left() -> None:
    q = float(norm.ppf(0.95))
    plane = Plane(float32([10, 20, 30]), float32([[1, 0, 0], [0, 2, 0]]), ("right", "up"))
    expected = [[10 + x * q, 20 + 2 * y * q, 30] for y in (1, 0, -1) for x in (-1, 0, 1)]
    assert np.allclose(plane_grid(plane, 3), expected, atol=1e-5)
    line = Plane(float32([1, 1]), float32([[0, 3]]), ("z2",))
    assert np.allclose(plane_grid(line, 2), [[1, 1 - 3 * q], [1, 1 + 3 * q]], atol=1e-5)


def test_a_plane_is_the_space_itself_or_that_of_its_codes() -> None:
    codes = float32([[0, 0, 0], [0, 8, 0], [0, 4, 1], [0, 4, -1]])
    itself, own = plane_of(2), plane_of(3, codes)
    assert (itself.axes.tolist(), itself.names) == ([[1, 0], [0, 1]], ("z1", "z2"))
    assert own.origin.tolist() == [0, 4, 0]
    assert np.allclose(own.axes, [[0, 8**0.5, 0], [0, 0, 0.5**0.5]], atol=1e-5)
    assert own.names == ("principal axis 1", "principal axis 2")
    assert plane_of(2, codes[:, 1:], prior=False).names == own.names, "an autoencoder's codes may lie anywhere"
