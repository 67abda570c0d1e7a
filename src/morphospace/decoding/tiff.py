"""TIFF files that Pillow cannot read, or not without loss: many samples a pixel, wide ones, floats."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from morphospace.decoding.samples import Samples, Source, UnreadablePictureError, chosen, upright, with_gaps

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile

__all__ = ["MissingCodecError", "count_tiff_pages", "is_tiff", "is_wide", "tiff_pages"]

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_GREY, _RGB = (0, 1), 2  # photometric interpretations
_NO_ALPHA = 0  # an extra sample of which nothing is said
_BITS, _PHOTOMETRIC, _ORIENTATION, _COUNT, _EXTRA, _FORMAT = 258, 262, 274, 277, 338, 339  # tags


class MissingCodecError(UnreadablePictureError):
    """A compression that needs another package."""


def is_tiff(data: bytes) -> bool:
    """Whether a file begins as a TIFF does."""
    return data[:4] in _MAGIC


def is_wide(picture: TiffImageFile) -> bool:
    """Whether Pillow would lose samples, or bits of them."""
    tags = picture.tag_v2
    bits, photometric = tags.get(_BITS, (1,)), tags.get(_PHOTOMETRIC, 0)
    if photometric not in (*_GREY, _RGB):
        return False
    unnamed = photometric in _GREY and tags.get(_COUNT, 1) > 1 and _NO_ALPHA in tags.get(_EXTRA, (_NO_ALPHA,))
    return max(bits) > 8 or unnamed or tags.get(_FORMAT, (1,))[0] == 2


def tiff_pages(source: Source, wanted: Sequence[int] | None = None) -> Iterator[Samples]:
    """The samples of the pages ``wanted``, or of all.

    Raises:
        MissingCodecError: for a compression that neither NumPy nor Python know.
        UnreadablePictureError: for a damaged file, or one whose channels are not named.
    """
    from tifffile import TiffFile, TiffFileError

    logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what is wrong is said in an error
    try:
        with TiffFile(io.BytesIO(source.data)) as file:
            pages: Any = file.pages
            if wanted is None:
                source.check_size(pages[0].imagelength, pages[0].imagewidth, len(pages))
            for number in wanted or range(len(pages)):
                yield _page(pages, number, source)
    except UnreadablePictureError:
        raise
    except (
        TiffFileError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        OSError,
        ArithmeticError,
        RuntimeError,
    ) as error:
        if "imagecodecs" in str(error):
            words = " ".join(str(error).split("requires")[0].split()).strip("<> ")
            raise MissingCodecError(f"compressed as {words}: pip install imagecodecs reads it") from error
        raise UnreadablePictureError(f"damaged ({' '.join(str(error).split())[:80]})") from error


def count_tiff_pages(data: bytes) -> int:
    """How many pages a TIFF holds."""
    from tifffile import TiffFile

    with TiffFile(io.BytesIO(data)) as file:
        return len(file.pages)


def _page(pages: Any, number: int, source: Source) -> Samples:
    page = pages[number]
    source.check_size(page.imagelength, page.imagewidth)
    if page.axes not in ("YX", "YXS", "SYX"):
        raise UnreadablePictureError(f"a volume of axes {page.axes}: expected pages of one picture each")
    array: NDArray[Any] = page.asarray()
    values = array[..., None] if page.axes == "YX" else np.moveaxis(array, 0, -1) if page.axes == "SYX" else array
    extras, named = [int(extra) for extra in page.extrasamples], 0
    if page.photometric in _GREY and (page.samplesperpixel == 1 or 1 in extras or 2 in extras):
        named = 1
    elif page.photometric == _RGB and page.samplesperpixel >= 3:
        named = 3
    alpha = None
    clear = next((named + i for i, extra in enumerate(extras) if extra in (1, 2)), None)
    if named and clear is not None and not source.how.channels:
        values, alpha = _unmixed(values, clear, associated=extras[clear - named] == 1)
    remarks = ("extra",) if named and _NO_ALPHA in extras and not source.how.channels else ()
    picture = chosen(values, named, source.how)
    picture, alpha = (upright(a, int(page.tags.valueof(_ORIENTATION, 1))) for a in (picture, alpha))
    return with_gaps(Samples(picture, picture.shape[:2], alpha, pages=len(pages), remarks=remarks))


def _unmixed(values: NDArray[Any], clear: int, *, associated: bool) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Values and alpha; where values were multiplied by it, they are divided again."""
    full = np.iinfo(values.dtype).max if values.dtype.kind in "ui" else 1.0
    share = np.clip(values[..., clear : clear + 1] / full, 0, 1)
    if associated:
        whole = np.divide(values, share, out=np.zeros(values.shape, np.float64), where=share > 0)
        values = np.clip(whole, 0, full).round().astype(values.dtype) if values.dtype.kind != "f" else whole
    return values, np.floor(share[..., 0] * 255 + 0.5).astype(np.uint8)
