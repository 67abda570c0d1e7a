"""What is known of each image that DATA names: its name, split, label and attributes; and tables of it."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from morphospace.cli.problems import problem_lines
from morphospace.cli.screen import note
from morphospace.errors import DataError

if TYPE_CHECKING:
    from morphospace.data import Dataset, Preparation, Split
    from morphospace.data.attributes import Attribute
    from morphospace.data.folder import Problem
    from morphospace.evaluate import OutlierFigures

__all__ = ["ITEM", "Rows", "name_within_set", "rows_of_folder", "rows_of_splits", "without_labels", "write_scores"]

ITEM = re.compile(r"(?P<set>.+):(?P<split>\w+)/(?P<number>\d+)")
"""What an image of a set is called, like mnist:test/17."""


class Rows(NamedTuple):
    """N images: ``names``; ``splits`` ("" where unknown); ``labels`` ("" where there is none), or none; attributes."""

    names: list[str]
    splits: list[str]
    labels: list[str]
    attributes: dict[str, Attribute]


def name_within_set(item: str) -> str:
    """What an item is called within its set, as sheets name it below the set's own name.

    Example:
        >>> name_within_set("mnist:test/17"), name_within_set("cats/3.png")
        ('test/17', 'cats/3.png')
    """
    return item.rpartition(":")[2] if ITEM.fullmatch(item) else item


def rows_of_splits(dataset: Dataset, splits: Mapping[str, Split]) -> Rows:
    """The images of some splits of a set, one split after the other; says where some have no labels."""
    from morphospace.data.prepared import item_names

    names = [name for kind in splits for name in item_names(dataset, kind)]
    kinds = [kind for kind, split in splits.items() for _ in range(len(split))]
    labels: list[str] = []
    without = [kind for kind, split in splits.items() if split.labels is None]
    if len(without) < len(splits):
        if without:
            note(f"the {' and '.join(without)} images of {dataset.name} have no labels: theirs are left empty")
        for split in splits.values():
            known = split.labels
            labels += [""] * len(split) if known is None else [dataset.label_names[number] for number in known]
    keys = dict.fromkeys(key for split in splits.values() for key in split.attributes)
    columns = {key: _joined([_column(split, key) for split in splits.values()]) for key in keys}
    return Rows(names, kinds, labels, without_labels(columns, labels))


def rows_of_folder(folder: Path, names: Sequence[str], preparation: Preparation) -> tuple[Rows, list[Problem]]:
    """Pictures of a folder, by their ``names`` in it; and what does not fit of its tables, which is said, too.

    Args:
        folder: with sub-folders, tables.
        names: of its pictures.
        preparation: where labels come from.

    Raises:
        ArgumentError: if the tables have no column that ``preparation`` names.
        DataError: if the folder was changed while it was read.
    """
    from morphospace.data.collections import folder_collection

    collection = folder_collection(folder, preparation)
    columns = collection.columns()
    place = {collection.item_name(i): i for i in range(len(collection.items))}
    files = [name if name in place else re.sub(r"\[\d+\]$", "", name) for name in names]  # of pages like a.tif[2]
    if gone := [name for name in files if name not in place]:
        raise DataError(f"{gone[0]} left the folder {folder} while it was read. Try again.", argument="data")
    chosen = [place[name] for name in files]
    labels, kinds = ([column[i] for i in chosen] if column else [] for column in (columns.labels, columns.splits))
    for words in (*problem_lines(columns.problems), *columns.notes):
        note(words)
    known = {key: values[chosen] for key, values in columns.attributes.items()}
    return Rows(list(names), kinds or [""] * len(names), labels, without_labels(known, labels)), list(columns.problems)


def _column(split: Split, key: str) -> Any:
    """An attribute of each image of a split: NaN where the split does not know it."""
    import numpy as np

    return np.asarray(split.attributes[key]) if key in split.attributes else np.full(len(split), np.nan)


def _joined(parts: Sequence[Any]) -> Attribute:
    """One column of several: of numbers where all are, else of words."""
    import numpy as np

    from morphospace.points import cell

    if all(part.dtype.kind in "fiub" for part in parts):
        return np.concatenate(parts).astype(np.float64)
    return np.array([cell(value) for part in parts for value in part.tolist()], np.str_)


def without_labels(columns: Mapping[str, Attribute], labels: Sequence[str]) -> dict[str, Attribute]:
    """Attributes without the one that has the labels, which are told by themselves already."""
    from morphospace.data.columns import label_name

    return {
        key: values
        for key, values in columns.items()
        if key.lower() != "label" or [label_name(value) for value in values.tolist()] != list(labels)
    }


def write_scores(path: Path, rows: Rows, figures: OutlierFigures) -> None:
    """Write a CSV with what was found of each image, whole or not at all: a row each, in the order of the images."""
    import numpy as np

    from morphospace.files import atomic_file
    from morphospace.points import cell

    count = len(rows.names)
    rank = np.empty(count, np.int64)
    rank[figures.worst(count)] = np.arange(1, count + 1)
    columns: dict[str, Sequence[Any]] = {
        "name": rows.names,
        "split": rows.splits,
        "label": rows.labels or [""] * count,
        "typicality": figures.typicality.tolist(),
        "error": figures.errors.tolist(),
        "share_as_badly_reconstructed": figures.share.tolist(),
        "outlier": figures.outliers.astype(int).tolist(),
        "rank": rank.tolist(),
    }
    with atomic_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows([cell(value) for value in row] for row in zip(*columns.values(), strict=True))
