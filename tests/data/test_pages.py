"""Stacks and animations as sets."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from tests.pictures import noise

from morphospace.data import Preparation, open_dataset
from morphospace.errors import DataError


def test_a_stack_alone_is_told_how_it_becomes_a_set(tmp_path: Path) -> None:
    pages = [Image.fromarray(noise(i, (8, 8))) for i in range(40)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(DataError, match=r'one file of 40 pages, .*: `frames="all"` makes a picture of each page'):
        open_dataset(tmp_path)
    found = open_dataset(tmp_path, Preparation(frames="all"))
    assert len(found.train) + len(found.test) == 40
    assert any(words.startswith("40 pages of 1 file became a picture each") for words in found.notes)
