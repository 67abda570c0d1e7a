"""A sheet of each latent by itself: what changes when it alone moves over its range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from morphospace.evaluate.latents import LatentFigures
from morphospace.images import Images
from morphospace.pictures import Picture, enlarge
from morphospace.report.answers import Line, blank_page, place_image, write_lines
from morphospace.report.sheets import FAINT, INK, font_of
from morphospace.space import Space

__all__ = ["Walk", "traversal_sheet", "walk_latents"]

Points = NDArray[np.float32]

_DEVIATIONS = 3.0  # of the prior, to each side
_EDGE = 0.01  # the share of codes left out on each side
_SIDE, _MARGIN, _GAP, _LINE = 84, 20, 6, 18
_RULE, _BAR = 16, 72  # pixels of the line below a row, and of the longest bar
_KEY = "those first that tell most of an image; a dot marks where the latent itself stands"
_ACCENT, _PALE = (59, 111, 212), (222, 225, 230)


class Walk(NamedTuple):
    """How latents are moved.

    Attributes:
        base: (d,) where all the others stay.
        start: what that is, in words.
        values: (d, steps) over which each latent moves.
        columns: what each step is, in a few signs.
        range: the same in words.
    """

    base: Points
    start: str
    values: Points
    columns: tuple[str, ...]
    range: str

    def points(self, latents: Sequence[int]) -> Points:
        """(L, steps, d): for each of ``latents``, places from 0, the base with that latent at each of its values."""
        points = np.tile(self.base, (len(latents), len(self.columns), 1))
        for row, latent in enumerate(latents):
            points[row, :, latent] = self.values[latent]
        return points


def walk_latents(space: Space, image: Images | None = None, *, name: str = "", steps: int = 9) -> Walk:
    """How each latent moves by itself: from -3 to 3 standard deviations of the prior, or over the quantiles of codes.

    Args:
        space: says which, by where its samples come from.
        image: uint8 (1, H, W, C) from whose code to start; else from the middle of the prior, or of the codes.
        name: of the image.
        steps: how many places on the way, >= 2.
    """
    codes = None if space.samples_prior and space.has_prior else space.reference
    if image is not None:
        base, start = space.encode(image).mean[0], f"the code of {name}" if name else "the image's code"
    elif codes is None:
        base, start = np.zeros(space.latent_dim, np.float32), "the middle of the prior"
    else:
        base, start = codes.mean(0), "the mean of the test images' codes"
    if codes is None:
        deviations = np.linspace(-_DEVIATIONS, _DEVIATIONS, steps, dtype=np.float32)
        columns = tuple(f"{value:+.3g}" if abs(value) > 1e-6 else "0" for value in deviations)
        words = f"from -{_DEVIATIONS:g} to {_DEVIATIONS:g} standard deviations of the prior"
        return Walk(base, start, np.tile(deviations, (space.latent_dim, 1)), columns, words)
    shares = np.linspace(_EDGE, 1 - _EDGE, steps)
    values = np.quantile(codes, shares, axis=0).T.astype(np.float32)
    words = f"over the test images' codes, from the {100 * _EDGE:g} % to the {100 - 100 * _EDGE:g} % quantile"
    return Walk(base, start, values, tuple(f"{100 * share:.0f} %" for share in shares), words)


def traversal_sheet(
    space: Space, walk: Walk, latents: Sequence[int], figures: LatentFigures, image: Images | None = None
) -> Picture:
    """One row a latent: ``walk.base`` with that latent moved over its range, and a dot where it stands itself.

    Args:
        space: decodes.
        walk: how latents move.
        latents: their places, from 0, in the order of the rows.
        figures: what each latent carries.
        image: uint8 (1, H, W, C) of which ``walk.base`` is the code, shown above with what the space makes of it.
    """
    steps = len(walk.columns)
    decoded = enlarge(space.decode(walk.points(latents).reshape(-1, space.latent_dim)), _SIDE)
    rows = decoded.reshape(len(latents), steps, *decoded.shape[1:])
    height, width = rows.shape[2:4]
    captions = [_caption(latent, figures) for latent in latents]
    letters = [font_of(13).getlength(line.text) for lines in captions for line in lines]
    left = _MARGIN + 16 + round(max(_BAR, *letters))
    title = f"each latent by itself, {walk.range}; all others stay at {walk.start}"
    head = _MARGIN + 2 * _LINE
    top = head + _LINE // 2 + (0 if image is None else height + _LINE + 2 * _GAP)
    tall = height + _RULE + _GAP
    wide = max(left + steps * (width + _GAP), _MARGIN + round(font_of(15).getlength(title)))
    page, draw = blank_page(wide + _MARGIN, top + _LINE + len(rows) * tall + _MARGIN // 2)
    draw.text((_MARGIN, _MARGIN), title, fill=INK, font=font_of(15), anchor="lm")
    write_lines(draw, (_MARGIN, _MARGIN + _LINE // 2), [Line(_KEY)], wide)
    centres = left + width / 2 + np.arange(steps) * (width + _GAP)
    if image is not None:
        both = enlarge(np.concatenate([image, space.reconstruct(image)]), _SIDE)
        for i, one in enumerate(both):
            place_image(page, one, left + i * (width + _GAP), head)
        _centred(draw, centres, head + height + 10, ("image", "decoded"))
    _centred(draw, centres, top + _LINE / 2 - 2, walk.columns)
    carried = figures.variances if figures.kl is None else figures.kl
    for i, (latent, row) in enumerate(zip(latents, rows, strict=True)):
        y = top + _LINE + i * tall
        write_lines(draw, (_MARGIN, y + height / 2 - 1.5 * _LINE), captions[i], left - _MARGIN)
        _bar(draw, _MARGIN, y + height / 2 + _LINE, float(carried[latent] / max(carried.max(), 1e-12)))
        for j, one in enumerate(row):
            place_image(page, one, left + j * (width + _GAP), y)
        _rule(draw, centres, y + height + _RULE / 2, float(walk.base[latent]), walk.values[latent])
    return Picture(np.asarray(page), space.text(kind="traversal"))


def _centred(draw: ImageDraw.ImageDraw, centres: NDArray[np.float64], y: float, texts: Sequence[str]) -> None:
    for x, text in zip(centres.tolist(), texts, strict=False):
        draw.text((x, y), text, fill=FAINT, font=font_of(13), anchor="mm")


def _caption(latent: int, figures: LatentFigures) -> list[Line]:
    if figures.kl is None:
        return [Line(f"z{latent + 1}", INK), Line(f"variance {figures.variances[latent]:.3g}")]
    return [Line(f"z{latent + 1}", INK), Line(f"KL {figures.kl[latent]:.2f} nats")]


def _bar(draw: ImageDraw.ImageDraw, x: float, y: float, share: float) -> None:
    """How much a latent carries, of what the first one does."""
    draw.rectangle((x, y, x + _BAR, y + 3), fill=_PALE)
    if share > 0:
        draw.rectangle((x, y, x + max(1, round(share * _BAR)), y + 3), fill=_ACCENT)


def _rule(draw: ImageDraw.ImageDraw, centres: NDArray[np.float64], y: float, value: float, values: Points) -> None:
    """A line from the first picture's middle to the last one's, with a dot where ``value`` lies among ``values``."""
    draw.line([(centres[0], y), (centres[-1], y)], fill=_PALE, width=1)
    x = float(np.interp(value, values, centres))
    draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=_ACCENT)
