"""MATLAB's ``.mat`` files of arrays, with the images' places first, as everywhere else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.decoding import foreign_kind
from morphospace.errors import FileError
from morphospace.files import read_bytes

__all__ = ["matlab_arrays"]


def matlab_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of numbers in a ``.mat`` file by name; images, which MATLAB counts along the last axis, come first.

    Raises:
        FileError: if the file is damaged, or of MATLAB 7.3, which is HDF5.
    """
    from scipy.io import loadmat

    data = read_bytes(path, "MATLAB file")
    try:
        loaded = loadmat(io.BytesIO(data))
    except NotImplementedError as error:
        raise FileError(f"{path} is {foreign_kind(data[:2048])}.", argument="data") from error
    except Exception as error:  # a damaged file raises nearly anything
        words = " ".join(str(error).split())[:100]
        raise FileError(f"{path} is damaged or foreign: expected a MATLAB file of arrays ({words}).") from error
    arrays = {
        name: values
        for name, values in loaded.items()
        if isinstance(values, np.ndarray) and values.dtype.kind in "uifb"
    }
    counts = {values.size for values in arrays.values() if values.ndim <= 2 and min(values.shape) == 1}
    flat = {
        name: values.ravel() if values.ndim == 2 and 1 in values.shape else values for name, values in arrays.items()
    }
    return {name: _images_first(values, counts) for name, values in flat.items()}


def _images_first(values: NDArray[Any], counts: set[int]) -> NDArray[Any]:
    """(H, W, N) or (H, W, C, N) as (N, H, W[, C]); ``counts`` are how many labels there are, if any."""
    if values.ndim == 2 and 1 in values.shape:
        return values.ravel()  # MATLAB has no arrays of one axis
    if values.ndim not in (3, 4) or (values.shape[0] in counts and values.shape[-1] not in counts):
        return values
    last = values.shape[-1] in counts or values.ndim == 3 or values.shape[2] in (1, 3)
    return np.moveaxis(values, -1, 0) if last else values
