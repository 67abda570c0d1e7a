"""Preparation: pictures of any size and kind, decoded once, in parallel, into one file of equal images.

What is prepared is kept in the user's cache and found again by what it was made of: the same collection,
unchanged, opens at once; a changed one is prepared anew. It is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from morphospace.data.collections import Collection
from morphospace.data.dataset import Dataset, Labels, Split, fingerprint_of, held_out, spread
from morphospace.data.fetch import Progress, no_progress
from morphospace.data.folder import Problem
from morphospace.data.interpreting import interpretation_for, notes_of
from morphospace.data.items import SMALLEST_SIDE, Place, look_at
from morphospace.data.pages import paged
from morphospace.data.preparation import Preparation
from morphospace.data.prepared import COLUMNS, DESCRIPTION, FORMAT, IMAGES, LOCK, SET, SPLITS, open_prepared
from morphospace.data.store import write_header
from morphospace.data.tally import Tally
from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.files import atomic_folder, remove_leftovers, safe_name, write_json
from morphospace.images import fit_image
from morphospace.interpretation import Frames, Interpretation

__all__ = ["prepare", "reshaped"]

_SAMPLE = 256  # pictures that decide size and colour
_KEPT_SIDE = 128  # sets of one size up to this keep it
_SIDE = 64  # the longer side of all others


def prepare(
    collection: Collection, preparation: Preparation, *, cache: Path, progress: Progress = no_progress
) -> Dataset:
    """The data set of a collection: from ``cache`` if it is there unchanged, else prepared and kept there.

    Raises:
        DataError: if the set cannot be used: too few pictures, too many broken ones, all the same.
        FileError: if the cache cannot be written.
    """
    wanted = {"format": FORMAT, "source": collection.source, "preparation": preparation.to_json() | {"strict": None}}
    entry = cache / f"{safe_name(collection.name)}-{_hash(wanted)[:16]}"
    try:
        entry.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"cannot make {entry}: {error.strerror}. Set MORPHOSPACE_CACHE to a folder to write to."
        ) from error
    with FileLock(entry / LOCK):  # a second process waits, and then finds the work done
        found = _opened(entry / SET, collection)
        if found is None:
            remove_leftovers(entry)
            with atomic_folder(entry / SET) as partial:
                _prepare(partial, collection, preparation, progress)
            found = _opened(entry / SET, collection)
        if found is None:
            raise FileError(f"{entry} was changed while it was written. Try again.")
        os.utime(entry)  # when it was last used
    if preparation.strict and found.problems:
        _refuse(collection, found.problems, "--strict allows none")
    return replace(found, preparation={"asked": preparation.to_json(), **found.preparation})


def reshaped(dataset: Dataset, preparation: Preparation) -> Dataset:
    """A set of arrays, whose images have one form already, in the form that ``preparation`` asks for."""
    for name in ("frames", "truncated"):
        if getattr(preparation, name) != getattr(Preparation(), name):
            raise ArgumentError(f"--{name}: is for files of pictures, and {dataset.name} has arrays. Leave it out.")
    height, width = preparation.size or dataset.shape[:2]
    channels = {"auto": dataset.shape[2], "grey": 1, "colour": 3}[preparation.colour]
    shape = (height, width, channels)
    if shape == dataset.shape:
        return dataset

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
        fingerprint=_hash([dataset.fingerprint, *shape, preparation.resize]),
        preparation={
            "asked": preparation.to_json(),
            "size": [height, width],
            "resize": preparation.resize,
            "colour": colour,
        },
    )


def _opened(folder: Path, collection: Collection) -> Dataset | None:
    return open_prepared(
        folder, key=collection.key, name=collection.name, source=collection.source, licence=collection.licence
    )


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _refuse(collection: Collection, problems: Sequence[Problem], why: str) -> NoReturn:
    counts = Counter(re.split(r" \(|: ", problem.reason)[0] for problem in problems)
    kinds = ", ".join(f"{reason} ({count:,})" for reason, count in counts.most_common(4))
    first = problems[0]
    says_what = ": " in first.reason or "--" in first.reason
    raise DataError(
        f"DATA: {len(problems):,} files of {collection.name} cannot be used, {why}: {kinds}. The first is "
        f"{first.name}: {first.reason}.{'' if says_what else ' Remove or replace them.'}"
    )


class _Pixels(NamedTuple):
    """What the pictures of a set became, in the order of its items."""

    digests: NDArray[np.uint8]
    sizes: NDArray[np.int32]
    coloured: int
    reasons: dict[int, str]
    tally: Tally


def _prepare(folder: Path, collection: Collection, preparation: Preparation, progress: Progress) -> None:
    began = time.perf_counter()
    notes: list[str] = []
    if _frames(preparation) == "all":
        collection, notes = paged(collection, progress)
    count, columns = len(collection.items), collection.columns()
    plan = _plan(collection, preparation)
    shape, how = plan.shape, plan.how
    notes += plan.notes
    path = folder / IMAGES
    _check_room(folder, count * int(np.prod(shape)))
    place = Place(path, write_header(path, (count, *shape)))
    with path.open("r+b") as stream:
        stream.truncate(place.offset + count * int(np.prod(shape)))
    found = _write_pixels(collection, how, shape, preparation, place, progress)
    right = interpretation_for(preparation, found.tally.with_drawn(plan.sample))
    if any(right.window(kind) != how.window(kind) for kind in found.tally.values) or right.background != how.background:
        notes.append(f"the pictures were prepared twice: the {_SAMPLE} looked at first are not like all {count:,}")
        found = _write_pixels(collection, right, shape, preparation, place, progress)
    how = right
    digests, sizes, coloured, reasons, tally = found
    notes += notes_of(tally.with_drawn(plan.sample), how)
    problems = [Problem(collection.item_name(i), reasons[i]) for i in sorted(reasons)]
    if len(reasons) * 2 > count:
        _refuse(collection, problems, f"more than half of {count}")
    broken = np.isin(np.arange(count), list(reasons))
    kinds = _split(collection.name, columns.splits, _by_group(digests, columns.groups, broken), broken)
    labels, label_names = _numbered(columns.labels, broken)
    if shape[2] == 1 and coloured:
        notes.append(f"{coloured:,} pictures with colour became grey; --colour colour keeps it")
    if collection.changed():
        notes.append("the folder changed while it was read; what is new there is read at the next start")
    rows = [np.flatnonzero(kinds == i) for i in range(len(SPLITS))]
    fingerprint = fingerprint_of(
        *(((len(r), *shape), digests[r], None if labels is None else labels[r]) for r in rows if len(r))
    )
    known = {f"attribute.{key}": values for key, values in columns.attributes.items()}
    with (folder / COLUMNS).open("wb") as stream:
        np.savez(stream, split=kinds, **({} if labels is None else {"labels": labels}), **known)  # type: ignore[arg-type]
    forms = Counter(f"{width}x{height}" for height, width in sizes[~broken].tolist())
    description = {
        "format": FORMAT,
        "key": collection.key,
        "source": collection.source,
        "shape": list(shape),
        "resize": preparation.resize,
        "interpretation": how.to_json(),
        "fingerprint": fingerprint,
        "label_names": label_names,
        "attributes": list(columns.attributes),
        "problems": [*columns.problems, *problems],
        "notes": notes,
        "sizes": dict(forms.most_common(8)),
        "forms": len(forms),
        "seconds": round(time.perf_counter() - began, 3),
    }
    write_json(folder / DESCRIPTION, description)


def _by_group(digests: NDArray[np.uint8], groups: Sequence[str], broken: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """What decides each item's side of the split: in a group, what its first good one is."""
    first: dict[str, int] = {}
    for i in np.flatnonzero(~broken).tolist() if groups else ():
        first.setdefault(groups[i], i)
    return digests[[first.get(group, i) for i, group in enumerate(groups)]] if groups else digests


def _frames(preparation: Preparation) -> Frames:
    return preparation.frames if preparation.interpretation is None else preparation.interpretation.frames


def _write_pixels(
    collection: Collection,
    how: Interpretation,
    shape: tuple[int, int, int],
    preparation: Preparation,
    place: Place,
    progress: Progress,
) -> _Pixels:
    """Bring all pictures to ``shape``, and write each to its place."""
    count = len(collection.items)
    digests, sizes = np.zeros((count, 16), np.uint8), np.zeros((count, 2), np.int32)
    coloured, done, tally = 0, 0, Tally()
    reasons: dict[int, str] = {}
    for found in look_at(collection.items, how, shape, preparation.resize, place):
        stop = found.start + len(found.sizes)
        digests[found.start : stop], sizes[found.start : stop] = found.digests, found.sizes
        coloured += int(found.coloured.sum())
        reasons |= found.reasons
        tally.add(found.tally)
        done += len(found.sizes)
        progress(f"preparing {collection.name}", done, count, "pictures")
    return _Pixels(digests, sizes, coloured, reasons, tally)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FileError(
            f"the prepared images take {needed / 1e9:.1f} GB, and {folder.parent} has {free / 1e9:.1f} GB free. "
            "Free some, set MORPHOSPACE_CACHE to a folder on another disk, or choose a smaller --size."
        )


class _Plan(NamedTuple):
    """The (H, W, C) that all images get, how samples become pixels, what to say of it, and the sample it goes by."""

    shape: tuple[int, int, int]
    how: Interpretation
    notes: list[str]
    sample: Tally


def _plan(collection: Collection, preparation: Preparation) -> _Plan:
    """What a sample of the pictures says of all."""
    items = collection.items
    chosen = spread(len(items), _SAMPLE)
    some: list[tuple[int, int]] = []
    any_colour = False
    reasons: dict[int, str] = {}
    tally = Tally()
    for one in look_at([items[i] for i in chosen], interpretation_for(preparation, tally)):
        good = [i for i in range(len(one.sizes)) if one.start + i not in one.reasons]
        some += [(int(one.sizes[i][0]), int(one.sizes[i][1])) for i in good]
        any_colour = any_colour or bool(one.coloured.any())
        reasons |= one.reasons
        tally.add(one.tally)
    if not some:
        problems = [Problem(collection.item_name(int(chosen[i])), reasons[i]) for i in sorted(reasons)]
        _refuse(collection, problems, "and among those looked at none can")
    sizes = set(some)
    notes = []
    height, width = _size(some)
    if preparation.size is not None:
        height, width = preparation.size
    if sizes != {(height, width)}:
        found = f"{len(sizes)} sizes" if len(sizes) > 1 else "{1}x{0}".format(*next(iter(sizes)))
        how = {"crop": "cropped", "pad": "padded", "fit": "stretched"}[preparation.resize]
        notes.append(f"pictures of {found} were scaled and {how} to {width}x{height}; --size and --resize change that")
    colour = preparation.colour
    if colour == "auto":
        colour = "colour" if any_colour else "grey"
    shape = (height, width, 3 if colour == "colour" else 1)
    return _Plan(shape, interpretation_for(preparation, tally), notes, tally)


def _size(found: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The (H, W) of most use for pictures of these sizes."""
    if len(set(found)) == 1 and max(found[0]) <= _KEPT_SIDE:
        return found[0]
    ratio = float(np.median([width / height for height, width in found]))
    longer = min(_SIDE, int(np.median([max(size) for size in found])))
    shorter = max(SMALLEST_SIDE, round(longer * min(ratio, 1 / ratio)))
    return (shorter, longer) if ratio >= 1 else (longer, shorter)


def _split(
    name: str, splits: Sequence[str], digests: NDArray[np.uint8], broken: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """For each item the place of its split in ``SPLITS``, 255 for broken ones."""
    kinds = np.full(len(broken), 255, np.uint8)
    good = np.flatnonzero(~broken)
    if len(good) < 2:
        raise DataError(f"DATA: expected at least two pictures (one is held out as a test), got {len(good)}.")
    if splits:
        kinds[good] = [SPLITS.index(splits[int(i)]) for i in good]
        for part in ("train", "test"):
            if not (kinds == SPLITS.index(part)).any():
                raise DataError(f"DATA: {name} has no picture that can be used in {part}/.")
    else:
        try:
            kinds[good] = held_out(digests[good])
        except DataError as error:
            raise DataError(f"DATA: all {len(good)} pictures of {name} are copies of one.") from error
    return kinds


def _numbered(labels: Sequence[str], broken: NDArray[np.bool_]) -> tuple[Labels | None, list[str]]:
    """Labels as numbers in the order of their names; None without labels."""
    names = sorted({label for label, bad in zip(labels, broken, strict=True) if not bad}) if labels else []
    if len(names) < 2:
        return None, []
    number = {name: i for i, name in enumerate(names)}
    return np.array([number.get(label, 0) for label in labels], np.int64), names
