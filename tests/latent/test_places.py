"""Places in a space: neighbours, grids, planes and paths, against others' answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree, geometric_slerp
from scipy.stats import norm
from sklearn.decomposition import PCA
from tests.arrays import float32

from morphospace.errors import ArgumentError
from morphospace.latent.axes import principal_axes
from morphospace.latent.grids import EDGE, Plane, normal_quantiles, plane_grid, plane_of
from morphospace.latent.nearest import nearest
from morphospace.latent.paths import lerp, slerp


def test_the_nearest_are_those_of_a_tree() -> None:
    rng = np.random.default_rng(0)
    codes, z = rng.normal(size=(300, 6)).astype(np.float32), rng.normal(size=6).astype(np.float32)
    distances, places = cKDTree(codes).query(z, 7)
    found, lengths = nearest(z, codes, 7)
    assert found.tolist() == places.tolist()
    assert np.allclose(lengths, distances)


def test_of_codes_as_near_as_each_other_the_first_comes_first() -> None:
    codes = float32([[0, 5], [3, 4], [5, 0], [0, 1]])
    places, distances = nearest(np.zeros(2, np.float32), codes, 99)
    assert places.tolist() == [3, 0, 1, 2]
    assert distances.tolist() == [1, 5, 5, 5]


@pytest.mark.parametrize("n", [1, 2, 15])
def test_quantiles_are_those_of_scipy(n: int) -> None:
    expected = [0.0] if n == 1 else norm.ppf(np.linspace(EDGE, 1 - EDGE, n))
    assert np.allclose(normal_quantiles(n), expected)
    assert np.allclose(normal_quantiles(n, 0.2)[-1], 0 if n == 1 else norm.ppf(0.8))
    with pytest.raises(ArgumentError, match="at least 1"):
        normal_quantiles(0)


def test_principal_axes_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    codes = (rng.normal(size=(200, 5)) * [1, 5, 0.3, 2, 3] @ rng.normal(size=(5, 5)) + 7).astype(np.float32)
    known = PCA().fit(codes.astype(np.float64))
    mean, axes, deviations = principal_axes(codes, 3)
    assert np.allclose(mean, known.mean_, atol=1e-4)
    assert np.allclose(deviations, np.sqrt(known.explained_variance_[:3] * 199 / 200), rtol=1e-3)
    assert (axes[np.arange(3), np.abs(axes).argmax(1)] > 0).all(), "maps do not flip"
    assert np.allclose(np.abs((axes * known.components_[:3]).sum(1)), 1, atol=1e-6)
    assert len(principal_axes(codes)[1]) == 5
    assert len(principal_axes(codes[:4])[1]) == 4, "no more than there are codes"


def test_codes_without_extent_get_axes_of_some_length() -> None:
    _, _, deviations = principal_axes(np.full((9, 3), 5, np.float32), 2)
    assert (deviations > 0).all()
    _, _, deviations = principal_axes(float32([[0, 0], [200, 0], [100, 0]]), 2)
    assert deviations[0] == pytest.approx(np.std([0, 200, 100]))
    assert 0 < deviations[1] < 1e-3


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
