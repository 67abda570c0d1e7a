"""What can be measured of a drawing from its pixels alone: slant, stroke width, height, width, size, ink."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from morphospace.codec import batch_for
from morphospace.data import ImageArray
from morphospace.errors import ArgumentError, did_you_mean

__all__ = ["MEASURES", "measure"]

Numbers = NDArray[np.float64]


def _slant(ink: Numbers) -> Numbers:
    """The shear that stands the drawing upright: positive leans to the right, 1 is 45 degrees."""
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in ink.shape[1:])
    mass = ink.sum((1, 2)).clip(1e-9)
    y = (ink.sum(2) * rows).sum(1) / mass
    x = (ink.sum(1) * columns).sum(1) / mass
    down, across = rows - y[:, None], columns - x[:, None]
    both = np.einsum("nhw,nh,nw->n", ink, down, across)
    tall = np.einsum("nhw,nh->n", ink, down**2)
    slant: Numbers = -both / np.where(tall > 0, tall, np.nan)
    return slant


def _stroke_width(ink: Numbers) -> Numbers:
    """Pixels: twice the area by the length of its edge, as of a long ribbon."""
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    down = padded[:, 1:, :-1] + padded[:, 1:, 1:] - padded[:, :-1, :-1] - padded[:, :-1, 1:]
    across = padded[:, :-1, 1:] + padded[:, 1:, 1:] - padded[:, :-1, :-1] - padded[:, 1:, :-1]
    edge = np.hypot(down, across).sum((1, 2)) / 2
    width: Numbers = 2 * ink.sum((1, 2)) / np.where(edge > 0, edge, np.nan)
    return width


def _extent(profile: Numbers) -> Numbers:
    """From where a profile (N, L) first rises above half to where it last falls below, between pixels."""
    padded = np.pad(profile, ((0, 0), (1, 1)))

    def first(values: Numbers) -> Numbers:
        above = values > 0.5
        at = above.argmax(1)
        rows = np.arange(len(values))
        high, low = values[rows, at], values[rows, at - 1]
        found: Numbers = np.where(above.any(1), at - (high - 0.5) / np.where(high > low, high - low, 1), np.nan)
        return found

    extent: Numbers = padded.shape[1] - 1 - first(padded[:, ::-1]) - first(padded)
    return extent


def _height(ink: Numbers) -> Numbers:
    """Pixels from the top of the drawing to its bottom."""
    return _extent(ink.max(2))


def _width(ink: Numbers) -> Numbers:
    """Pixels from the left of the drawing to its right."""
    return _extent(ink.max(1))


def _size(ink: Numbers) -> Numbers:
    """The root of height times width, in pixels."""
    size: Numbers = np.sqrt(_height(ink) * _width(ink))
    return size


def _ink(ink: Numbers) -> Numbers:
    """The area, in pixels."""
    area: Numbers = ink.sum((1, 2))
    return area


MEASURES: dict[str, Callable[[Numbers], Numbers]] = {
    "slant": _slant,
    "stroke-width": _stroke_width,
    "height": _height,
    "width": _width,
    "size": _size,
    "ink": _ink,
}


def measure(name: str, images: ImageArray) -> Numbers:
    """Measure bright drawings on a dark ground, (N,); NaN where there is nothing to measure.

    Args:
        name: one of ``MEASURES``.
        images: uint8 (N, H, W, C), any that can be sliced; colours count by their mean.

    Raises:
        ArgumentError: for an unknown name.

    Example:
        >>> bar = np.zeros((1, 20, 20, 1), np.uint8)
        >>> bar[:, 3:17, 8:12] = 255
        >>> [round(float(measure(name, bar)[0]), 1) for name in ("height", "width", "ink")]
        [14.0, 4.0, 56.0]
    """
    if name not in MEASURES:
        raise ArgumentError(f'there is no "{name}". {did_you_mean(name, MEASURES)}', argument="measured")
    step = batch_for(images.shape)
    parts = [MEASURES[name](images[i : i + step].mean(-1, dtype=np.float64) / 255) for i in range(0, len(images), step)]
    return np.concatenate(parts) if parts else np.empty(0)
