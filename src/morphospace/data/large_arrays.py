"""Arrays larger than memory: brought to one form block by block, once, and then opened like any prepared set."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.data.array_files import ArrayMember
from morphospace.data.attributes import Attribute
from morphospace.data.dataset import Dataset, array_keys, content_digests
from morphospace.data.fetch import ProgressCallback
from morphospace.data.in_memory import RawSplit, check_parts, chosen_labels
from morphospace.data.levels import Rule, as_nhwc, blocks, depth_of, levels_of, rule_for, rule_notes
from morphospace.data.preparation import Preparation
from morphospace.data.prepared import IMAGES, Identity, ImageFacts, check_room, kept_or_made, write_prepared
from morphospace.data.splitting import SPLITS, Keys, held_out, kept_together
from morphospace.data.store import write_header
from morphospace.images import fit_image

__all__ = ["LARGE", "LargeSplit", "prepare_arrays"]

LARGE = 1 << 30
"""Bytes; images that take more are not held in memory."""

_UNPACKED = "unpacked"


class LargeSplit(NamedTuple):
    """A split of a set whose images are in a file; labels and attributes as of :class:`RawSplit`."""

    images: ArrayMember
    labels: NDArray[np.generic] | None
    attributes: Mapping[str, Attribute]


class _Written(NamedTuple):
    """What the images of a part became."""

    digests: NDArray[np.uint8]
    keys: Keys
    clipped: int


def prepare_arrays(
    path: Path,
    parts: Mapping[str, LargeSplit],
    preparation: Preparation,
    notes: list[str],
    cache: Path,
    progress: ProgressCallback,
) -> Dataset:
    """The data set of arrays in a file, prepared block by block and kept in ``cache``.

    Args:
        path: of the file.
        parts: by what they are called.
        preparation: what is asked for.
        notes: what was taken for what so far.
        cache: the folder of prepared sets.
        progress: told about the preparation.

    Raises:
        DataError: if lengths, shapes or values do not fit.
        FileError: if the file is damaged, or the disk is full.
    """
    state, name = path.stat(), path.name.split(".")[0]
    identity = Identity(name, str(path.resolve()), f"{state.st_size} {state.st_mtime_ns}")

    def make(folder: Path) -> None:
        unpacked = folder / _UNPACKED
        mapped = {
            kind: RawSplit(
                as_nhwc(
                    part.images.mapped(unpacked), f"{path.name}: {kind} images", notes,
                    count=None if part.labels is None else len(part.labels),
                ),
                part.labels,
                part.attributes,
            )
            for kind, part in parts.items()
        }  # fmt: skip
        _write(folder, identity, mapped, preparation, notes, progress)
        del mapped
        shutil.rmtree(unpacked, ignore_errors=True)

    return kept_or_made(identity, preparation, cache, make)


def _write(
    folder: Path,
    identity: Identity,
    parts: Mapping[str, RawSplit],
    preparation: Preparation,
    notes: list[str],
    progress: ProgressCallback,
) -> None:
    began = time.perf_counter()
    check_parts(parts)
    rule = rule_for({kind: part.images for kind, part in parts.items()}, identity.name, preparation)
    first = parts["train"].images
    height, width = preparation.size or first.shape[1:3]
    shape = (height, width, {"auto": depth_of(first, rule), "grey": 1, "colour": 3}[preparation.colour])
    count = sum(len(part.images) for part in parts.values())
    check_room(folder, count * int(np.prod(shape)))
    written = {}
    path, done = folder / IMAGES, 0
    write_header(path, (count, *shape))
    for kind in parts:
        written[kind] = _write_images(path, parts[kind].images, rule, shape, preparation)
        done += len(parts[kind].images)
        progress(f"preparing {identity.name}", done, count, "pictures")
    known, groups = chosen_labels(parts, preparation)
    keys = np.concatenate([written[kind].keys for kind in parts])
    kinds = np.concatenate([np.full(len(part.images), SPLITS.index(kind), np.uint8) for kind, part in parts.items()])
    together = kept_together(keys, [group for kind in parts for group in groups[kind]]) if groups else None
    if "test" not in parts:
        own = kinds == SPLITS.index("train")
        kinds[np.flatnonzero(own)[held_out((keys if together is None else together)[own])]] = SPLITS.index("test")
    labelled = all(kind in known.numbers for kind in parts)
    attributes = {kind: {**part.attributes, **known.attributes.get(kind, {})} for kind, part in parts.items()}
    facts = ImageFacts(
        shape, np.concatenate([written[kind].digests for kind in parts]), kinds, keys, together,
        np.concatenate([known.numbers[kind] for kind in parts]) if labelled else None,
        np.concatenate([known.content[kind] for kind in parts]) if labelled else None,
        known.names if labelled else (), None,
        {name: np.concatenate([attributes[kind][name] for kind in parts]) for name in attributes["train"]},
    )  # fmt: skip
    if known.numbers and not labelled:
        notes.append("only some parts of the set have labels, and so none has")
    clipped, samples = sum(one.clipped for one in written.values()), sum(part.images.size for part in parts.values())
    form = f"{first.shape[2]}x{first.shape[1]}"
    about = {
        "resize": preparation.resize,
        "interpretation": rule.how.to_json(),
        "problems": [],
        "notes": [
            *notes,
            *known.notes,
            *rule_notes(rule, clipped, samples, first.shape[-1], of_space=preparation.interpretation is not None),
        ],
        "sizes": {form: count},
        "forms": 1,
        "seconds": round(time.perf_counter() - began, 3),
    }
    write_prepared(folder, identity, facts, about)


def _write_images(
    path: Path, images: NDArray[np.generic], rule: Rule, shape: tuple[int, int, int], preparation: Preparation
) -> _Written:
    """Append what images (N, H, W, C) become to the file of images."""
    digests, keys, clipped = [], [], 0
    with path.open("ab") as stream:
        for some in blocks(images):
            levels, more = levels_of(images[some], rule.how)
            clipped += more
            keys.append(array_keys(np.asarray(images[some])))
            if levels.shape[1:] != shape:
                levels = np.stack([fit_image(image, shape, preparation.resize) for image in levels])
            digests.append(content_digests(levels))
            stream.write(np.ascontiguousarray(levels).data)
    return _Written(np.concatenate(digests), np.concatenate(keys), clipped)
