"""From the bytes of a picture file to pixels: every mode and damage that files come with.

What becomes of which picture: EXIF rotation is applied; transparency lies over white; of an animation the
first frame counts; 16 bits become 8 by scaling; palettes, CMYK and other colour spaces become RGB; one bit
becomes 0 and 255; grey stays grey.
"""

from __future__ import annotations

import io
from typing import Any, TypeAlias

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from morphospace.errors import DataError, FileError
from morphospace.quiet import quiet

__all__ = [
    "LARGEST_PICTURE",
    "Images",
    "UnreadablePictureError",
    "decode_picture",
    "decode_quietly",
    "from_pil",
    "to_pixels",
]

Images: TypeAlias = NDArray[np.uint8]
"""uint8 (N, H, W, C), C 1 (grey) or 3 (colour)."""

LARGEST_PICTURE = 100_000_000
"""Pixels; a file that claims more is taken for a decompression bomb."""

_ON_THEIR_SIDE = (5, 6, 7, 8)  # EXIF's orientations of which height and width change places
_LEFT_TO_PILLOW = (b"Exif\0", b"ns.adobe.com/xap", b"MPF\0")  # may turn the picture, or hold several


class UnreadablePictureError(FileError):
    """A file that is no picture, or a damaged one; ``reason`` says which in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def to_pixels(values: NDArray[np.floating[Any]]) -> Images:
    """Floats in [0, 1] to uint8, clipped and rounded, never wrapped (law 8).

    Raises:
        DataError: if a value is NaN.

    Example:
        >>> to_pixels(np.array([-0.1, 0.5, 1.7])).tolist()
        [0, 128, 255]
    """
    if np.isnan(values).any():
        raise DataError("cannot turn NaN into a pixel: the model or the latents are not finite.")
    pixels: Images = np.floor(np.clip(values, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return pixels


def decode_picture(
    data: bytes, *, near: int | None = None, largest: int = LARGEST_PICTURE, formats: tuple[str, ...] | None = None
) -> Images:
    """The picture in the bytes of a file, uint8 (H, W, C).

    Args:
        data: a whole PNG, JPEG, GIF, WebP, TIFF, BMP, ... file.
        near: the longest side that will be needed. A JPEG may then be decoded at an eighth, a quarter or a
            half of its size, never below twice this side: large photographs take a fraction of the time.
        largest: the most pixels; a header that claims more is refused before anything is decoded.
        formats: the kinds of files that are read, by Pillow's names; all that it knows by default.

    Raises:
        UnreadablePictureError: for no bytes, no picture, a damaged one, or one of more pixels than ``largest``.

    Example:
        >>> stream = io.BytesIO()
        >>> Image.new("1", (3, 2), 1).save(stream, "PNG")
        >>> decode_picture(stream.getvalue())[..., 0].tolist()
        [[255, 255, 255], [255, 255, 255]]
    """
    with quiet():  # Pillow warns of what is refused or mended here
        return decode_quietly(data, near=near, largest=largest, formats=formats)[0]


def decode_quietly(
    data: bytes, *, near: int | None = None, largest: int = LARGEST_PICTURE, formats: tuple[str, ...] | None = None
) -> tuple[Images, tuple[int, int]]:
    """:func:`decode_picture` for many pictures, to be called within :func:`~morphospace.quiet.quiet`.

    Beside the pixels comes the (H, W) of the picture itself, which with ``near`` may have more of them.
    """
    if not data:
        raise UnreadablePictureError("empty file")
    plain = _plain_jpeg(data, near, largest)
    if plain is not None:
        return plain, plain.shape[:2]
    try:
        with Image.open(io.BytesIO(data), formats=formats) as picture:
            if picture.width * picture.height > largest:
                raise UnreadablePictureError(f"too large: {picture.width}x{picture.height} pixels")
            whole = picture.size
            if near is not None and min(whole) >= 4 * near:
                picture.draft(None, (2 * near, 2 * near))
            turned = picture.getexif().get(ExifTags.Base.Orientation, 1) in _ON_THEIR_SIDE
            return from_pil(picture), whole if turned else whole[::-1]
    except UnreadablePictureError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadablePictureError("not a picture") from error
    except Image.DecompressionBombError as error:
        raise UnreadablePictureError("too large: a decompression bomb") from error
    except Exception as error:  # damaged files raise nearly anything in Pillow's readers
        words = " ".join(str(error).split())[:80] or type(error).__name__
        raise UnreadablePictureError(f"damaged ({words})") from error


def _plain_jpeg(data: bytes, near: int | None, largest: int) -> Images | None:
    """The pixels of an ordinary JPEG, at a quarter of Pillow's cost and equal to its bits; None leaves it to Pillow.

    Small pictures cost Pillow more in objects than in decoding, and a hundred thousand of them are a minute's half.
    """
    if not data.startswith(b"\xff\xd8") or any(mark in data for mark in _LEFT_TO_PILLOW):
        return None
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data)
        small = near is None or min(int(height), int(width)) < 4 * near
        if space not in ("Gray", "YCbCr", "RGB") or not small or int(height) * int(width) > largest:
            return None
        pixels: Images = simplejpeg.decode_jpeg(data, "GRAY" if space == "Gray" else "RGB")
    except ValueError:  # damaged, or of a rare kind: Pillow mends it or says what is wrong
        return None
    return pixels


def from_pil(picture: Image.Image) -> Images:
    """One PIL image as uint8 (H, W, C): upright, opaque, 8 bits, grey or RGB."""
    if picture.mode in ("L", "RGB") and "transparency" not in picture.info and not picture.getexif():
        return _array(picture)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")):
        return _from_wide(picture)
    if "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info:
        grey = picture.mode in ("L", "LA", "La", "1")
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, layer).convert("RGB")
        return _array(picture)[..., :1].copy() if grey else _array(picture)
    return _array(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))


def _array(picture: Image.Image) -> Images:
    pixels = np.array(picture)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _from_wide(picture: Image.Image) -> Images:
    """Grey values of 16 or 32 bits, or floats, by the range that the mode or the values say."""
    values = np.asarray(picture, np.float64)
    if not np.isfinite(values).all() or values.min() < 0:
        raise UnreadablePictureError("damaged (values below 0 or not finite)")
    if picture.mode.startswith("I;16"):
        white = 65535.0
    else:
        white = next((top for top in (1.0, 255.0, 65535.0) if values.max() <= top), float(values.max()))
        if picture.mode == "I" and white == 1.0:
            white = 255.0
    return to_pixels(values / white)[..., None]
