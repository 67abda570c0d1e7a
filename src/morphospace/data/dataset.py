"""What a set of images is: pixels, labels, a split that never changes, a fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from morphospace.data.attributes import Attributes
from morphospace.data.folder import Problem
from morphospace.data.splitting import Keys, content_fingerprint, held_out, keys_of_digests, lowest
from morphospace.data.store import StoredImages
from morphospace.errors import ArgumentError, DataError, did_you_mean
from morphospace.images import Images, as_images

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Dataset",
    "ImageArray",
    "Labels",
    "Split",
    "array_keys",
    "content_digests",
    "dataset_from_arrays",
    "every_key",
    "examples",
    "fingerprint_of",
    "spread",
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
        labels = None if self.labels is None else self.labels[index]
        keys, groups = (None if some is None else some[index] for some in (self.keys, self.groups))
        return Split(images, labels, {name: values[index] for name, values in self.attributes.items()}, keys, groups)


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
    keys: Keys | None = None,
    test_keys: Keys | None = None,
    validation_keys: Keys | None = None,
) -> Dataset:
    """A data set of arrays in memory.

    Without ``test_images``, the tenth of the images whose bytes hash lowest is held out: the same image lands on the
    same side whatever its neighbours or its place, and copies stay together.

    Args:
        images: anything that :func:`morphospace.images.as_images` takes, (N, H, W[, C]).
        labels: whole numbers >= 0, one for each image.
        test_images: the official test images, if there are any.
        test_labels: their labels.
        validation_images: the official validation images, if there are any.
        validation_labels: their labels.
        name: what reports call the set.
        label_names: the name of each label number; the numbers themselves by default.
        keys: (N,) what the split goes by, where ``images`` had another form before; of their bytes by default.
        test_keys: those of the test images.
        validation_keys: those of the validation images.

    Raises:
        DataError: if lengths, shapes or values do not fit, or there are fewer than two images.
    """
    train = Split(as_images(images), _as_labels(labels, "labels"))
    _check_length(train, "labels")
    digests = content_digests(train.images)
    keys = _keys(images, digests) if keys is None else keys
    train = replace(train, keys=keys)
    validation = None
    if test_images is None:
        if len(train) < 2:
            raise DataError("images: expected at least two images (one is held out as a test), got 1.")
        held = held_out(keys)
        train, test = train.take(~held), train.take(held)
        parts = [(train, digests[~held]), (test, digests[held])]
    else:
        test = Split(as_images(test_images, name="test_images"), _as_labels(test_labels, "test_labels"))
        parts = [(train, digests), (test, content_digests(test.images))]
        test = replace(test, keys=_keys(test_images, parts[1][1]) if test_keys is None else test_keys)
    if validation_images is not None:
        validation = Split(as_images(validation_images), _as_labels(validation_labels, "validation_labels"))
        parts.append((validation, content_digests(validation.images)))
        own = _keys(validation_images, parts[-1][1]) if validation_keys is None else validation_keys
        validation = replace(validation, keys=own)
    for kind, split in (("test", test), ("validation", validation)):
        if split is None:
            continue
        _check_length(split, f"{kind}_labels")
        if train.images.shape[1:] != split.images.shape[1:]:
            raise DataError(
                f"{kind}_images: expected images of shape {train.images.shape[1:]} like the training images, "
                f"got {split.images.shape[1:]}."
            )
    highest = max((int(s.labels.max()) for s, _ in parts if s.labels is not None), default=-1)
    names = tuple(label_names) if label_names is not None else tuple(str(i) for i in range(highest + 1))
    if len(names) <= highest:
        raise DataError(f"label_names: expected at least {highest + 1} names, got {len(names)}.")
    fingerprint = fingerprint_of(*((s.images.shape, keys, s.labels) for s, keys in parts))
    return Dataset(name, train, test, names, fingerprint, validation=validation)


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


def _keys(images: object, digests: NDArray[np.uint8]) -> Keys:
    """Keys by the bytes that ``images`` came as; ``digests`` are those of their pixels."""
    as_they_came = isinstance(images, np.ndarray) and images.dtype != np.uint8 and len(images) == len(digests)
    return array_keys(np.asarray(images)) if as_they_came else keys_of_digests(digests)


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
