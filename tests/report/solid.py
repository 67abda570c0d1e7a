"""A space whose pictures are known beforehand, and ways to find them again on a sheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from morphospace.codec import Encoding
from morphospace.data import Dataset, Split
from morphospace.latent import Concept
from morphospace.pictures import Picture
from morphospace.recipes import build_model, changed, find_recipe
from morphospace.report.sheets import INK, font_of
from morphospace.space import Space

SHAPE = (8, 8, 1)
LEVELS, LABELS = [40, 44, 48, 52, 56, 160, 164, 168, 172, 176], [1] * 5 + [3] * 5
NAMES = ["none", "dark", "no image", "light"]

Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]


class SolidSpace(Space):
    """Solid pictures: the first latent is the grey level, 0 to 255, the second one does nothing.

    What it decodes is lighter by ``loss`` levels: what a model loses.
    """

    loss = 0

    def encode(self, images: object, labels: object = None) -> Encoding:
        levels = self.prepare(images).mean((1, 2, 3), dtype=np.float32)
        return Encoding(np.stack([levels, 0 * levels], 1), None)

    def decode_batches(self, points: Iterable[object], **_: Any) -> Iterator[NDArray[Any]]:
        for some in points:
            yield self.decode(some)

    def decode(self, z: object, **_: Any) -> NDArray[Any]:
        return solid((self.points(z)[:, 0].round() + self.loss).clip(0, 255).astype(np.uint8))


def solid_space(*, loss: int = 0, **more: Any) -> SolidSpace:
    """Such a space with a concept "lighter": strength 1 is 20 grey levels."""
    recipe = changed(find_recipe("quick"), {"encoder_widths": "4", "decoder_widths": "4"})
    lighter = Concept(name="lighter", direction=np.array([20, 0], np.float32))
    space = SolidSpace(build_model(recipe, SHAPE, seed=0), recipe, SHAPE, concepts={"lighter": lighter}, **more)
    space.loss = loss
    return space


def solid(levels: Sequence[int] | NDArray[np.integer]) -> Pixels:
    """A solid picture for each level, (N, 8, 8, 1)."""
    return np.broadcast_to(np.asarray(levels, np.uint8)[:, None, None, None], (len(levels), *SHAPE)).copy()


def solid_set(levels: Sequence[int], labels: Sequence[int], names: Sequence[str], **more: Any) -> Dataset:
    """A set whose training and test images are both of ``levels``, with labels by number."""
    split = Split(solid(levels), np.asarray(labels, np.int64))
    return Dataset("greys", split, split, tuple(names), **more)


class Box(NamedTuple):
    """Where a picture is on a sheet, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


def grey(picture: Picture | Pixels) -> Pixels:
    """A sheet as (H, W), -1 where it is coloured: letters are, pictures are not."""
    pixels = picture if isinstance(picture, np.ndarray) else picture.pixels
    first = pixels[..., 0].astype(np.int64)
    return np.where((pixels == pixels[..., :1]).all(-1), first, -1)


def box_of(picture: Picture | Pixels, level: int) -> Box:
    """The box that the one solid picture of this level fills."""
    there = grey(picture) == level
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    assert len(rows), f"no picture of level {level}"
    box = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    assert there[box.top : box.bottom, box.left : box.right].all(), f"level {level} is in several places, or cut"
    return box


def levels_of(picture: Picture | Pixels, box: Box, step: int, count: int) -> list[int]:
    """The levels in the middle of ``count`` pictures in a row, the first in ``box``, each ``step`` pixels farther."""
    middle = (box.top + box.bottom) // 2
    start = (box.left + box.right) // 2
    return [int(grey(picture)[middle, start + i * step]) for i in range(count)]


def reads(
    picture: Picture | Pixels,
    words: str,
    place: tuple[float, float],
    *,
    size: int = 15,
    colour: tuple[int, int, int] = INK,
    anchor: str = "lm",
) -> bool:
    """Whether a sheet has these words, and no others, at this place."""
    pixels = picture if isinstance(picture, np.ndarray) else picture.pixels
    blank = Image.new("RGB", (pixels.shape[1], pixels.shape[0]), "white")
    draw = ImageDraw.Draw(blank)
    draw.text(place, words, fill=colour, font=font_of(size), anchor=anchor)
    expected = np.asarray(blank)
    left, top, right, bottom = (round(edge) for edge in draw.textbbox(place, words, font_of(size), anchor=anchor))
    return bool((expected[top:bottom, left:right] == pixels[top:bottom, left:right]).all())


def text_of(page: Path) -> str:
    """The words of a page, without its tags."""
    return unescape(re.sub("<[^>]*>", " ", page.read_text(encoding="utf-8")))
