"""Sets of arrays in memory: one rule for all their pixels, labels of any kind, and the split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from morphospace.data.attributes import Attribute
from morphospace.data.columns import Columns, chosen_columns
from morphospace.data.dataset import Dataset, Split, array_keys, content_digests, fingerprint_of
from morphospace.data.labels import FoundLabels, find_labels
from morphospace.data.levels import as_nhwc, images_of, rule_for, rule_notes
from morphospace.data.preparation import Preparation
from morphospace.data.splitting import SPLITS, Keys, held_out, kept_together, keys_of_digests
from morphospace.errors import DataError
from morphospace.images import as_images

__all__ = ["RawSplit", "check_parts", "chosen_labels", "dataset_from_arrays", "dataset_of"]


class RawSplit(NamedTuple):
    """A split of a set as it came: images (N, H, W, C) of any numbers, labels or none, attributes (N,) by name."""

    images: NDArray[Any]
    labels: NDArray[Any] | None = None
    attributes: Mapping[str, Attribute] = {}


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
    preparation: Preparation | None = None,
) -> Dataset:
    """A data set of arrays in memory.

    Without ``test_images``, the tenth of the images whose bytes hash lowest is held out: the same image lands on the
    same side whatever its neighbours or its place, and copies stay together. Which value is black and which is white
    is decided for all images together, and said in ``notes``; bytes above 31 stay what they are.

    Args:
        images: numbers (N, H, W), (N, H, W, C), (N, C, H, W) or rows (N, H * H); or a list of pictures and paths.
        labels: a whole number or a word for each image, -1 or "" for none; or a column for each class.
        test_images: the official test images, if there are any.
        test_labels: their labels.
        validation_images: the official validation images, if there are any.
        validation_labels: their labels.
        name: what reports call the set.
        label_names: the name of each label number from 0 on; the numbers that occur by default.
        preparation: intensity, background, channels and split, where they are not to be as usual.

    Raises:
        DataError: if lengths, shapes or values do not fit, or there are fewer than two images.

    Example:
        >>> found = dataset_from_arrays(np.random.default_rng(0).random((30, 8, 8)), ["cat", "dog"] * 15)
        >>> found.label_names, found.train.images.dtype
        (('cat', 'dog'), dtype('uint8'))
    """
    if label_names is not None and all(known is None for known in (labels, test_labels, validation_labels)):
        raise DataError("there are no labels that they could be the names of.", argument="label_names")
    notes: list[str] = []
    parts = {}
    for kind, some, known in (
        ("train", images, labels), ("test", test_images, test_labels),
        ("validation", validation_images, validation_labels),
    ):  # fmt: skip
        if some is None:
            if known is not None:
                raise DataError(f"{kind}_labels: there are no {kind}_images that they could be of.")
            continue
        called = "images" if kind == "train" else f"{kind}_images"
        values = None if known is None else np.asarray(known)
        parts[kind] = RawSplit(_as_nhwc(some, called, notes, None if values is None else len(values)), values)
    return dataset_of(parts, name, preparation or Preparation(), notes, label_names=label_names)


def _as_nhwc(images: object, name: str, notes: list[str], count: int | None) -> NDArray[Any]:
    """Images as numbers (N, H, W, C)."""
    if isinstance(images, Sequence) and images and all(isinstance(image, np.ndarray) for image in images):
        if len({image.shape for image in images}) > 1:
            as_images(images, name=name)  # says which sizes there are
        images = np.stack(images)
    if isinstance(images, np.ndarray):
        return as_nhwc(images, name, notes, count=count)
    return as_images(images, name=name)


def dataset_of(
    parts: Mapping[str, RawSplit],
    name: str,
    preparation: Preparation,
    notes: Sequence[str] = (),
    *,
    label_names: Sequence[str] | None = None,
) -> Dataset:
    """The data set of parts called "train", "test" and "validation", or of the first one alone.

    Raises:
        DataError: if lengths, shapes or values do not fit, or there are fewer than two images.
    """
    check_parts(parts)
    views = {kind: part.images for kind, part in parts.items()}
    rule = rule_for(views, name, preparation)
    known, groups = chosen_labels(parts, preparation, label_names)
    splits: dict[str, Split] = {}
    digests: dict[str, NDArray[np.uint8]] = {}
    keys_of: dict[str, Keys] = {}
    clipped = 0
    for kind, part in parts.items():
        images, more = images_of(views[kind], rule)
        clipped += more
        digests[kind] = content_digests(images)
        keys = keys_of_digests(digests[kind]) if preparation.split_by == "pixels" else array_keys(part.images)
        attributes = {**part.attributes, **known.attributes.get(kind, {})}
        together = kept_together(keys, groups[kind]) if groups else None
        keys_of[kind] = keys if together is None else together
        splits[kind] = Split(images, known.numbers.get(kind), attributes, keys, together)
    content = dict(known.content)
    if "test" not in splits:
        train = splits.pop("train")
        held = held_out(keys_of["train"])
        splits = {"train": train.take(~held), "test": train.take(held), **splits}
        own = digests.pop("train")
        digests |= {"train": own[~held], "test": own[held]}
        if (labels := content.pop("train", None)) is not None:
            content |= {"train": labels[~held], "test": labels[held]}
    fingerprint = fingerprint_of(
        *((splits[kind].images.shape, digests[kind], content.get(kind)) for kind in SPLITS if kind in splits)
    )
    samples, channels = sum(view.size for view in views.values()), views["train"].shape[-1]
    of_space = preparation.interpretation is not None
    said = [*notes, *known.notes, *rule_notes(rule, clipped, samples, channels, of_space=of_space)]
    return Dataset(
        name, splits["train"], splits["test"], known.names, fingerprint, validation=splits.get("validation"),
        preparation={"asked": preparation.to_json(), "interpretation": rule.how.to_json()}, notes=tuple(said),
    )  # fmt: skip


def check_parts(parts: Mapping[str, RawSplit]) -> None:
    """See that the parts of a set fit each other.

    Raises:
        DataError: if not.
    """
    first = parts["train"].images
    if "test" not in parts and len(first) < 2:
        raise DataError("expected at least two images (one is held out as a test), got 1.", argument="images")
    for kind, part in parts.items():
        front = "" if kind == "train" else f"{kind}_"
        if part.labels is not None and len(part.labels) != len(part.images):
            raise DataError(
                f"{front}labels: expected one for each image, got {len(part.labels)} for {len(part.images)}."
            )
        if part.images.shape[1:] != first.shape[1:] or part.images.dtype != first.dtype:
            raise DataError(
                f"{front}images: expected images of {first.dtype} and shape {first.shape[1:]} like the training "
                f"images, got {part.images.dtype} and {part.images.shape[1:]}."
            )


def chosen_labels(
    parts: Mapping[str, RawSplit], preparation: Preparation, label_names: Sequence[str] | None = None
) -> tuple[FoundLabels, dict[str, Sequence[str]]]:
    """The labels of the parts of a set, and the group of each image, by the attributes that are asked for.

    Raises:
        ArgumentError: if there is no attribute of that name.
    """
    known = labels_of(parts, label_names)
    if preparation.label is None and preparation.group is None:
        return known, {}
    attributes = {kind: {**part.attributes, **known.attributes.get(kind, {})} for kind, part in parts.items()}
    names = set.intersection(*(set(some) for some in attributes.values()))
    joined = {name: np.concatenate([some[name] for some in attributes.values()]) for name in sorted(names)}
    # Of the rest, a set of arrays knows better: its parts are its split.
    asked = replace(Preparation(), label=preparation.label, group=preparation.group, split_by="pixels")
    found = chosen_columns(Columns(attributes=joined), asked)
    ends = np.cumsum([0, *(len(part.images) for part in parts.values())])
    rows = dict(zip(parts, (slice(a, b) for a, b in pairwise(ends.tolist())), strict=True))
    groups = {kind: found.groups[some] for kind, some in rows.items()} if found.groups else {}
    said = tuple(note for note in found.notes if "test" not in parts or "stay on one side" not in note)
    if preparation.label is None:
        return known._replace(notes=(*known.notes, *said)), groups
    words = find_labels({kind: np.array(found.labels[some]) for kind, some in rows.items()})
    return words._replace(attributes=known.attributes, notes=(*words.notes, *said)), groups


def labels_of(parts: Mapping[str, RawSplit], label_names: Sequence[str] | None = None) -> FoundLabels:
    """The labels of the parts of a set, numbered together; with ``label_names``, by the numbers that they are.

    Raises:
        DataError: for other labels than these.
    """
    arrays = {kind: part.labels for kind, part in parts.items() if part.labels is not None}
    if not arrays:
        return FoundLabels({}, tuple(label_names or ()))
    if label_names is None:
        return find_labels(arrays)
    for values in arrays.values():
        if (
            values.ndim != 1
            or values.dtype.kind not in "ui"
            or not 0 <= values.min() <= values.max() < len(label_names)
        ):
            raise DataError(
                f"expected whole numbers of shape (N,), from 0 to {len(label_names) - 1} as there are "
                f"{len(label_names)} label_names; got {values.dtype} of shape {values.shape}.",
                argument="labels",
            )
    numbers = {kind: values.astype(np.int64) for kind, values in arrays.items()}
    return FoundLabels(numbers, tuple(label_names), numbers)
