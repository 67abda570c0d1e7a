"""Edits from class to class."""

from __future__ import annotations

import numpy as np


def test_the_nearest_training_image_is_found_across_batches() -> None:
    from morphospace.evaluate.class_trials import _nearest

    rng = np.random.default_rng(0)
    others, images = rng.integers(0, 256, (1000, 5, 4, 1), np.uint8), rng.integers(0, 256, (30, 5, 4, 1), np.uint8)
    rows = np.sort(rng.permutation(1000)[:700])
    away = np.square(others[rows].astype(np.int64)[None] - images[:, None]).sum((2, 3, 4))
    assert np.array_equal(_nearest(images, others, rows), rows[away.argmin(1)])
