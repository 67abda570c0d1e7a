"""A prepared set on disk: made once, whole or not at all, and opened at once, in flat memory when it is large."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from morphospace.data.attributes import Attribute, Attributes
from morphospace.data.dataset import Dataset, Labels, Split, fingerprint_of
from morphospace.data.folder import Problem
from morphospace.data.preparation import Preparation
from morphospace.data.splitting import SPLITS, Keys
from morphospace.data.store import OpenFile, StoredImages
from morphospace.errors import FileError
from morphospace.files import atomic_folder, read_json, remove_leftovers, safe_name, write_json

__all__ = [
    "COLUMNS",
    "DESCRIPTION",
    "IMAGES",
    "LOCK",
    "SET",
    "Identity",
    "ImageFacts",
    "check_room",
    "entry_of",
    "hash_of",
    "item_names",
    "kept_or_made",
    "open_prepared",
    "write_prepared",
]

FORMAT = "morphospace-prepared-4"
LOCK, SET = ".lock", "set"  # in a folder of the cache
DESCRIPTION, IMAGES, COLUMNS = "prepared.json", "images.npy", "columns.npz"
_IN_MEMORY = 64 << 20  # bytes; smaller sets are simply loaded


class Identity(NamedTuple):
    """What a set is: its name, what opens it again, a hash of all that decides its content, and its terms."""

    name: str
    source: str
    key: str
    licence: str = ""


class ImageFacts(NamedTuple):
    """What is known of the N images in the file, in their order.

    Attributes:
        shape: (H, W, C) of each.
        digests: (N, 16) of their pixels.
        kinds: (N,) places in ``SPLITS``, 255 for those that cannot be used.
        keys: (N,) what the split goes by.
        groups: (N,) or None.
        labels: (N,) places in ``label_names``, or None.
        content: (N,) the labels as the fingerprint counts them, or None.
        label_names: by number.
        names: (N,) of their files, or None.
        attributes: (N,) by name.
    """

    shape: tuple[int, int, int]
    digests: NDArray[np.uint8]
    kinds: NDArray[np.uint8]
    keys: Keys
    groups: Keys | None
    labels: Labels | None
    content: Labels | None
    label_names: Sequence[str]
    names: NDArray[np.str_] | None
    attributes: Attributes


def hash_of(value: object) -> str:
    """The SHA-256 of plain JSON values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@contextmanager
def entry_of(cache: Path, name: str) -> Iterator[Path]:
    """Yield the folder ``name`` of a cache, for this process alone: a second one waits, and then finds the work done.

    Raises:
        FileError: if the cache cannot be written.
    """
    entry = cache / name
    try:
        entry.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"cannot make {entry}: {error.strerror}. Set MORPHOSPACE_CACHE to a folder to write to."
        ) from error
    with FileLock(entry / LOCK):
        yield entry
        os.utime(entry)  # when it was last used


def kept_or_made(identity: Identity, preparation: Preparation, cache: Path, make: Callable[[Path], None]) -> Dataset:
    """The set in ``cache``, if it is there unchanged; else what ``make`` writes into a folder.

    Raises:
        FileError: if the cache cannot be written.
    """
    wanted = {"format": FORMAT, "source": identity.source, "preparation": preparation.to_json() | {"strict": None}}
    with entry_of(cache, f"{safe_name(identity.name)}-{hash_of(wanted)[:16]}") as entry:
        found = open_prepared(entry / SET, identity)
        if found is None:
            remove_leftovers(entry)
            with atomic_folder(entry / SET) as partial:
                make(partial)
            found = open_prepared(entry / SET, identity)
        if found is None:
            raise FileError(f"{entry} was changed while it was written. Try again.")
    return replace(found, preparation={"asked": preparation.to_json(), **found.preparation})


def check_room(folder: Path, needed: int) -> None:
    """Refuse what the disk has no room for.

    Raises:
        FileError: if ``needed`` bytes are more than are free.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FileError(
            f"the prepared images take {needed / 1e9:.1f} GB, and {folder.parent} has {free / 1e9:.1f} GB free. "
            "Free some, set MORPHOSPACE_CACHE to a folder on another disk, or choose a smaller `size`."
        )


def write_prepared(folder: Path, identity: Identity, known: ImageFacts, about: Mapping[str, Any]) -> None:
    """Write what is known of the images in ``folder`` beside them: columns, and ``about`` with the fingerprint."""
    rows = [np.flatnonzero(known.kinds == i) for i in range(len(SPLITS))]
    fingerprint = fingerprint_of(
        *(
            ((len(r), *known.shape), known.digests[r], None if known.content is None else known.content[r])
            for r in rows
            if len(r)
        )
    )
    columns: dict[str, Any] = {
        "split": known.kinds, "keys": known.keys, "labels": known.labels, "groups": known.groups, "names": known.names,
    }  # fmt: skip
    columns |= {f"attribute.{name}": values for name, values in known.attributes.items()}
    with (folder / COLUMNS).open("wb") as stream:
        np.savez(stream, **{name: column for name, column in columns.items() if column is not None})
    description = {
        "format": FORMAT,
        "key": identity.key,
        "source": identity.source,
        "shape": list(known.shape),
        "fingerprint": fingerprint,
        "label_names": list(known.label_names),
        "attributes": list(known.attributes),
        **about,
    }
    write_json(folder / DESCRIPTION, description)


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


def open_prepared(folder: Path, identity: Identity) -> Dataset | None:
    """The set in ``folder``; None if it is not there, damaged, or of another key."""
    name, source, key, licence = identity
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
