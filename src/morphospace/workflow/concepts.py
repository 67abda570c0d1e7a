"""Concepts and classes from labelled sets."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.data import Dataset, ImageArray, Split
from morphospace.data.dataset import spread
from morphospace.errors import ArgumentError, DataError, did_you_mean
from morphospace.evaluate.measures import measure
from morphospace.latent import Classes, Concept, change_class, class_scores, learn_classes
from morphospace.latent.classes import MARGINS
from morphospace.space import Space

__all__ = ["ClassEvidence", "learn_from_dataset", "learn_label_classes"]

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
    method: str = "mean-difference",
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

    Raises:
        ArgumentError: if the set has no such label, attribute or measure, or none or several of the three are given.
        DataError: if the set's images do not fit the space, or all have the label.
    """
    if sum(given is not None for given in (label, attribute, measured)) != 1:
        raise ArgumentError("expected one of --label, --attribute and --measure, got none or several.")
    if balance is None:
        balance = ["label"] if label is None and "=" not in (attribute or "") and dataset.label_names else []
    found = [_examples(split, dataset, label, attribute, measured, balance) for split in (dataset.train, dataset.test)]
    (images, values, strata), judge = found
    if not len(values):
        raise DataError(f'--data: no image of "{dataset.name}" has a value to learn {name} from.')
    if label is not None:
        words = f"label {label} against all others"
    else:
        words = attribute if attribute is not None else f"{measured}, measured"
    source = f"{dataset.name}, {words}" + (f", balanced by {', '.join(balance)}" if balance else "")
    return space.learn_concept(
        name, images=images, values=values, strata=strata, method=method, source=source,
        held_out=judge[:2] if len(judge[1]) else None,
    )  # fmt: skip


def _examples(
    split: Split,
    dataset: Dataset,
    label: str | None,
    attribute: str | None,
    measured: str | None,
    balance: Sequence[str],
) -> tuple[ImageArray, NDArray[np.bool_] | NDArray[np.float64], NDArray[np.int64] | None]:
    """Images with their values and strata, without those of which the value is not known."""
    values: NDArray[np.bool_] | NDArray[np.float64]
    if label is not None:
        number = dataset.label_number(label)
        if split.labels is None:
            raise DataError(f'--data: the images of "{dataset.name}" have no labels.')
        values = np.asarray(split.labels == number)
    elif measured is not None:
        values = measure(measured, split.images)
    else:
        key, equals, wanted = str(attribute).partition("=")
        column = _attribute(split, dataset, key, "--attribute")
        if equals and wanted not in column.astype(str):
            there = sorted(set(column.astype(str).tolist()))
            raise ArgumentError(f'--attribute: no image has {key} "{wanted}". {did_you_mean(wanted, there)}')
        if not equals and column.dtype.kind not in "fiu":
            raise ArgumentError(f"--attribute {key}: it is in words; say which, like {key}={column[0]}.")
        values = column.astype(str) == wanted if equals else column.astype(np.float64)
    known = np.isfinite(values)
    strata = None
    for key in balance:
        if key == "label" and split.labels is not None:
            groups = np.asarray(split.labels)
        else:
            column = _attribute(split, dataset, key, "--balance")
            if column.dtype.kind == "f":
                column = np.searchsorted(np.nanquantile(column, [0.25, 0.5, 0.75]), column)
            groups = np.unique(column, return_inverse=True)[1]
        strata = groups if strata is None else np.unique(np.stack([strata, groups]), axis=1, return_inverse=True)[1]
    kept = split if known.all() else split.take(known)
    return kept.images, values[known], None if strata is None else strata[known].astype(np.int64)


def _attribute(split: Split, dataset: Dataset, key: str, option: str) -> NDArray[Any]:
    if key not in split.attributes:
        has = f"It has {', '.join(split.attributes)}." if split.attributes else "It has none."
        raise ArgumentError(f'{option}: "{dataset.name}" has no attribute "{key}". {has}')
    return np.asarray(split.attributes[key])


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
