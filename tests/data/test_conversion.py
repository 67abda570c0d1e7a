"""Files that are no sets: how they become one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pictures import encoded, noise, tiff, write_files

from morphospace.data import open_dataset
from morphospace.errors import DataError, FileError

COUNT = 8


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        (
            "x.dcm",
            bytes(128) + b"DICM" + bytes(900),
            'a DICOM file: np.save("x.npy", pydicom.dcmread("x.dcm").pixel_array)',
        ),
        ("x.nii", bytes(344) + b"n+1\0" + bytes(900), 'a NIfTI file: .*nibabel.load("x.nii").get_fdata().T'),
        (
            "x.h5",
            b"\x89HDF\r\n\x1a\n" + bytes(900),
            'an HDF5 file: np.savez("x.npz", images=h5py.File("x.h5")["NAME"][:])',
        ),
        ("x.csv", b"label,p0\n1,2\n", 'a table. .*np.loadtxt("x.csv", delimiter=",", skiprows=1)'),
        ("x.png", encoded(noise(0, (8, 8))), "one picture. Name the folder of all"),
        (
            "x.tif",
            tiff(noise(0, (5, 8, 8))),
            'one file of 5 pages. Put it into a folder and name that, with `frames="all"`',
        ),
    ],
)
def test_a_file_that_is_no_set_says_how_it_becomes_one(tmp_path: Path, name: str, data: bytes, line: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FileError) as refused:
        open_dataset(tmp_path / name)
    for part in line.split(".*"):
        assert part in str(refused.value)


def test_a_folder_of_foreign_files_says_how_to_convert_them(tmp_path: Path) -> None:
    write_files(tmp_path, [bytes(128) + b"DICM" + bytes([i]) * 900 for i in range(COUNT)], ".dcm")
    with pytest.raises(DataError, match=r"a DICOM file \(8\).*pydicom\.dcmread"):
        open_dataset(tmp_path)
