"""What a file is by its first bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from tests.pictures import noise, write_files

from morphospace.data import open_dataset
from morphospace.errors import DataError, FileError

COUNT = 8
DICOM = bytes(128) + b"DICM" + bytes(2000)
NIFTI = bytes(344) + b"n+1\0" + bytes(2000)
ARRAYS = b"PK\x03\x04" + bytes(26) + b"images.npy\x93NUMPY"
IDX = b"\0\0\x08\x03" + bytes(40)


@pytest.mark.parametrize(
    ("content", "ending", "words"),
    [
        (DICOM, "", "pydicom.dcmread"),
        (gzip.compress(NIFTI, mtime=0), ".nii.gz", "nibabel.load"),
        (ARRAYS, ".npz", "a file of arrays: name it by itself"),
        (b"PK\x03\x04", ".xlsx", "a spreadsheet: save it as CSV to have it read"),
        (IDX, "-ubyte", "an IDX file: name that of the training images"),
        (b"Rar!\x1a\x07\0", ".rar", "an archive of a kind that is not read: unpack it"),
        (b"label,p1,p2\n1,2,3\n", ".csv", "a table: where its rows are pixels, name it by itself"),
    ],
    ids=["DICOM", "NIfTI", "arrays", "spreadsheet", "IDX", "RAR", "table"],
)
def test_a_folder_of_other_files_says_what_they_are(tmp_path: Path, content: bytes, ending: str, words: str) -> None:
    with pytest.raises(DataError, match="8 other files, the first is 0") as refused:
        open_dataset(write_files(tmp_path, [content] * COUNT, ending))
    assert words in str(refused.value)


def test_files_that_pillow_knows_by_name_alone_are_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "cells.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500))
    with pytest.raises(DataError, match=r"1 file of .* The first is cells\.h5: an HDF5 file: np\.savez"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("start", [b"Rar!\x1a\x07\0", b"7z\xbc\xaf\x27\x1c"])
def test_archives_of_other_kinds_are_to_be_unpacked(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "photos"
    path.write_bytes(start + bytes(50))
    with pytest.raises(FileError, match="an archive of a kind that is not read: unpack it"):
        open_dataset(path)


def test_an_array_of_many_pictures_is_no_picture_of_many_channels(tmp_path: Path) -> None:
    for i in range(COUNT):
        np.save(tmp_path / f"{i}.npy", noise(i, (10, 32, 32)))
    with pytest.raises(
        DataError, match=r"no single picture \(8\)\..* an array of shape \(10, 32, 32\); name it by itself"
    ):
        open_dataset(tmp_path)
    assert len(open_dataset(tmp_path / "0.npy").train) == 9
