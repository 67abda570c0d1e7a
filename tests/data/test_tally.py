"""What is counted of the pictures of a set."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.pictures import noise, wide_png, write_files

from morphospace.data import Preparation, open_dataset
from morphospace.intensity import Window
from morphospace.interpretation import Interpretation

COUNT = 8


def drawn(level: int, i: int) -> bytes:
    """A drawing of one grey level on transparency, as PNG."""
    layers = np.full((8, 8, 4), level, np.uint8)
    layers[..., 3] = np.where(noise(i, (8, 8)) > 127, 255, 0)
    stream = io.BytesIO()
    Image.fromarray(layers).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("level", [0, 17, 31])
def test_dark_drawings_on_transparency_are_neither_white_nor_masks(tmp_path: Path, level: int) -> None:
    found = open_dataset(write_files(tmp_path, [drawn(level, i) for i in range(COUNT)], ".png"))
    assert {int(v) for split in (found.train, found.test) for v in np.unique(split.images)} == {level, 255}
    assert found.notes == (f"what is transparent in {COUNT} pictures became white; `background` changes that",)


def test_pictures_that_show_nothing_over_the_background_are_counted(tmp_path: Path) -> None:
    mixed = write_files(tmp_path, [drawn(255 if i < 3 else 0, i) for i in range(COUNT)], ".png")
    lost = '; {} of them are {} elsewhere, too, and show nothing: `background="#808080"`'
    assert open_dataset(mixed).notes[0].endswith("`background` changes that" + lost.format(3, "white"))
    black = open_dataset(mixed, Preparation(background="black"))
    assert black.notes[0].endswith("became black; `background` changes that" + lost.format(5, "black"))
    grey = open_dataset(mixed, Preparation(background="#808080"))
    assert grey.notes[0].endswith("became #808080; `background` changes that")
    assert {int(v) for v in np.unique(grey.train.images)} == {0, 128, 255}


def test_later_pictures_that_a_space_makes_dark_or_empty_are_said(tmp_path: Path) -> None:
    how = Interpretation(windows={"8-bit": Window(0, 255)}, background=(255, 255, 255))
    write_files(tmp_path, [wide_png(noise(i, (8, 8, 1)).astype(np.uint16) * 16) for i in range(COUNT)], ".png")
    (words,) = open_dataset(tmp_path, Preparation(interpretation=how)).notes
    assert words.startswith(f"{COUNT} pictures with 16-bit values, of which the space knows none: 0 is taken for black")
    assert words.endswith("none is above 4,080, so that they are nearly black: save them with 8 bits for this space")
    write_files(tmp_path, [drawn(255 if i < 3 else 0, i) for i in range(COUNT)], ".png")
    assert open_dataset(tmp_path, Preparation(interpretation=how)).notes == (
        f"what is transparent in {COUNT} pictures became white, as the space has it; 3 of them are white elsewhere, "
        "too, and show nothing",
    )
