"""Sheets of concepts: what one does over strengths, and directions that wait for a name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from morphospace.data import spread
from morphospace.images import Images
from morphospace.latent import Discovery
from morphospace.latent.mixtures import ATYPICAL
from morphospace.pictures import Picture, enlarge
from morphospace.report.sheets import captioned
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
    z = _typical_codes(space, _ROWS) if images is None else space.encode(images).mean
    moved = [space.decode(space.move(z, {name: strength} if strength else {})) for strength in STRENGTHS]
    rows = [enlarge(row, _SIDE) for row in np.stack(moved, 1)]
    labels = [name if len(name) < 24 else f"{name[:22]}..."] + [""] * (len(rows) - 1)
    columns = [f"{strength:+g}" if strength else "0" for strength in STRENGTHS]
    return Picture(captioned(rows, labels, columns=columns), space.text(kind="concept", concept=name))


def discovery_sheet(space: Space, directions: Sequence[Discovery]) -> Picture:
    """A row for each direction, from the most visible one: two images moved along it, there and back."""
    z = _typical_codes(space, 2)
    rows, labels = [], []
    for i, (concept, effect) in enumerate(directions, 1):
        steps = np.array(_STRIP, np.float32)[:, None] * concept.direction
        strips = [enlarge(space.decode(code + steps), _SIDE) for code in z]
        between = np.full_like(strips[0][:1], 255)[:, :, : _SIDE // 6]
        rows.append([*strips[0], between[0], *strips[-1]])
        labels.append(f"{i}  {concept.name}\n    changes {effect:.0f} of 255")
    return Picture(_strips(rows, labels), space.text(kind="directions"))


def typicality_of_edits(space: Space, name: str) -> NDArray[np.float64] | None:
    """The share of test images that end in the populated part of the space, for each of ``STRENGTHS``; None unknown."""
    if space.reference is None:
        return None
    codes = space.reference[spread(len(space.reference), _MANY)]
    shares = [
        float((space.typicality(space.move(codes, {name: strength} if strength else {})) >= ATYPICAL).mean())
        for strength in STRENGTHS
    ]
    return np.array(shares)


def _typical_codes(space: Space, n: int) -> NDArray[np.float32]:
    """Codes of test images from all over the space, of different labels where there are any, none far out."""
    if space.reference is None:
        return np.zeros((1, space.latent_dim), np.float32)
    codes = space.reference
    inner = np.square((codes - codes.mean(0)) / np.maximum(codes.std(0), 1e-6)).sum(1)
    good = np.flatnonzero(inner <= np.median(inner))
    if space.reference_labels is None:
        some: NDArray[np.float32] = codes[good[spread(len(good), n)]]
        return some
    kinds = np.unique(space.reference_labels[good])
    kinds = kinds[spread(len(kinds), n)]
    most = max(1, -(-n // len(kinds)))
    places = [good[space.reference_labels[good] == kind][:most] for kind in kinds]
    chosen: NDArray[np.float32] = codes[np.concatenate(places)[:n]]
    return chosen


def _strips(rows: Sequence[Sequence[Images]], labels: Sequence[str]) -> Images:
    """Rows of pictures of different widths under each other, captions to the left."""
    from PIL import Image, ImageDraw

    from morphospace.images import to_pil
    from morphospace.report.sheets import INK, font_of

    font, gap = font_of(15), 6
    lines = [line for label in labels for line in label.split("\n")]
    left = max(int(font.getlength(line)) for line in lines) + 24
    height = rows[0][0].shape[0]
    width = sum(image.shape[1] + gap for image in rows[0])
    sheet = Image.new("RGB", (left + width + 6, 10 + len(rows) * (height + gap) + 6), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (row, label) in enumerate(zip(rows, labels, strict=True)):
        y = 10 + i * (height + gap)
        draw.text((12, y + height / 2), label, fill=INK, font=font, anchor="lm", spacing=6)
        x = left
        for image in row:
            sheet.paste(to_pil(np.repeat(image, 3, -1) if image.shape[-1] == 1 else image), (x, y))
            x += image.shape[1] + gap
    return np.asarray(sheet)
