"""Whether a space is measured on images that it was trained on."""

from __future__ import annotations

import numpy as np

from morphospace.data import Dataset, content_digests
from morphospace.data.splitting import Keys, keys_of_digests
from morphospace.space import Space

__all__ = ["trained_on", "words_of_overlap"]


def trained_on(space: Space, dataset: Dataset, keys: Keys | None) -> int | None:
    """How many test images of ``dataset`` are among those that ``space`` was trained on; None where that is unknown.

    Args:
        space: with the fingerprints of its set.
        dataset: in the form that the space takes.
        keys: sorted, of all images that the space learned from, as its run keeps them; None for a bundle alone.
    """
    if keys is None:
        own = space.about.get("data", {})
        same = own.get("fingerprint") == dataset.fingerprint or (
            dataset.content and own.get("content") == dataset.content
        )
        return 0 if same else None
    test = dataset.test
    known = np.isin(keys_of_digests(content_digests(test.images)), keys)
    return int((known if test.keys is None else known | np.isin(test.keys, keys)).sum())


def words_of_overlap(count: int | None, images: int, name: str = "this space") -> str:
    """What a person should know of :func:`trained_on`; "" for nothing.

    Example:
        >>> words_of_overlap(412, 1000)[:71]
        '412 of the 1,000 test images are among those that this space learned fr'
    """
    if count is None:
        return (
            f"whether test images are among those that {name} learned from cannot be known: its set was another, or "
            "split in another way, and only the folder of its run, not its bundle, knows which images these were"
        )
    if not count:
        return ""
    return (
        f"{count:,} of the {images:,} test images are among those that {name} learned from: for these, figures say how "
        "well it remembers, not what it makes of new images"
    )
