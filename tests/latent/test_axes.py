"""The directions along which codes spread most, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from tests.arrays import float32

from morphospace.latent.axes import principal_axes


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
