"""Which images are held out: by what they are, never by how they were prepared.

Each image has a key, 64 bits of the SHA-256 of its file (of an array's bytes, of a sprite's number). The lowest tenth
of all keys is the test: the same picture lands on the same side whatever its neighbours, its size and its colours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import DataError

__all__ = [
    "HELD_OUT",
    "SPLITS",
    "Keys",
    "content_fingerprint",
    "held_out",
    "kept_together",
    "key_of",
    "keys_of_digests",
    "lowest",
    "split_kinds",
]

SPLITS = ("train", "test", "validation")

HELD_OUT = 0.1
"""The share held out as test images where a set has no official test split."""

Keys = NDArray[np.uint64]


def keys_of_digests(digests: NDArray[np.uint8]) -> Keys:
    """(N,) keys, evenly spread: the second half of the digests (N, 16) of images."""
    return np.ascontiguousarray(digests[:, 8:]).view(">u8").ravel().astype(np.uint64)


def key_of(content: bytes) -> int:
    """The key of the content of a file.

    Example:
        >>> key_of(b"a picture") == key_of(b"a picture")
        True
    """
    return int.from_bytes(hashlib.sha256(content).digest()[8:16], "big")


def held_out(keys: Keys) -> NDArray[np.bool_]:
    """(N,) mask of the images whose key lies in the lowest tenth of all possible ones; at least one, never all.

    Copies of one picture have one key and stay together, and a set that grows never moves an image.

    Raises:
        DataError: if all keys are equal.
    """
    found: NDArray[np.bool_] = keys < np.uint64(int(HELD_OUT * 2**64))
    if not found.any() or found.all():
        found = keys == keys.min()
    if found.all():
        raise DataError("expected at least two different images, got copies of one.", argument="images")
    return found


def lowest(keys: Keys) -> NDArray[np.bool_]:
    """(N,) mask of the tenth of images whose keys are lowest, and of what must stay with these.

    Raises:
        DataError: if all keys are equal.
    """
    last = np.sort(keys)[max(1, round(HELD_OUT * len(keys))) - 1]
    chosen: NDArray[np.bool_] = keys <= last
    if chosen.all():
        raise DataError("expected at least two different training images, got one, or copies of it.", argument="images")
    return chosen


def kept_together(keys: Keys, groups: Sequence[str]) -> Keys:
    """(N,) keys that are equal for images of one group, and for all groups that share a copy of an image.

    Args:
        keys: of the images.
        groups: the group of each, "" for none.

    Example:
        >>> kept_together(np.array([7, 8, 8, 9], np.uint64), ["a", "a", "b", ""])[[0, 2]].tolist() == [key_of(b"a")] * 2
        True
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, group = np.unique(np.asarray(groups), return_inverse=True)
    different, content = np.unique(keys, return_inverse=True)
    grouped = np.asarray(groups) != ""
    # Contents and groups are the nodes of a graph, and each image of a group joins two of them.
    ends = (content[grouped], len(different) + group[grouped])
    count = len(different) + len(names)
    _, part = connected_components(coo_array((np.ones(len(ends[0]), bool), ends), (count, count)), directed=False)
    own = part[content]
    first = np.full(count, len(names))
    np.minimum.at(first, own[grouped], group[grouped])
    by_name = np.array([*(key_of(str(name).encode("utf-8", "surrogatepass")) for name in names), 0], np.uint64)
    return np.where(first[own] < len(names), by_name[first[own]], keys)


def split_kinds(
    name: str, splits: Sequence[str], keys: Keys, groups: Keys | None, broken: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], list[str]]:
    """For each image the place of its split in ``SPLITS``, 255 for broken ones; and what a person should know of it.

    Args:
        name: of the set.
        splits: the split of each where the set has its own, else none.
        keys: (N,) of the images.
        groups: (N,) keys by which images stay together.
        broken: (N,) which cannot be used.

    Raises:
        DataError: if there is nothing to learn from, or nothing to test on.
    """
    kinds = np.full(len(broken), 255, np.uint8)
    good = np.flatnonzero(~broken)
    if len(good) < 2:
        raise DataError(
            f"expected at least two pictures (one is held out as a test), got {len(good)}.", argument="data"
        )
    if splits:
        kinds[good] = [SPLITS.index(splits[int(i)]) for i in good]
        for part in ("train", "test"):
            if not (kinds == SPLITS.index(part)).any():
                raise DataError(f"{name} has no picture that can be used in {part}/.", argument="data")
        return kinds, _on_both_sides(kinds, keys, groups)
    try:
        kinds[good] = held_out((keys if groups is None else groups)[good])
    except DataError as error:
        what = "are copies of one" if groups is None else "belong together, by their groups and copies"
        raise DataError(f"all {len(good)} pictures of {name} {what}.", argument="data") from error
    share = float((kinds[good] == SPLITS.index("test")).mean())
    if groups is not None and not HELD_OUT / 2 <= share <= HELD_OUT * 2:
        return kinds, [f"as groups stay together, {share:.0%} of the pictures are the test, not a tenth"]
    return kinds, []


def _on_both_sides(kinds: NDArray[np.uint8], keys: Keys, groups: Keys | None) -> list[str]:
    """What lies on both sides of a split that the set itself has."""
    learned, tested = kinds == SPLITS.index("train"), kinds == SPLITS.index("test")
    copies = int(np.isin(keys[tested], keys[learned]).sum())
    notes = [f"{copies:,} of the {tested.sum():,} test pictures are copies of training pictures"] if copies else []
    if groups is not None and (shared := np.intersect1d(groups[learned], groups[tested])).size:
        notes.append(
            f"{len(shared):,} groups lie on both sides of the split: the set has a split of its own, and `group` does "
            "not change that"
        )
    return notes


def content_fingerprint(splits: Iterable[tuple[str, Keys]]) -> str:
    """SHA-256 over the keys of each split, in any order of its images: the same pictures, split in the same way.

    Example:
        >>> one, other = np.array([1, 2], np.uint64), np.array([2, 1], np.uint64)
        >>> content_fingerprint([("train", one)]) == content_fingerprint([("train", other)])
        True
    """
    whole = hashlib.sha256()
    for name, keys in splits:
        whole.update(f"{name} {len(keys)}\n".encode())
        whole.update(np.sort(keys).astype("<u8").data)
    return whole.hexdigest()
