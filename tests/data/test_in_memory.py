"""Sets of arrays in memory."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from tests.pictures import noise

from morphospace.data import dataset_from_arrays
from morphospace.errors import DataError, FileError
from morphospace.images import as_images


def test_dataset_from_arrays_takes_a_validation_split() -> None:
    found = dataset_from_arrays(
        noise(0, (9, 4, 4)), test_images=noise(1, (3, 4, 4)), validation_images=noise(2, (2, 4, 4))
    )
    assert found.validation is not None
    with pytest.raises(DataError, match="validation_images"):
        dataset_from_arrays(noise(0, (9, 4, 4)), test_images=noise(1, (3, 4, 4)), validation_images=noise(2, (2, 5, 4)))


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.full((3, 4, 4), np.nan), "NaN"),
        (np.full((3, 4, 4), -1), "0..255, got -1"),
        (np.full((3, 4, 4), 256), "0..255, got 256"),
        (np.full((3, 4, 4), 0.5), "fractions"),
        (np.zeros((3, 4, 4, 2), np.uint8), "C 1 or 3"),
        (np.zeros((0, 4, 4), np.uint8), "at least one image"),
        (np.zeros(4, np.uint8), "shape"),
        ([], "empty"),
        ("/nowhere.png", "cannot read"),
        (object(), "array of numbers"),
        ([np.zeros((4, 4)), np.zeros((5, 4))], "one size"),
    ],
)
def test_images_that_are_none_are_refused(images: object, words: str) -> None:
    with pytest.raises((DataError, FileError), match=re.escape(words)):
        as_images(images)


def test_images_of_many_kinds_are_taken() -> None:
    assert as_images(np.ones((4, 5))).shape == (1, 4, 5, 1)
    assert as_images(np.array([[True, False]])).ravel().tolist() == [255, 0]
    for kind in (np.float32, np.int64, np.int8):
        assert as_images(np.array([[0, 1]], kind)).ravel().tolist() == [0, 255]
    assert as_images(np.array([[0, 1]], np.uint8)).ravel().tolist() == [0, 1]
    assert as_images([np.array([[0, 1]]), np.array([[0, 200]])]).ravel().tolist() == [0, 1, 0, 200]
    assert as_images([[1, 2], [3, 4]]).shape == (1, 2, 2, 1)
    frozen = np.zeros((2, 4, 4), np.uint8)
    frozen.setflags(write=False)
    assert as_images(frozen).flags.writeable


@pytest.mark.parametrize("labels", [[0, 1], [[[0]], [[1]], [[2]]], [{}, {}, {}], [1j, 2, 3]])
def test_labels_that_do_not_fit_are_refused(labels: Any) -> None:
    images = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    with pytest.raises(DataError, match="labels"):
        dataset_from_arrays(images, labels)
