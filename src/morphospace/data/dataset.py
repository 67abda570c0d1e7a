"""What a set of images is: pixels, labels, a split that never changes, a fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from morphospace.data.attributes import Attributes
from morphospace.data.folder import Problem
from morphospace.data.splitting import Keys, content_fingerprint, keys_of_digests, lowest
from morphospace.data.store import StoredImages
from morphospace.errors import ArgumentError, did_you_mean
from morphospace.evenly import evenly_spaced
from morphospace.images import Images

__all__ = [
    "Dataset",
    "ImageArray",
    "Labels",
    "Split",
    "array_keys",
    "content_digests",
    "every_key",
    "examples",
    "fingerprint_of",
    "with_validation",
]

Labels = NDArray[np.int64]

ImageArray: TypeAlias = Images | StoredImages
"""uint8 (N, H, W, C) in memory, or in a file and read by index."""


@dataclass(frozen=True)
class Split:
    """Images with what is known of each.

    Attributes:
        images: uint8 (N, H, W, C).
        labels: int64 (N,).
        attributes: (N,) by name.
        keys: (N,) by what each is before it was prepared, see :mod:`morphospace.data.splitting`.
        groups: (N,) keys that are equal for images which must stay on one side of a split.
    """

    images: ImageArray
    labels: Labels | None = None
    attributes: Attributes = field(default_factory=dict)
    keys: Keys | None = None
    groups: Keys | None = None

    def __len__(self) -> int:
        return len(self.images)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Split:
        """The images at ``index`` (whole numbers or a mask), with what is known of them."""
        images = self.images.take(index) if isinstance(self.images, StoredImages) else self.images[index]
        return Split(
            images,
            None if self.labels is None else self.labels[index],
            {name: values[index] for name, values in self.attributes.items()},
            None if self.keys is None else self.keys[index],
            None if self.groups is None else self.groups[index],
        )


@dataclass(frozen=True)
class Dataset:
    """A named set of images with a train and a test split.

    Attributes:
        name: what reports call it ("mnist").
        train: the images to learn from.
        test: the images that no training step and no choice ever sees.
        label_names: the name of each label, in the order of the numbers; empty without labels.
        fingerprint: SHA-256 over shapes, pixels and labels: the same content in the same form gives the same text.
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

    @property
    def content(self) -> str:
        """SHA-256 over the keys of its splits: the same pictures and split, in whatever form; "" where unknown."""
        splits = [("train", self.train), ("test", self.test), ("validation", self.validation)]
        keys = [(name, split.keys) for name, split in splits if split is not None]
        return "" if any(some is None for _, some in keys) else content_fingerprint(keys)  # type: ignore[arg-type]

    def split(self, name: str) -> Split:
        """The split called ``name``: "train", "test", or "validation" where the set has one.

        Raises:
            ArgumentError: if the set has no split of that name.
        """
        splits = {"train": self.train, "test": self.test}
        if self.validation is not None:
            splits["validation"] = self.validation
        if name not in splits:
            raise ArgumentError(f'"{self.name}" has no split "{name}". {did_you_mean(name, splits)}', argument="split")
        return splits[name]

    def label_number(self, label: str) -> int:
        """The number of a label given by name or number.

        Raises:
            ArgumentError: if the set has no labels or none of that name.
        """
        if not self.label_names:
            raise ArgumentError(f'the data set "{self.name}" has no labels.', argument="label")
        if label not in self.label_names:
            raise ArgumentError(
                f'"{self.name}" has no label "{label}". {did_you_mean(label, self.label_names)}', argument="label"
            )
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


def examples(images: ImageArray, n: int) -> Images:
    """At most ``n`` images from all over a set, always the same ones: sets are often sorted by kind."""
    found: Images = images[evenly_spaced(len(images), n)]
    return found


def with_validation(dataset: Dataset) -> tuple[Split, Split]:
    """(to learn from, to choose by): the set's own validation images, else a tenth of its training images.

    Raises:
        DataError: if all training images must stay together.
    """
    if dataset.validation is not None:
        return dataset.train, dataset.validation
    train = dataset.train
    keys = train.keys if train.groups is None else train.groups
    chosen = lowest(keys_of_digests(content_digests(train.images)) if keys is None else keys)
    return train.take(~chosen), train.take(chosen)


def every_key(split: Split) -> Keys:
    """(M,) sorted keys by which any of the images of ``split`` is known again: of what they were, and of their pixels.

    The file itself has the first, whatever it is prepared to; a copy in another kind of file has the second.
    """
    of_pixels = keys_of_digests(content_digests(split.images))
    return np.unique(of_pixels if split.keys is None else np.concatenate([split.keys, of_pixels]))


def array_keys(images: NDArray[Any]) -> Keys:
    """(N,) keys of the bytes of each row, of any kind of numbers.

    Example:
        >>> array_keys(np.zeros((2, 4, 4), np.float32)).shape
        (2,)
    """
    return keys_of_digests(content_digests(images))
