"""Picture files become arrays, and arrays picture files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from morphospace.errors import FileError
from morphospace.images import fit_image, read_image, write_gif


@pytest.mark.parametrize(
    ("mode", "pixel", "expected"),
    [
        ("L", 7, [7]),
        ("1", 1, [255]),
        ("RGB", (1, 2, 3), [1, 2, 3]),
        ("RGBA", (10, 20, 30, 0), [255, 255, 255]),
        ("RGBA", (10, 20, 30, 255), [10, 20, 30]),
        ("LA", (9, 0), [255]),
        ("I;16", 65535, [255]),
        ("CMYK", (0, 255, 255, 0), [255, 0, 0]),
    ],
)
def test_pictures_of_every_mode(tmp_path: Path, mode: str, pixel: object, expected: list[int]) -> None:
    path = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    Image.new(mode, (3, 2), pixel).save(path)  # type: ignore[arg-type]
    image = read_image(path)
    assert image.shape == (2, 3, len(expected))
    assert image[0, 0].tolist() == expected


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_files_that_are_no_pictures(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"x\.png"):
        read_image(path)


def test_a_truncated_picture(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(FileError, match="ends early"):
        read_image(path)


def test_fitting_pads_with_the_border_and_keeps_the_middle() -> None:
    tall = np.full((40, 10, 3), 200, np.uint8)
    fitted = fit_image(tall, (28, 28, 1))
    assert fitted.shape == (28, 28, 1)
    assert (np.abs(fitted.astype(int) - 200) <= 1).all()
    same = np.arange(64, dtype=np.uint8).reshape(8, 8, 1)
    assert fit_image(same, (8, 8, 1)) is same


def test_gif_has_every_frame_there_and_back(tmp_path: Path) -> None:
    frames = np.stack([np.full((4, 4, 1), v, np.uint8) for v in (0, 90, 180, 250)])
    write_gif(tmp_path / "x.gif", frames, comment="seed: 1")
    with Image.open(tmp_path / "x.gif") as picture:
        assert picture.n_frames == 6  # type: ignore[attr-defined]
        assert picture.info["comment"] == b"seed: 1"
        assert picture.info["loop"] == 0


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]),
    st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.sampled_from(["crop", "pad", "fit"]),
)  # fmt: skip
def test_every_way_of_fitting_gives_the_form_and_keeps_flat_colour(
    h: int, w: int, c: int, height: int, width: int, channels: int, resize: Any
) -> None:
    flat = np.full((h, w, c), 130, np.uint8)
    found = fit_image(flat, (height, width, channels), resize)
    assert found.shape == (height, width, channels)
    assert np.abs(found.astype(int) - 130).max() <= 1


def test_crop_cuts_pad_adds_and_fit_stretches() -> None:
    half = np.zeros((20, 40, 1), np.uint8)
    half[:, 10:30] = 255
    assert (fit_image(half, (20, 20, 1), "crop") == 255).all()
    padded = fit_image(half, (40, 40, 1), "pad")
    assert (padded[10:30] == half).all()
    assert len(np.unique(padded[:10])) == 1
    stretched = fit_image(half, (20, 20, 1), "fit")
    assert 0.4 < (stretched > 128).mean() < 0.6
