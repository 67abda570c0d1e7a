"""What is known of images, by label, attribute and measure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from morphospace.data import Dataset
from morphospace.errors import ArgumentError
from morphospace.evaluate.origins import known_of, values_of, words_of


@pytest.fixture(scope="module")
def portraits(digits: Dataset) -> Dataset:
    """Twelve images, half of them with glasses; of two that is not known."""
    glasses = np.array([0, 1] * 5 + [np.nan] * 2)
    few = dataclasses.replace(digits.train.take(np.arange(12)), attributes={"glasses": glasses})
    return dataclasses.replace(digits, train=few)


def test_a_number_can_be_named_like_a_word(portraits: Dataset) -> None:
    """A table says 1; that it is kept as 1.0 is nobody's business."""
    origin = {"attribute": "glasses", "value": "1"}
    values = values_of(portraits.train, portraits, origin)
    assert values.tolist() == [False, True] * 5 + [False] * 2
    assert known_of(portraits.train, origin, values).tolist() == [True] * 10 + [False] * 2
    assert words_of(portraits, "glasses") == ["0", "1"]
    with pytest.raises(ArgumentError, match='no image has glasses "2"'):
        values_of(portraits.train, portraits, origin | {"value": "2"})
