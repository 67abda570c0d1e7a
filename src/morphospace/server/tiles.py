"""Where the cells of a map's tile lie in the space."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.latent.grids import Plane
from morphospace.server.failures import Failure
from morphospace.server.session import Session

__all__ = ["MapPlane", "named_plane", "plane_of_map", "tile_points"]

Numbers = NDArray[np.float64]


class MapPlane(NamedTuple):
    """z(u, v) = ``origin`` + u ``right`` + v ``up``, each (d,)."""

    origin: Numbers
    right: Numbers
    up: Numbers


def plane_of_map(plane: Plane) -> MapPlane:
    """The plane of a space as that of its map; a line has nothing upwards."""
    axes = [axis.astype(np.float64) for axis in plane.axes]
    return MapPlane(plane.origin.astype(np.float64), axes[0], axes[1] if len(axes) > 1 else 0 * axes[0])


def named_plane(session: Session, origin: str | None, right: str | None, up: str | None) -> MapPlane | None:
    """The plane that a request names, each of its parts as d numbers with commas; None where it names none.

    Raises:
        Failure: for some parts without the others, or other than d finite numbers.
    """
    given = {"origin": origin, "right": right, "up": up}
    if all(text is None for text in given.values()):
        return None
    missing = next((name for name, text in given.items() if text is None), None)
    if missing:
        words = f"{missing}: expected all of origin, right and up, or none of them; this one is missing."
        raise Failure(422, "invalid", words, missing)
    return MapPlane(*(_numbers(session, name, str(text)) for name, text in given.items()))


def _numbers(session: Session, name: str, text: str) -> Numbers:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        words = f"{name}: expected numbers with commas between them, like 0.5,-1, got {text!r:.40}."
        raise Failure(422, "invalid", words, name) from error
    session.points([values], name)
    return np.array(values)


def tile_points(plane: MapPlane, level: int, column: int, row: int, cells: int, shape: tuple[int, int, int]) -> Numbers:
    """The middles (cells * cells, d) of a tile's cells, row by row from the top, left to right.

    A cell is c = 2^-level wide in u and c * H / W high in v, so that maps of pictures are not distorted; the tile
    begins at column * cells * c, and row * cells * c * H / W upwards.

    Example:
        >>> flat = MapPlane(np.zeros(2), np.array([1.0, 0.0]), np.array([0.0, 1.0]))
        >>> tile_points(flat, 0, 0, 0, 2, (8, 8, 1)).tolist()
        [[0.5, 1.5], [1.5, 1.5], [0.5, 0.5], [1.5, 0.5]]
    """
    width = 2.0**-level
    height = width * shape[0] / shape[1]
    middles = np.arange(cells) + 0.5
    u = (column * cells + middles) * width
    v = ((row * cells + middles) * height)[::-1]
    across, upwards = np.tile(u, cells), np.repeat(v, cells)
    points: Numbers = plane.origin + across[:, None] * plane.right + upwards[:, None] * plane.up
    return points
