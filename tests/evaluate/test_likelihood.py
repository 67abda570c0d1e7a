"""The test figures of each image."""

from __future__ import annotations

import numpy as np

from morphospace.data import dataset_from_arrays
from morphospace.evaluate.likelihood import score_each
from morphospace.space import Space


def test_scores_of_each_image_do_not_depend_on_its_batch(space: Space) -> None:
    images = np.random.default_rng(0).integers(0, 256, (600, 8, 8, 1), np.uint8)
    whole = score_each(space.model, images, seed=1)
    assert whole["reconstruction"].shape == (600,)
    again = score_each(space.model, dataset_from_arrays(images, test_images=images).test.images, seed=1)
    assert (whole["reconstruction"] == again["reconstruction"]).all()
    some = score_each(space.model, images[:500], seed=1)
    np.testing.assert_allclose(whole["reconstruction"][:500], some["reconstruction"], rtol=1e-5)
