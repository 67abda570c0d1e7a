"""The arrays in files of NumPy: looked at without reading them, and one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import FileError

__all__ = ["ArrayMember", "members"]


@dataclass(frozen=True)
class ArrayMember:
    """One array of a file: ``shape`` and ``dtype`` by its header, its values when they are asked for.

    Attributes:
        path: the file.
        name: within an ``.npz``; "" in an ``.npy``.
        shape: of the array.
        dtype: of the array; of objects where the array is pickled, and then it is never read.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        """The room that it takes in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def read(self) -> NDArray[Any]:
        """The array, in memory.

        Raises:
            FileError: if the file is damaged.
        """
        try:
            if not self.name:
                found: NDArray[Any] = np.load(self.path, allow_pickle=False)
                return found
            with ZipFile(self.path) as file, file.open(self.name) as stream:
                return np.lib.format.read_array(stream, allow_pickle=False)
        except Exception as error:  # a damaged archive raises nearly anything
            raise _foreign(self.path, error) from error

    def mapped(self, folder: Path) -> NDArray[Any]:
        """The array, in its file; one in an ``.npz`` is unpacked into ``folder`` first.

        Raises:
            FileError: if the file is damaged.
        """
        try:
            path = self.path
            if self.name:
                with ZipFile(self.path) as file:
                    path = Path(file.extract(self.name, folder))
            found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
            return found
        except (BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
            raise _foreign(self.path, error) from error


def members(path: Path) -> dict[str, ArrayMember]:
    """The arrays in an ``.npz`` or ``.npy``, by name; an ``.npy`` has one, called "images".

    Raises:
        FileError: if the file is missing, damaged or foreign.
    """
    try:
        with path.open("rb") as stream:
            if not stream.read(2).startswith(b"PK"):
                stream.seek(0)
                return {"images": ArrayMember(path, "", *_header(stream))}
        found = {}
        with ZipFile(path) as file:
            for name in file.namelist():
                if name.endswith(".npy") and not name.startswith(("/", "__MACOSX")) and ".." not in Path(name).parts:
                    with file.open(name) as stream:
                        found[name.removesuffix(".npy")] = ArrayMember(path, name, *_header(stream))
        return found
    except FileNotFoundError as error:
        raise FileError(f"cannot read the file of arrays {path}: there is none.") from error
    except Exception as error:  # a damaged archive raises nearly anything
        raise _foreign(path, error) from error


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    readers: Mapping[tuple[int, int], Any] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version in readers:
        shape, _, dtype = readers[version](stream)
    else:
        shape, _, dtype = np.lib.format._read_array_header(stream, version)  # type: ignore[attr-defined]
    return tuple(int(n) for n in shape), dtype


def _foreign(path: Path, error: Exception) -> FileError:
    words = " ".join(str(error).split())[:100]
    return FileError(f"{path} is damaged or foreign: expected an .npz or .npy of plain numbers ({words}).")
