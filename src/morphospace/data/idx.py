"""The IDX format of MNIST's files: a magic number, the dimensions, then bytes."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import FileError

__all__ = ["parse_idx", "unpack"]

_UNSIGNED_BYTE = 0x08


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


def parse_idx(data: bytes, name: str) -> NDArray[np.uint8]:
    """The array in the bytes of an IDX file of unsigned bytes.

    Args:
        data: the content, unpacked.
        name: what to call the file in errors.

    Raises:
        FileError: for another format, another number type, or a length that is not what the header says.

    Example:
        >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), "x").tolist()
        [7, 9]
    """
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UNSIGNED_BYTE or not 1 <= data[3] <= 4:
        raise FileError(f"{name} is foreign: expected an IDX file of unsigned bytes, got {data[:4]!r}...")
    start = 4 + 4 * data[3]
    shape = tuple(int(n) for n in np.frombuffer(data[4:start], ">u4")) if len(data) >= start else ()
    expected = start + int(np.prod(shape, dtype=np.int64))
    if len(shape) != data[3] or len(data) != expected:
        raise FileError(f"{name} is damaged: expected {expected} bytes, got {len(data)}. Fetch it again.")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
