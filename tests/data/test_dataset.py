"""A set: its splits and its fingerprint."""

from __future__ import annotations

import numpy as np
import pytest
from tests.pictures import noise

from morphospace.data import dataset_from_arrays
from morphospace.errors import ArgumentError


def test_a_set_knows_its_splits_by_name() -> None:
    plain = dataset_from_arrays(noise(0, (9, 4, 4)))
    whole = dataset_from_arrays(
        noise(0, (9, 4, 4)), test_images=noise(1, (3, 4, 4)), validation_images=noise(2, (2, 4, 4))
    )
    assert whole.split("train") is whole.train
    assert whole.split("test") is whole.test
    assert whole.split("validation") is whole.validation
    with pytest.raises(ArgumentError, match=r'no split "best".*Known: train, test, validation\.'):
        whole.split("best")
    with pytest.raises(ArgumentError, match=r'no split "validation".*Known: train, test\.'):
        plain.split("validation")


def test_fingerprint_sees_pixels_labels_and_shape() -> None:
    images = np.arange(5 * 4 * 4, dtype=np.uint8).reshape(5, 4, 4)
    labels = np.arange(5)
    base = dataset_from_arrays(images, labels, test_images=images)
    changed = images.copy()
    changed[0, 0, 0] += 1
    others = [
        dataset_from_arrays(changed, labels, test_images=images),
        dataset_from_arrays(images, labels[::-1].copy(), test_images=images),
        dataset_from_arrays(images.reshape(5, 2, 8), labels, test_images=images.reshape(5, 2, 8)),
    ]
    assert len({s.fingerprint for s in (base, *others)}) == 4
