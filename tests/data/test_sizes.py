"""The size that images get where none is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.pictures import encoded, noise, write_folder

from morphospace.data import open_dataset
from morphospace.data.sizes import size_as_before, size_for


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((28, 20), (28, 20)),
        ((64, 96), (64, 96)),
        ((128, 100), (128, 100)),
        ((300, 200), (78, 52)),
        ((200, 300), (52, 78)),
    ],
)
def test_a_set_of_one_size_keeps_it_or_its_proportions(tmp_path: Path, size: tuple[int, int], expected: Any) -> None:
    write_folder(tmp_path, 6, (*size, 3))
    assert open_dataset(tmp_path).shape == (*expected, 3)


def test_many_sizes_get_the_middle_one_and_it_is_said(tmp_path: Path) -> None:
    for i in range(9):
        (tmp_path / f"{i}.png").write_bytes(encoded(noise(i, (40 + i, 80 + i, 3))))
    found = open_dataset(tmp_path)
    assert found.shape == (44, 84, 3)
    assert "pictures of 9 sizes were scaled and cropped to 84x44" in found.notes[0]


@pytest.mark.parametrize(
    ("found", "size"),
    [
        ([(128, 1000)], (23, 178)),  # which was (8, 64)
        ([(1000, 128)], (178, 23)),
        ([(128, 128)], (128, 128)),
        ([(64, 256)], (64, 256)),  # as many pixels as 128x128
        ([(8, 2000)], (8, 256)),
        ([(129, 128)], (64, 64)),
        ([(300, 200)], (78, 52)),
        ([(4, 4)], (4, 4)),
        ([(5, 5), (6, 6)], (8, 8)),
        ([(20, 40), (22, 44)], (21, 42)),
        ([(10, 10_000)], (8, 256)),
    ],
)
def test_default_sizes_bound_the_pixels_and_keep_the_proportions(found: list[tuple[int, int]], size: object) -> None:
    assert size_for(found) == size


def test_default_sizes_of_before() -> None:
    assert [size_as_before([s]) for s in [(128, 1000), (300, 200), (100, 120), (129, 129)]] == [
        (8, 64), (64, 43), (100, 120), (64, 64)
    ]  # fmt: skip
