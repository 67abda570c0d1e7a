"""Files of arrays as data sets: ``.npz``, ``.npy`` and IDX, with the names that people give their arrays."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.data.dataset import Dataset, dataset_from_arrays
from morphospace.data.idx import parse_idx, unpack
from morphospace.data.matlab import matlab_arrays
from morphospace.errors import DataError, FileError
from morphospace.files import read_bytes
from morphospace.images import Images

__all__ = ["array_file_kind", "open_arrays", "pixels_of"]

_PARTS = {"train": ("train", ""), "test": ("test",), "validation": ("valid", "val", "validation")}
_IMAGES = ("images", "x", "data", "image", "imgs", "arr_0")
_LABELS = ("labels", "y", "targets", "target", "label", "arr_1")


def array_file_kind(path: Path) -> str | None:
    """The kind of a file by its name: "npz", "npy", "mat", "idx"; None for another.

    Example:
        >>> array_file_kind(Path("train-images-idx3-ubyte.gz"))
        'idx'
    """
    name = path.name.lower().removesuffix(".gz")
    for kind, endings in (
        ("npz", (".npz",)),
        ("npy", (".npy",)),
        ("mat", (".mat",)),
        ("idx", (".idx", "ubyte", ".idx3", ".idx1")),
    ):
        if name.endswith(endings):
            return kind
    return None


def open_arrays(path: Path) -> Dataset:
    """The data set in a file of arrays.

    An ``.npz`` may have several: images as ``images``, ``x``, ``data``, ... with ``labels``, ``y``, ... beside
    them, plain or with train, test and valid in front or behind (``x_train``, ``test_images``). The IDX file of
    images finds its labels, and the training file its test file, by their usual names.

    Raises:
        FileError: if the file is damaged or of another kind.
        DataError: if it holds no images.
    """
    kind, name = array_file_kind(path), path.name.split(".")[0]
    arrays = _idx_family(path) if kind == "idx" else matlab_arrays(path) if kind == "mat" else _numpy(path)
    found: dict[str, Any] = {}
    for part, prefixes in _PARTS.items():
        images, labels = _pick(arrays, prefixes, _IMAGES), _pick(arrays, prefixes, _LABELS)
        if images is None and part == "train" and len(arrays) == 1:
            images = next(iter(arrays.values()))
        if images is None:
            continue
        front = "" if part == "train" else f"{part}_"
        found[f"{front}images"] = pixels_of(images, f"{path.name}: {part} images")
        if labels is not None:
            found[f"{front}labels"] = _label_numbers(labels, len(images), path)
    if "images" not in found:
        raise DataError(
            f"DATA: {path} holds no images: expected an array called images, x, data, x_train or train_images, "
            f"found {', '.join(f'{k} {v.shape}' for k, v in arrays.items()) or 'nothing'}."
        )
    return dataset_from_arrays(**found, name=name)


def pixels_of(array: NDArray[Any], name: str) -> Images:
    """An array as people store images, as uint8 (N, H, W, C).

    Channels may come first, an alpha channel is laid over white, floats within 0..1 and whole numbers
    within 0..1 are spread to 0..255.

    Raises:
        DataError: for other shapes and values.

    Example:
        >>> pixels_of(np.ones((5, 3, 16, 16)), "x").shape
        (5, 16, 16, 3)
    """
    if array.ndim == 4 and array.shape[-1] not in (1, 3, 4) and array.shape[1] in (1, 3, 4):
        array = np.moveaxis(array, 1, -1)
    if array.ndim == 3 and array.shape[-1] in (3, 4) and array.shape[1] > 4:
        raise DataError(f"{name}: expected a set of images, got one of shape {array.shape}.")
    if array.ndim == 2:
        raise DataError(
            f"{name}: expected (N, H, W) or (N, H, W, C), got {array.shape}. Give each image its height and width "
            "back (reshape) before saving."
        )
    if array.ndim not in (3, 4) or 0 in array.shape or array.dtype.kind not in "uifb":
        raise DataError(
            f"{name}: expected numbers of shape (N, H, W) or (N, H, W, C), got {array.dtype} {array.shape}."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"{name}: expected finite pixel values, got NaN or infinity.")
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 255:
        raise DataError(f"{name}: expected pixel values 0..255 or 0..1, got {low:g}..{high:g}. Rescale them first.")
    if array.dtype != np.uint8 or high <= 1:
        array = np.floor(array * (255.0 if high <= 1 else 1.0) + 0.5).astype(np.uint8)
    if array.ndim == 3:
        array = array[..., None]
    if array.shape[-1] == 4:
        alpha = array[..., 3:].astype(np.float32) / 255
        array = np.floor(array[..., :3] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)
    return np.ascontiguousarray(array)


def _label_numbers(labels: NDArray[Any], count: int, path: Path) -> NDArray[np.int64]:
    labels = labels.argmax(1) if labels.ndim == 2 and labels.shape[1] > 1 else labels.ravel()
    if len(labels) != count or labels.dtype.kind not in "uif" or (labels != np.floor(labels)).any():
        raise DataError(f"{path}: expected {count} whole numbers as labels, got {labels.dtype} of {labels.shape}.")
    return labels.astype(np.int64)


def _numpy(path: Path) -> dict[str, NDArray[Any]]:
    try:
        loaded = np.load(io.BytesIO(read_bytes(path, "file of arrays")), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"images": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except FileError:
        raise
    except Exception as error:  # a damaged archive raises nearly anything
        words = " ".join(str(error).split())[:100]
        raise FileError(
            f"{path} is damaged or foreign: expected an .npz or .npy of plain numbers ({words})."
        ) from error


def _idx_family(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an IDX file of images and of those that belong to it by name."""
    arrays = {"train_images": _idx(path)}
    if arrays["train_images"].ndim < 3:
        raise DataError(
            f"DATA: {path} holds {arrays['train_images'].ndim}-dimensional values: name the file of images."
        )
    for key, changes in (
        ("train_labels", (("images", "labels"), ("idx3", "idx1"))),
        ("test_images", (("train", "t10k"),)),
        ("test_labels", (("train", "t10k"), ("images", "labels"), ("idx3", "idx1"))),
    ):
        name = path.name
        for old, new in changes:
            name = name.replace(old, new)
        if name != path.name and (other := path.with_name(name)).is_file():
            arrays[key] = _idx(other)
    return arrays


def _idx(path: Path) -> NDArray[np.uint8]:
    return parse_idx(unpack(read_bytes(path, "IDX file"), os.fspath(path)), os.fspath(path))


def _pick(arrays: Mapping[str, NDArray[Any]], parts: tuple[str, ...], names: tuple[str, ...]) -> NDArray[Any] | None:
    """The array that one of ``names`` calls, with one of ``parts`` before or behind it."""
    lower = {name.lower(): value for name, value in arrays.items()}
    for part in parts:
        for name in names:
            for key in (name,) if not part else (f"{part}_{name}", f"{name}_{part}"):
                if key in lower:
                    return lower[key]
    return None
