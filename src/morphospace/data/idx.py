"""The IDX format of MNIST's files: a magic number, the dimensions, then numbers."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import DataError, FileError
from morphospace.files import read_bytes

__all__ = ["idx_family", "parse_idx", "unpack"]

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def unpack(data: bytes, name: str) -> bytes:
    """``data`` itself, or what it holds if it is gzip.

    Raises:
        FileError: if the gzip stream is damaged or ends too early.
    """
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{name} is damaged: expected a whole gzip file ({error}). Fetch it again.") from error


def parse_idx(data: bytes, name: str) -> NDArray[Any]:
    """The array in the bytes of an IDX file, in the machine's own byte order.

    Args:
        data: the content, unpacked.
        name: what to call the file in errors.

    Raises:
        FileError: for another format, another number type, or a length that is not what the header says.

    Example:
        >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), "x").tolist()
        [7, 9]
    """
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _TYPES or not 1 <= data[3] <= 4:
        raise FileError(f"{name} is foreign: expected an IDX file, got {data[:4]!r}...")
    dtype, start = np.dtype(_TYPES[data[2]]), 4 + 4 * data[3]
    shape = tuple(int(n) for n in np.frombuffer(data[4:start], ">u4")) if len(data) >= start else ()
    expected = start + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if len(shape) != data[3] or len(data) != expected:
        raise FileError(f"{name} is damaged: expected {expected} bytes, got {len(data)}. Fetch it again.")
    return np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def idx_family(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an IDX file of images and of those that belong to it by name: its labels, and the official test.

    Of labels in several columns the first one counts, the others are ``extra``.

    Raises:
        FileError: if a file is damaged.
        DataError: if the file holds no images.
    """
    arrays = {"train_images": _idx(path)}
    if arrays["train_images"].ndim < 3:
        raise DataError(
            f"{path} holds {arrays['train_images'].ndim}-dimensional values: name the file of images.", argument="data"
        )
    tests = (path.name.replace("train", word) for word in ("t10k", "test", "Test") if "train" in path.name)
    test = next((found for name in tests if (found := _sibling(path, name))), None)
    for part, images in (("train", path), ("test", test)):
        if images is None:
            continue
        arrays[f"{part}_images"] = _idx(images)
        if labels := _sibling(images, images.name.replace("images", "labels"), other_than=images):
            values = _idx(labels)
            arrays[f"{part}_labels"] = values[:, 0] if values.ndim == 2 else values
            if values.ndim == 2 and values.shape[1] > 1:
                arrays[f"{part}_extra"] = values[:, 1:]
    return arrays


def _sibling(path: Path, name: str, other_than: Path | None = None) -> Path | None:
    """The file beside ``path`` that is called like ``name`` up to what follows "idx", packed or not."""
    stem = name.split("idx")[0]
    if "idx" not in name:
        return path.with_name(name) if path.with_name(name) != path and path.with_name(name).is_file() else None
    found = sorted(p for p in path.parent.iterdir() if p.name.split("idx")[0] == stem and "idx" in p.name)
    return next((p for p in found if p not in (path, other_than) and p.is_file()), None)


def _idx(path: Path) -> NDArray[Any]:
    return parse_idx(unpack(read_bytes(path, "IDX file"), os.fspath(path)), os.fspath(path))
