"""Tables beside pictures, as people have them: what they say counts, and what cannot be read is said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pictures import encoded, noise, write_files, write_folder

from morphospace.data import Dataset, Preparation, open_dataset
from morphospace.data.attributes import TableAttributes, read_tables
from morphospace.data.folder import Problem
from morphospace.errors import ArgumentError

NAMES = [f"{i:03d}.png" for i in range(12)]
COUNT = 8


def tabled(folder: Path, content: str | bytes, name: str = "t.csv", files: Sequence[str] = NAMES) -> TableAttributes:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_tables(folder, [name], files)


def lines(header: str, *cells: object, key: str = "{:03d}.png", separator: str = ",") -> str:
    rows = [f"{key.format(i)}{separator}{cell}" for i, cell in enumerate(cells)]
    return "\n".join([*([header] if header else []), *rows, ""])


def values(found: TableAttributes, name: str) -> list[Any]:
    return list(found.attributes[name].tolist())


def by_image(dataset: Dataset, split: str, name: str) -> list[Any]:
    return list(dataset.split(split).attributes[name].tolist())


# -- how tables are written ----------------------------------------------------------------------------


def test_a_table_of_faces_has_a_count_names_without_a_key_and_signs(tmp_path: Path) -> None:
    """list_attr_celeba.txt: the number of rows, the names of the columns but the first, then white space."""
    rows = [f"{i:03d}.png  {(-1, 1)[i % 2]:2d} {(1, -1)[i % 3 == 0]:2d}" for i in range(12)]
    found = tabled(tmp_path, "\n".join(["12", "Smiling Young ", *rows, ""]), "list_attr_celeba.txt")
    assert values(found, "Smiling") == [0.0, 1.0] * 6
    assert values(found, "Young") == [float(i % 3 != 0) for i in range(12)]
    assert found.problems == []
    assert found.notes == ["-1 and 1 were taken for no and yes, and became 0 and 1: Smiling, Young"]


def test_a_table_without_a_header_is_called_by_its_file(tmp_path: Path) -> None:
    found = tabled(tmp_path, lines("", *range(12), separator=" "), "identity_CelebA.txt")
    assert values(found, "identity_CelebA") == [float(i) for i in range(12)]
    assert "has no header" in found.notes[0]
    three = tabled(tmp_path, lines("", *("red,7" for _ in range(12))))
    assert values(three, "column 2") == ["red"] * 12
    assert values(three, "column 3") == [7.0] * 12


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("cp1252", True)]
)
def test_letters_are_right_in_every_encoding(tmp_path: Path, encoding: str, said: bool) -> None:
    found = tabled(tmp_path, lines("file,kind", *["Küken", "Löwe"] * 6).encode(encoding))
    assert values(found, "kind") == ["Küken", "Löwe"] * 6
    assert ["Windows-1252" in note for note in found.notes] == ([True] if said else [])


def test_a_bad_row_is_passed_over_and_the_others_count(tmp_path: Path) -> None:
    text = "file,age,kind\n000.png,1,a\n001.png,2\n002.png,3,b,c\n\n003.png,4,d\n"
    found = tabled(tmp_path, text, files=NAMES[:4])
    assert np.isnan(found.attributes["age"][1:3]).all()
    assert values(found, "age")[::3] == [1.0, 4.0]
    assert values(found, "kind") == ["a", "", "", "d"]
    assert [p.name for p in found.problems[:2]] == ["t.csv: line 3", "t.csv: line 4"]
    assert found.problems[0].reason == "a row of 2 cells, expected 3 as in the header; passed over"


@pytest.mark.parametrize(
    ("text", "expected", "said"),
    [
        ("file;x\n000.png;1,5\n001.png;-,25\n", [1.5, -0.25], "decimal point"),
        ('file,x\n000.png,"1,234"\n001.png,"12,345,678.5"\n', [1234.0, 12345678.5], "thousands"),
        ('file,x\n000.png,"1,5"\n001.png,2\n', [1.5, 2.0], "decimal point"),
        ("file,x\n000.png,NA\n001.png,2\n", [None, 2.0], "NA was taken for unknown"),
        ("file,x\n000.png,?\n001.png,2e3\n", [None, 2000.0], "? was taken for unknown"),
        ("file,x\n000.png,\n001.png,nan\n", [None, None], None),
        ("file,x\n000.png,none\n001.png,few\n", ["none", "few"], None),
        ("file,x\n000.png,1_000\n001.png,2\n", ["1_000", "2"], None),
        ("file,x\n000.png,3 cm\n001.png,2 cm\n", ["3 cm", "2 cm"], None),
        ("file\tx\n000.png\ta b\n001.png\t\n", ["a b", ""], None),
        ('file,x\n000.png,"two\nlines"\n001.png,one\n', ["two\nlines", "one"], None),
        ("file,x,\n000.png,3,\n001.png,4,\n", [3.0, 4.0], None),
        ("x,file\n3,000.png\n4,001.png\n", [3.0, 4.0], None),
        ("x,photo of\n3,000\n4,001\n", [3.0, 4.0], '"photo of" was taken for the names of files'),
        (",file,x\n0,./000.png,3\n1,001.png,4\n", [3.0, 4.0], None),
    ],
)
def test_cells_are_read_as_a_person_would(tmp_path: Path, text: str, expected: list[Any], said: str | None) -> None:
    found = tabled(tmp_path, text, files=NAMES[:2])
    assert [None if v != v else v for v in values(found, "x")] == expected
    assert any(said in note for note in found.notes) if said else not found.notes


def test_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    found = tabled(tmp_path, "file,a,a\n000.png,1,2\n", files=NAMES[:1])
    assert (values(found, "a"), values(found, "a 2")) == ([1.0], [2.0])
    assert 'the later one is called "a 2"' in found.notes[0]


def test_a_quotation_mark_that_nothing_closes_takes_no_rows_with_it(tmp_path: Path) -> None:
    found = tabled(tmp_path, lines("file,x", '"odd', *range(1, 40)), files=[f"{i:03d}.png" for i in range(40)])
    assert values(found, "x") == ['"odd', *(str(i) for i in range(1, 40))]
    assert "quotation mark" in found.notes[0]


def test_jsonl_of_the_hub_has_numbers_words_and_nested_values(tmp_path: Path) -> None:
    rows = [{"file_name": NAMES[i], "age": i, "ok": i == 1, "kind": "ab"[i], "boxes": [1, 2]} for i in range(2)]
    found = tabled(tmp_path, "\n".join([*map(json.dumps, rows), "{", "[1]"]), "metadata.jsonl", NAMES[:2])
    assert (values(found, "age"), values(found, "ok"), values(found, "kind")) == ([0, 1], [0, 1], ["a", "b"])
    assert "boxes" not in found.attributes
    assert '"boxes" has lists or objects' in found.notes[0]
    assert [p.name for p in found.problems] == ["metadata.jsonl: line 3", "metadata.jsonl: line 4"]


def test_tables_of_several_folders_are_one_table(tmp_path: Path) -> None:
    files = ["train/cat/0.png", "train/dog/0.png", "test/1.png"]
    for folder, text in (
        ("train", "file_name,age,kind\ncat/0.png,3,a\ndog/0.png,4,b\n"),
        ("test", "file_name,age\n1.png,5\n"),
    ):
        tabled(tmp_path, text, f"{folder}/metadata.csv")
    found = read_tables(tmp_path, ["test/metadata.csv", "train/metadata.csv"], files)
    assert values(found, "age") == [3, 4, 5]
    assert values(found, "kind") == ["a", "b", ""]
    assert found.problems == []


def test_tables_that_disagree_are_said_to(tmp_path: Path) -> None:
    tabled(tmp_path, "file,x\n000.png,1\n001.png,2\n", "b.csv")
    tabled(tmp_path, "file,x,y\n000.png,1\n001.png,3\n".replace("1\n", "1,8\n").replace("3\n", "3,9\n"), "labels.csv")
    found = read_tables(tmp_path, ["b.csv", "labels.csv"], NAMES[:2])
    assert (values(found, "x"), values(found, "y")) == ([1, 3], [8, 9])  # labels.csv has the more telling name
    assert 'says otherwise than another table in the column "x" for 1 files' in found.notes[0]


def test_a_long_table_tells_of_the_few_pictures_that_are_here(tmp_path: Path) -> None:
    rows = [f"{i:06d}.png,{i}" for i in range(5000)]
    for header in ("image_id,x", "which,x"):
        found = tabled(tmp_path, "\n".join([header, *rows]), files=["000017.png", "004001.png"])
        assert values(found, "x") == [17.0, 4001.0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Thanks for downloading!\nCall 555 1234.\n", "no table about these pictures"),
        ("product,price\npear,3\n", "no table about these pictures"),
        (b"\x00\x01\x02", "no text"),
        (b"\xff\xfea", "no text"),
        ("", "an empty table"),
        ("file\n000.png\n", "no column beside the names of files"),
    ],
)
def test_what_is_no_table_is_passed_over_with_a_word(tmp_path: Path, content: str | bytes, reason: str) -> None:
    found = tabled(tmp_path, content)
    assert found.attributes == {}
    assert [p.reason for p in found.problems] == [f"passed over: {reason}" if "column" not in reason else
                                                  f"passed over: it has {reason}"]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["a.csv", "a.txt", "a.jsonl"]),
    st.binary(max_size=80)
    | st.text('a,;\t"\n\r\x00 0.-', max_size=60).map(str.encode)
    | st.lists(st.sampled_from(["a", "c.png", ",", "1,5", '"', "\n", ";", "{", "}", ' "a": ', "é"])).map(
        lambda parts: "".join(parts).encode("latin-1")
    ),
)
def test_any_bytes_are_a_table_or_said_to_be_none(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes
) -> None:
    found = tabled(tmp_path_factory.getbasetemp() / "fuzz", data, name, ["a", "b/a", "c.png"])
    assert all(len(column) == 3 for column in found.attributes.values())
    assert all(column.dtype.kind in "fU" for column in found.attributes.values())
    assert found.attributes or found.problems


# -- what they decide ------------------------------------------------------------------------------------


def test_labels_of_the_table_come_before_folders_and_both_are_kept(tmp_path: Path) -> None:
    write_folder(tmp_path / "batch1", 6)
    for i, path in enumerate(sorted((tmp_path / "batch1").iterdir())):
        if i % 2:
            (tmp_path / "batch2").mkdir(exist_ok=True)
            path.rename(tmp_path / "batch2" / path.name)
    (tmp_path / "my.csv").write_text(lines("file,Label", *["cat", "cat", "dog"] * 2))
    found = open_dataset(tmp_path)
    assert found.label_names == ("cat", "dog")
    assert set(found.train.attributes["folder"]) | set(found.test.attributes["folder"]) == {"batch1", "batch2"}
    assert any('labels are of the column "Label"' in note and '`label="folder"`' in note for note in found.notes)
    again = open_dataset(tmp_path, Preparation(label="folder"))
    assert again.label_names == ("batch1", "batch2")
    assert "folder" not in again.train.attributes
    with pytest.raises(ArgumentError, match=r'no column "lable".*Label'):
        open_dataset(tmp_path, Preparation(label="lable"))


def test_the_runs_of_before_keep_the_labels_of_their_folders(tmp_path: Path) -> None:
    for folder in "ab":
        write_folder(tmp_path / folder, 6)
    (tmp_path / "my.csv").write_text(lines("file,label", *"xyxyxy", key="a/{:03d}.png"))
    before = Preparation.from_json({"size": None, "resize": "crop", "colour": "auto", "strict": False})
    assert open_dataset(tmp_path, before).label_names == ("a", "b")


@pytest.mark.parametrize(
    ("column", "cells", "splits"),
    [
        ("split", ["train", "Test", "dev"], ("train", "test", "validation")),
        ("Partition", ["0", "2", "1"], ("train", "test", "validation")),
        ("split", ["train", "val", "train"], ("train", "test", "train")),
        ("split", ["train", "test", ""], ("train", "test", "train")),
    ],
)
def test_a_column_splits_the_set(tmp_path: Path, column: str, cells: list[str], splits: tuple[str, ...]) -> None:
    write_folder(tmp_path, 12)
    (tmp_path / "my.csv").write_text(lines(f"file,{column},number", *(f"{cells[i % 3]},{i}" for i in range(12))))
    found = open_dataset(tmp_path)
    for kind in set(splits):
        expected = [i for i in range(12) if splits[i % 3] == kind]
        assert sorted(by_image(found, kind, "number")) == expected
    assert any(f'the split is by the column "{column}"' in note for note in found.notes)
    if "" in cells:
        assert any("4 images with (no label)" in note and "put into train" in note for note in found.notes)


def test_a_column_that_splits_nothing_is_said_to(tmp_path: Path) -> None:
    write_folder(tmp_path, 12)
    (tmp_path / "my.csv").write_text(lines("file,split", *["0", "1"] * 6))
    assert any("splits nothing" in note for note in open_dataset(tmp_path).notes)


def test_a_group_without_a_column_is_an_error_that_says_which_there_are(tmp_path: Path) -> None:
    write_folder(tmp_path, 12)
    with pytest.raises(ArgumentError, match="no table with columns"):
        open_dataset(tmp_path, Preparation(group="patient"))
    (tmp_path / "my.csv").write_text(lines("file,Patient", *"abc" * 4))
    found = open_dataset(tmp_path, Preparation(group="patient"))
    assert any('one "Patient" stay on one side of the split; there are 3' in note for note in found.notes)


def test_an_unrelated_table_and_texts_do_not_stop_a_set(tmp_path: Path) -> None:
    write_folder(tmp_path, 12)
    (tmp_path / "prices.csv").write_text("product;price\npear;3\n")
    (tmp_path / "README.txt").write_text("Hello, world\n")
    (tmp_path / "boxes").mkdir()
    for i in range(12):
        (tmp_path / "boxes" / f"{i:03d}.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    found = {p.name: p.reason for p in open_dataset(tmp_path).problems}
    assert found == {
        "prices.csv": "passed over: no table about these pictures",
        "README.txt": "passed over: no table about these pictures",
        "boxes": "12 texts, of which none was read as a table",
    }


def test_numbers_that_name_a_picture_by_chance_make_no_table_of_it(tmp_path: Path) -> None:
    write_files(tmp_path, [encoded(noise(i)) for i in range(COUNT)], ".png")
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
        write_files(tmp_path / "cat", [encoded(noise(i + 50), "JPEG") for i in range(COUNT)], ".jpg")
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
    write_files(tmp_path, [encoded(noise(i)) for i in range(COUNT)], ".png")
    (tmp_path / "t.csv").write_text("day,cost\n" + "".join(f"{i},{2 * i}\n" for i in range(COUNT)))
    found = open_dataset(tmp_path)
    assert sorted([*found.train.attributes["cost"], *found.test.attributes["cost"]]) == [2.0 * i for i in range(COUNT)]
    assert 't.csv: the column "day" was taken for the names of files; "file" is a sure name' in found.notes
