"""Stacks and animations as sets: each page of each file is a picture."""

from __future__ import annotations

import dataclasses

import numpy as np

from morphospace.data.attributes import Attributes
from morphospace.data.collections import Collection
from morphospace.data.columns import Columns
from morphospace.data.fetch import ProgressCallback, no_progress
from morphospace.data.items import Item, pages_of
from morphospace.errors import plural

__all__ = ["expand_pages"]


def expand_pages(collection: Collection, progress: ProgressCallback = no_progress) -> tuple[Collection, list[str]]:
    """The same pictures with each page as one of its own, and what to say of it.

    Pages have the label, the attributes and the key of their file, and so stay on one side of the split.
    """
    pages: list[tuple[str, Item]] = []
    file: list[int] = []  # of each page
    count = len(collection.items)
    for i, item in enumerate(collection.items):
        found = pages_of(collection.item_name(i), item)
        pages += found
        file += [i] * len(found)
        progress(f"counting pages of {collection.name}", i + 1, count, "pictures")
    if len(pages) == count:
        return collection, []

    def columns() -> Columns:
        known = collection.columns()
        labels, splits, groups = (
            [values[i] for i in file] if values else () for values in (known.labels, known.splits, known.groups)
        )
        attributes: Attributes = {name: values[file] for name, values in known.attributes.items()}
        return known._replace(labels=labels, splits=splits, groups=groups, attributes=attributes)

    stacks = int((np.bincount(file) > 1).sum())
    several = dataclasses.replace(
        collection, items=[item for _, item in pages], item_name=lambda i: pages[i][0], columns=columns
    )
    alone = "; being of one file, they lie on both sides of the split" if count == 1 else ""
    return several, [
        f"{len(pages) - count + stacks:,} pages of {plural(stacks, 'file')} became a picture each{alone}; "
        '`frames="first"`, "max" or "mean" makes one picture of a file'
    ]
