"""Picture files of every mode, and damaged ones: the expected pixels, or a reason in words."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.pictures import encoded, noise

from morphospace.decoding import LARGEST_PICTURE, UnreadablePictureError, decode_picture
from morphospace.images import fit_image

GREY = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], -1)


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def test_grey_and_colour_come_back_bit_for_bit() -> None:
    assert (decode_picture(encoded(GREY))[..., 0] == GREY).all()
    assert (decode_picture(encoded(COLOUR)) == COLOUR).all()
    for kind in ("BMP", "TIFF", "PPM"):
        assert (decode_picture(encoded(COLOUR, kind)) == COLOUR).all()


def test_one_bit_becomes_black_and_white() -> None:
    bits = np.array([[True, False, True]])
    assert decode_picture(saved(Image.fromarray(bits)))[..., 0].tolist() == [[255, 0, 255]]


def test_sixteen_bits_are_scaled_also_dark_ones() -> None:
    wide = np.array([[0, 128, 255, 257, 32896, 65535]], np.uint16)
    expected = np.floor(wide / 65535 * 255 + 0.5).astype(int).tolist()
    for kind in ("PNG", "TIFF"):
        assert decode_picture(encoded(wide, kind))[..., 0].tolist() == expected
    dark = np.array([[0, 100, 200]], np.uint16)
    assert decode_picture(encoded(dark))[..., 0].max() == 1


def test_floats_are_scaled_by_their_range() -> None:
    for top in (1.0, 255.0):
        values = np.array([[0.0, 0.5, 1.0]], np.float32) * np.float32(top)
        assert decode_picture(encoded(values, "TIFF"))[..., 0].tolist() == [[0, 128, 255]]
    with pytest.raises(UnreadablePictureError, match="not finite"):
        decode_picture(encoded(np.array([[np.nan, 1.0]], np.float32), "TIFF"))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"subsampling": 2}, {"progressive": True}])
def test_jpegs_decode_to_pillows_bits(mode: str, options: dict[str, Any]) -> None:
    for height, width in ((33, 50), (8, 8), (65, 17)):
        data = saved(Image.fromarray(noise(0, (height, width, 3))).convert(mode), "JPEG", quality=85, **options)
        with Image.open(io.BytesIO(data)) as picture:
            expected = np.asarray(picture if mode == "L" else picture.convert("RGB"))
        found = decode_picture(data)
        assert (found[..., 0] if mode == "L" else found).tolist() == expected.tolist()


def test_palettes_and_cmyk_become_rgb() -> None:
    palette = Image.fromarray(COLOUR).convert("P", palette=Image.Palette.ADAPTIVE, colors=6)
    assert (decode_picture(saved(palette)) == np.asarray(palette.convert("RGB"))).all()
    cmyk = Image.fromarray(COLOUR).convert("CMYK")
    assert (decode_picture(saved(cmyk, "TIFF")) == COLOUR).all()
    assert (
        np.abs(decode_picture(saved(cmyk.resize((48, 32)), "JPEG", quality=100)).astype(int).mean() - COLOUR.mean()) < 9
    )


def test_transparency_lies_over_white() -> None:
    layer = np.dstack([COLOUR, np.array([[0, 128, 255]] * 2, np.uint8)])
    expected = np.rint(COLOUR * (layer[..., 3:] / 255) + 255 * (1 - layer[..., 3:] / 255))
    found = decode_picture(encoded(layer))
    assert np.abs(found - expected).max() <= 1
    assert (found[:, 0] == 255).all()
    assert (found[:, 2] == COLOUR[:, 2]).all()
    grey = np.dstack([GREY, layer[..., 3]])
    assert decode_picture(saved(Image.fromarray(grey, "LA"))).shape == (2, 3, 1)
    palette = Image.fromarray(GREY).convert("P")
    hidden = decode_picture(saved(palette, transparency=int(np.asarray(palette)[0, 0])))
    assert (hidden[0, 0] == 255).all()


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.fromarray(noise(i, (8, 8))) for i in range(3)]
    for kind in ("GIF", "PNG", "TIFF"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        found = decode_picture(data)
        assert np.abs(found.mean(-1).astype(int) - noise(0, (8, 8))).max() <= 1


@pytest.mark.parametrize(
    ("orientation", "turns", "mirrored"), [(1, 0, False), (3, 2, False), (6, 3, False), (8, 1, False), (2, 0, True)]
)
def test_exif_rotation_is_applied(orientation: int, turns: int, mirrored: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = np.fliplr(COLOUR) if mirrored else np.rot90(COLOUR, turns)
    for kind in ("PNG", "TIFF"):
        assert (decode_picture(encoded(COLOUR, kind, exif=exif)) == upright).all()


def test_jpeg_at_a_fraction_of_its_size_looks_the_same() -> None:
    smooth = np.asarray(Image.fromarray(noise(0, (8, 8, 3))).resize((800, 600), Image.Resampling.BICUBIC))
    data = encoded(smooth, "JPEG", quality=95)
    small = decode_picture(data, near=64)
    assert small.shape[0] in (150, 300)
    whole = fit_image(decode_picture(data), (48, 64, 3), "crop").astype(int)
    assert np.abs(fit_image(small, (48, 64, 3), "crop") - whole).mean() < 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"hello, I am a text", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture|damaged"),
        (encoded(noise(0, (64, 64, 3)))[:-400], "ends early"),
        (encoded(noise(0, (64, 64, 3)), "JPEG")[:900], "ends early"),
        (encoded(noise(0, (64, 64)), "GIF")[:3000], "ends early"),
    ],
)
def test_what_is_no_whole_picture_has_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadablePictureError, match=reason):
        decode_picture(data)


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that claims ``side`` x ``side`` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [int(LARGEST_PICTURE**0.5) + 1, 15_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_goes_off(side: int) -> None:
    with pytest.raises(UnreadablePictureError, match="too large"):
        decode_picture(bomb(side))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "CMYK"])
def test_a_smaller_bound_and_fewer_kinds_can_be_asked_for(kind: str) -> None:
    picture = Image.fromarray(COLOUR).convert("CMYK" if kind == "CMYK" else "RGB")
    data = saved(picture, "PNG" if kind == "PNG" else "JPEG")
    assert decode_picture(data, largest=6, formats=("PNG", "JPEG")).shape == (2, 3, 3)
    with pytest.raises(UnreadablePictureError, match="too large: 3x2"):
        decode_picture(data, largest=5)
    with pytest.raises(UnreadablePictureError, match="not a picture"):
        decode_picture(encoded(COLOUR, "BMP"), formats=("PNG", "JPEG"))


SEEDS = {
    kind: encoded(noise(1, (9, 7, 3)), kind)
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO")
}


@settings(max_examples=400, deadline=None)
@given(
    kind=st.sampled_from(sorted(SEEDS)),
    cut=st.integers(0, 2000),
    changes=st.lists(st.tuples(st.integers(0, 1999), st.integers(0, 255)), max_size=8),
    tail=st.binary(max_size=20),
)
@example(kind="GIF", cut=2000, changes=[], tail=b"")
def test_a_mutated_file_is_an_image_or_a_reason(
    kind: str, cut: int, changes: list[tuple[int, int]], tail: bytes
) -> None:
    data = bytearray(SEEDS[kind][:cut])
    for place, value in changes:
        if data:
            data[place % len(data)] = value
    try:
        found = decode_picture(bytes(data) + tail)
    except UnreadablePictureError as error:
        assert error.reason
        return
    assert found.dtype == np.uint8
    assert found.ndim == 3
    assert found.shape[-1] in (1, 3)
