"""Intensity: one rule for a whole set, by what its values are, with the grey levels that it must give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pictures import encoded, tiff

from morphospace.data import Dataset, Preparation, open_dataset
from morphospace.data.prepare import _SAMPLE
from morphospace.intensity import Window, survey, to_levels, window_for

COUNT = 10


def ramps(folder: Path, low: float, high: float, dtype: Any, count: int = COUNT, suffix: str = ".tif") -> Path:
    """Pictures of 8x8 whose values go from ``low`` up to a tenth, two tenths, ... the whole of ``high``."""
    folder.mkdir(exist_ok=True)
    for i in range(1, count + 1):
        values = (low + (high - low) * i / count * np.linspace(0, 1, 64).reshape(8, 8)).astype(dtype)
        data = encoded(values) if suffix == ".png" else tiff(values)
        (folder / f"{i:03d}{suffix}").write_bytes(data)
    return folder


def tops(dataset: Dataset) -> list[int]:
    """The brightest grey level of each image, in order."""
    return sorted(int(image.max()) for split in (dataset.train, dataset.test) for image in split.images[:])


def lows(dataset: Dataset) -> list[int]:
    return sorted(int(image.min()) for split in (dataset.train, dataset.test) for image in split.images[:])


@pytest.mark.parametrize(
    ("low", "high", "dtype", "window", "words"),
    [
        (0, 4095, np.uint16, (0, 4095), "16-bit values of 0 to 4,095, so 12 bits are in use: 0 is black and 4,095"),
        (0, 60000, np.uint16, (0, 65535), "so 16 bits are in use"),
        (-1000, 3000, np.int16, (-1000, 3000), "16-bit values of -1,000 to 3,000: -1,000 is black and 3,000 is white"),
        (0, 100000, np.int32, (0, 100000), "32-bit values of 0 to 100,000: 0 is black and 100,000 is white"),
        (0, 0.9, np.float32, (0, 1), "fractional values of 0 to 0.9: 0 is black and 1 is white"),
        (0, 1.0000001, np.float64, (0, 1), "fractional values of 0 to 1: 0 is black and 1 is white"),
        (0, 1.5, np.float32, (0, 1.5), "fractional values of 0 to 1.5: 0 is black and 1.5 is white"),
        (-1, 1, np.float32, (-1, 1), "-1 is black and 1 is white"),
        (0, 250.5, np.float32, (0, 255), "0 is black and 255 is white"),
    ],
)
def test_the_rule_is_one_for_the_set_and_is_said(
    tmp_path: Path, low: float, high: float, dtype: Any, window: tuple[float, float], words: str
) -> None:
    found = open_dataset(ramps(tmp_path, low, high, dtype))
    shares = [(low + (high - low) * i / COUNT - window[0]) / (window[1] - window[0]) for i in range(1, COUNT + 1)]
    assert np.abs(np.array(tops(found)) - 255 * np.array(shares)).max() <= 1
    assert lows(found) == [round(255 * (low - window[0]) / (window[1] - window[0]))] * COUNT
    assert any(words in note for note in found.notes), found.notes
    assert not any("clipped" in note for note in found.notes)


@pytest.mark.parametrize(("top", "words"), [(1, "of 0 and 1 alone, as masks have"), (3, "0 to 3, as masks of labels")])
def test_masks_are_spread_from_black_to_white(tmp_path: Path, top: int, words: str) -> None:
    rng = np.random.default_rng(0)
    for i in range(COUNT):
        (tmp_path / f"{i}.png").write_bytes(encoded(rng.integers(0, top + 1, (8, 8), np.uint8)))
    found = open_dataset(tmp_path)
    assert np.unique(found.train.images[:]).tolist() == [255 * i // top for i in range(top + 1)]
    assert words in found.notes[0]


def test_ordinary_pictures_stay_as_they_are_and_need_no_word(tmp_path: Path) -> None:
    found = open_dataset(ramps(tmp_path, 0, 200, np.uint8, suffix=".png"))
    assert tops(found) == [20 * i for i in range(1, COUNT + 1)]
    assert found.notes == ()


def test_each_kind_of_a_mixed_set_has_its_own_window(tmp_path: Path) -> None:
    ramps(tmp_path, 0, 4095, np.uint16)
    ramps(tmp_path, 0, 255, np.uint8, suffix=".png")
    found = open_dataset(tmp_path)
    expected = np.repeat(np.arange(1, COUNT + 1) * 25.5, 2)
    assert np.abs(np.array(tops(found)) - expected).max() <= 1
    assert any(note.startswith("10 pictures with 16-bit values of 0 to 4,095") for note in found.notes)


@pytest.mark.parametrize(
    ("rule", "brightest", "words"),
    [
        ("full", [2, 16], '99% of them lie within 6% of that, and `intensity="0.5%:99.5%"` uses it all'),
        ("0:2000", [52, 255], "lie outside and were clipped, in 6 of 10 pictures"),
        ("file", [2, 16], 'go by the range of each file alone; `intensity="auto"` has one for all'),
        ("0%:100%", [25, 255], "0 is black and 4,095 is white"),
    ],
)
def test_the_rule_can_be_given(tmp_path: Path, rule: str, brightest: list[int], words: str) -> None:
    found = open_dataset(ramps(tmp_path, 0, 4095, np.uint16), Preparation(intensity=rule))
    assert [tops(found)[0], tops(found)[-1]] == brightest
    assert any(words in note for note in found.notes), found.notes


def test_shares_clipped_are_counted(tmp_path: Path) -> None:
    for i in range(4):
        values = np.full((8, 8), 100 + i, np.uint16)
        values[0, :4] = 5000 if i < 2 else 0
        (tmp_path / f"{i}.png").write_bytes(encoded(values))
    found = open_dataset(tmp_path, Preparation(intensity="0:1000"))
    assert "3.12% of them lie outside and were clipped, in 2 of 4 pictures" in found.notes[0]


def test_what_the_sample_missed_decides_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The 12th bit is in the one picture that is not looked at first."""
    monkeypatch.setattr("morphospace.data.prepare._SAMPLE", 2)
    ramps(tmp_path, 0, 900, np.uint16)
    (tmp_path / "005.tif").write_bytes(tiff(np.full((8, 8), 4000, np.uint16)))
    found = open_dataset(tmp_path)
    assert found.preparation["interpretation"]["intensity"] == {"16-bit": [0.0, 4095.0]}
    assert tops(found)[-1] == round(4000 / 4095 * 255)
    assert [note for note in found.notes if "prepared twice" in note] == [
        "the pictures were prepared twice: the 2 looked at first are not like all 10"
    ]
    assert _SAMPLE == 256


def test_numbers_that_are_none_are_transparent_and_said(tmp_path: Path) -> None:
    for i in range(COUNT):
        values = np.linspace(0, (i + 1) / COUNT, 64, dtype=np.float32).reshape(8, 8)
        values[0, 0], values[0, 1] = np.nan, np.inf
        (tmp_path / f"{i}.tif").write_bytes(tiff(values))
    found = open_dataset(tmp_path, Preparation(background="black"))
    assert (found.train.images[:, 0, :2] == 0).all()
    assert np.abs(np.array(tops(found)) - np.arange(1, COUNT + 1) * 25.5).max() <= 1
    assert "places without a number (NaN or infinity) in 10 pictures were taken for transparent" in found.notes
    assert not found.problems


def test_sixteen_bits_of_colour_keep_all_of_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(COUNT):
        values = rng.integers(0, 4096, (8, 8, 3)).astype(np.uint16)
        values[0, 0] = 4095
        (tmp_path / f"{i}.tif").write_bytes(tiff(values, photometric="rgb", compression="zlib" if i % 2 else None))
    found = open_dataset(tmp_path)
    assert found.shape == (8, 8, 3)
    assert len(np.unique(found.train.images[:])) > 200  # the upper halves alone have 16
    assert (found.train.images[:, 0, 0] == 255).all()


@pytest.mark.parametrize(
    ("values", "window"),
    [
        ([0, 1], (0, 1)),
        ([0, 200], (0, 255)),
        ([0, 4096], (0, 16383)),
        ([0, 10**6], (0, 10**6)),
        ([-5, 7], (-5, 7)),
        ([0.0, 0.25], (0, 1)),
        ([-0.005, 1.004], (0, 1)),
        ([0.0, 2.5], (0, 2.5)),
        ([3.5, 3.5], (0, 3.5)),
    ],
)
def test_a_window_follows_from_what_values_are(values: list[float], window: tuple[float, float]) -> None:
    dtype = np.int32 if all(isinstance(value, int) for value in values) else np.float64
    assert window_for(survey(np.array(values, dtype))) == Window(*window)


def test_levels_are_rounded_and_overshoots_of_half_a_level_are_no_loss() -> None:
    levels, clipped = to_levels(np.array([-0.001, 0.0, 0.5, 1.001, 1.1]), Window(0, 1))
    assert levels.tolist() == [0, 0, 128, 255, 255]
    assert clipped == 1
