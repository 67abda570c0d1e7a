"""From the bytes of a picture file to pixels: every mode and damage that files come with.

What becomes of which picture: EXIF rotation is applied; transparency lies over a background; of an animation the
first frame counts, or what is asked for; palettes, CMYK and other colour spaces become RGB; one bit becomes 0 and
255; grey stays grey; samples of other widths become 8 bits by the windows of an
:class:`~morphospace.interpretation.Interpretation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from morphospace.decoding.foreign import PICTURE_SUFFIXES, foreign_kind, numpy_samples
from morphospace.decoding.pillow import count_pages, pillow_pages, samples_of
from morphospace.decoding.samples import LARGEST_PICTURE, Images, Samples, Source, UnreadablePictureError
from morphospace.decoding.tiff import is_tiff, tiff_pages
from morphospace.errors import DataError
from morphospace.intensity import FULL, Window, kind_of, to_levels
from morphospace.interpretation import AS_BEFORE, Interpretation
from morphospace.quiet import quiet

__all__ = [
    "LARGEST_PICTURE",
    "PICTURE_SUFFIXES",
    "Images",
    "Samples",
    "Source",
    "UnreadablePictureError",
    "decode_picture",
    "foreign_kind",
    "from_pil",
    "page_count",
    "pixels_of",
    "read_samples",
    "to_pixels",
]

_LEFT_TO_PILLOW = (b"Exif\0", b"ns.adobe.com/xap", b"MPF\0")  # may turn the picture, or hold several
_GREY = 128  # of what is missing


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
    data: bytes,
    how: Interpretation = AS_BEFORE,
    *,
    near: int | None = None,
    largest: int = LARGEST_PICTURE,
    formats: tuple[str, ...] | None = None,
) -> Images:
    """The picture in the bytes of a file, uint8 (H, W, C).

    Args:
        data: a whole PNG, JPEG, GIF, WebP, TIFF, BMP, ... file.
        how: how its samples become pixels; each file by itself unless a set or a space has a rule.
        near: the longest side that will be needed. A JPEG may then be decoded at an eighth, a quarter or a
            half of its size, never below twice this side: large photographs take a fraction of the time.
        largest: the most pixels; a header that claims more is refused before anything is decoded.
        formats: the kinds of files that are read, by Pillow's names; all that it knows by default.

    Raises:
        UnreadablePictureError: for no bytes, no picture, a damaged one, or one of more pixels than ``largest``.

    Example:
        >>> import io
        >>> stream = io.BytesIO()
        >>> Image.new("1", (3, 2), 1).save(stream, "PNG")
        >>> decode_picture(stream.getvalue())[..., 0].tolist()
        [[255, 255, 255], [255, 255, 255]]
    """
    with quiet():  # Pillow warns of what is refused or mended here
        return pixels_of(read_samples(Source(data, how, 0, near, largest, formats)), how)[0]


def read_samples(source: Source) -> Samples:
    """The samples of a picture file, to be called within :func:`~morphospace.quiet.quiet`.

    Raises:
        UnreadablePictureError: see :func:`decode_picture`.
    """
    if not source.data:
        raise UnreadablePictureError("empty file")
    plain = None if source.how.channels else _plain_jpeg(source.data, source.near, source.largest)
    if plain is not None:
        return Samples(plain, plain.shape[:2])
    with _in_words(source):
        found = numpy_samples(source) if source.formats is None else None
        if found is not None:
            return found
        joins = source.how.frames in ("max", "mean")
        pages = _pages(source, None if joins else source.page)
        return _joined(pages, mean=source.how.frames == "mean") if joins else next(pages)


def page_count(data: bytes) -> int:
    """How many pages or frames the bytes of a picture file hold; 1 of what cannot be read.

    Example:
        >>> page_count(b"no picture")
        1
    """
    with quiet(), suppress(Exception):  # damaged files raise nearly anything; what is wrong is said when they are read
        return count_pages(data)
    return 1


@contextmanager
def _in_words(source: Source) -> Iterator[None]:
    """Turn what readers raise into a reason."""
    try:
        yield
    except UnreadablePictureError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadablePictureError(foreign_kind(source.data) or "not a picture") from error
    except Image.DecompressionBombError as error:
        raise UnreadablePictureError("too large: a decompression bomb") from error
    except Exception as error:  # damaged files raise nearly anything in Pillow's readers
        if kind := foreign_kind(source.data):  # which Pillow knows by name only
            raise UnreadablePictureError(kind) from error
        words = " ".join(str(error).split())[:80] or type(error).__name__
        raise UnreadablePictureError(f"damaged ({words})") from error


def _pages(source: Source, number: int | None) -> Iterator[Samples]:
    """The page of this number, or all of them."""
    wanted = None if number is None else (number,)
    try:
        yield from pillow_pages(source, wanted)
    except UnidentifiedImageError:
        if not is_tiff(source.data) or not (source.formats is None or "TIFF" in source.formats):
            raise
        yield from tiff_pages(source, wanted)


def _joined(pages: Iterator[Samples], *, mean: bool) -> Samples:
    """All pages as one, by the mean or the largest of their samples; only those of the first one's size."""
    first = next(pages)
    size = first.values.shape[:2]
    opaque = np.full((*size, 1), 255, np.uint8)

    def layers(page: Samples) -> list[NDArray[Any]]:
        found = [page.values, opaque if page.alpha is None else page.alpha[..., None]]
        return [layer.astype(np.float64) for layer in found] if mean else found

    (values, alpha), count, odd = layers(first), 1, 0
    for page in pages:
        if page.values.shape[:2] != size:
            odd += 1
            continue
        count += 1
        join = np.add if mean else np.maximum
        values, alpha = (join(before, layer) for before, layer in zip((values, alpha), layers(page), strict=True))
    if mean:
        values, alpha = values / count, np.round(alpha / count)
        values = np.round(values) if first.values.dtype.kind in "ui" else values
    shown = None if (alpha == 255).all() else alpha[..., 0].astype(np.uint8)
    remarks = (*first.remarks, *(("odd pages",) if odd else ()))
    return first._replace(values=values.astype(first.values.dtype), alpha=shown, remarks=remarks)


def pixels_of(samples: Samples, how: Interpretation) -> tuple[Images, int]:
    """What samples become, uint8 (H, W, C), and how many of them were clipped.

    Raises:
        UnreadablePictureError: for values that no rule for single files covers: below 0, or not finite.
    """
    values = samples.values
    window = _by_itself(values) if how.windows is None else how.window(kind_of(values.dtype))
    levels, clipped = to_levels(values, window)
    if samples.alpha is not None:
        levels = _over(levels, samples.alpha, how.background)
    if samples.missing is not None:
        levels = np.where(samples.missing[..., None], np.uint8(_GREY), levels)
    return levels, clipped


def _over(levels: Images, alpha: NDArray[np.uint8], background: tuple[int, int, int]) -> Images:
    """Levels over a colour; grey stays grey over grey."""
    colour = levels if levels.shape[2] == 3 else np.repeat(levels, 3, -1)
    layer = Image.fromarray(np.dstack([colour, alpha]))
    under = Image.new("RGBA", layer.size, (*background, 255))
    pixels: Images = np.array(Image.alpha_composite(under, layer).convert("RGB"))
    return pixels[..., :1].copy() if levels.shape[2] == 1 and len(set(background)) == 1 else pixels


def _by_itself(values: NDArray[Any]) -> Window:
    """The window of a single file, as version 0.1 had it."""
    kind = kind_of(values.dtype)
    if kind in ("8-bit", "16-bit"):
        return FULL[kind]
    if not np.isfinite(values).all():
        raise UnreadablePictureError('has values that are not finite; `intensity="auto"` passes over them')
    high = float(values.max())
    if values.min() < 0:
        raise UnreadablePictureError('has values below 0; `intensity="auto"`, or LOW:HIGH, says what is black')
    tops = (1.0, 255.0, 65535.0) if kind == "float" else (255.0, 65535.0)
    return Window(0.0, next((top for top in tops if high <= top), high))


def from_pil(picture: Image.Image, how: Interpretation = AS_BEFORE) -> Images:
    """One PIL image as uint8 (H, W, C): upright, opaque, 8 bits, grey or RGB."""
    return pixels_of(samples_of(picture, how), how)[0]


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
