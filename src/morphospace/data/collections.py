"""Collections: pictures that are to become a set, from a folder or drawn, and what is known of each beside it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from morphospace.data.archive import archive_stem, unpacked
from morphospace.data.attributes import read_tables
from morphospace.data.columns import Columns, chosen_columns
from morphospace.data.fetch import ProgressCallback
from morphospace.data.folder import list_folder, shown_name, unchanged
from morphospace.data.items import Item, Sprite
from morphospace.data.preparation import Preparation, parse_size
from morphospace.data.sprites import SHAPES, sprite_factors
from morphospace.errors import ArgumentError, DataError, did_you_mean

__all__ = ["Collection", "archive_collection", "folder_collection", "sprites_collection"]

_SPRITES = 10_000
_SPRITE_SIDE = 64


@dataclass(frozen=True)
class Collection:
    """Pictures that are to become a data set.

    Attributes:
        name: what reports call the set.
        source: what opens it again.
        key: a hash of all that decides its content.
        items: where each picture comes from.
        item_name: the name of a picture by its place.
        columns: called when the set is prepared.
        changed: whether the pictures are not what they were when they were listed.
        licence: the terms.
    """

    name: str
    source: str
    key: str
    items: Sequence[Item]
    item_name: Callable[[int], str]
    columns: Callable[[], Columns]
    changed: Callable[[], bool] = lambda: False
    licence: str = ""


def folder_collection(path: Path, preparation: Preparation) -> Collection:
    """The pictures of a folder, with labels and split by sub-folder or by name, and what its tables say of them."""
    listing = list_folder(path, label_from=preparation.label_from, as_before=preparation.split_by == "pixels")
    files, root = listing.files, os.fspath(path)

    def columns() -> Columns:
        attributes, problems, notes = read_tables(path, listing.tables, files)
        problems, notes = [*listing.problems, *problems], [*listing.notes, *notes]
        by_folder = Columns(listing.labels, listing.splits, attributes, problems, notes=notes)
        return chosen_columns(by_folder, preparation)

    return Collection(
        name=shown_name(path.resolve().name) or "images",
        source=shown_name(os.fspath(path.resolve())),
        key=listing.key,
        items=_Paths(root, files),
        item_name=lambda i: shown_name(files[i]),
        columns=columns,
        changed=lambda: not unchanged(listing),
    )


def archive_collection(path: Path, preparation: Preparation, *, cache: Path, progress: ProgressCallback) -> Collection:
    """The pictures of a zip or tar, unpacked into ``cache``, as those of a folder.

    Raises:
        FileError: if the archive cannot be unpacked.
        DataError: if there are no pictures in it.
    """
    found = unpacked(path, cache=cache, progress=progress)
    try:
        inside = folder_collection(found.folder, preparation)
    except DataError as error:
        endings = Counter(file.suffix.lower() for file in found.folder.rglob("*") if file.is_file())
        kinds = [f"{count:,} {ending or 'of no ending'}" for ending, count in endings.most_common(4)]
        arrays = " Unpack it, and name one of its arrays." if endings.keys() & {".npy", ".npz"} else ""
        raise DataError(
            f"{path} holds no pictures: expected PNG, JPEG, ..., found {', '.join(kinds) or 'nothing'}.{arrays}",
            argument="data",
        ) from error

    def columns() -> Columns:
        known = inside.columns()
        return known._replace(problems=[*found.problems, *known.problems], notes=[*found.notes, *known.notes])

    name, source = archive_stem(path), shown_name(os.fspath(path.resolve()))
    return replace(inside, name=shown_name(name), source=source, key=found.key, columns=columns, changed=lambda: False)


class _Paths(Sequence[Item]):
    """The files of a folder as items."""

    def __init__(self, root: str, files: Sequence[str]) -> None:
        self.root, self.files = root, files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: Any) -> Any:
        return f"{self.root}/{self.files[index]}"


class _Sprites(Sequence[Item]):
    """Sprites as items."""

    def __init__(self, length: int, seed: int, shape: tuple[int, int, int]) -> None:
        self.length, self.seed, self.shape = length, seed, shape

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        return Sprite(self.seed, index, self.shape)


def sprites_collection(text: str, preparation: Preparation) -> Collection:
    """The sprites that ``sprites:count=500,size=32,seed=1,colour=grey`` asks for; ``preparation`` comes first."""
    asked = {"count": str(_SPRITES), "size": str(_SPRITE_SIDE), "seed": "0", "colour": "colour"}
    for pair in filter(None, text.partition(":")[2].split(",")):
        key, _, value = pair.partition("=")
        if key not in asked:
            raise ArgumentError(
                f'sprites have no "{key}". {did_you_mean(key, asked)} Like sprites:count=500.', argument="data"
            )
        asked[key] = value
    for key, least in (("count", 2), ("seed", 0)):
        if not asked[key].isdecimal() or int(asked[key]) < least:
            raise ArgumentError(
                f'sprites: expected {key} to be a whole number from {least}, got "{asked[key]}".',
                argument="data",
            )
    if asked["colour"] not in ("grey", "colour"):
        raise ArgumentError(
            f'sprites: expected colour=grey or colour=colour, got "{asked["colour"]}".', argument="data"
        )
    try:
        height, width = preparation.size or parse_size(asked["size"])
    except ArgumentError as error:
        raise ArgumentError(f"sprites: size: {error.words}", argument="data") from error
    colour = asked["colour"] if preparation.colour == "auto" else preparation.colour
    count, seed = int(asked["count"]), int(asked["seed"])

    def columns() -> Columns:
        factors = sprite_factors(0, count, seed=seed)
        labels = [SHAPES[int(i)] for i in factors["shape"]]
        return Columns(labels, attributes=factors | {"shape": np.array(labels)})

    source = f"sprites:count={count},size={width}x{height},seed={seed},colour={colour}"
    return Collection(
        name="sprites",
        source=source,
        key=source,
        items=_Sprites(count, seed, (height, width, 3 if colour == "colour" else 1)),
        item_name="sprite {}".format,
        columns=columns,
        licence="Apache-2.0",
    )
