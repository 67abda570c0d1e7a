"""Pictures that Pillow reads, as samples: of every mode, 16 bits of colour too, and of files that end early."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError

from morphospace.decoding.samples import Samples, Source, UnreadablePictureError, chosen, upright, with_gaps
from morphospace.decoding.tiff import MissingCodecError, count_tiff_pages, is_tiff, is_wide, tiff_pages
from morphospace.interpretation import Interpretation

__all__ = ["count_pages", "pillow_pages", "samples_of"]

_STACKS = ("TIFF", "GIF", "PNG", "WEBP", "AVIF")  # kinds of files whose further pages are pictures in their own right
_ON_THEIR_SIDE = (5, 6, 7, 8)  # EXIF's orientations of which height and width change places
_END_OF_JPEG = b"\xff\xd9"
_FITS_HEADER = 2880 * 10  # bytes
_FITS_SCALE = ((b"BZERO", b"0"), (b"BSCALE", b"1"))


def pillow_pages(source: Source, wanted: Sequence[int] | None = None) -> Iterator[Samples]:
    """The samples of the pages ``wanted``, or of all.

    Raises:
        UnidentifiedImageError: if Pillow does not know the file, and nearly anything for damaged ones.
        UnreadablePictureError: for those that are too large, or end early where that is not allowed.
    """
    with _opened(source) as picture:
        source.check_size(picture.height, picture.width)
        pages = _count(picture)
        if wanted is None:
            source.check_size(picture.height, picture.width, pages)
        tiff = isinstance(picture, TiffImagePlugin.TiffImageFile)
        if tiff and not _as_before(source.how) and is_wide(cast("TiffImagePlugin.TiffImageFile", picture)):
            try:
                yield from tiff_pages(source, wanted)
                return
            except MissingCodecError:  # Pillow knows more compressions, and is asked what it can do
                if picture.mode not in ("I;16", "I", "F", "RGB", "RGBA"):
                    raise
        for number in range(pages) if wanted is None else wanted:
            if number:
                picture.seek(number)
            yield _page(source, picture, number)._replace(pages=pages)


def count_pages(data: bytes) -> int:
    """How many pages or frames a file holds, by its headers."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return _count(picture)
    except UnidentifiedImageError:
        if not is_tiff(data):
            raise
        return count_tiff_pages(data)


def _count(picture: Image.Image) -> int:
    return int(getattr(picture, "n_frames", 1)) if picture.format in _STACKS else 1


def _opened(source: Source, page: int = 0) -> Image.Image:
    picture = Image.open(io.BytesIO(source.data), formats=source.formats)
    if page:
        picture.seek(page)
    return picture


def _as_before(how: Interpretation) -> bool:
    """Whether pictures are read by Pillow alone, with what it drops, as version 0.1 did."""
    return how.windows is None and not how.channels


def _page(source: Source, picture: Image.Image, number: int) -> Samples:
    whole = picture.size
    if source.near is not None and min(whole) >= 4 * source.near:
        picture.draft(None, (2 * source.near, 2 * source.near))
    drafted, raw = picture.size != whole, "" if _as_before(source.how) else _raw_mode(picture)
    if not _loaded(picture, keep=source.how.truncated):
        if picture.format == "JPEG" and not source.data.endswith(_END_OF_JPEG):
            # Its library makes the rest grey if it is told that this was all.
            again = source._replace(data=source.data + _END_OF_JPEG)
            found = _page(again, _opened(again), 0)
            return found._replace(remarks=(*found.remarks, "cut"))
        missing = _missing(source, picture, number)
        found = _samples(source, picture, number, raw)
        missing = upright(missing, _orientation(picture))
        return found._replace(missing=missing, remarks=(*found.remarks, "cut"))
    found = _samples(source, picture, number, raw)
    if drafted:
        found = found._replace(size=whole if _orientation(picture) in _ON_THEIR_SIDE else whole[::-1])
    return found


def _samples(source: Source, picture: Image.Image, number: int, raw: str) -> Samples:
    found = samples_of(picture, source.how, _wide(source, number, raw))
    if picture.format == "FITS" and not _as_before(source.how):
        return _fits(found, source.data)
    if picture.format == "PPM" and found.values.dtype == np.int32 and not _as_before(source.how):
        return found._replace(values=found.values.astype(np.uint16))  # Pillow has spread them to 16 bits
    extra = picture.format == "TIFF" and 0 in cast("TiffImagePlugin.TiffImageFile", picture).tag_v2.get(338, ())
    return found._replace(remarks=(*found.remarks, "extra")) if extra and not source.how.channels else found


def _loaded(picture: Image.Image, *, keep: bool) -> bool:
    """Decode; False if the file ends early and what there is of it is kept."""
    try:
        picture.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        if not keep:
            raise UnreadablePictureError('ends early (`truncated="keep"` keeps what there is)') from error
        # Not Pillow's LOAD_TRUNCATED_IMAGES, which holds for all threads: what was decoded is there already.
        cast("Any", picture).tile = []
        return False
    return True


def _missing(source: Source, picture: Image.Image, number: int) -> NDArray[np.bool_]:
    """Where a file ended before its pixels: what differs if it is decoded into a picture full of ones."""
    ones = 65535 if picture.mode.startswith("I;16") else 1 if picture.mode in ("I", "F") else "white"
    again = _opened(source, number)
    cast("Any", again).im = Image.new(picture.mode, picture.size, 255 if picture.mode == "P" else ones).im
    _loaded(again, keep=True)
    differs: NDArray[np.bool_] = np.not_equal(_array(again), _array(picture)).any(-1)
    return differs


def _raw_mode(picture: Image.Image) -> str:
    """How the samples lie in the file of a picture that is not loaded yet, by Pillow's name for it."""
    tiles = cast("Any", picture).tile
    args = tiles[0].args if tiles else ""
    return args if isinstance(args, str) else str(args[0]) if args else ""


def _wide(source: Source, number: int, raw: str) -> NDArray[np.uint16] | None:
    """The samples of 16-bit colour (H, W, C), of which Pillow keeps the upper halves only; None for all else.

    They are decoded twice: once as they are, once as if the order of the two bytes were the other one.
    """
    mode, _, order = raw.partition(";")
    if mode not in ("RGB", "RGBA", "LA") or order not in ("16B", "16L", "16N"):
        return None
    big = order == "16B" or (order == "16N" and sys.byteorder == "big")

    def decoded(rawmode: str) -> NDArray[np.uint8]:
        again = cast("Any", _opened(source, number))
        again.tile = [
            tile._replace(args=rawmode if isinstance(tile.args, str) else (rawmode, *tile.args[1:]))
            for tile in again.tile
        ]
        _loaded(again, keep=source.how.truncated)
        return np.array(again)

    if mode == "LA":
        return decoded("RGBA").view(">u2").astype(np.uint16)
    upper: NDArray[np.uint16]
    lower: NDArray[np.uint16]
    upper, lower = (decoded(f"{mode};16{letter}").astype(np.uint16) for letter in ("BL" if big else "LB"))
    return upper << np.uint16(8) | lower


def samples_of(picture: Image.Image, how: Interpretation, wide: NDArray[np.uint16] | None = None) -> Samples:
    """The samples of an image of Pillow's, upright; ``wide`` are those of 16 bits that it has dropped itself."""
    values, alpha = _wide_layers(picture, wide) if wide is not None else _layers(picture, _as_before(how))
    if how.channels:
        whole = values if alpha is None else np.concatenate([values, _as_samples(alpha, values.dtype)], -1)
        values, alpha = chosen(whole, 0, how), None
    values, alpha = (upright(array, _orientation(picture)) for array in (values, alpha))
    found = Samples(values, values.shape[:2], None if alpha is None or (alpha == 255).all() else alpha)
    return found if _as_before(how) else with_gaps(found)


def _as_samples(alpha: NDArray[np.uint8], dtype: np.dtype[Any]) -> NDArray[Any]:
    samples: NDArray[Any] = alpha.astype(dtype) * dtype.type(257 if dtype == np.uint16 else 1)
    return samples[..., None]


def _orientation(picture: Image.Image) -> int:
    return int(picture.getexif().get(ExifTags.Base.Orientation, 1))


def _layers(picture: Image.Image, as_before: bool) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    """Samples (H, W, C) with C 1 or 3, and alpha or None."""
    mode, clear = picture.mode, "transparency" in picture.info
    if mode in ("L", "RGB") and not clear:
        return _array(picture), None
    if mode.startswith(("I", "F")):
        values = _array(picture)
        values = values.astype(values.dtype.newbyteorder("="))
        key = picture.info.get("transparency")
        hidden = isinstance(key, int) and not as_before
        return values, np.where(values[..., 0] == key, np.uint8(0), np.uint8(255)) if hidden else None
    if clear or mode in ("LA", "PA", "RGBA", "La", "RGBa"):
        grey = mode in ("L", "LA", "La", "1")
        picture = picture.convert("LA") if mode == "La" else picture
        layer = np.array(picture.convert("RGBA"))
        return layer[..., :1] if grey else layer[..., :3], layer[..., 3]
    return _array(picture.convert("L" if mode == "1" else "RGB")), None


def _wide_layers(picture: Image.Image, wide: NDArray[np.uint16]) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    if wide.shape[2] in (2, 4):
        return wide[..., :-1], np.floor(wide[..., -1] / 257 + 0.5).astype(np.uint8)
    key = picture.info.get("transparency")
    if not isinstance(key, tuple):
        return wide, None
    return wide, np.where((wide == np.array(key)).all(-1), np.uint8(0), np.uint8(255))


def _array(picture: Image.Image) -> NDArray[Any]:
    pixels = np.array(picture)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _fits(found: Samples, data: bytes) -> Samples:
    """The numbers that FITS means: whole ones have a sign there, a scale and a zero."""
    cards = {data[i : i + 8].strip(): data[i + 10 : i + 80].split(b"/")[0] for i in range(0, _FITS_HEADER, 80)}
    zero, scale = (float(cards.get(name, default).upper().replace(b"D", b"E")) for name, default in _FITS_SCALE)
    values = found.values
    if values.dtype == np.uint16:
        values = values.view(np.int16)
    if (zero, scale) == (32768, 1) and values.dtype == np.int16:
        values = (values.astype(np.int32) + 32768).astype(np.uint16)
    elif (zero, scale) != (0, 1):
        values = (values * scale + zero).astype(np.float32)
    planes = int(cards.get(b"NAXIS3", b"1")) > 1
    return with_gaps(found._replace(values=values, remarks=(*found.remarks, *(("planes",) if planes else ()))))
