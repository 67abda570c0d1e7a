"""Preparation: pictures of any size and kind, decoded once, in parallel, into one file of equal images.

What is prepared is kept in the user's cache and found again by what it was made of: the same collection,
unchanged, opens at once; a changed one is prepared anew. It is written whole or not at all.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from morphospace.data.collections import Collection
from morphospace.data.dataset import Dataset, Labels, Split
from morphospace.data.fetch import ProgressCallback, no_progress
from morphospace.data.folder import Problem, problem_kinds
from morphospace.data.interpreting import interpretation_for, notes_for_space, notes_of
from morphospace.data.items import Page, Place, decode_items
from morphospace.data.pages import expand_pages
from morphospace.data.preparation import Preparation
from morphospace.data.prepared import IMAGES, Identity, ImageFacts, check_room, hash_of, kept_or_made, write_prepared
from morphospace.data.sizes import size_as_before, size_for
from morphospace.data.splitting import Keys, kept_together, key_of, keys_of_digests, split_kinds
from morphospace.data.store import write_header
from morphospace.data.tally import Tally
from morphospace.errors import ArgumentError, DataError, plural
from morphospace.evenly import evenly_spaced
from morphospace.files import natural_order
from morphospace.images import fit_image
from morphospace.interpretation import Frames, Interpretation

__all__ = ["prepare", "reshaped"]

_SAMPLE = 256  # pictures that decide size and colour


def prepare(
    collection: Collection, preparation: Preparation, *, cache: Path, progress: ProgressCallback = no_progress
) -> Dataset:
    """The data set of a collection: from ``cache`` if it is there unchanged, else prepared and kept there.

    Raises:
        DataError: if the set cannot be used: too few pictures, too many broken ones, all the same.
        FileError: if the cache cannot be written.
    """

    def make(folder: Path) -> None:
        _prepare(folder, collection, preparation, progress)

    found = kept_or_made(_identity(collection), preparation, cache, make)
    if preparation.strict and found.problems:
        _refuse(collection, found.problems, "`strict=True` allows none")
    return found


def reshaped(dataset: Dataset, preparation: Preparation) -> Dataset:
    """A set of arrays, whose images have one form already, in the form that ``preparation`` asks for."""
    for name in ("frames", "truncated"):
        if getattr(preparation, name) != getattr(Preparation(), name):
            raise ArgumentError(
                f"is for files of pictures, and {dataset.name} has arrays. Leave it out.", argument=name
            )
    height, width = preparation.size or dataset.shape[:2]
    channels = {"auto": dataset.shape[2], "grey": 1, "colour": 3}[preparation.colour]
    shape = (height, width, channels)
    if shape == dataset.shape:
        return replace(dataset, preparation={**dataset.preparation, "asked": preparation.to_json()})

    def fitted(split: Split) -> Split:
        return replace(
            split, images=np.stack([fit_image(image, shape, preparation.resize) for image in np.asarray(split.images)])
        )

    colour = "colour" if channels == 3 else "grey"
    return replace(
        dataset,
        train=fitted(dataset.train),
        test=fitted(dataset.test),
        validation=None if dataset.validation is None else fitted(dataset.validation),
        fingerprint=hash_of([dataset.fingerprint, *shape, preparation.resize]),
        preparation={
            **dataset.preparation,
            "asked": preparation.to_json(),
            "size": [height, width],
            "resize": preparation.resize,
            "colour": colour,
        },
    )


def _identity(collection: Collection) -> Identity:
    return Identity(collection.name, collection.source, collection.key, collection.licence)


def _refuse(collection: Collection, problems: Sequence[Problem], why: str) -> NoReturn:
    first = problems[0]
    says_what = ": " in first.reason or "`" in first.reason
    raise DataError(
        f"{plural(len(problems), 'file')} of {collection.name} cannot be used, {why}: {problem_kinds(problems)}. "
        f"The first is {first.name}: {first.reason}.{'' if says_what else ' Remove or replace them.'}",
        argument="data",
    )


class _Pixels(NamedTuple):
    """What the pictures of a set became, in the order of its items."""

    keys: Keys
    digests: NDArray[np.uint8]
    sizes: NDArray[np.int32]
    coloured: int
    reasons: dict[int, str]
    tally: Tally


def _prepare(folder: Path, collection: Collection, preparation: Preparation, progress: ProgressCallback) -> None:
    began = time.perf_counter()
    notes: list[str] = []
    if _frames(preparation) == "all":
        collection, notes = expand_pages(collection, progress)
    count, columns = len(collection.items), collection.columns()
    plan = _plan(collection, preparation)
    shape, how = plan.shape, plan.how
    notes = [*columns.notes, *notes, *plan.notes]
    path = folder / IMAGES
    check_room(folder, count * int(np.prod(shape)))
    place = Place(path, write_header(path, (count, *shape)))
    with path.open("r+b") as stream:
        stream.truncate(place.offset + count * int(np.prod(shape)))
    found = _write_pixels(collection, how, shape, preparation, place, progress)
    right = interpretation_for(preparation, found.tally.with_drawn(plan.sample))
    if any(right.window(kind) != how.window(kind) for kind in found.tally.values) or right.background != how.background:
        notes.append(f"the pictures were prepared twice: the {_SAMPLE} looked at first are not like all {count:,}")
        found = _write_pixels(collection, right, shape, preparation, place, progress)
    how = right
    keys, digests, sizes, coloured, reasons, tally = found
    of_space = preparation.interpretation is not None  # which decided, and no option changes that
    notes += (notes_for_space if of_space else notes_of)(tally.with_drawn(plan.sample), how)
    problems = [Problem(collection.item_name(i), reasons[i]) for i in sorted(reasons)]
    if len(reasons) * 2 > count:
        _refuse(collection, problems, f"more than half of {count}")
    broken = np.isin(np.arange(count), list(reasons))
    good = digests[~broken]
    if len(good) > 1 and (good == good[0]).all():
        raise DataError(
            f"all {len(good)} pictures of {collection.name} are copies of one, or became so: see "
            "`background`, `intensity`, `channels` and `size`.",
            argument="data",
        )
    if preparation.split_by == "pixels":
        keys = keys_of_digests(digests)
    elif isinstance(collection.items[0], Page) and len(np.unique(keys[~broken])) == 1:
        # The pages of a file are alike, and stay together; those of a single one are all that there is to test on.
        keys = np.array([key_of(f"{key} page {i}".encode()) for i, key in enumerate(keys.tolist())], np.uint64)
    if len(good) < 2 and tally.further_pages and how.frames != "all":
        raise DataError(
            f"{collection.name} is one file of {tally.further_pages + 1:,} pages, which became one picture, and "
            'a set needs two: `frames="all"` makes a picture of each page.',
            argument="data",
        )
    groups = kept_together(keys, columns.groups) if columns.groups else None
    kinds, more = split_kinds(collection.name, columns.splits, keys, groups, broken)
    notes += more
    labels, label_names = _numbered(columns.labels, broken, preparation)
    if shape[2] == 1 and coloured:
        notes.append(
            f"{plural(coloured, 'picture')} with colour became grey"
            + ("" if of_space else '; `colour="colour"` keeps it')
        )
    if collection.changed():
        notes.append("the folder changed while it was read; what is new there is read at the next start")
    names = np.array([collection.item_name(i) for i in range(count)], np.str_) if _are_files(collection) else None
    forms = Counter(f"{width}x{height}" for height, width in sizes[~broken].tolist())
    known = ImageFacts(shape, digests, kinds, keys, groups, labels, labels, label_names, names, columns.attributes)
    about = {
        "resize": preparation.resize,
        "interpretation": how.to_json(),
        "problems": [*columns.problems, *problems],
        "notes": notes,
        "sizes": dict(forms.most_common(8)),
        "forms": len(forms),
        "seconds": round(time.perf_counter() - began, 3),
    }
    write_prepared(folder, _identity(collection), known, about)


def _are_files(collection: Collection) -> bool:
    """Whether pictures are files, or pages of files, and have their names; others are called by their places."""
    first = collection.items[0]
    return isinstance(first.file if isinstance(first, Page) else first, str)


def _frames(preparation: Preparation) -> Frames:
    return preparation.frames if preparation.interpretation is None else preparation.interpretation.frames


def _write_pixels(
    collection: Collection,
    how: Interpretation,
    shape: tuple[int, int, int],
    preparation: Preparation,
    place: Place,
    progress: ProgressCallback,
) -> _Pixels:
    """Bring all pictures to ``shape``, and write each to its place."""
    count = len(collection.items)
    digests, sizes = np.zeros((count, 16), np.uint8), np.zeros((count, 2), np.int32)
    keys = np.zeros(count, np.uint64)
    coloured, done, tally = 0, 0, Tally()
    reasons: dict[int, str] = {}
    for found in decode_items(collection.items, how, shape, preparation.resize, place):
        stop = found.start + len(found.sizes)
        digests[found.start : stop], sizes[found.start : stop] = found.digests, found.sizes
        keys[found.start : stop] = found.keys
        coloured += int(found.coloured.sum())
        reasons |= found.reasons
        tally.add(found.tally)
        done += len(found.sizes)
        progress(f"preparing {collection.name}", done, count, "pictures")
    return _Pixels(keys, digests, sizes, coloured, reasons, tally)


class _Plan(NamedTuple):
    """The (H, W, C) that all images get, how samples become pixels, what to say of it, and the sample it goes by."""

    shape: tuple[int, int, int]
    how: Interpretation
    notes: list[str]
    sample: Tally


def _plan(collection: Collection, preparation: Preparation) -> _Plan:
    """What a sample of the pictures says of all."""
    items = collection.items
    chosen = evenly_spaced(len(items), _SAMPLE)
    some: list[tuple[int, int]] = []
    any_colour = False
    reasons: dict[int, str] = {}
    tally = Tally()
    for one in decode_items([items[i] for i in chosen], interpretation_for(preparation, tally)):
        good = [i for i in range(len(one.sizes)) if one.start + i not in one.reasons]
        some += [(int(one.sizes[i][0]), int(one.sizes[i][1])) for i in good]
        any_colour = any_colour or bool(one.coloured.any())
        reasons |= one.reasons
        tally.add(one.tally)
    if not some:
        problems = [Problem(collection.item_name(int(chosen[i])), reasons[i]) for i in sorted(reasons)]
        _refuse(collection, problems, "all that were looked at")
    sizes = set(some)
    notes = []
    height, width = (size_as_before if preparation.split_by == "pixels" else size_for)(some)
    if preparation.size is not None:
        height, width = preparation.size
    if sizes != {(height, width)}:
        found = f"{len(sizes)} sizes" if len(sizes) > 1 else "{1}x{0}".format(*next(iter(sizes)))
        how = {"crop": "cropped", "pad": "padded", "fit": "stretched"}[preparation.resize]
        why = ", as the space has it" if preparation.interpretation else "; `size` and `resize` change that"
        notes.append(f"pictures of {found} were scaled and {how} to {width}x{height}{why}")
    colour = preparation.colour
    if colour == "auto":
        colour = "colour" if any_colour else "grey"
    shape = (height, width, 3 if colour == "colour" else 1)
    return _Plan(shape, interpretation_for(preparation, tally), notes, tally)


def _numbered(
    labels: Sequence[str], broken: NDArray[np.bool_], preparation: Preparation
) -> tuple[Labels | None, list[str]]:
    """Labels as numbers in the order of their names; None without labels."""
    there = {label for label, bad in zip(labels, broken, strict=True) if not bad} if labels else set()
    if len(there) < 2:
        return None, []
    names = sorted(there) if preparation.split_by == "pixels" else sorted(there, key=natural_order)
    number = {name: i for i, name in enumerate(names)}
    return np.array([number.get(label, 0) for label in labels], np.int64), names
