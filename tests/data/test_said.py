"""What is said of odd sets: which files are what, what was left out, what shows nothing, and each of it once."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import Ran
from tests.pictures import encoded, noise, wide_png, write_folder

from morphospace.cli.problems import problem_lines
from morphospace.data import Preparation, dataset_from_arrays, open_dataset
from morphospace.data.folder import Problem
from morphospace.data.layout import lay_out
from morphospace.errors import DataError, FileError
from morphospace.intensity import Window
from morphospace.interpretation import Interpretation

COUNT = 8
DICOM = bytes(128) + b"DICM" + bytes(2000)
NIFTI = bytes(344) + b"n+1\0" + bytes(2000)
ARRAYS = b"PK\x03\x04" + bytes(26) + b"images.npy\x93NUMPY"
IDX = b"\0\0\x08\x03" + bytes(40)


def drawn(level: int, i: int) -> bytes:
    """A drawing of one grey level on transparency, as PNG."""
    layers = np.full((8, 8, 4), level, np.uint8)
    layers[..., 3] = np.where(noise(i, (8, 8)) > 127, 255, 0)
    stream = io.BytesIO()
    Image.fromarray(layers).save(stream, "PNG")
    return stream.getvalue()


def write(folder: Path, contents: list[bytes], ending: str) -> Path:
    for i, content in enumerate(contents):
        (folder / f"{i}{ending}").write_bytes(content)
    return folder


# -- files that are no pictures -----------------------------------------------------------------------


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
        open_dataset(write(tmp_path, [content] * COUNT, ending))
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


def test_a_stack_alone_is_told_how_it_becomes_a_set(tmp_path: Path) -> None:
    pages = [Image.fromarray(noise(i, (8, 8))) for i in range(40)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(DataError, match=r'one file of 40 pages, .*: `frames="all"` makes a picture of each page'):
        open_dataset(tmp_path)
    found = open_dataset(tmp_path, Preparation(frames="all"))
    assert len(found.train) + len(found.test) == 40
    assert any(words.startswith("40 pages of 1 file became a picture each") for words in found.notes)


# -- transparency -------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0, 17, 31])
def test_dark_drawings_on_transparency_are_neither_white_nor_masks(tmp_path: Path, level: int) -> None:
    found = open_dataset(write(tmp_path, [drawn(level, i) for i in range(COUNT)], ".png"))
    assert {int(v) for split in (found.train, found.test) for v in np.unique(split.images)} == {level, 255}
    assert found.notes == (f"what is transparent in {COUNT} pictures became white; `background` changes that",)


def test_pictures_that_show_nothing_over_the_background_are_counted(tmp_path: Path) -> None:
    mixed = write(tmp_path, [drawn(255 if i < 3 else 0, i) for i in range(COUNT)], ".png")
    lost = '; {} of them are {} elsewhere, too, and show nothing: `background="#808080"`'
    assert open_dataset(mixed).notes[0].endswith("`background` changes that" + lost.format(3, "white"))
    black = open_dataset(mixed, Preparation(background="black"))
    assert black.notes[0].endswith("became black; `background` changes that" + lost.format(5, "black"))
    grey = open_dataset(mixed, Preparation(background="#808080"))
    assert grey.notes[0].endswith("became #808080; `background` changes that")
    assert {int(v) for v in np.unique(grey.train.images)} == {0, 128, 255}


# -- tables -------------------------------------------------------------------------------------------


def test_numbers_that_name_a_picture_by_chance_make_no_table_of_it(tmp_path: Path) -> None:
    write(tmp_path, [encoded(noise(i)) for i in range(COUNT)], ".png")
    (tmp_path / "costs.csv").write_text("date,cost\n" + "2024-01-01,5\n" * 4)
    found = open_dataset(tmp_path)
    assert dict(found.train.attributes) == {}
    assert found.problems == (Problem("costs.csv", "passed over: no table about these pictures"),)


@pytest.mark.parametrize("start", ["C:\\data\\img\\", "/home/someone/img/", "img/", "./img/"])
def test_paths_of_another_machine_name_pictures_by_their_ends(tmp_path: Path, start: str) -> None:
    write_folder(tmp_path / "img", COUNT)
    rows = "".join(f"{start}{i:03d}.png,{'ab'[i % 2]}\n" for i in range(COUNT))
    (tmp_path / "t.csv").write_text("path,label\n" + rows)
    found = open_dataset(tmp_path)
    assert (found.label_names, found.problems) == (("a", "b"), ())
    (tmp_path / "t.csv").write_text("path,label\n" + rows.replace("img", "other"))
    assert (len(open_dataset(tmp_path).label_names) == 2) == (start[0] not in "i."), "of the folder there is none"


@pytest.mark.parametrize("cell", ["{:03d}.tif", "{:03d}.PNG", "IMG/{:03d}.Png"])
def test_names_of_other_cases_and_endings_are_found_and_it_is_said(tmp_path: Path, cell: str) -> None:
    write_folder(tmp_path / "img", COUNT)
    rows = "".join(f"{cell.format(i)},{'ab'[i % 2]}\n" for i in range(COUNT))
    (tmp_path / "t.csv").write_text("file,label\n" + rows)
    found = open_dataset(tmp_path)
    assert (found.label_names, found.problems) == (("a", "b"), ())
    assert found.notes == ("t.csv has names of other cases or endings than the files: these were passed over",)


@pytest.mark.parametrize("apart", ["folders", "endings"])
def test_names_of_several_pictures_are_said_to_be_such(tmp_path: Path, apart: str) -> None:
    write_folder(tmp_path / "cat", COUNT)
    if apart == "folders":
        write_folder(tmp_path / "dog", COUNT, shape=(9, 9, 3))
    else:
        write(tmp_path / "cat", [encoded(noise(i + 50), "JPEG") for i in range(COUNT)], ".jpg")
        for i in range(COUNT):
            (tmp_path / "cat" / f"{i}.jpg").rename(tmp_path / "cat" / f"{i:03d}.jpg")
    ending = ".png" if apart == "folders" else ""
    (tmp_path / "t.csv").write_text("file,age\n" + "".join(f"{i:03d}{ending},{i}\n" for i in range(COUNT)))
    (problem,) = open_dataset(tmp_path).problems
    assert problem.reason == (
        "passed over: its names are each of several pictures: they need their folders, or endings"
    )


@pytest.mark.parametrize("preface", ["sep=;\n", "# of my microscope\n", "\n# one, two\n#\n", "8\n"])
def test_lines_before_a_table_are_passed_over(tmp_path: Path, preface: str) -> None:
    write_folder(tmp_path, COUNT)
    rows = "".join(f"{i:03d}.png;{'ab'[i % 2]}\n" for i in range(COUNT))
    (tmp_path / "t.csv").write_text(preface + "file;label\n" + rows + "odd\n")
    found = open_dataset(tmp_path)
    line = preface.count("\n") + 2 + COUNT
    assert found.label_names == ("a", "b")
    assert found.problems == (
        Problem(f"t.csv: line {line}", "a row of 1 cells, expected 2 as in the header; passed over"),
    )
    (tmp_path / "t.csv").write_text("#file|label\n" + rows.replace(";", "|"))
    assert {*open_dataset(tmp_path).train.attributes} == {"label"}


def test_a_guessed_column_of_names_is_said(tmp_path: Path) -> None:
    write(tmp_path, [encoded(noise(i)) for i in range(COUNT)], ".png")
    (tmp_path / "t.csv").write_text("day,cost\n" + "".join(f"{i},{2 * i}\n" for i in range(COUNT)))
    found = open_dataset(tmp_path)
    assert sorted([*found.train.attributes["cost"], *found.test.attributes["cost"]]) == [2.0 * i for i in range(COUNT)]
    assert 't.csv: the column "day" was taken for the names of files; "file" is a sure name' in found.notes


def test_a_column_of_train_and_validation_says_which_are_the_test(tmp_path: Path) -> None:
    write(tmp_path, [encoded(noise(i)) for i in range(COUNT)], ".png")
    kinds = ["val" if i % 4 == 0 else "train" for i in range(COUNT)]
    (tmp_path / "t.csv").write_text("file,split\n" + "".join(f"{i}.png,{kind}\n" for i, kind in enumerate(kinds)))
    found = open_dataset(tmp_path)
    assert (len(found.train), len(found.test), found.validation) == (6, 2, None)
    assert 'the column "split" has no test images: those of validation are the test' in found.notes


def test_a_split_of_the_set_itself_is_not_said_to_keep_groups(tmp_path: Path) -> None:
    write(tmp_path, [encoded(noise(i)) for i in range(COUNT)], ".png")
    rows = "".join(f"{i}.png,{'train' if i < 6 else 'test'},s{i % 2}\n" for i in range(COUNT))
    (tmp_path / "t.csv").write_text("file,split,specimen\n" + rows)
    words = " | ".join(open_dataset(tmp_path, Preparation(group="specimen")).notes)
    assert "2 groups lie on both sides of the split" in words
    assert "stay on one side" not in words


def test_pictures_of_one_folder_may_stay_together(tmp_path: Path) -> None:
    for i, plate in enumerate(("plate1", "plate2", "plate3")):
        write_folder(tmp_path / plate, COUNT, start=COUNT * i)
    found = open_dataset(tmp_path, Preparation(group="folder"))
    assert found.train.labels is not None
    assert found.test.labels is not None
    assert not set(found.train.labels.tolist()) & set(found.test.labels.tolist())
    assert 'images of one "folder" stay on one side of the split; there are 3 of these' in found.notes


def test_the_example_of_labels_from_names_is_one_of_them(tmp_path: Path) -> None:
    for i in range(COUNT):
        (tmp_path / f"{'dog' if i > 4 else 'what'}_{i}.png").write_bytes(encoded(noise(i)))
        (tmp_path / f"a{i}.png").write_bytes(encoded(noise(i + 50)))
    found = open_dataset(tmp_path, Preparation(label_from="(dog)_"))
    assert found.notes[0] == "labels are what `label_from` finds in names: 1 of them, like dog"


# -- words --------------------------------------------------------------------------------------------


def test_problems_of_one_reason_are_one_line() -> None:
    many = [Problem(f"{i}.png", "empty file") for i in range(7)] + [Problem("x\n.png", "not a picture")]
    assert problem_lines(many) == [
        "0.png, 1.png, 2.png, 3.png, 4.png and 2 more: empty file",
        "x\\n.png: not a picture",
        "--json lists each",
    ]
    assert problem_lines(many[:2]) == ["0.png, 1.png: empty file"]
    others = [Problem(f"{i}.png", f"reason {i}") for i in range(14)]
    assert problem_lines(others)[12:] == ["2 more of other kinds", "--json lists each"]


def test_info_says_everything_once(tmp_path: Path, morpho: Callable[..., Ran]) -> None:
    for folder, start in (("train/cat", 0), ("train/dog", 10), ("test/cat", 20), ("test/dog", 30)):
        write_folder(tmp_path / "set" / folder, 3, start=start)
    (tmp_path / "set" / "cover.png").write_bytes(encoded(noise(99)))
    (tmp_path / "set" / "t.csv").write_text("file,Label\n" + "train/cat/000.png,cat\n")
    said = morpho("data", "info", "set")
    everything = " ".join((said.out + said.err).split())
    assert everything.count("cover.png") == 1
    assert "left out, as it lies beside train/ and test/ (move it into one of these)" in everything
    assert "listed by" not in everything
    assert "attribute Label" not in said.out, "the column of labels is told as labels"


def test_one_picture_is_encoded_as_those_of_a_folder(tmp_path: Path, morpho: Callable[..., Ran]) -> None:
    write_folder(tmp_path / "set", 2)
    assert morpho("encode", "builtin", "set", "--out", "all.csv").code == 0
    assert morpho("encode", "builtin", "set/001.png", "--out", "one.csv").code == 0
    header, _, second = (line.split(",") for line in (tmp_path / "all.csv").read_text().splitlines())
    again, alone = (line.split(",") for line in (tmp_path / "one.csv").read_text().splitlines())
    assert (again, alone[0]) == (header, "001.png")
    assert [float(v) for v in alone[1:]] == pytest.approx([float(v) for v in second[1:]], rel=1e-5)


def test_a_space_that_decides_is_not_said_to_be_changed_by_options(tmp_path: Path) -> None:
    write(tmp_path, [wide_png(noise(i, (12, 12, 1)).astype(np.uint16) * 32) for i in range(COUNT)], ".png")
    how = Interpretation(windows={"16-bit": Window(0, 4095)})
    found = open_dataset(tmp_path, Preparation(size=(8, 8), interpretation=how))
    assert found.notes[0] == "pictures of 12x12 were scaled and cropped to 8x8, as the space has it"
    assert found.notes[1].startswith("the space knows 16-bit values of 0 to 4,095; ")
    assert not any("`" in words for words in found.notes)
    array = np.stack([noise(i, (8, 8)).astype(np.uint16) * 32 for i in range(COUNT)])
    asked = Preparation(interpretation=how)
    (words,) = dataset_from_arrays(array, preparation=asked).notes
    assert words.startswith("the space knows 16-bit values of 0 to 4,095; ")
    assert words.endswith("were clipped")
    assert dataset_from_arrays(np.minimum(array, 4095), preparation=asked).notes == ()


def test_later_pictures_that_a_space_makes_dark_or_empty_are_said(tmp_path: Path) -> None:
    how = Interpretation(windows={"8-bit": Window(0, 255)}, background=(255, 255, 255))
    write(tmp_path, [wide_png(noise(i, (8, 8, 1)).astype(np.uint16) * 16) for i in range(COUNT)], ".png")
    (words,) = open_dataset(tmp_path, Preparation(interpretation=how)).notes
    assert words.startswith(f"{COUNT} pictures with 16-bit values, of which the space knows none: 0 is taken for black")
    assert words.endswith("none is above 4,080, so that they are nearly black: save them with 8 bits for this space")
    write(tmp_path, [drawn(255 if i < 3 else 0, i) for i in range(COUNT)], ".png")
    assert open_dataset(tmp_path, Preparation(interpretation=how)).notes == (
        f"what is transparent in {COUNT} pictures became white, as the space has it; 3 of them are white elsewhere, "
        "too, and show nothing",
    )


def test_labels_that_the_folders_have_too_are_no_choice(tmp_path: Path) -> None:
    for i, label in enumerate("ab"):
        write_folder(tmp_path / label, COUNT, start=COUNT * i)
    rows = [f"{label}/{COUNT * i + k:03d}.png,{label}" for i, label in enumerate("ab") for k in range(COUNT)]
    (tmp_path / "t.csv").write_text("file,label\n" + "\n".join(rows))
    found = open_dataset(tmp_path)
    assert (found.label_names, found.notes, list(found.train.attributes)) == (("a", "b"), (), ["label"])


def test_masks_name_the_folder_to_learn_from() -> None:
    assert lay_out(["images/1.jpg", "GT/1.png"]).left_out == {
        1: "left out as a mask, by its folder and name (name GT/ by itself to learn from masks)"
    }
