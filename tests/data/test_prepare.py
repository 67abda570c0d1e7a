"""Preparation: what becomes of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.pictures import encoded, noise, write_folder

from morphospace.data import Preparation, open_dataset
from morphospace.images import fit_image, read_image


def test_the_sizes_of_files_are_their_own_however_they_are_decoded(tmp_path: Path) -> None:
    """Large JPEGs are decoded at a part of their size, and some lie on their side."""
    for i in range(4):
        (tmp_path / f"{i}.jpg").write_bytes(encoded(noise(i, (600, 800, 3)), "JPEG"))
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(tmp_path / "3.jpg") as picture:
        picture.save(tmp_path / "3.jpg", exif=exif)
    assert open_dataset(tmp_path).preparation["sizes"] == {"800x600": 3, "600x800": 1}


def test_colour_is_chosen_by_what_the_pictures_are(tmp_path: Path) -> None:
    grey = write_folder(tmp_path / "grey", 6, (10, 10))
    for i in range(6, 12):
        (grey / f"{i}.png").write_bytes(encoded(np.repeat(noise(i, (10, 10, 1)), 3, -1)))
    assert open_dataset(grey).shape == (10, 10, 1)
    assert open_dataset(grey, Preparation(colour="colour")).shape == (10, 10, 3)
    (grey / "x.png").write_bytes(encoded(noise(99, (10, 10, 3))))
    assert open_dataset(grey).shape == (10, 10, 3)
    turned = open_dataset(grey, Preparation(colour="grey"))
    assert turned.shape == (10, 10, 1)
    assert "1 picture with colour became grey" in turned.notes[0]


@pytest.mark.parametrize("resize", ["crop", "pad", "fit"])
def test_what_is_prepared_is_what_a_single_picture_becomes(tmp_path: Path, resize: Any) -> None:
    """A space must see a file as training saw it."""
    for i in range(8):
        (tmp_path / f"{i}.jpg").write_bytes(encoded(noise(i, (90 + i, 150, 3)), "JPEG"))
    found = open_dataset(tmp_path, Preparation(size=(16, 24), resize=resize))
    alone = {fit_image(read_image(tmp_path / f"{i}.jpg", near=24), (16, 24, 3), resize).tobytes() for i in range(8)}
    assert {image.tobytes() for image in [*found.train.images, *found.test.images]} == alone


def test_arrays_take_another_form_too() -> None:
    found = open_dataset("digits", Preparation(size=(12, 10), colour="colour"))
    assert found.shape == (12, 10, 3)
    assert found.fingerprint != open_dataset("digits").fingerprint
