"""Concepts and classes from labelled sets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.data import Dataset, Split
from morphospace.errors import ArgumentError, DataError
from morphospace.evaluate.origins import known_of, origin_words, strata_of, values_of
from morphospace.evenly import evenly_spaced
from morphospace.examples import labels_of
from morphospace.latent import Classes, Concept, change_class, class_scores, learn_classes
from morphospace.latent.classes import MARGINS
from morphospace.space import Space

__all__ = ["ClassEvidence", "known_examples", "learn_from_dataset", "learn_label_classes"]

_HELD_OUT = 5  # of few images of a label, none is held back
_TRIED = 100  # validation images of each class that are edited
_REACHED = 0.995
_ODDS = 3.0  # nats, 20 to 1


def learn_from_dataset(
    space: Space,
    name: str,
    dataset: Dataset,
    *,
    label: str | None = None,
    attribute: str | None = None,
    measured: str | None = None,
    balance: Sequence[str] | None = None,
    method: str | None = None,
    seed: int | None = None,
) -> Concept:
    """Learn a concept from what a set knows or shows of its training images; the test images give the evidence.

    Args:
        space: keeps it.
        name: what to call it.
        dataset: images with labels or attributes, or drawings to measure.
        label: the label of the images that show it.
        attribute: a numeric attribute, or NAME=VALUE of one in words.
        measured: what to measure, one of ``MEASURES``.
        balance: "label" and attributes, within whose groups to compare; numbers are cut into quarters. If left out,
            numbers are balanced by label where there are labels: what makes a 1 narrow is no part of "width".
        method: see :func:`morphospace.latent.learn_concept`.
        seed: of what is drawn for the evidence; that of the space if left out.

    Raises:
        ArgumentError: if the set has no such label, attribute or measure, or none or several of the three are given.
        DataError: if the set's images do not fit the space, or all have the label.
    """
    origin = _origin(label, attribute, measured)
    if balance is None:
        balance = ["label"] if "value" not in origin and "label" not in origin and dataset.label_names else []
    learned, values, strata = known_examples(dataset.train, dataset, origin, balance)
    tested, truth, _ = known_examples(dataset.test, dataset, origin, ())
    source = f"{dataset.name}, {origin_words(origin)}" + (f", balanced by {', '.join(balance)}" if balance else "")
    if not len(values):
        raise DataError(f'no image of "{dataset.name}" has a value to learn {name} from.', argument="data")
    return space.learn_concept(
        name, images=learned.images, values=values, labels=labels_of(space, learned, dataset), strata=strata,
        method=method, source=source, origin=origin, seed=seed,
        held_out=(tested.images, truth, labels_of(space, tested, dataset)) if len(truth) else None,
    )  # fmt: skip


def _origin(label: str | None, attribute: str | None, measured: str | None) -> dict[str, str]:
    if sum(given is not None for given in (label, attribute, measured)) != 1:
        raise ArgumentError("expected one of `label`, `attribute` and `measured`, got none or several.")
    if label is not None:
        return {"label": label}
    if measured is not None:
        return {"measure": measured}
    key, equals, value = str(attribute).partition("=")
    return {"attribute": key, "value": value} if equals else {"attribute": key}


def known_examples(
    split: Split, dataset: Dataset, origin: Mapping[str, str], balance: Sequence[str]
) -> tuple[Split, NDArray[np.bool_] | NDArray[np.float64], NDArray[np.int64] | None]:
    """A split with its values and strata, without the images of which the value is not known."""
    values, strata = values_of(split, dataset, origin), strata_of(split, dataset, balance)
    known = known_of(split, origin, values)
    kept = split if known.all() else split.take(known)
    return kept, values[known], None if strata is None else strata[known]


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
        ArgumentError: for a space that is told labels, whose codes hold none.
        DataError: if the set's images have no labels, do not fit the space, or are too few.
    """
    if space.model.condition is not None:
        raise ArgumentError(
            "this space is told labels, and its codes hold none: there are no classes to learn. Draw any code as any "
            "label, `given=LABEL`.",
            argument="space",
        )
    train, kept = dataset.train, dataset.validation
    if train.labels is None or dataset.label_names is None:
        raise DataError(f'the images of "{dataset.name}" have no labels.', argument="data")
    encoding = space.encode(train.images)
    # Numbers that begin at 1, or hidden labels of test images, are names of no training image.
    present, labels = np.unique(np.asarray(train.labels), return_inverse=True)
    names = [dataset.label_names[number] for number in present]
    variances = None if encoding.scale is None else np.square(encoding.scale)
    source = f"{dataset.name}, {len(names)} labels"
    learned = np.ones(len(labels), bool)
    if kept is not None and kept.labels is not None:
        codes, numbers = space.encode(kept.images).mean, np.asarray(kept.labels)
    else:
        for label in range(len(names)):  # of each, wherever its images stand in the set
            learned[np.flatnonzero(labels == label)[_HELD_OUT::10]] = False
        held = learned if learned.all() else ~learned
        codes, numbers = encoding.mean[held], present[labels[held]]
    classes = learn_classes(
        names, encoding.mean[learned], labels[learned], None if variances is None else variances[learned], source
    )
    groups = [np.flatnonzero(numbers == number) for number in present]
    groups = [group[evenly_spaced(len(group), _TRIED)] for group in groups]
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
