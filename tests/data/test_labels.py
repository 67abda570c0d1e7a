"""Labels in arrays, as people have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pictures import noise

from morphospace.data import dataset_from_arrays, open_dataset
from morphospace.errors import DataError


@pytest.mark.parametrize("first", [0, 1, 70_000])
def test_only_labels_that_occur_are_labels_of_a_set_of_arrays(tmp_path: Path, first: int) -> None:
    """Those of 1 to 3 are three: no label "0" is invented, and none for each number below a class's code."""
    images, labels = noise(0, (30, 4, 4)), first + np.arange(30) % 3
    np.savez(tmp_path / "mine.npz", images=images, labels=labels)
    for found in (dataset_from_arrays(images, labels), open_dataset(tmp_path / "mine.npz")):
        assert found.label_names == (str(first), str(first + 1), str(first + 2))
        for split in (found.train, found.test):
            named = [found.label_names[number] for number in np.asarray(split.labels)]
            places = [int(np.flatnonzero((images == image[..., 0]).all((1, 2)))[0]) for image in split.images]
            assert named == [str(label) for label in labels[places]]
    assert found.label_number(str(first + 2)) == 2


def test_labels_of_test_and_validation_images_count_too_and_the_fingerprint_is_of_the_numbers_given() -> None:
    images = noise(0, (6, 4, 4))
    parts: dict[str, Any] = {"test_images": images[:2], "validation_images": images[2:3]}
    found = dataset_from_arrays(images, [5, 9] * 3, test_labels=[7, 5], validation_labels=[2], **parts)
    assert found.label_names == ("2", "5", "7", "9")
    assert found.validation is not None
    assert [np.asarray(s.labels).tolist() for s in (found.train, found.test, found.validation)] == [
        [1, 3] * 3,
        [2, 1],
        [0],
    ]
    named = dataset_from_arrays(
        images, [5, 9] * 3, test_labels=[7, 5], validation_labels=[2], label_names=list("abcdefghij"), **parts
    )
    assert np.asarray(named.train.labels).tolist() == [5, 9] * 3
    assert named.fingerprint == found.fingerprint
    with pytest.raises(DataError, match="from 0 to 2 as there are 3 label_names"):
        dataset_from_arrays(images, [5, 9] * 3, label_names=["a", "b", "c"])
