"""Image sets of the Hugging Face hub, by the ``datasets`` library (the extra ``morphospace[hf]``)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from morphospace.data.attributes import Attribute
from morphospace.data.collections import Collection
from morphospace.data.columns import Columns, chosen_columns
from morphospace.data.items import Item
from morphospace.data.preparation import Preparation
from morphospace.errors import DataError, FileError

__all__ = ["hub_collection"]


def hub_collection(name: str, preparation: Preparation) -> Collection:
    """The pictures of ``hf:NAME``: a set of the hub, or a local folder that ``datasets`` can load.

    Its first image column is used; ``label`` is the label, columns of numbers and words are attributes; the splits
    train, test and validation are kept where there are both of the first two.

    Raises:
        FileError: if the library is not installed or the set cannot be loaded.
        DataError: if the set has no column of images.
    """
    try:
        import datasets
    except ImportError as error:
        raise FileError(
            f"hf:{name} needs the library datasets. Install it: pip install 'morphospace[hf]'", argument="data"
        ) from error
    try:
        loaded = datasets.load_dataset(name)
    except Exception as error:  # the library raises many kinds
        words = " ".join(str(error).split())[:200]
        raise FileError(f"hf:{name} cannot be loaded: {words}.", argument="data") from error
    kept = {"train": "train", "test": "test", "validation": "validation", "valid": "validation", "val": "validation"}
    parts = {kept[split]: part for split, part in loaded.items() if split in kept}
    if "train" not in parts or "test" not in parts:
        parts = dict(loaded.items())
    first = next(iter(parts.values()))
    column = next((c for c, feature in first.features.items() if isinstance(feature, datasets.Image)), None)
    if column is None:
        raise DataError(
            f"hf:{name} has no column of images; its columns are {', '.join(first.features)}.", argument="data"
        )
    places = [f"{split}/{i}" for split, part in parts.items() for i in range(len(part))]

    def columns() -> Columns:
        tables = [part.remove_columns(column) for part in parts.values()]
        values = {c: [v for table in tables for v in table[c]] for c in first.features if c != column}
        named = {c: getattr(first.features[c], "names", None) for c in values}
        words = {c: [_named(v, n) for v in values[c]] if (n := named[c]) else values[c] for c in values}
        attributes = {c: found for c, some in words.items() if (found := _attribute(some)) is not None}
        splits = [place.partition("/")[0] for place in places] if set(parts) >= {"train", "test"} else ()
        return chosen_columns(Columns(splits=splits, attributes=attributes), preparation)

    return Collection(
        name=name.rstrip("/").rpartition("/")[2],
        source=f"hf:{name}",
        key="/".join(f"{split}:{part._fingerprint}" for split, part in parts.items()),
        items=_Rows([part.cast_column(column, datasets.Image(decode=False))[column] for part in parts.values()]),
        item_name=places.__getitem__,
        columns=columns,
        licence=str(first.info.license or ""),
    )


def _named(value: Any, names: Sequence[str]) -> str | None:
    """The name of a label; sets of the hub write -1 or nothing where it is hidden."""
    return names[value] if value in range(len(names)) else None


def _attribute(values: Sequence[Any]) -> Attribute | None:
    """A column as an attribute, if it has numbers or words."""
    if all(isinstance(v, (int, float)) or v is None for v in values):
        return np.array([np.nan if v is None else float(v) for v in values])
    if all(isinstance(v, str) or v is None for v in values):
        return np.array([v or "" for v in values], np.str_)
    return None


class _Rows(Sequence[Item]):
    """The encoded pictures of several columns, one after the other, read when asked for."""

    def __init__(self, columns: Sequence[Sequence[dict[str, Any]]]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return sum(map(len, self.columns))

    def __getitem__(self, index: Any) -> Any:
        for column in self.columns:
            if index < len(column):
                found = column[index]
                if found["bytes"] is not None:
                    return found["bytes"]
                with io.FileIO(found["path"]) as stream:
                    return stream.readall()
            index -= len(column)
        raise IndexError(index)
