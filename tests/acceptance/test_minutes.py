"""A training that is given minutes ends within them, and uses them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import morphospace as ms
from morphospace.data import Dataset

pytestmark = [pytest.mark.acceptance, pytest.mark.timed]

MINUTES = 0.75


def test_training_ends_in_its_minutes(mnist: Dataset, tmp_path: Path) -> None:
    began = time.perf_counter()
    space = ms.train(mnist, minutes=MINUTES, out=tmp_path)
    took = (time.perf_counter() - began) / 60
    assert space.recipe.stages[0].min_steps == 0
    assert 0.75 * MINUTES < took < 1.02 * MINUTES
