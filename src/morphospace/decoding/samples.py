"""What a picture file holds before anything is decided: samples, as many and as wide as they are."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import FileError
from morphospace.interpretation import Interpretation

__all__ = ["LARGEST_PICTURE", "Images", "Samples", "Source", "UnreadablePictureError", "chosen", "upright", "with_gaps"]

Images: TypeAlias = NDArray[np.uint8]
"""uint8 (N, H, W, C), C 1 (grey) or 3 (colour)."""

LARGEST_PICTURE = 100_000_000
"""Pixels; a file that claims more is taken for a decompression bomb."""

_STACK = 16  # times as many pixels may all pages of a file have that become one picture


class UnreadablePictureError(FileError):
    """A file that is no picture, or a damaged one; ``reason`` says which in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Source(NamedTuple):
    """The bytes of a picture file, and how they are to be read.

    Attributes:
        data: the whole file.
        how: which channels and frames, and what becomes of a cut file.
        page: the page to read, where ``how`` does not join them all.
        near: the longest side that will be needed, or None.
        largest: the most pixels.
        formats: the kinds of files, by Pillow's names; None for all.
    """

    data: bytes
    how: Interpretation
    page: int = 0
    near: int | None = None
    largest: int = LARGEST_PICTURE
    formats: tuple[str, ...] | None = None

    def check_size(self, height: int, width: int, pages: int = 1) -> None:
        """Refuse what claims too many pixels, before anything is decoded."""
        if height * width > self.largest:
            raise UnreadablePictureError(f"too large: {width}x{height} pixels")
        if height * width * pages > _STACK * self.largest:
            raise UnreadablePictureError(f"too large: {pages} pages of {width}x{height} pixels as one picture")


class Samples(NamedTuple):
    """The samples of one picture.

    Attributes:
        values: numbers (H, W, C), C 1 (grey) or 3 (colour).
        size: the picture's own (H, W), which may be more than what was decoded of it.
        alpha: uint8 (H, W), 0 where the picture is transparent; None where it is nowhere.
        missing: bool (H, W), True where the file ended before it; None where it did not.
        pages: of the file.
        remarks: what is unusual about it, as keys of :mod:`morphospace.data.tally`.
    """

    values: NDArray[Any]
    size: tuple[int, int]
    alpha: NDArray[np.uint8] | None = None
    missing: NDArray[np.bool_] | None = None
    pages: int = 1
    remarks: tuple[str, ...] = ()


def chosen(values: NDArray[Any], named: int, how: Interpretation) -> NDArray[Any]:
    """The samples (H, W, C) that ``how`` asks for, or the first ``named`` ones, which the file says are the picture.

    Raises:
        UnreadablePictureError: if the file does not say which they are (``named`` is 0), or has too few.
    """
    count = values.shape[2]
    if how.channels:
        if max(how.channels) >= count:
            asked = ",".join(str(place + 1) for place in how.channels)
            has = "1 channel" if count == 1 else f"{count} channels"
            raise UnreadablePictureError(f"{has}: `channels` asks for {asked}")
        return values[..., list(how.channels)]
    if not named:
        colours = ", or which are red, green and blue, `channels=(1, 2, 3)`" if count > 2 else ""
        raise UnreadablePictureError(f"{count} channels: say which is grey, `channels=(1,)`{colours}")
    return values[..., :named]


def with_gaps(found: Samples) -> Samples:
    """Samples of which those that are no numbers, NaN and infinity, are transparent."""
    values = found.values
    if values.dtype.kind != "f" or (finite := np.isfinite(values)).all():
        return found
    there = finite.all(-1)
    alpha = np.where(there, np.uint8(255) if found.alpha is None else found.alpha, np.uint8(0)).astype(np.uint8)
    values = np.where(there[..., None], values, 0).astype(values.dtype)
    return found._replace(values=values, alpha=alpha, remarks=(*found.remarks, "gaps"))


_TURNS: dict[int, tuple[int, bool]] = {  # by orientation: quarter turns to the left, and whether mirrored before
    2: (0, True), 3: (2, False), 4: (2, True), 5: (1, True), 6: (3, False), 7: (3, True), 8: (1, False),
}  # fmt: skip


def upright(array: Any, orientation: int) -> Any:
    """An array (H, W, ...) turned by EXIF's orientation; None stays None.

    Example:
        >>> upright(np.array([[1, 2]]), 6).tolist()
        [[1], [2]]
    """
    turns, mirrored = _TURNS.get(orientation, (0, False))
    if array is None or not (turns or mirrored):
        return array
    return np.ascontiguousarray(np.rot90(array[:, ::-1] if mirrored else array, turns))
