"""Sheets of small pictures: samples, reconstructions beside originals, edits over strengths, morphs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from morphospace.data import Dataset, examples
from morphospace.evenly import evenly_spaced
from morphospace.examples import labels_of
from morphospace.images import Images, to_pil
from morphospace.pictures import Picture, enlarge, tile
from morphospace.space import Space

__all__ = [
    "FAINT",
    "INK",
    "MOST_ROWS",
    "captioned",
    "edit_sheet",
    "example_sheet",
    "font_of",
    "morph_sheet",
    "reconstructed_tests",
    "reconstruction_sheet",
    "sample_sheet",
    "strength_labels",
]

_SIDE = 84
MOST_ROWS = 40
INK, FAINT = (32, 36, 44), (120, 126, 138)


def _colour(pixels: Images) -> Images:
    return np.repeat(pixels, 3, -1) if pixels.shape[-1] == 1 else pixels


def font_of(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font of all sheets, ``size`` pixels tall."""
    return ImageFont.load_default(size)


def captioned(rows: Sequence[Images], labels: Sequence[str], *, columns: Sequence[str] = ()) -> Images:
    """Rows of pictures with a caption to the left of each row and, optionally, above each column.

    Args:
        rows: each uint8 (N, H, W, C), enlarged already.
        labels: one for each row.
        columns: one for each column, or none.

    Returns:
        uint8 (H', W', 3) on white.
    """
    font, gap = font_of(15), 6
    height, width = rows[0].shape[1:3]
    # Measured, not guessed: names of concepts may be long.
    left = max(int(font.getlength(label)) for label in labels) + 24
    top = 30 if columns else 10
    count = max(len(row) for row in rows)
    sheet = Image.new("RGB", (left + count * (width + gap) + 6, top + len(rows) * (height + gap) + 6), "white")
    draw = ImageDraw.Draw(sheet)
    for j, text in enumerate(columns):
        middle = left + j * (width + gap) + width / 2
        draw.text((middle, top / 2 + 1), text, fill=FAINT, font=font, anchor="mm")
    for i, (row, label) in enumerate(zip(rows, labels, strict=True)):
        y = top + i * (height + gap)
        draw.text((12, y + height / 2), label, fill=INK, font=font, anchor="lm")
        for j, image in enumerate(_colour(row)):
            sheet.paste(to_pil(image), (left + j * (width + gap), y))
    return np.asarray(sheet)


def strength_labels(strengths: Sequence[float]) -> list[str]:
    """What stands above the columns of a sheet of edits.

    Example:
        >>> strength_labels((-0.5, 0.0, 1.0))
        ['-0.5', '0', '+1']
    """
    return [f"{strength:+g}" if strength else "0" for strength in strengths]


def sample_sheet(space: Space, n: int, *, seed: int, label: str | None = None) -> Picture:
    """``n`` samples, of one label or of all, as a near-square sheet.

    Of a space that is told labels, where none is given: a row for each of them, a column for each code, of about n;
    of very many labels one after the other, as of any space.
    """
    if 0 < len(space.label_names) <= MOST_ROWS and label is None and space.held is None:
        return _label_sheet(space, max(1, round(n / len(space.label_names))), seed=seed)
    images = enlarge(space.sample(n, seed=seed, label=label), _SIDE)
    columns = max(1, round(n**0.5))
    of = {} if label is None else {"label": label}
    return Picture(tile(images, columns, gap=4), space.text(kind="samples", sample_seed=seed, **of))


def _label_sheet(space: Space, columns: int, *, seed: int) -> Picture:
    codes = space.sample_points(columns, seed=seed)
    names = space.label_names
    rows = [enlarge(space.given(number).decode(codes), _SIDE) for number in range(len(names))]
    labels = [textwrap.shorten(name, 18, placeholder="...") for name in names]
    return Picture(captioned(rows, labels), space.text(kind="samples", sample_seed=seed, given="each label"))


def reconstructed_tests(space: Space, dataset: Dataset, n: int) -> Picture:
    """:func:`reconstruction_sheet` of ``n`` test images, each read as its own label where the space is told any."""
    some = dataset.test.take(evenly_spaced(len(dataset.test), n))
    return reconstruction_sheet(space.given(labels_of(space, some, dataset)), np.asarray(some.images))


def reconstruction_sheet(space: Space, images: Images, *, columns: int = 12) -> Picture:
    """Originals above what the space makes of them, in as many pairs of rows as it takes."""
    made = space.reconstruct(images)
    rows: list[Images] = []
    labels: list[str] = []
    for start in range(0, len(images), columns):
        for label, some in (("original", images), ("decoded", made)):
            rows.append(enlarge(some[start : start + columns], _SIDE))
            labels.append(label)
    return Picture(captioned(rows, labels), space.text(kind="reconstructions"))


def example_sheet(dataset: Dataset, text: dict[str, str], *, columns: int = 12, rows: int = 6) -> Picture:
    """Images from all over a data set: with labels a row for each of up to 12 kinds, else ``rows`` rows."""
    split = dataset.train
    if split.labels is None:
        images = enlarge(examples(split.images, columns * rows), _SIDE)
        return Picture(tile(images, columns, gap=4), text)
    kinds, counts = np.unique(split.labels, return_counts=True)
    shown = np.sort(kinds[np.argsort(-counts, kind="stable")][:12])
    lines, labels = [], []
    for kind in shown:
        here = np.flatnonzero(split.labels == kind)
        chosen = here[evenly_spaced(len(here), columns)]
        lines.append(enlarge(split.images[chosen], _SIDE))
        labels.append(textwrap.shorten(dataset.label_names[kind], 18, placeholder="..."))
    return Picture(captioned(lines, labels), text)


def morph_sheet(space: Space, frames: Images) -> Picture:
    """The frames of a morph side by side."""
    return Picture(tile(enlarge(frames, _SIDE), len(frames), gap=4), space.text(kind="morph"))


def edit_sheet(
    space: Space,
    images: Images,
    concepts: Sequence[str],
    *,
    strengths: Sequence[float] = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5),
) -> Picture:
    """One row for each image and concept: the original, then its edits over ``strengths``.

    Args:
        space: has the concepts.
        images: one for each concept, uint8 (N, H, W, C).
        concepts: their names.
        strengths: of the columns.
    """
    rows, labels = [], []
    for image, name in zip(images, concepts, strict=True):
        edited = [image[None], *(space.edit(image[None], {name: s}) for s in strengths)]
        rows.append(enlarge(np.concatenate(edited), _SIDE))
        labels.append(f"more {name}")
    columns = ["original", *strength_labels(strengths)]
    return Picture(captioned(rows, labels, columns=columns), space.text(kind="edits"))
