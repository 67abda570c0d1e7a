"""Pictures that show and save themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morphospace.errors import ArgumentError
from morphospace.pictures import Film, Picture, enlarge, tile


def test_tiles_and_enlarging() -> None:
    images = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1).repeat(2, 1).repeat(2, 2)
    sheet = tile(images, 3, gap=1, background=9)
    assert sheet.shape == (5, 8, 1)
    assert sheet[0, 3, 0] == 1
    assert sheet[2, 0, 0] == 9
    assert sheet[3, 6, 0] == 9
    assert enlarge(images, 8).shape == (5, 8, 8, 1)
    assert enlarge(images, 1) is images


def test_pictures_show_and_save_themselves(tmp_path: Path) -> None:
    picture = Picture(np.zeros((4, 4, 1), np.uint8), {"seed": "1"})
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert np.asarray(picture).shape == (4, 4, 1)
    film = Film(np.zeros((3, 4, 4, 1), np.uint8), np.zeros((3, 2), np.float32))
    assert "data:image/gif" in film._repr_html_()
    assert film.save(tmp_path / "strip.png", side=8).exists()
    for bad in (picture, film):
        with pytest.raises(ArgumentError, match="ends in"):
            bad.save(tmp_path / "x.bmp")
