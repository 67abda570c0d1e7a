"""Where sets come from: single items, and names that were mistyped."""

from __future__ import annotations

import pytest

from morphospace.data import Dataset, open_dataset, open_item
from morphospace.errors import ArgumentError


@pytest.mark.parametrize("item", ["digits:test/3", "digits:train/0"])
def test_items(item: str, digits: Dataset) -> None:
    split = digits.split(item[7:].partition("/")[0])
    assert (open_item(item) == split.images[int(item.rpartition("/")[2])]).all()


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("digits:test/99999", "items 0 to 194"),
        ("digits:best/0", 'no split "best"'),
        ("digits:test/x", "expected a file or an item"),
        ("digits:test/-1", "expected a file or an item"),
        ("dgits:test/0", 'Did you mean "digits"'),
    ],
)
def test_items_that_are_none(item: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        open_item(item)


def test_a_mistyped_set_suggests_the_right_one() -> None:
    with pytest.raises(ArgumentError, match='Did you mean "mnist"'):
        open_dataset("mnits")
