"""What a judge, or a measure, is asked of images when a concept is tried; and what of it a set can teach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.data import Dataset, ImageArray, Split
from morphospace.evaluate.measures import measure
from morphospace.evaluate.origins import attribute_of, in_words, truth_of, words_of
from morphospace.latent import upper_half

__all__ = ["FEWEST", "Property", "has_both_sides", "is_taught", "property_of", "targets_of"]

Numbers = NDArray[np.float64]

FEWEST = 5
"""Images on each side of a property, without which nothing is taught and nothing measured."""

_LABEL = "label"


class Property(NamedTuple):
    """Something that can be told of an image.

    Attributes:
        name: of the concept that it belongs to.
        judged: the judge's property, or None where ``measured`` names a measure.
        kind: the judge's kind of yes, or None for a number.
        measured: the measure.
    """

    name: str
    judged: str | None
    kind: int | None = None
    measured: str | None = None

    def scores(self, images: ImageArray, read: Mapping[str, NDArray[np.float32]]) -> Numbers:
        """(N,) the chance of yes, or the value."""
        if self.measured is not None:
            return measure(self.measured, images)
        found = read[str(self.judged)]
        return (found if self.kind is None else found[:, self.kind]).astype(np.float64)


def property_of(name: str, origin: Mapping[str, str], dataset: Dataset) -> Property:
    """What is asked of an image to tell whether it shows ``origin``, for the concept ``name``."""
    if "measure" in origin:
        return Property(name, None, measured=origin["measure"])
    if "label" in origin:
        return Property(name, _LABEL, dataset.label_number(origin["label"]))
    key = origin["attribute"]
    if "value" not in origin:
        return Property(name, key)
    return Property(name, f"which {key}", ["", *words_of(dataset, key)].index(origin["value"]))


def targets_of(split: Split, watched: Sequence[Property], dataset: Dataset) -> dict[str, NDArray[Any]]:
    """What a judge is to learn: the labels, and the attributes that are watched."""
    found: dict[str, NDArray[Any]] = {}
    if split.labels is not None and len(dataset.label_names) > 1:
        found[_LABEL] = np.asarray(split.labels)
    for name, kind in {p.judged: p.kind for p in watched}.items():
        if name is None or name == _LABEL:
            continue
        key = name if kind is None else name.removeprefix("which ")
        column = attribute_of(split, dataset, key, "data")
        if kind is None:
            found[name] = column.astype(np.float64)
        else:
            places = {word: i for i, word in enumerate(["", *words_of(dataset, key)])}
            found[name] = np.array([places.get(word, 0) for word in in_words(column).tolist()])
    if not found:  # nothing but measures: any pictures teach the features that realism goes by
        found["ink"] = measure("ink", split.images)
    return found


def has_both_sides(truth: Numbers) -> bool:
    """Whether enough images show it, and enough do not."""
    values = truth[np.isfinite(truth)]
    if len(values) < 2 * FEWEST:
        return False
    shows = upper_half(values)
    return FEWEST <= int(shows.sum()) <= len(shows) - FEWEST


def is_taught(dataset: Dataset, origin: Mapping[str, str]) -> bool:
    """Whether a judge can learn of the training images what shows it; a measure needs no judge."""
    return "measure" in origin or has_both_sides(truth_of(dataset.train, dataset, origin))
