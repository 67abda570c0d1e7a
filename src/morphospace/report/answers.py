"""Sheets that answer a question: an analogy, the nearest images, the outliers of a set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from morphospace.images import Images, to_pil
from morphospace.latent.mixtures import ATYPICAL
from morphospace.pictures import Picture, enlarge
from morphospace.report.sheets import FAINT, INK, font_of
from morphospace.space import Space

__all__ = [
    "Line",
    "Suspect",
    "analogy_sheet",
    "blank_page",
    "neighbor_sheet",
    "outlier_sheet",
    "place_image",
    "write_lines",
]

_LARGE, _SMALL, _SIDE, _QUERY = 196, 84, 132, 252
_MARGIN, _GAP = 20, 14
_LINE, _SIZE = 18, 13  # pixels a line, and of its letters
_WIDEST, _MOST_COLUMNS = 1280, 8
_WARN, _EDGE = (176, 58, 32), (222, 225, 230)
_HEAD = 38


class Suspect(NamedTuple):
    """An image that may be an outlier: its name, its two scores, and which of them give it away."""

    name: str
    nats: float
    typicality: float
    badly_reconstructed: bool
    in_an_empty_region: bool


class Line(NamedTuple):
    """One line of a caption."""

    text: str
    colour: tuple[int, int, int] = FAINT


def blank_page(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A white page of so many pixels, and what draws on it."""
    page = Image.new("RGB", (width, height), "white")
    return page, ImageDraw.Draw(page)


def _fitting(text: str, width: float) -> str:
    """As much of ``text`` as fits into so many pixels: its beginning, but of a path the end, which says most."""
    font, path = font_of(_SIZE), "/" in text
    shown = text
    while text and font.getlength(shown) > width:
        text = text[1:] if path else text[:-1]
        shown = f"...{text}" if path else f"{text.rstrip()}..."
    return shown


def write_lines(draw: ImageDraw.ImageDraw, place: tuple[float, float], lines: Sequence[Line], width: float) -> None:
    """Lines below each other from ``place``, each cut to ``width``."""
    for i, line in enumerate(lines):
        at = place[0], place[1] + (i + 0.5) * _LINE
        draw.text(at, _fitting(line.text, width), fill=line.colour, font=font_of(_SIZE), anchor="lm")


def place_image(page: Image.Image, image: Images, x: int, y: int) -> None:
    """A picture within a hairline, without which white ones would have no end."""
    height, width = image.shape[:2]
    ImageDraw.Draw(page).rectangle((x - 1, y - 1, x + width, y + height), outline=_EDGE)
    page.paste(to_pil(image), (x, y))


def _arrow(draw: ImageDraw.ImageDraw, left: float, right: float, y: float) -> None:
    draw.line([(left, y), (right - 6, y)], fill=FAINT, width=2)
    draw.polygon([(right, y), (right - 10, y - 6), (right - 10, y + 6)], fill=FAINT)


def _colour(warns: bool) -> tuple[int, int, int]:
    return _WARN if warns else FAINT


def _columns(width: int, count: int) -> int:
    """As many as fit, in rows of about one length."""
    most = max(1, min(count, _MOST_COLUMNS, _WIDEST // (width + _GAP)))
    return -(-count // -(-count // most))


def _gallery(stacks: Sequence[Images], captions: Sequence[Sequence[Line]]) -> Image.Image:
    """Stacks of pictures (K, H, W, C), enlarged already, side by side in rows, each above its lines."""
    height, width = stacks[0].shape[1:3]
    columns = _columns(width, len(stacks))
    inner = 4
    tall = len(stacks[0]) * (height + inner) + max(len(lines) for lines in captions) * _LINE + _GAP
    rows = -(-len(stacks) // columns)
    page, draw = blank_page(columns * (width + _GAP) - _GAP + 2, rows * tall - _GAP + 1)
    for i, (stack, lines) in enumerate(zip(stacks, captions, strict=True)):
        x, y = 1 + i % columns * (width + _GAP), 1 + i // columns * tall
        for j, image in enumerate(stack):
            place_image(page, image, x, y + j * (height + inner))
        write_lines(draw, (x, y + len(stack) * (height + inner)), lines, width)
    return page


def analogy_sheet(space: Space, images: Images, answer: Images, captions: Sequence[str], typicality: float) -> Picture:
    """A to B as C to the answer, in two rows; beside A, B and C, small, what the space makes of them.

    Args:
        space: decodes.
        images: A, B and C, uint8 (3, H, W, C).
        answer: uint8 (1, H, W, C).
        captions: what A, B and C are.
        typicality: of the answer's place, red where it is atypical; NaN where unknown.
    """
    large, small = enlarge(np.concatenate([images, answer]), _LARGE), enlarge(space.reconstruct(images), _SMALL)
    height, width = large.shape[1:3]
    beside = max(small.shape[2], round(font_of(_SIZE).getlength("decoded")))
    cell, arrow = width + 10 + beside, 84
    tall = height + 4 + 2 * _LINE + _GAP
    page, draw = blank_page(2 * (_MARGIN + cell) + arrow, 2 * (_MARGIN + tall) - _GAP)
    verdict = Line("" if typicality != typicality else f"typicality {typicality:.2g}", _colour(typicality < ATYPICAL))
    lines = [[Line(name, INK), Line(text)] for name, text in zip("ABC", captions, strict=True)]
    for i, below in enumerate([*lines, [Line("answer", INK), verdict]]):
        x, y = _MARGIN + i % 2 * (cell + arrow), _MARGIN + i // 2 * tall
        place_image(page, large[i], x, y)
        write_lines(draw, (x, y + height + 4), below, cell)
        if i < len(small):
            top = y + height - small.shape[1]
            place_image(page, small[i], x + width + 10, top)
            write_lines(draw, (x + width + 10, top - _LINE - 2), [Line("decoded")], beside)
    for y in (_MARGIN, _MARGIN + tall):
        _arrow(draw, _MARGIN + cell + 20, _MARGIN + cell + arrow - 20, y + height / 2)
    return Picture(np.asarray(page), space.text(kind="analogy"))


def neighbor_sheet(
    space: Space, image: Images, found: Images, captions: Sequence[Sequence[str]], title: str, name: str
) -> Picture:
    """The image asked about, large, and beside it those that lie nearest, nearest first.

    Args:
        space: where it is from.
        image: uint8 (1, H, W, C).
        found: the neighbours, uint8 (n, H, W, C).
        captions: the lines below each of them.
        title: above all.
        name: of the image.
    """
    query = enlarge(image, _QUERY)[0]
    lines = [[Line(text, FAINT if i else INK) for i, text in enumerate(some)] for some in captions]
    gallery = _gallery([one[None] for one in enlarge(found, _SIDE)], lines)
    left = _MARGIN + query.shape[1] + 2 * _GAP
    height = max(query.shape[0] + 4 + 2 * _LINE, gallery.height)
    wide = max(left + gallery.width, _MARGIN + round(font_of(15).getlength(title)))
    page, draw = blank_page(wide + _MARGIN, _HEAD + height + _MARGIN)
    draw.text((_MARGIN, _HEAD / 2 + 2), title, fill=INK, font=font_of(15), anchor="lm")
    place_image(page, query, _MARGIN, _HEAD)
    write_lines(draw, (_MARGIN, _HEAD + query.shape[0] + 4), [Line(name, INK)], query.shape[1])
    page.paste(gallery, (left, _HEAD - 1))
    return Picture(np.asarray(page), space.text(kind="neighbors"))


def outlier_sheet(space: Space, images: Images, suspects: Sequence[Suspect], title: str, against: str) -> Picture:
    """Each image above what the space makes of it; the figure that gives it away is red.

    Args:
        space: reconstructs.
        images: uint8 (n, H, W, C).
        suspects: what is known of each.
        title: above all.
        against: the images that they were compared with, in words.
    """
    both = np.stack([enlarge(images, _SIDE), enlarge(space.reconstruct(images), _SIDE)], 1)  # (n, 2, H, W, C)
    captions = []
    for name, nats, typicality, badly, empty in suspects:
        figure = f"{nats:,.0f}" if abs(nats) < 1e7 else f"{nats:.2g}"
        lines = [Line(name, INK), Line(f"{figure} nats", _colour(badly))]
        if typicality == typicality:
            lines.append(Line(f"typicality {typicality:.2g}", _colour(empty)))
        captions.append(lines)
    gallery = _gallery(list(both), captions)
    key = [
        Line(f"each above its reconstruction, worst first; fewer than 1 % of {against} are as bad where "),
        Line("nats", _WARN), Line(" (badly reconstructed) or "), Line("typicality", _WARN),
        Line(" (in an empty region) is red"),
    ]  # fmt: skip
    lengths = [font_of(_SIZE).getlength(line.text) for line in key]
    wide = max(gallery.width, round(font_of(15).getlength(title)), round(sum(lengths)))
    page, draw = blank_page(wide + 2 * _MARGIN, _HEAD + _LINE + gallery.height + _MARGIN)
    draw.text((_MARGIN, _HEAD / 2 + 2), title, fill=INK, font=font_of(15), anchor="lm")
    for line, before in zip(key, np.cumsum([0, *lengths]), strict=False):
        write_lines(draw, (_MARGIN + before, _HEAD - 8), [line], wide)
    page.paste(gallery, (_MARGIN - 1, _HEAD + _LINE - 1))
    return Picture(np.asarray(page), space.text(kind="outliers"))
