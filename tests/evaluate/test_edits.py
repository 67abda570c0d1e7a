"""Edits, told by a judge."""

from __future__ import annotations

import numpy as np
import pytest

from morphospace.evaluate.edits import whole_way


def test_a_way_is_told_by_the_spread_of_its_scores() -> None:
    """Of lengths in nanometres as of those in metres; where nothing can be measured, there is none."""
    truth, scores = np.array([0.0, 0, 1, 1]), np.array([1.0, 2, 4, 5])
    for unit in (1.0, 1e-9):
        assert whole_way(unit * scores, truth) == pytest.approx(3 * unit)
    assert np.isnan(whole_way(np.ones(4), truth))
    assert np.isnan(whole_way(np.full(4, np.nan), truth))
