"""Which of the columns that are known of a set are its labels, its split and its groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from morphospace.data.attributes import Attribute, Attributes
from morphospace.data.folder import NO_LABEL, Problem
from morphospace.data.preparation import Preparation
from morphospace.data.tables import shortened
from morphospace.errors import ArgumentError, did_you_mean

__all__ = ["FOLDER", "Columns", "chosen_columns", "label_name"]

FOLDER = "folder"
"""The column of the folders that pictures lie in, where a table has the labels."""

_LABELS = ("label", "labels", "fine_label", "class")
_SPLITS = ("split", "partition", "list_eval_partition")
_SPLIT_OF = {
    "train": "train", "training": "train",
    "test": "test", "testing": "test",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
}  # fmt: skip
_NUMBERED = {"0": "train", "1": "validation", "2": "test"}  # as the best-known set of faces has it


class Columns(NamedTuple):
    """What is known of each item beside its picture, or none of it; what does not fit, and what was decided.

    Attributes:
        labels: the label of each.
        splits: "train", "test" or "validation" for each.
        groups: the group of each; equal ones never lie on both sides of the split.
        attributes: by name.
        problems: what is wrong with single files or rows.
        notes: what was decided for a person, with the option that decides otherwise.
    """

    labels: Sequence[str] = ()
    splits: Sequence[str] = ()
    attributes: Attributes = {}  # noqa: RUF012 - a NamedTuple's default, never changed
    problems: Sequence[Problem] = ()
    groups: Sequence[str] = ()
    notes: Sequence[str] = ()


def chosen_columns(known: Columns, preparation: Preparation) -> Columns:
    """``known`` of a set, with the labels, the split and the groups that its table has, and notes of what was taken.

    A column called label (or labels, or class) has the labels, before the folders; these are then the attribute
    "folder". A column called split or partition has the split, unless folders do.

    Args:
        known: labels and splits by folder, or none; attributes, problems and notes.
        preparation: ``label`` and ``group`` name columns.

    Raises:
        ArgumentError: if there is no column of that name.
    """
    columns, notes = dict(known.attributes), list(known.notes)
    if known.labels:
        columns.setdefault(FOLDER, np.array(known.labels, np.str_))
    before = preparation.split_by == "pixels"  # as version 0.1 chose
    decided = preparation.label_from is not None or (before and known.labels)
    name = None if decided else _called(columns, _LABELS)
    if preparation.label is not None:
        name = _column(columns, preparation.label, "label")
    groupable = dict(columns)
    labels = known.labels if name is None else [label_name(value) for value in columns[name]]
    if name is None or name == FOLDER or list(labels) == list(known.labels):
        columns = dict(known.attributes)
    elif known.labels:
        notes.append(
            f'labels are of the column "{name}"; the folders are kept as the attribute "{FOLDER}" '
            f'(`label="{FOLDER}"` makes them the labels)'
        )
    groups: list[str] = []
    if preparation.group is not None:
        group = _column(groupable, preparation.group, "group")
        groups = _groups(groupable[group])
    splits = known.splits if before else _splits(known.splits, columns, notes)
    if preparation.group is not None and not splits:  # a split of the set's own is not changed
        notes.append(
            f'images of one "{group}" stay on one side of the split; there are {len(set(groups) - {""}):,} of these'
        )
    return known._replace(labels=labels, splits=splits, attributes=columns, groups=groups, notes=notes)


def _called(attributes: Attributes, names: Sequence[str]) -> str | None:
    """The column with one of ``names``, in any case."""
    lower = {column.lower(): column for column in attributes}
    return next((lower[name] for name in names if name in lower), None)


def _column(attributes: Attributes, asked: str, argument: str) -> str:
    """The column that an argument names.

    Raises:
        ArgumentError: if there is none of that name.
    """
    found = asked if asked in attributes else _called(attributes, [asked.lower()])
    if found is None:
        known = did_you_mean(asked, attributes) if attributes else "The set has no table with columns."
        raise ArgumentError(f'there is no column "{asked}". {known}', argument=argument)
    return found


def _splits(by_folder: Sequence[str], attributes: Attributes, notes: list[str]) -> Sequence[str]:
    """The split of each image: by the folders, else by a column that has one."""
    name = _called(attributes, _SPLITS)
    if name is None:
        return by_folder
    words = [label_name(value).strip().lower() for value in attributes[name]]
    counts = Counter(words)
    meaning = _NUMBERED if counts.keys() & {"0", "1"} and "2" in counts else _SPLIT_OF
    kinds = {meaning[word] for word in counts if word in meaning}
    if "train" not in kinds or len(kinds) < 2:
        notes.append(f'the column "{name}" splits nothing: expected train, test, validation, got {shortened(counts)}')
        return by_folder
    if by_folder:
        notes.append(f'the folders say what is train and test, and the column "{name}" does not count')
        return by_folder
    if meaning is _NUMBERED:
        notes.append(f'the split is by the column "{name}": 0 is train, 1 validation, 2 test')
    else:
        notes.append(f'the split is by the column "{name}"')
    if other := [word for word in counts if word not in meaning]:
        count = sum(counts[word] for word in other)
        notes.append(f'{count:,} images with {shortened(other)} in the column "{name}" were put into train')
    found = [meaning.get(word, "train") for word in words]
    if "test" in kinds:
        return found
    notes.append(f'the column "{name}" has no test images: those of validation are the test')
    return ["test" if kind == "validation" else kind for kind in found]


def _groups(values: Attribute) -> list[str]:
    """The group of each image; "" for none where the value is unknown."""
    names = [label_name(value) for value in values]
    return ["" if name == NO_LABEL else name for name in names]


def label_name(value: object) -> str:
    """The value of a column of labels in words; such a column has floats where a cell is empty.

    Example:
        >>> label_name(3.0), label_name("cat"), label_name(np.nan), label_name("")
        ('3', 'cat', '(no label)', '(no label)')
    """
    if value is None or value == "" or value != value:
        return NO_LABEL
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
