"""Images in a file, read when they are asked for: a set larger than memory trains in flat memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.decoding import Images
from morphospace.errors import FileError

__all__ = ["StoredImages", "write_header"]


def write_header(path: Path, shape: tuple[int, int, int, int]) -> int:
    """Begin an .npy file of uint8 images ``shape`` (N, H, W, C); returns the byte at which pixels start."""
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}
        )
        return stream.tell()


class StoredImages:
    """Some rows of an .npy file of images, which behave like an array of them.

    Indexing gives ordinary arrays. What was read is let go of at once, so that a process never holds more
    of the file than it asked for last; the operating system keeps it cached as far as memory goes.

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
            with path.open("rb") as stream:
                version = np.lib.format.read_magic(stream)
                if version != (1, 0):
                    raise ValueError(f"version {version}")
                shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
                if dtype != self.dtype or len(shape) != self.ndim:
                    raise ValueError(f"{dtype} of shape {shape}")
                offset, size = stream.tell(), int(np.prod(shape, dtype=np.int64))
                self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
                self._all = np.frombuffer(self._map, np.uint8, size, offset).reshape(shape)
        except (OSError, ValueError) as error:
            raise FileError(f"cannot read the images in {path}: {error}.") from error
        self.rows = np.arange(len(self._all)) if rows is None else rows

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, H, W, C)."""
        return (len(self.rows), *self._all.shape[1:])

    @property
    def nbytes(self) -> int:
        """The bytes of all images together."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Images:
        found: Images = np.array(self._all[self.rows[index]])
        if hasattr(self._map, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("images in a file cannot be an array without a copy")
        return np.asarray(self[:], dtype)

    def __iter__(self) -> Iterator[Images]:
        return (self[i] for i in range(len(self)))

    def take(self, rows: NDArray[Any]) -> StoredImages:
        """The images at ``rows`` (whole numbers or a mask), still in the file."""
        other = object.__new__(StoredImages)
        other.path, other._map, other._all = self.path, self._map, self._all
        other.rows = self.rows[rows]
        return other
