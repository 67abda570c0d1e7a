"""Concepts and classes from labelled sets."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.data import Dataset
from morphospace.data.dataset import spread
from morphospace.errors import DataError
from morphospace.latent import Classes, Concept, change_class, class_scores, learn_classes
from morphospace.latent.classes import MARGINS
from morphospace.space import Space

__all__ = ["ClassEvidence", "learn_from_label", "learn_label_classes"]

_TRIED = 100  # validation images of each class that are edited
_REACHED = 0.995
_ODDS = 3.0  # nats, 20 to 1


def learn_from_label(space: Space, name: str, dataset: Dataset, label: str) -> Concept:
    """Learn the images of one label against all others; the AUC is measured on the test images.

    Raises:
        ArgumentError: if the set has no such label.
        DataError: if the set's images do not fit the space, or all have the label.
    """
    number = dataset.label_number(label)
    sides = []
    for split in (dataset.train, dataset.test):
        if split.labels is None:
            raise DataError(f'--data: the images of "{dataset.name}" have no labels.')
        shows = split.labels == number
        sides.append((split.images[shows], split.images[~shows]))
    (positive, negative), judges = sides
    held_out = judges if all(len(side) for side in judges) else None
    if not len(positive) or not len(negative):
        raise DataError(f'--label: "{dataset.name}" needs images with and without "{label}", and lacks one of them.')
    source = f"{dataset.name}, label {label} against all others"
    return space.learn_concept(name, positive=positive, negative=negative, held_out=held_out, source=source)


class ClassEvidence(NamedTuple):
    """How edits from class to class do on validation images, which their margin was chosen by.

    Attributes:
        reached: (K, K) share of the images of one class (row) that, edited to be of another (column), decoded and
            encoded again, are found in it with odds of 20 to 1; 1 where row and column agree, NaN without images.
        counts: (K,) images that the classes were learned from.
    """

    reached: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def mean(self) -> float:
        """Of all pairs of different classes."""
        return float(np.nanmean(self.reached[~np.eye(len(self.reached), dtype=bool)]))

    @property
    def worst(self) -> float:
        """Of the pair that does worst."""
        return float(np.nanmin(self.reached))


def learn_label_classes(space: Space, dataset: Dataset) -> tuple[Classes, ClassEvidence]:
    """Learn where the codes of each label lie, and keep it in the space.

    A tenth of the training images (the validation images, if the set has some) is held back. On it the smallest
    margin is chosen at which at least 99.5 % of each pair's edits, decoded and encoded again, are found in their
    target class with odds of 20 to 1; no classifier of images is asked.

    Raises:
        DataError: if the set's images have no labels, do not fit the space, or are too few.
    """
    train, kept = dataset.train, dataset.validation
    if train.labels is None or dataset.label_names is None:
        raise DataError(f'--data: the images of "{dataset.name}" have no labels.')
    encoding = space.encode(train.images)
    labels = np.asarray(train.labels)
    variances = None if encoding.log_var is None else np.exp(encoding.log_var)
    source = f"{dataset.name}, {len(dataset.label_names)} labels"
    if kept is not None and kept.labels is not None:
        learned = np.ones(len(labels), bool)
        codes, code_labels = space.encode(kept.images).mean, np.asarray(kept.labels)
    else:
        learned = np.arange(len(labels)) % 10 > 0
        codes, code_labels = encoding.mean[~learned], labels[~learned]
    classes = learn_classes(
        dataset.label_names, encoding.mean[learned], labels[learned],
        None if variances is None else variances[learned], source,
    )  # fmt: skip
    groups = [np.flatnonzero(code_labels == k) for k in range(len(classes.names))]
    groups = [group[spread(len(group), _TRIED)] for group in groups]
    for margin in MARGINS:
        classes = dataclasses.replace(classes, margin=margin)
        reached = _reached(space, classes, [codes[group] for group in groups])
        if np.nanmin(reached) >= _REACHED:
            break
    space.classes = classes
    return classes, ClassEvidence(reached, np.bincount(labels[learned], minlength=len(classes.names)))


def _reached(space: Space, classes: Classes, groups: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    reached = np.eye(len(groups))
    for s, group in enumerate(groups):
        for t, target in enumerate(classes.names):
            if s != t and len(group):
                edited = space.decode(change_class(classes, group, classes.names[s], target))
                scores = class_scores(classes, space.encode(edited).mean)
                reached[s, t] = (scores[:, t] - np.delete(scores, t, 1).max(1) > _ODDS).mean()
            elif s != t:
                reached[s, t] = np.nan
    return reached
