"""What the images of a set show of what a concept is the concept of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.data import Dataset, Split
from morphospace.errors import ArgumentError, DataError, did_you_mean
from morphospace.evaluate.measures import MEASURES, measure
from morphospace.latent import Concept

__all__ = [
    "attribute_of",
    "can_tell",
    "in_words",
    "known_of",
    "origin_in",
    "origin_words",
    "strata_of",
    "truth_of",
    "values_of",
    "words_of",
]


def origin_words(origin: Mapping[str, str]) -> str:
    """An origin in words.

    Example:
        >>> origin_words({"label": "6"}), origin_words({"attribute": "shape", "value": "heart"})
        ('label 6 against all others', 'shape=heart')
    """
    if "label" in origin:
        return f"label {origin['label']} against all others"
    if "measure" in origin:
        return f"{origin['measure']}, measured"
    return "=".join(origin[key] for key in ("attribute", "value") if key in origin)


def origin_in(concept: Concept, dataset: Dataset) -> dict[str, str]:
    """What a concept is the concept of, as far as ``dataset`` can tell; a concept without an origin goes by its name.

    Raises:
        ArgumentError: if nothing in the set can tell.
    """
    if concept.origin:
        return dict(concept.origin)
    if concept.name in dataset.label_names:
        return {"label": concept.name}
    if concept.name in dataset.train.attributes:
        return {"attribute": concept.name}
    if concept.name in MEASURES:
        return {"measure": concept.name}
    raise ArgumentError(
        f'nothing in "{dataset.name}" can tell what "{concept.name}" does: it was learned from '
        f"{concept.source or 'unknown images'}. Name it like a label, an attribute or a measure, or learn it from one.",
        argument="name",
    )


def can_tell(dataset: Dataset, origin: Mapping[str, str]) -> bool:
    """Whether a set has the label, the attribute or the measure that a concept is the concept of."""
    if "label" in origin:
        return origin["label"] in dataset.label_names
    if "measure" in origin:
        return True
    key = origin.get("attribute", "")
    return key in dataset.train.attributes and origin.get("value", "") in ("", *words_of(dataset, key))


def values_of(split: Split, dataset: Dataset, origin: Mapping[str, str]) -> NDArray[np.bool_] | NDArray[np.float64]:
    """Whether each image shows it, or how much: (N,) bool, or float with NaN where it is not known.

    Args:
        split: of ``dataset``.
        dataset: knows the labels' names.
        origin: {"label": name}, {"attribute": name}, {"attribute": name, "value": word} or {"measure": name}.

    Raises:
        ArgumentError: if the set has no such label, attribute or measure.
        DataError: if the split has no labels.
    """
    if "label" in origin:
        number = dataset.label_number(origin["label"])
        if split.labels is None:
            raise DataError(f'the images of "{dataset.name}" have no labels.', argument="data")
        return np.asarray(split.labels == number)
    if "measure" in origin:
        return measure(origin["measure"], split.images)
    key, wanted = origin["attribute"], origin.get("value")
    column = attribute_of(split, dataset, key, "attribute")
    if wanted is not None:
        there = words_of(dataset, key)
        if wanted not in there:
            raise ArgumentError(f'no image has {key} "{wanted}". {did_you_mean(wanted, there)}', argument="attribute")
        return np.asarray(in_words(column) == wanted)
    if column.dtype.kind not in "fiu":
        raise ArgumentError(f"{key} is in words; say which, like {key}={column[0]}.", argument="attribute")
    return column.astype(np.float64)


def strata_of(split: Split, dataset: Dataset, balance: Sequence[str]) -> NDArray[np.int64] | None:
    """(N,) numbers of the groups within which to compare: by "label" and attributes, numbers cut into quarters.

    Raises:
        ArgumentError: if the set has no such attribute.
    """
    strata: NDArray[np.int64] | None = None
    for key in balance:
        if key == "label" and split.labels is not None:
            groups = np.asarray(split.labels)
        else:
            column = attribute_of(split, dataset, key, "balance")
            if column.dtype.kind == "f":
                unknown = np.isnan(column)
                column = np.where(unknown, 4, np.searchsorted(np.nanquantile(column, [0.25, 0.5, 0.75]), column))
            groups = np.unique(column, return_inverse=True)[1]
        both = groups if strata is None else np.unique(np.stack([strata, groups]), axis=1, return_inverse=True)[1]
        strata = both.astype(np.int64)
    return strata


def words_of(dataset: Dataset, key: str) -> list[str]:
    """The words of an attribute, in the order of the alphabet: what the training images have."""
    return sorted(set(in_words(np.asarray(dataset.train.attributes[key])).tolist()) - {""})


def in_words(column: NDArray[Any]) -> NDArray[np.str_]:
    """The values of an attribute as one writes them, "" where they are not known.

    Example:
        >>> in_words(np.array([20260101, 0.5, np.nan])).tolist()
        ['20260101', '0.5', '']
    """
    if column.dtype.kind not in "fiu":
        return column.astype(str)
    return np.array([_in_words(value) for value in column.tolist()], np.str_)


def _in_words(value: float) -> str:
    if value != value:
        return ""
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def known_of(
    split: Split, origin: Mapping[str, str], values: NDArray[np.bool_] | NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(N,) for which images ``values`` are known: neither NaN nor, of a word, empty."""
    known = np.isfinite(values)
    if "value" in origin:
        known &= in_words(np.asarray(split.attributes[origin["attribute"]])) != ""
    return known


def truth_of(split: Split, dataset: Dataset, origin: Mapping[str, str]) -> NDArray[np.float64]:
    """(N,) 1 and 0 for yes and no, or the value; NaN where it is not known."""
    values = values_of(split, dataset, origin)
    found: NDArray[np.float64] = np.where(known_of(split, origin, values), values, np.nan).astype(np.float64)
    return found


def attribute_of(split: Split, dataset: Dataset, key: str, argument: str) -> NDArray[Any]:
    """The attribute ``key`` of each image (N,); ``argument`` is what an error names.

    Raises:
        ArgumentError: if the set has no such attribute.
    """
    if key not in split.attributes:
        has = f"It has {', '.join(split.attributes)}." if split.attributes else "It has none."
        raise ArgumentError(f'"{dataset.name}" has no attribute "{key}". {has}', argument=argument)
    return np.asarray(split.attributes[key])
