"""Files of arrays as data sets: ``.npz``, ``.npy`` and IDX, with the names that people give their arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from morphospace.data.array_files import ArrayMember, members
from morphospace.data.attributes import Attribute
from morphospace.data.dataset import Dataset
from morphospace.data.fetch import ProgressCallback, no_progress
from morphospace.data.idx import idx_family
from morphospace.data.in_memory import RawSplit, dataset_of
from morphospace.data.labels import attribute_columns
from morphospace.data.large_arrays import LARGE, LargeSplit, prepare_arrays
from morphospace.data.levels import as_nhwc
from morphospace.data.matlab import matlab_arrays
from morphospace.data.preparation import Preparation
from morphospace.errors import DataError, FileError

__all__ = ["array_file_kind", "open_arrays"]

_PARTS = {"train": ("train", ""), "test": ("test",), "validation": ("valid", "val", "validation")}
_IMAGES = ("images", "imgs", "x", "data", "image", "arr_0")
_LABELS = ("labels", "y", "targets", "target", "label", "arr_1")
_COLUMNS = 64  # of an array of attributes; more are something else
_IDX = re.compile(r"(ubyte|[.-]idx\d?|[.-]idx\d-[a-z]+)$")


def array_file_kind(path: Path) -> str | None:
    """The kind of a file by its name: "npz", "npy", "mat", "idx"; None for another.

    Example:
        >>> array_file_kind(Path("train-images-idx3-ubyte.gz")), array_file_kind(Path("qmnist-test-labels-idx2-int"))
        ('idx', 'idx')
    """
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".npz", ".npy", ".mat")):
        return name[-3:]
    return "idx" if _IDX.search(name) else None


def open_arrays(
    path: Path,
    preparation: Preparation | None = None,
    *,
    cache: Path | None = None,
    progress: ProgressCallback = no_progress,
) -> Dataset:
    """The data set in a file of arrays; images of more than a gigabyte are prepared block by block, and stay on disk.

    An ``.npz`` may have several: images as ``images``, ``x``, ``data``, ... with ``labels``, ``y``, ... beside
    them, plain or with train, test and valid in front or behind (``x_train``, ``test_images``). Other arrays with a
    row for each image are attributes. The IDX file of images finds its labels, and the training file its test file,
    by their usual names. Pickled arrays are passed over: unpickling one runs whatever is in it.

    Raises:
        FileError: if the file is damaged or of another kind.
        DataError: if it holds no images.
    """
    notes: list[str] = []
    name = path.name.split(".")[0]
    kind = array_file_kind(path)
    if kind == "idx":
        arrays: Mapping[str, ArrayMember | NDArray[np.generic]] = idx_family(path)
    elif kind == "mat":
        arrays = matlab_arrays(path)
    else:
        arrays = _unpickled(members(path), path, notes)
    chosen, wanted = _chosen(arrays, path), preparation or Preparation()
    beside = {part: _attributes(arrays, part, rows, images, notes) for part, (images, _, rows) in chosen.items()}
    attributes = _shared(beside, notes)
    large = {
        part: LargeSplit(images, labels, attributes[part])
        for part, (images, labels, _) in chosen.items()
        if isinstance(images, ArrayMember)
    }
    # Version 0.1 held all of it in memory, and its runs find their set again by what it then was.
    if cache is not None and wanted.split_by != "pixels" and sum(one.images.nbytes for one in large.values()) > LARGE:
        return prepare_arrays(path, large, wanted, notes, cache, progress)
    parts = {}
    for part, (images, labels, _) in chosen.items():
        count = None if labels is None else len(labels)
        pictures = as_nhwc(_read(images), f"{path.name}: {part} images", notes, count=count)
        parts[part] = RawSplit(pictures, labels, attributes[part])
    return dataset_of(parts, name, wanted, notes)


def _read(array: ArrayMember | NDArray[np.generic]) -> NDArray[np.generic]:
    return array.read() if isinstance(array, ArrayMember) else array


def _unpickled(found: Mapping[str, ArrayMember], path: Path, notes: list[str]) -> dict[str, ArrayMember]:
    pickled = [name for name, member in found.items() if member.dtype.hasobject]
    if pickled and len(pickled) == len(found):
        raise FileError(
            f"{path} holds pickled objects alone, and unpickling runs what is in them: expected an .npz or .npy of "
            "plain numbers. Save the images as such: np.save(path, np.stack(images))."
        )
    if pickled:
        notes.append(
            f"{', '.join(pickled)} in {path.name} {'is' if len(pickled) == 1 else 'are'} pickled and passed over: "
            "unpickling runs what is in it; save plain arrays to have them read"
        )
    return {name: member for name, member in found.items() if name not in pickled}


def _chosen(
    arrays: Mapping[str, ArrayMember | NDArray[np.generic]], path: Path
) -> dict[str, tuple[ArrayMember | NDArray[np.generic], NDArray[np.generic] | None, int]]:
    """For each part of the set its images, its labels or None, and how many rows the arrays beside them have."""
    found = {}
    for part, prefixes in _PARTS.items():
        images, labels = _pick(arrays, prefixes, _IMAGES), _pick(arrays, prefixes, _LABELS)
        if images is None and part == "train" and len(arrays) == 1:
            images = next(iter(arrays.values()))
        if images is not None:
            known = None if labels is None else _read(labels)
            found[part] = (images, known, images.shape[0] if known is None else len(known))
    if "train" not in found:
        raise DataError(
            f"{path} holds no images: expected an array called images, x, data, x_train or train_images, "
            f"found {', '.join(f'{k} {v.shape}' for k, v in arrays.items()) or 'nothing'}.",
            argument="data",
        )
    return found


def _attributes(
    arrays: Mapping[str, ArrayMember | NDArray[np.generic]],
    part: str,
    rows: int,
    images: ArrayMember | NDArray[np.generic],
    notes: list[str],
) -> dict[str, Attribute]:
    """What other arrays with a row for each image say of it; the rest is passed over, and said."""
    found: dict[str, Attribute] = {}
    passed: list[str] = []
    labels = _pick(arrays, _PARTS[part], _LABELS)
    for name, array in arrays.items():
        base = _own_name(name, part)
        fits = len(array.shape) in (1, 2) and array.shape[0] == rows and array.dtype.kind in "uifbU"
        if base is None or array is images or array is labels or _names_columns(arrays, name):
            continue
        if base.lower() in (*_IMAGES, *_LABELS) or not fits or array.shape[-1:] > (_COLUMNS,) < array.shape[1:]:
            passed.append(f"{name} {array.shape}")
            continue
        columns = attribute_columns(_read(array), base, _names_of_columns(arrays, array.shape[1:]))
        found |= {one: values for one, values in columns.items() if one not in found}
        if len(columns) > 1:
            notes.append(f"{name} has {len(columns)} columns: they became the attributes {', '.join(columns)}")
    if passed:
        notes.append(
            f"{', '.join(passed)} {'was' if len(passed) == 1 else 'were'} passed over: neither the images, nor their "
            f"labels, nor up to {_COLUMNS} numbers or words for each of them"
        )
    return found


def _own_name(name: str, part: str) -> str | None:
    """What an array is called within its part; None if it belongs to another part."""
    words = re.split(r"[_.-]", name.lower())
    of = next((kind for kind, prefixes in _PARTS.items() if any(p and p in words for p in prefixes)), "train")
    if of != part:
        return None
    marks = [prefix for prefix in _PARTS[part] if prefix]
    return re.sub(rf"^({'|'.join(marks)})[_.-]|[_.-]({'|'.join(marks)})$", "", name, flags=re.IGNORECASE)


def _names_of_columns(
    arrays: Mapping[str, ArrayMember | NDArray[np.generic]], columns: tuple[int, ...]
) -> tuple[str, ...]:
    """The words of a plain array that has one for each column."""
    if not columns:
        return ()
    some = (a for name, a in arrays.items() if a.shape == columns and _may_name(name, a))
    return next((tuple(str(word) for word in _read(array)) for array in some), ())


def _may_name(name: str, array: ArrayMember | NDArray[np.generic]) -> bool:
    return array.dtype.kind == "U" and "name" in name.lower()


def _names_columns(arrays: Mapping[str, ArrayMember | NDArray[np.generic]], name: str) -> bool:
    """Whether an array has a word for each column of another one."""
    words = arrays[name]
    return _may_name(name, words) and any(words.shape == other.shape[1:] for other in arrays.values())


def _shared(found: Mapping[str, dict[str, Attribute]], notes: list[str]) -> dict[str, dict[str, Attribute]]:
    """The attributes that all parts have."""
    shared = set.intersection(*(set(attributes) for attributes in found.values()))
    for kind, attributes in found.items():
        if other := sorted(set(attributes) - shared):
            notes.append(f"{', '.join(other)}: only the {kind} images have it, so it was passed over")
    return {kind: {name: v for name, v in attributes.items() if name in shared} for kind, attributes in found.items()}


def _pick(
    arrays: Mapping[str, ArrayMember | NDArray[np.generic]], parts: tuple[str, ...], names: tuple[str, ...]
) -> ArrayMember | NDArray[np.generic] | None:
    """The array that one of ``names`` calls, with one of ``parts`` before or behind it."""
    lower = {name.lower(): value for name, value in arrays.items()}
    for part in parts:
        for name in names:
            for key in (name,) if not part else (f"{part}_{name}", f"{name}_{part}"):
                if key in lower:
                    return lower[key]
    return None
