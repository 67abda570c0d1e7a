"""Views of a space: its atlas, the way from image to image, analogies and neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.codec import Codec, Points, batch_for
from morphospace.errors import ArgumentError
from morphospace.latent.geodesics import geodesic_through
from morphospace.latent.grids import Plane, plane_grid
from morphospace.latent.nearest import nearest
from morphospace.latent.paths import path_through, places_of
from morphospace.pictures import Film, Picture, enlarge, tile

__all__ = ["Answers", "analogy", "atlas", "morph", "neighbors"]

_FLAT_BORDER = 8.0  # grey levels


def atlas(codec: Codec, plane: Plane, n: int, *, side: int) -> Picture:
    """The pictures of a plane on an n x n grid: what :meth:`morphospace.Space.atlas` draws."""
    images = codec.decode(plane_grid(plane, n))
    # Pictures that end in one colour flow into each other; others need a line between them.
    borders = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], 1)
    gap = 0 if borders.std() < _FLAT_BORDER else max(1, side // 14)
    return Picture(tile(enlarge(images, side), n, gap=gap), codec.text())


def morph(codec: Codec, images: Sequence[object], *, frames: int, path: str) -> Film:
    """The way through the first image of each of ``images``: what :meth:`morphospace.Space.morph` shows.

    A model that is told labels draws each frame as the label of the image that is nearer by.

    Raises:
        ArgumentError: for an unknown path, or fewer frames than images.
    """
    codes = [codec.encode(codec.prepare(image)[:1]) for image in images]
    ends = [code.mean[0] for code in codes]
    if path == "geodesic":
        points = geodesic_through(ends, frames, codec.given(codes[0].labels).pictures, batch=batch_for(codec.shape))
    else:
        points = path_through(ends, frames, path)
    labels = None
    if codes[0].labels is not None:
        nearer = np.abs(np.arange(frames)[:, None] - places_of(len(ends), frames)).argmin(1)
        labels = np.concatenate([code.labels for code in codes if code.labels is not None])[nearer]
    return Film(codec.decode(points, labels=labels), points, codec.text(), labels)


class Answers(NamedTuple):
    """Where the answers of an analogy lie: ``points`` (N, d), and their ``labels`` (N,), where a model is told them."""

    points: Points
    labels: NDArray[np.int64] | None


def analogy(codec: Codec, a: object, b: object, c: object) -> Answers:
    """The answers of an analogy: :math:`z_C + (z_B - z_A)`, as the label of C, or where that is A's, of B.

    Source: Mikolov, Yih and Zweig, Linguistic regularities in continuous space word representations, 2013; of
    images, White, Sampling generative networks, arXiv:1609.04468.

    Raises:
        ArgumentError: for different numbers of images.
    """
    codes = [codec.encode(image) for image in (a, b, c)]
    first, second, third = (code.mean for code in codes)
    if len({len(first), len(second), len(third)} - {1}) > 1:
        raise ArgumentError(f"got {len(first)}, {len(second)} and {len(third)} images, expected as many.")
    points: Points = third + (second - first)
    of_a, of_b, of_c = (code.labels for code in codes)
    if of_a is None or of_b is None or of_c is None:
        return Answers(points, None)
    return Answers(points, np.broadcast_to(np.where(of_c == of_a, of_b, of_c), (len(points),)))


def neighbors(codec: Codec, image: object, images: object, n: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Which ``n`` of ``images`` lie nearest to ``image``, and how far: places and distances (n,), nearest first.

    Raises:
        ArgumentError: for n < 1.
    """
    if n < 1:
        raise ArgumentError(f"expected at least 1 neighbour, got {n}.", argument="n")
    return nearest(codec.encode(codec.prepare(image)[:1]).mean[0], codec.encode(images).mean, n)
