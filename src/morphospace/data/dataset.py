"""What a set of images is: pixels, labels, a split that never changes, a fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from morphospace.errors import ArgumentError, DataError
from morphospace.images import Images, as_images

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HELD_OUT", "Dataset", "Labels", "Split", "dataset_from_arrays", "fingerprint_of"]

Labels = NDArray[np.int64]

HELD_OUT = 0.1
"""The share held out as test images where a set has no official test split."""


@dataclass(frozen=True)
class Split:
    """Images with what is known of each: uint8 (N, H, W, C) and, where there are labels, int64 (N,)."""

    images: Images
    labels: Labels | None = None

    def __len__(self) -> int:
        return len(self.images)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Split:
        """The images at ``index`` (whole numbers or a mask), with their labels."""
        return Split(self.images[index], None if self.labels is None else self.labels[index])


@dataclass(frozen=True)
class Dataset:
    """A named set of images with a train and a test split.

    Attributes:
        name: what users type ("mnist").
        train: the images to learn from.
        test: the images that no training step ever sees.
        label_names: the name of each label, in the order of the numbers; empty without labels.
        fingerprint: SHA-256 over shapes, pixels and labels: the same content gives the same text.
        licence: the terms of the images, "" where unknown.
    """

    name: str
    train: Split
    test: Split
    label_names: tuple[str, ...] = ()
    fingerprint: str = ""
    licence: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C) of every image."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels

    def split(self, name: str) -> Split:
        """The split called ``name``: "train" or "test"."""
        if name not in ("train", "test"):
            raise ArgumentError(f'split: expected "train" or "test", got "{name}".')
        return self.train if name == "train" else self.test

    def label_number(self, label: str) -> int:
        """The number of a label given by name or number.

        Raises:
            ArgumentError: if the set has no labels or none of that name.
        """
        if not self.label_names:
            raise ArgumentError(f'label: the data set "{self.name}" has no labels.')
        if label not in self.label_names:
            from morphospace.errors import did_you_mean

            raise ArgumentError(f'label: "{self.name}" has no label "{label}". {did_you_mean(label, self.label_names)}')
        return self.label_names.index(label)


def fingerprint_of(*splits: Split) -> str:
    """SHA-256 over the shapes, pixels and labels of ``splits``."""
    digest = hashlib.sha256()
    for split in splits:
        digest.update(repr(split.images.shape).encode())
        digest.update(np.ascontiguousarray(split.images).data)
        if split.labels is not None:
            digest.update(np.ascontiguousarray(split.labels, "<i8").data)
    return digest.hexdigest()


def dataset_from_arrays(
    images: object,
    labels: ArrayLike | None = None,
    *,
    test_images: object = None,
    test_labels: ArrayLike | None = None,
    name: str = "arrays",
    label_names: Sequence[str] | None = None,
) -> Dataset:
    """A data set of arrays in memory.

    Without ``test_images``, the tenth of the images whose content hashes lowest is held out: the same
    image lands on the same side whatever its neighbours or its place, and copies stay together.

    Args:
        images: anything that :func:`morphospace.images.as_images` takes, (N, H, W[, C]).
        labels: whole numbers >= 0, one for each image.
        test_images: the official test images, if there are any.
        test_labels: their labels.
        name: what reports call the set.
        label_names: the name of each label number; the numbers themselves by default.

    Raises:
        DataError: if lengths, shapes or values do not fit, or there are fewer than two images.
    """
    train = Split(as_images(images), _as_labels(labels, "labels"))
    _check_length(train, "labels")
    if test_images is None:
        if len(train) < 2:
            raise DataError("images: expected at least two images (one is held out as a test), got 1.")
        held = _held_out(train.images)
        train, test = train.take(~held), train.take(held)
    else:
        test = Split(as_images(test_images, name="test_images"), _as_labels(test_labels, "test_labels"))
        _check_length(test, "test_labels")
        if train.images.shape[1:] != test.images.shape[1:]:
            raise DataError(
                f"test_images: expected images of shape {train.images.shape[1:]} like the training images, "
                f"got {test.images.shape[1:]}."
            )
    highest = max((int(s.labels.max()) for s in (train, test) if s.labels is not None), default=-1)
    names = tuple(label_names) if label_names is not None else tuple(str(i) for i in range(highest + 1))
    if len(names) <= highest:
        raise DataError(f"label_names: expected at least {highest + 1} names, got {len(names)}.")
    return Dataset(name, train, test, names, fingerprint_of(train, test))


def _as_labels(labels: ArrayLike | None, name: str) -> Labels | None:
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "ui" or (array.size and array.min() < 0):
        raise DataError(f"{name}: expected whole numbers >= 0 of shape (N,), got {array.dtype} of shape {array.shape}.")
    return array.astype(np.int64)


def _check_length(split: Split, name: str) -> None:
    if split.labels is not None and len(split.labels) != len(split.images):
        raise DataError(f"{name}: expected one for each image, got {len(split.labels)} for {len(split.images)}.")


def _held_out(images: Images) -> NDArray[np.bool_]:
    """(N,) mask of the images whose content hash lies in the lowest tenth of all possible hashes."""
    keys = np.array(
        [int.from_bytes(hashlib.blake2b(image.tobytes(), digest_size=8).digest()) for image in images],
        np.uint64,
    )
    held = keys < np.uint64(int(HELD_OUT * 2**64))
    if not held.any():
        held = keys == keys.min()
    if held.all():
        raise DataError("images: expected at least two different images, got copies of one.")
    return held
