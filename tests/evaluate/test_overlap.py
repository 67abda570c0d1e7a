"""Whether a space knows the images that it is tested on."""

from __future__ import annotations

from morphospace.data import Dataset, Preparation, open_dataset
from morphospace.evaluate.overlap import trained_on, words_of_overlap
from morphospace.space import Space


def test_equal_fingerprints_or_contents_need_no_keys(digits: Dataset, space: Space) -> None:
    assert trained_on(space, digits, None) == 0
    larger = open_dataset("digits", Preparation(size=(12, 12)))
    assert trained_on(space, larger, None) == 0, "the same content and split"
    space.about = {"data": {"fingerprint": digits.fingerprint}}  # as version 0.1 wrote it
    assert (trained_on(space, digits, None), trained_on(space, larger, None)) == (0, None)
    assert words_of_overlap(0, 9) == ""
