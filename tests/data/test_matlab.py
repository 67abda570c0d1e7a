"""MATLAB's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from tests.pictures import darkest_first, noise

from morphospace.data import open_dataset
from morphospace.errors import FileError


def test_a_matlab_file_is_a_set(tmp_path: Path) -> None:
    pictures = np.stack([noise(i, (8, 9, 3)) for i in range(20)])
    savemat(tmp_path / "x.mat", {"X": np.moveaxis(pictures, 0, -1), "y": np.arange(20)[:, None] % 2 + 1})
    found = open_dataset(tmp_path / "x.mat")
    assert sorted(i.tobytes() for i in darkest_first(found)) == sorted(picture.tobytes() for picture in pictures)
    assert found.train.labels is not None
    savemat(tmp_path / "grey.mat", {"images": np.moveaxis(pictures[..., 0], 0, -1)})
    assert open_dataset(tmp_path / "grey.mat").shape == (8, 9, 1)
    head = b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM"
    (tmp_path / "new.mat").write_bytes(head.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n" + bytes(900))
    with pytest.raises(FileError, match="an HDF5 file"):
        open_dataset(tmp_path / "new.mat")
