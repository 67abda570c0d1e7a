"""The nearest codes, against a tree's."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from tests.arrays import float32

from morphospace.latent.nearest import nearest


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
