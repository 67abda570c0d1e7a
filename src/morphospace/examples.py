"""Examples: the codes of images that show a concept and of others, and as which labels images of a set are read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.codec import Codec, Points
from morphospace.data import Dataset, Split
from morphospace.errors import ArgumentError
from morphospace.latent.concepts import AGAINST_TEST_IMAGES
from morphospace.latent.learning import sides

__all__ = ["Examples", "encode_examples", "labels_of"]

Values = NDArray[np.bool_] | NDArray[np.float64]


def labels_of(codec: Codec, split: Split, dataset: Dataset) -> NDArray[np.int64] | None:
    """As which labels ``codec`` reads the images of a split of ``dataset``, (N,); None where it is told none."""
    return codec.labels_for(split.images, split.labels, dataset.label_names or ())


class Examples(NamedTuple):
    """What a concept is learned from.

    Attributes:
        codes: (N, d) of images.
        values: (N,) whether each shows it, or how much.
        held_out: codes and values of others, for the evidence; None where there are none.
        source: where the images are from, in words.
    """

    codes: Points
    values: Values
    held_out: tuple[Points, Any] | None
    source: str


def encode_examples(
    codec: Codec,
    reference: Points | None,
    *,
    positive: object,
    negative: object,
    images: object,
    values: Values | None,
    labels: NDArray[np.int64] | None,
    held_out: tuple[Any, ...] | None,
    source: str,
) -> Examples:
    """Images as examples; ``reference`` stands for ``negative`` where that is None.

    All else is as in :meth:`morphospace.Space.learn_concept`.

    Raises:
        ArgumentError: for both or neither of the two forms, or neither ``negative`` nor ``reference``.
    """
    if (positive is None) == (values is None) or (values is None) != (images is None):
        raise ArgumentError("expected `positive`, or `images` with `values`; got both or neither.")
    if values is not None:
        codes = codec.encode(images, labels).mean
        tested = None
        if held_out is not None:
            others, truth, *told = held_out
            tested = codec.encode(others, *told).mean, np.asarray(truth)
        return Examples(codes, values, tested, source)
    away = reference if negative is None else codec.encode(negative).mean
    if away is None:
        raise ArgumentError("this space keeps no reference points; give images that lack it.", argument="negative")
    codes, shown = sides(codec.encode(positive).mean, away)
    if negative is None:  # the held-out images may be among them
        return Examples(codes, shown, None, f"{source} {AGAINST_TEST_IMAGES}")
    tested = None if held_out is None else sides(*(codec.encode(side).mean for side in held_out))
    return Examples(codes, shown, tested, source)
