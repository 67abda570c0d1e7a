"""Images in a file, read when they are asked for: a set larger than memory trains in flat memory."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from io import FileIO
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.decoding import Images
from morphospace.errors import FileError

__all__ = ["OpenFile", "StoredImages", "write_header"]


def write_header(path: Path, shape: tuple[int, int, int, int]) -> int:
    """Begin an .npy file of uint8 images ``shape`` (N, H, W, C); returns the byte at which pixels start."""
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}
        )
        return stream.tell()


class OpenFile:
    """A file as it was when it was opened, whatever takes its place meanwhile; each thread reads in its turn."""

    def __init__(self, stream: FileIO) -> None:
        self.stream = stream
        self.turn = Lock()

    def __del__(self) -> None:
        self.stream.close()


class StoredImages:
    """Some rows of an .npy file of images, which behave like an array of them.

    Indexing gives ordinary arrays, and reads no more of the file than they hold. The file is not mapped: a page that is
    met for the first time costs more than to read the image, and a million images meet none of their pages again soon.

    Args:
        path: an .npy file of uint8 (N, H, W, C).
        rows: which images of it, in which order; all by default.

    Raises:
        FileError: if the file is missing, foreign or shorter than its header says.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, path: Path, rows: NDArray[np.int64] | None = None) -> None:
        self.path = path
        try:
            stream = FileIO(path)
            self._file = OpenFile(stream)
            version = np.lib.format.read_magic(stream)
            if version != (1, 0):
                raise ValueError(f"version {version}")
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            if dtype != self.dtype or len(shape) != self.ndim:
                raise ValueError(f"{dtype} of shape {shape}")
            self._offset, size = stream.tell(), int(np.prod(shape, dtype=np.int64))
            if path.stat().st_size < self._offset + size:
                raise ValueError("the file ends early")
        except (OSError, ValueError) as error:
            raise FileError(f"cannot read the images in {path}: {error}.") from error
        self._image: tuple[int, ...] = shape[1:]
        self.rows = np.arange(shape[0]) if rows is None else rows

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, H, W, C)."""
        return (len(self.rows), *self._image)

    @property
    def nbytes(self) -> int:
        """The bytes of all images together."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Images:
        picked = np.asarray(self.rows[index])
        rows, size = picked.reshape(-1), int(np.prod(self._image))
        found = np.empty((len(rows), size), np.uint8)
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)  # of runs of neighbours, each read at once
        for start, end in pairwise([*starts.tolist(), len(rows)]):
            self._fill(found[start:end], self._offset + int(rows[start]) * size)
        return found.reshape(*picked.shape, *self._image)

    def _fill(self, memory: NDArray[np.uint8], offset: int) -> None:
        """Read as many bytes as ``memory`` has room for, from ``offset`` on."""
        view = memory.reshape(-1).data
        with self._file.turn:
            self._file.stream.seek(offset)
            while view:
                count = self._file.stream.readinto(view)
                if not count:
                    raise FileError(f"cannot read the images in {self.path}: the file ends early.")
                view = view[count:]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("images in a file cannot be an array without a copy")
        return np.asarray(self[:], dtype)

    def __iter__(self) -> Iterator[Images]:
        return (self[i] for i in range(len(self)))

    def take(self, rows: NDArray[Any]) -> StoredImages:
        """The images at ``rows`` (whole numbers or a mask), still in the file."""
        other = copy(self)
        other.rows = self.rows[rows]
        return other
