"""A prepared set on disk, and how it is opened: at once, and in flat memory when it is large."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from morphospace.data.attributes import Attribute
from morphospace.data.dataset import Dataset, Split
from morphospace.data.folder import Problem
from morphospace.data.splitting import SPLITS
from morphospace.data.store import OpenFile, StoredImages
from morphospace.errors import FileError
from morphospace.files import read_json

__all__ = ["COLUMNS", "DESCRIPTION", "FORMAT", "IMAGES", "LOCK", "SET", "item_names", "open_prepared"]

FORMAT = "morphospace-prepared-4"
LOCK, SET = ".lock", "set"  # in a folder of the cache
DESCRIPTION, IMAGES, COLUMNS = "prepared.json", "images.npy", "columns.npz"
_IN_MEMORY = 64 << 20  # bytes; smaller sets are simply loaded


def _column(columns: OpenFile, name: str) -> Any:
    """One column, or None."""
    with columns.turn:
        columns.stream.seek(0)
        with np.load(columns.stream, allow_pickle=False) as file:
            return file.get(name)


class _StoredAttributes(Mapping[str, Attribute]):
    """The attributes of some rows, read when asked for."""

    def __init__(self, columns: OpenFile, names: Sequence[str], rows: NDArray[np.int64]) -> None:
        self.columns, self.names, self.rows = columns, names, rows

    def __getitem__(self, name: str) -> Attribute:
        if name not in self.names:
            raise KeyError(name)
        found: Attribute = _column(self.columns, f"attribute.{name}")[self.rows]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def item_names(dataset: Dataset, kind: str) -> list[str]:
    """What the images of a split are called: by their files where the set is of files, else like "mnist:test/17".

    Args:
        dataset: opened.
        kind: "train", "test" or "validation".

    Example:
        >>> from morphospace.data import open_dataset
        >>> item_names(open_dataset("digits"), "test")[17]
        'digits:test/17'
    """
    count = len(dataset.split(kind))
    with suppress(KeyError, OSError, ValueError, BadZipFile):  # a set of arrays, or one that was forgotten meanwhile
        with np.load(Path(dataset.preparation["folder"]) / COLUMNS, allow_pickle=False) as columns:
            names: list[str] = columns["names"][columns["split"] == SPLITS.index(kind)].tolist()
        if len(names) == count:
            return names
    return [f"{dataset.name}:{kind}/{i}" for i in range(count)]


def open_prepared(folder: Path, *, key: str, name: str, source: str, licence: str = "") -> Dataset | None:
    """The set in ``folder``; None if it is not there, damaged, or not of ``key``."""
    try:
        description = read_json(folder / DESCRIPTION, "prepared set")
        if description.get("format") != FORMAT or description["key"] != key:
            return None
        stored = StoredImages(folder / IMAGES)
        columns = OpenFile(FileIO(folder / COLUMNS))
        kinds, numbers, keys, groups = (_column(columns, name) for name in ("split", "labels", "keys", "groups"))
        small = stored.nbytes <= _IN_MEMORY
        splits: dict[str, Split | None] = {}
        for i, kind in enumerate(SPLITS):
            rows = np.flatnonzero(kinds == i)
            splits[kind] = None
            if not len(rows):
                continue
            images = stored.take(rows)
            of_rows = [None if column is None else column[rows] for column in (numbers, keys, groups)]
            known = _StoredAttributes(columns, description["attributes"], rows)
            labels, *more = of_rows
            splits[kind] = (
                Split(images[:], labels, dict(known), *more) if small else Split(images, labels, known, *more)
            )
        train, test = splits["train"], splits["test"]
        if train is None or test is None:
            return None
        return Dataset(
            name, train, test, tuple(description["label_names"]), description["fingerprint"],
            licence, splits["validation"], source,
            {"size": description["shape"][:2], "resize": description["resize"],
             "colour": "colour" if description["shape"][2] == 3 else "grey",
             **{key: description[key] for key in ("interpretation", "sizes", "forms", "seconds")},
             "folder": str(folder)},
            tuple(Problem(*problem) for problem in description["problems"]), tuple(description["notes"]),
        )  # fmt: skip
    except (FileError, OSError, ValueError, KeyError, TypeError, BadZipFile):
        return None
