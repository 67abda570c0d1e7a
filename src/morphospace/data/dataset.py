"""What a set of images is: pixels, labels, a split that never changes, a fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from morphospace.data.attributes import Attributes
from morphospace.data.folder import Problem
from morphospace.data.store import StoredImages
from morphospace.errors import ArgumentError, DataError, did_you_mean
from morphospace.images import Images, as_images

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "HELD_OUT",
    "Dataset",
    "ImageArray",
    "Labels",
    "Split",
    "content_digests",
    "dataset_from_arrays",
    "examples",
    "fingerprint_of",
    "held_out",
    "spread",
    "with_validation",
]

Labels = NDArray[np.int64]

ImageArray: TypeAlias = Images | StoredImages
"""uint8 (N, H, W, C) in memory, or in a file and read by index."""

HELD_OUT = 0.1
"""The share held out as test images where a set has no official test split."""


@dataclass(frozen=True)
class Split:
    """Images with what is known of each: uint8 (N, H, W, C), int64 (N,) labels, and attributes (N,) by name."""

    images: ImageArray
    labels: Labels | None = None
    attributes: Attributes = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Split:
        """The images at ``index`` (whole numbers or a mask), with what is known of them."""
        images = self.images.take(index) if isinstance(self.images, StoredImages) else self.images[index]
        labels = None if self.labels is None else self.labels[index]
        return Split(images, labels, {name: values[index] for name, values in self.attributes.items()})


@dataclass(frozen=True)
class Dataset:
    """A named set of images with a train and a test split.

    Attributes:
        name: what reports call it ("mnist").
        train: the images to learn from.
        test: the images that no training step and no choice ever sees.
        label_names: the name of each label, in the order of the numbers; empty without labels.
        fingerprint: SHA-256 over shapes, pixels and labels: the same content gives the same text.
        licence: the terms of the images, "" where unknown.
        validation: the set's own images to choose by, where it has some.
        source: what :func:`open_dataset` takes to open it again; "" for arrays in memory.
        preparation: how it was brought to one form, as plain JSON; empty where nothing was to be done.
        problems: the files that were left out, and why.
        notes: what else a person should know of how the set came about.
    """

    name: str
    train: Split
    test: Split
    label_names: tuple[str, ...] = ()
    fingerprint: str = ""
    licence: str = ""
    validation: Split | None = None
    source: str = ""
    preparation: dict[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C) of every image."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels

    def split(self, name: str) -> Split:
        """The split called ``name``: "train", "test", or "validation" where the set has one.

        Raises:
            ArgumentError: if the set has no split of that name.
        """
        splits = {"train": self.train, "test": self.test}
        if self.validation is not None:
            splits["validation"] = self.validation
        if name not in splits:
            raise ArgumentError(f'split: "{self.name}" has no split "{name}". {did_you_mean(name, splits)}')
        return splits[name]

    def label_number(self, label: str) -> int:
        """The number of a label given by name or number.

        Raises:
            ArgumentError: if the set has no labels or none of that name.
        """
        if not self.label_names:
            raise ArgumentError(f'label: the data set "{self.name}" has no labels.')
        if label not in self.label_names:
            raise ArgumentError(f'label: "{self.name}" has no label "{label}". {did_you_mean(label, self.label_names)}')
        return self.label_names.index(label)


_DIGEST_BYTES = 16


def content_digests(images: ImageArray) -> NDArray[np.uint8]:
    """(N, 16) the first half of the SHA-256 of the pixels of each image."""
    each = (hashlib.sha256(np.ascontiguousarray(image).data).digest()[:_DIGEST_BYTES] for image in images)
    whole = b"".join(each)
    return np.frombuffer(whole, np.uint8).reshape(-1, _DIGEST_BYTES)


def fingerprint_of(*parts: tuple[tuple[int, ...], NDArray[np.uint8], Labels | None]) -> str:
    """SHA-256 over the splits of a set, each its shape (N, H, W, C), its images' digests (N, 16), its labels."""
    whole = hashlib.sha256()
    for shape, digests, labels in parts:
        whole.update(repr(tuple(int(n) for n in shape)).encode())
        whole.update(np.ascontiguousarray(digests).data)
        if labels is not None:
            whole.update(np.ascontiguousarray(labels, "<i8").data)
    return whole.hexdigest()


def _split_keys(digests: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(N,) numbers, evenly spread, by which images are split: the second half of their digests (N, 16)."""
    return np.ascontiguousarray(digests[:, 8:]).view(">u8").ravel()


def held_out(digests: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(N,) mask of the images whose hash lies in the lowest tenth of all hashes; at least one, never all.

    Copies of one picture have one hash and stay together, and a set that grows never moves an image.

    Raises:
        DataError: if all images are copies of one.
    """
    keys = _split_keys(digests)
    found = keys < np.uint64(int(HELD_OUT * 2**64))
    if not found.any():
        found = keys == keys.min()
    if found.all():
        raise DataError("images: expected at least two different images, got copies of one.")
    return found


def spread(count: int, n: int) -> NDArray[np.intp]:
    """At most ``n`` places from all over ``count`` things, always the same ones.

    Example:
        >>> spread(9, 3).tolist()
        [0, 4, 8]
    """
    return np.unique(np.linspace(0, count - 1, min(n, count)).astype(np.intp))


def examples(images: ImageArray, n: int) -> Images:
    """At most ``n`` images from all over a set, always the same ones: sets are often sorted by kind."""
    found: Images = images[spread(len(images), n)]
    return found


def with_validation(dataset: Dataset) -> tuple[Split, Split]:
    """(to learn from, to choose by): the set's own validation images, else a tenth of its training images."""
    if dataset.validation is not None:
        return dataset.train, dataset.validation
    keys = _split_keys(content_digests(dataset.train.images))
    last = np.sort(keys)[max(1, round(HELD_OUT * len(keys))) - 1]
    chosen = keys <= last
    if chosen.all():
        raise DataError("images: expected at least two different training images, got one, or copies of it.")
    return dataset.train.take(~chosen), dataset.train.take(chosen)


def dataset_from_arrays(
    images: object,
    labels: ArrayLike | None = None,
    *,
    test_images: object = None,
    test_labels: ArrayLike | None = None,
    validation_images: object = None,
    validation_labels: ArrayLike | None = None,
    name: str = "arrays",
    label_names: Sequence[str] | None = None,
) -> Dataset:
    """A data set of arrays in memory.

    Without ``test_images``, the tenth of the images whose content hashes lowest is held out: the same
    image lands on the same side whatever its neighbours or its place, and copies stay together.

    Args:
        images: anything that :func:`morphospace.images.as_images` takes, (N, H, W[, C]).
        labels: whole numbers >= 0, one for each image; without ``label_names`` any will do, and those that occur are
            numbered anew from 0, in their order.
        test_images: the official test images, if there are any.
        test_labels: their labels.
        validation_images: the official validation images, if there are any.
        validation_labels: their labels.
        name: what reports call the set.
        label_names: the name of each label number; by default the numbers that occur, as text.

    Raises:
        DataError: if lengths, shapes or values do not fit, or there are fewer than two images.
    """
    train = Split(as_images(images), _as_labels(labels, "labels"))
    _check_length(train, "labels")
    digests = content_digests(train.images)
    validation = None
    if test_images is None:
        if len(train) < 2:
            raise DataError("images: expected at least two images (one is held out as a test), got 1.")
        held = held_out(digests)
        train, test = train.take(~held), train.take(held)
        parts = [(train, digests[~held]), (test, digests[held])]
    else:
        test = Split(as_images(test_images, name="test_images"), _as_labels(test_labels, "test_labels"))
        parts = [(train, digests), (test, content_digests(test.images))]
    if validation_images is not None:
        validation = Split(as_images(validation_images), _as_labels(validation_labels, "validation_labels"))
        parts.append((validation, content_digests(validation.images)))
    for kind, split in (("test", test), ("validation", validation)):
        if split is None:
            continue
        _check_length(split, f"{kind}_labels")
        if train.images.shape[1:] != split.images.shape[1:]:
            raise DataError(
                f"{kind}_images: expected images of shape {train.images.shape[1:]} like the training images, "
                f"got {split.images.shape[1:]}."
            )
    fingerprint = fingerprint_of(*((s.images.shape, keys, s.labels) for s, keys in parts))
    known = [s.labels for s, _ in parts if s.labels is not None]
    present = np.unique(np.concatenate(known)) if known else np.empty(0, np.int64)
    if label_names is None:
        # A number that no image has is no label: those of 1 to 10 are ten.
        train, test = _renumbered(train, present), _renumbered(test, present)
        validation = None if validation is None else _renumbered(validation, present)
        names = tuple(str(number) for number in present)
    else:
        names = tuple(label_names)
        if len(present) and len(names) <= present[-1]:
            raise DataError(f"label_names: expected at least {present[-1] + 1} names, got {len(names)}.")
    return Dataset(name, train, test, names, fingerprint, validation=validation)


def _renumbered(split: Split, present: Labels) -> Split:
    """The same images, each with the place of its label among those ``present`` (sorted)."""
    return split if split.labels is None else replace(split, labels=np.searchsorted(present, split.labels))


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
