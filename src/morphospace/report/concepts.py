"""Sheets of concepts: what one does over strengths, and directions that wait for a name."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from morphospace.evenly import evenly_spaced
from morphospace.images import Images, to_pil
from morphospace.latent import Discovery
from morphospace.latent.mixtures import ATYPICAL, FEWEST_CODES
from morphospace.pictures import Picture, enlarge
from morphospace.report.sheets import FAINT, INK, captioned, font_of, strength_labels
from morphospace.space import Space

__all__ = ["STRENGTHS", "concept_sheet", "discovery_sheet", "typicality_of_edits"]

STRENGTHS = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)

_SIDE = 84
_ROWS = 6
_STRIP = (-1.5, -0.75, 0.0, 0.75, 1.5)
_MANY = 500  # codes that are moved to see where they end


def concept_sheet(space: Space, name: str, images: Images | None = None) -> Picture:
    """A row for each image: moved along a concept over ``STRENGTHS``; strength 0 is the reconstruction.

    Args:
        space: has the concept.
        name: of the concept.
        images: what to move, uint8 (N, H, W, C); six of the space's own test images as it keeps them, if left out.
    """
    if images is None:
        z, labels = _typical_codes(space, _ROWS)
    else:
        z, _, labels = space.encode(images)
    space = space.given(labels)
    moved = [space.decode(space.move(z, {name: strength})) for strength in STRENGTHS]
    rows = [enlarge(row, _SIDE) for row in np.stack(moved, 1)]
    captions = [name if len(name) < 24 else f"{name[:22]}..."] + [""] * (len(rows) - 1)
    return Picture(
        captioned(rows, captions, columns=strength_labels(STRENGTHS)), space.text(kind="concept", concept=name)
    )


def discovery_sheet(space: Space, directions: Sequence[Discovery]) -> Picture:
    """A row for each direction, from the most visible one: two images moved along it, there and back."""
    z, labels = _typical_codes(space, 2)
    told = [space] * len(z) if labels is None else [space.given(labels[i : i + 1]) for i in range(len(z))]
    steps = np.array(_STRIP, np.float32)[:, None]
    rows = [
        [enlarge(own.decode(code + steps * concept.direction), _SIDE) for code, own in zip(z, told, strict=True)]
        for concept, _ in directions
    ]
    captions = [(f"{i}  {concept.name}", f"{effect:.0f} of 255") for i, (concept, effect) in enumerate(directions, 1)]
    return Picture(_strips(rows, captions, strength_labels(_STRIP)), space.text(kind="directions"))


def typicality_of_edits(space: Space, name: str) -> NDArray[np.float64] | None:
    """The share of test images that end in the populated part of the space, for each of ``STRENGTHS``; None unknown."""
    if space.reference is None or len(space.reference) < FEWEST_CODES:
        return None
    codes = space.reference[evenly_spaced(len(space.reference), _MANY)]
    shares = [
        float((space.typicality(space.move(codes, {name: strength})) >= ATYPICAL).mean()) for strength in STRENGTHS
    ]
    return np.array(shares)


def _typical_codes(space: Space, n: int) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
    """Codes of test images from all over the space, of different labels where there are any, none far out.

    With them the labels that a space is to be told with them, if it is told any.
    """
    if space.reference is None:
        return np.zeros((1, space.latent_dim), np.float32), None
    codes = space.reference
    spreads = codes.std(0)
    inner = np.square((codes - codes.mean(0)) / np.maximum(spreads, 1e-6 * (spreads.max() or 1.0))).sum(1)
    good = np.flatnonzero(inner <= np.median(inner))
    if space.reference_labels is None:
        return codes[good[evenly_spaced(len(good), n)]], None
    kinds = np.unique(space.reference_labels[good])
    kinds = kinds[evenly_spaced(len(kinds), n)]
    places = [good[space.reference_labels[good] == kind][:n].tolist() for kind in kinds]
    turns = [place for turn in zip_longest(*places) for place in turn if place is not None]  # one of each, and again
    chosen = sorted(turns[:n], key=space.reference_labels.__getitem__)
    return codes[chosen], space.reference_labels[chosen] if space.label_names else None


def _strips(rows: Sequence[Sequence[Images]], labels: Sequence[tuple[str, str]], columns: Sequence[str]) -> Images:
    """Rows of strips beside each other, two lines of caption to the left, and what runs along each strip above it."""
    font, small, gap, between = font_of(15), font_of(13), 6, 18
    left = max(int(font.getlength(line)) for label in labels for line in label) + 28
    height, width = rows[0][0].shape[1:3]
    strip = len(columns) * (width + gap)
    size = (left + len(rows[0]) * (strip + between) - between + 6, 30 + len(rows) * (height + gap) + 6)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for i, (row, (name, fact)) in enumerate(zip(rows, labels, strict=True)):
        y = 30 + i * (height + gap)
        draw.text((12, y + height / 2 - 10), name, fill=INK, font=font, anchor="lm")
        draw.text((12, y + height / 2 + 11), fact, fill=FAINT, font=small, anchor="lm")
        for k, images in enumerate(row):
            for j, image in enumerate(images):
                x = left + k * (strip + between) + j * (width + gap)
                sheet.paste(to_pil(image), (x, y))
                if not i:
                    draw.text((x + width / 2, 16), columns[j], fill=FAINT, font=font, anchor="mm")
    return np.asarray(sheet)
