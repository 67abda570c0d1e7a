"""Sprites: pictures drawn from known factors, so that what a space finds out can be compared with the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from morphospace.images import Images, to_pixels

__all__ = ["FACTORS", "SHAPES", "draw_sprites", "sprite_factors"]

SHAPES = ("square", "ellipse", "heart")
FACTORS = ("shape", "scale", "rotation", "x", "y", "hue")

_BLOCK = 1024
_RADIUS = 0.23  # of a sprite of scale 1, as a share of the shorter side
_MARGIN = 0.25  # no sprite's middle comes nearer to an edge
_SATURATION, _VALUE = 0.75, 0.9


def sprite_factors(start: int, stop: int, *, seed: int) -> dict[str, NDArray[np.float64]]:
    """The factors of sprites ``start`` to ``stop - 1``, each a pure function of (seed, its number).

    Returns:
        arrays (stop - start,): ``shape`` 0..2 (see ``SHAPES``), ``scale`` 0.5..1, ``rotation`` in turns 0..1,
        ``x`` and ``y`` 0..1 from the left and the top, ``hue`` in turns 0..1; all uniform and independent.

    Example:
        >>> later = sprite_factors(1500, 1502, seed=0)
        >>> bool((sprite_factors(0, 2000, seed=0)["x"][1500:1502] == later["x"]).all())
        True
    """
    parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in FACTORS}
    for block in range(start // _BLOCK, -(-stop // _BLOCK)):
        rng = np.random.default_rng((seed, block))
        drawn = rng.random((len(FACTORS), _BLOCK))
        first, last = max(start - block * _BLOCK, 0), min(stop - block * _BLOCK, _BLOCK)
        for name, values in zip(FACTORS, drawn[:, first:last], strict=True):
            parts[name].append(values)
    found = {name: np.concatenate(values) for name, values in parts.items()}
    found["shape"] = np.floor(found["shape"] * len(SHAPES))
    found["scale"] = 0.5 + 0.5 * found["scale"]
    return found


def draw_sprites(factors: dict[str, NDArray[np.float64]], shape: tuple[int, int, int]) -> Images:
    """Draw sprites on white, with edges as soft as one pixel.

    Args:
        factors: as :func:`sprite_factors` gives them, arrays (N,).
        shape: (H, W, C); with one channel the sprites are dark grey.

    Returns:
        uint8 (N, H, W, C).

    Source: the factors are those of dSprites (Matthey et al., 2017) and a hue.
    """
    height, width, channels = shape
    unit = min(height, width)
    column = {name: values[:, None, None] for name, values in factors.items()}
    middle_x = (_MARGIN + (1 - 2 * _MARGIN) * column["x"]) * width
    middle_y = (_MARGIN + (1 - 2 * _MARGIN) * column["y"]) * height
    across = np.arange(width)[None, None, :] + 0.5 - middle_x  # (N, 1, W), pixels
    down = np.arange(height)[None, :, None] + 0.5 - middle_y  # (N, H, 1)
    angle = 2 * np.pi * column["rotation"]
    radius = _RADIUS * column["scale"] * unit
    u = (np.cos(angle) * across + np.sin(angle) * down) / radius  # (N, H, W), in radii
    v = (np.cos(angle) * down - np.sin(angle) * across) / radius
    distance = np.empty_like(u)
    for i, outline in enumerate((_square, _ellipse, _heart)):
        here = factors["shape"] == i
        distance[here] = outline(u[here], v[here])
    cover = np.clip(0.5 - distance * radius, 0.0, 1.0)[..., None]  # (N, H, W, 1)
    ink = _colours(factors["hue"]) if channels == 3 else np.full((len(cover), 1), 0.2)
    return to_pixels(1.0 - cover * (1.0 - ink[:, None, None, :]))


def _square(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signed distance to the outline in radii, below 0 inside; so for the next two, to first order."""
    return np.maximum(np.abs(u), np.abs(v)) - 0.75


def _ellipse(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    value = u**2 + (v / 0.55) ** 2 - 1
    steepness = 2 * np.sqrt(u**2 + (v / 0.55**2) ** 2)
    distance: NDArray[np.float64] = value / np.maximum(steepness, 1e-9)
    return distance


def _heart(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    # Two quarter circles on a square that stands on its corner; exact.
    size = 1.6
    a, b = np.abs(u) / size, 0.55 - v / size  # b upwards from the tip
    lobe = np.hypot(a - 0.25, b - 0.75) - np.sqrt(2) / 4
    along = np.maximum(a + b, 0.0) / 2
    side = np.minimum(np.hypot(a, b - 1), np.hypot(a - along, b - along)) * np.sign(a - b)
    distance: NDArray[np.float64] = size * np.where(a + b > 1, lobe, side)
    return distance


def _colours(hue: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) hues in turns to (N, 3) of fixed saturation and value."""
    offset = np.array([0.0, 2 / 3, 1 / 3])
    wave = np.abs(((hue[:, None] + offset) % 1.0) * 6 - 3) - 1  # the hexagon's three ramps
    colours: NDArray[np.float64] = _VALUE * (1 - _SATURATION * (1 - np.clip(wave, 0.0, 1.0)))
    return colours
