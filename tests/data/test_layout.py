"""What folders mean: labels and split in the ways that people lay their pictures out, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.pictures import encoded, noise, write_folder

from morphospace.cli.opening import folder_pictures
from morphospace.data import Preparation, open_dataset
from morphospace.data.folder import NO_LABEL, list_folder
from morphospace.data.layout import NO_FOLDER, lay_out
from morphospace.errors import ArgumentError
from morphospace.files import natural_order

TRAIN, TEST, VAL = "train", "test", "validation"


def said(files: list[str]) -> tuple[dict[str, tuple[str, str]], str]:
    """The (label, split) of each file that is kept, "" where there is none; all notes."""
    found = lay_out(files)
    labels, splits = found.labels or [""] * len(files), found.splits or [""] * len(files)
    kept = {name: (labels[i], splits[i]) for i, name in enumerate(files) if i not in found.left_out}
    return kept, " | ".join(found.notes + found.label_notes)


def test_a_folder_that_holds_everything_is_passed_through() -> None:
    kept, words = said(["photos/photos/cat/1.png", "photos/photos/dog/1.png"])
    assert kept == {"photos/photos/cat/1.png": ("cat", ""), "photos/photos/dog/1.png": ("dog", "")}
    assert (
        words
        == "photos/photos/ holds everything and is no label: labels are the folders in it (`label_from` takes others)"
    )


def test_train_alone_is_no_label_and_its_pictures_are_split_by_their_content() -> None:
    kept, words = said(["train/cat/1.png", "train/dog/1.png", "train/dog/2.png"])
    assert [label for label, _ in kept.values()] == ["cat", "dog", "dog"]
    assert {split for _, split in kept.values()} == {""}
    assert "train/ alone is no split: a tenth of its pictures, chosen by their content, is held out as a test" in words
    assert "train/ alone is no split" in said(["train/1.png", "train/2.png"])[1]


@pytest.mark.parametrize(
    ("train", "test"),
    [("train", "test"), ("Train", "Test"), ("TRAIN", "TESTING"), ("train_set", "test_set"), ("trainset", "testset"),
     ("training_images", "testing_images"), ("train2017", "val2017"), ("seg_train", "seg_test"),
     ("TrainImages", "TestImages"), ("train/train", "test/test"), ("images/train", "images/val"),
     ("data/train/images", "data/valid/images"), ("train", "dev")],
)  # fmt: skip
def test_many_names_mean_train_and_test(train: str, test: str) -> None:
    kept, _ = said([f"{train}/cat/1.png", f"{train}/dog/1.png", f"{test}/cat/2.png", f"{test}/dog/2.png"])
    assert list(kept.values()) == [("cat", TRAIN), ("dog", TRAIN), ("cat", TEST), ("dog", TEST)]


@pytest.mark.parametrize("names", [("train-station", "test-tube"), ("train", "car"), ("trainer", "tester")])
def test_labels_that_sound_like_splits_are_labels(names: tuple[str, str]) -> None:
    kept, _ = said([f"{name}/1.png" for name in names])
    assert list(kept.values()) == [(name, "") for name in names]


def test_two_pairs_are_two_labels() -> None:
    kept, _ = said(["trainA/1.jpg", "trainB/1.jpg", "testA/2.jpg", "testB/2.jpg"])
    assert list(kept.values()) == [("A", TRAIN), ("B", TRAIN), ("A", TEST), ("B", TEST)]


def test_the_split_may_lie_below_the_labels() -> None:
    files = ["cat/train/1.png", "cat/test/2.png", "dog/train/1.png", "dog/test/2.png", "dog/3.png"]
    kept, words = said(files)
    assert list(kept.values()) == [("cat", TRAIN), ("cat", TEST), ("dog", TRAIN), ("dog", TEST), ("dog", TRAIN)]
    assert "1 picture in none of the folders test, train of the labels became training pictures" in words


def test_strays_beside_train_and_test_change_neither_labels_nor_split() -> None:
    whole = ["train/cat/1.png", "train/dog/1.png", "test/cat/2.png", "test/dog/2.png"]
    kept, words = said([*whole, "preview.png", "pred/7.png", "pred/8.png"])
    assert kept == said(whole)[0]
    assert "beside" not in words
    reason = "left out, as it lies beside train/ and test/ (move it into one of these)"
    assert lay_out([*whole, "preview.png", "pred/7.png"]).left_out == {4: reason, 5: reason}
    kept, words = said([*whole, "extra/cat/9.png"])
    assert kept["extra/cat/9.png"] == ("cat", TRAIN)
    assert "extra/ has the same folders as train/ and test/: its pictures (1) were put to train" in words


def test_a_test_without_labels_keeps_its_split() -> None:
    kept, words = said(["train/cat/1.png", "train/dog/1.png", "test/images/2.png"])
    assert list(kept.values()) == [("cat", TRAIN), ("dog", TRAIN), (NO_FOLDER, TEST)]
    assert f'1 picture in no folder of a label: the label is "{NO_FOLDER}"' in words
    kept, _ = said(["train/cat/1.png", "train/dog/1.png", "test/cat/2.png"])
    assert kept["test/cat/2.png"] == ("cat", TEST)


def test_a_validation_folder_alone_is_the_test_and_it_is_said() -> None:
    kept, words = said(["train/1.png", "val/2.png"])
    assert list(kept.values()) == [("", TRAIN), ("", TEST)]
    assert "the validation pictures are the test" in words
    assert list(said(["train/1.png", "val/2.png", "test/3.png"])[0].values()) == [("", TRAIN), ("", VAL), ("", TEST)]


def test_deeper_folders_are_no_labels_and_it_is_said() -> None:
    kept, words = said(["cat/old/1.png", "cat/young/2.png", "dog/3.png"])
    assert [label for label, _ in kept.values()] == ["cat", "cat", "dog"]
    assert "the folders within (old/, young/) were not used (`label_from` decides otherwise)" in words


def test_one_folder_and_loose_pictures_are_two_kinds() -> None:
    kept, words = said(["cat/1.png", "2.png", "3.png"])
    assert [label for label, _ in kept.values()] == ["cat", NO_FOLDER, NO_FOLDER]
    assert "2 pictures in no folder of a label" in words
    kept, _ = said(["photos/cat/1.png", "photos/dog/1.png", "cover.png"])
    assert [label for label, _ in kept.values()] == ["cat", "dog", NO_FOLDER]


@pytest.mark.parametrize("mask", ["masks/1.png", "masks/1_mask.png", "Annotations/1.png"])
def test_masks_are_not_learned_as_pictures(mask: str) -> None:
    kept, _ = said(["images/1.jpg", "images/2.jpg", mask])
    assert kept == {"images/1.jpg": ("", ""), "images/2.jpg": ("", "")}
    folder = mask.partition("/")[0]
    assert lay_out(["images/1.jpg", "images/2.jpg", mask]).left_out == {
        2: f"left out as a mask, by its folder and name (name {folder}/ by itself to learn from masks)"
    }
    kept, _ = said(["images/1.jpg", "masks/9.png"])  # not of the same names: a kind of its own
    assert [label for label, _ in kept.values()] == ["images", "masks"]


# -- in a set -----------------------------------------------------------------------------------------


def test_a_set_says_what_was_left_out_and_strict_refuses(tmp_path: Path) -> None:
    for i, name in enumerate(["train/cat", "train/dog", "test/cat", "test/dog"]):
        write_folder(tmp_path / name, 3, start=3 * i)
    (tmp_path / "cover.png").write_bytes(encoded(noise(99)))
    (tmp_path / "__MACOSX" / "train").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "train" / "._0.png").write_bytes(b"resource fork")
    (tmp_path / "train" / "Thumbs.db").write_bytes(b"thumbs")
    (tmp_path / "train" / "cat" / "._1.png").write_bytes(b"resource fork")
    found = open_dataset(tmp_path)
    assert (len(found.train), len(found.test), found.label_names) == (6, 6, ("cat", "dog"))
    assert [tuple(problem) for problem in found.problems] == [
        ("cover.png", "left out, as it lies beside train/ and test/ (move it into one of these)")
    ]
    assert not any("cover" in words or "beside" in words for words in found.notes), "it is said once"


def test_verbs_that_take_a_folder_say_what_they_pass_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(tmp_path, 2)
    (tmp_path / "notes.md").write_text("x")
    assert [name for name, _ in folder_pictures(str(tmp_path)) or []] == ["000.png", "001.png"]
    words = "1 file in {} left out; the first is notes.md: not a picture's name (.md)"
    assert words.format(tmp_path) in capsys.readouterr().err.replace("\n", " ")


def test_files_of_no_ending_or_a_strange_one_are_looked_at(tmp_path: Path) -> None:
    write_folder(tmp_path, 6)
    picture = noise(50)
    for kind, name in [("PNG", "scan.dat"), ("JPEG", "shot.img"), ("TIFF", "plate"), ("GIF", "a.png.bak"),
                       ("BMP", "b.x"), ("PPM", "c.raw"), ("WEBP", "d.jpg"), ("PNG", "e.jpeg")]:  # fmt: skip
        picture = noise(60 + ord(name[0]))
        (tmp_path / name).write_bytes(encoded(picture, kind))
    others = {"README": b"P1 is a picture format.", "x.dat": b"\0\1\2", "y.img": b"", "notes.txt": b"x",
              "more.bin": b"PK\x03\x04", "z.heic": b"\0\0\0 ftypheic"}  # fmt: skip
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    found = open_dataset(tmp_path)
    assert len(found.train) + len(found.test) == 6 + 8
    reasons = {problem.name: problem.reason for problem in found.problems}
    assert reasons["z.heic"].startswith("a HEIC file: pillow_heif")
    assert reasons == {
        "README": "not a picture by its content",
        "x.dat": "not a picture by its content",
        "y.img": "empty file",
        "notes.txt": "passed over: no table about these pictures",
        "more.bin": "an archive: unpack it, or name it by itself",
        "z.heic": reasons["z.heic"],
    }
    images = {image.tobytes() for split in (found.train, found.test) for image in split.images}
    assert noise(60 + ord("s")).tobytes() in images, "scan.dat is read as the PNG that it is"
    assert noise(60 + ord("e")).tobytes() in images, "and so is e.jpeg"


def test_numbers_in_names_count_as_numbers(tmp_path: Path) -> None:
    for label in ("10", "9", "1"):
        for i in (10, 2, 1):
            (tmp_path / label).mkdir(exist_ok=True)
            (tmp_path / label / f"{i}.png").write_bytes(encoded(noise(100 * int(label) + i)))
    assert list_folder(tmp_path).files == [f"{label}/{i}.png" for i in (1, 2, 10) for label in (1, 9, 10)]
    found = open_dataset(tmp_path)
    assert found.label_names == ("1", "9", "10")
    assert found.train.labels is not None
    for image, label in zip(found.train.images, found.train.labels, strict=True):
        folder = next(n for n in (1, 9, 10) if any((noise(100 * n + i) == image).all() for i in (1, 2, 10)))
        assert found.label_names[label] == str(folder)


def test_natural_order_is_total() -> None:
    names = ["a10", "a2", "a02", "a", "", "2", "10", "9" * 5000, "a2b10", "a2b9", "가10", "가9"]
    assert sorted(names, key=natural_order) == [
        "", "2", "10", "9" * 5000, "a", "a02", "a2", "a2b9", "a2b10", "a10", "가9", "가10"
    ]  # fmt: skip


def test_labels_from_names(tmp_path: Path) -> None:
    for i, name in enumerate(["cat.10.png", "cat.9.png", "dog.1.png", "dog.2.png", "what.png", "dog.3.png"]):
        (tmp_path / name).write_bytes(encoded(noise(i)))
    found = open_dataset(tmp_path, Preparation(label_from=r"^(cat|dog)\."))
    assert found.label_names == (NO_LABEL, "cat", "dog")
    labels = np.concatenate([np.asarray(found.train.labels), np.asarray(found.test.labels)])
    assert np.bincount(labels).tolist() == [1, 2, 3]
    words = 'finds nothing in 1 of 6 names, what.png is the first: their label is "(no label)"'
    assert any(words in note for note in found.notes)
    with pytest.raises(ArgumentError, match=r"finds nothing in any of 6 names; the first is cat\.9\.png"):
        open_dataset(tmp_path, Preparation(label_from="(bird)"))


def test_labels_from_names_may_use_folders_and_keep_the_split(tmp_path: Path) -> None:
    for i, name in enumerate(["train/a/x", "train/b/y", "test/a/x", "test/b/y"]):
        write_folder(tmp_path / name, 3, start=3 * i)
    found = open_dataset(tmp_path, Preparation(label_from=r"[^/]+/[^/]+/([^/]+)/"))
    assert (found.label_names, len(found.train), len(found.test)) == (("x", "y"), 6, 6)
    assert not any("were not used" in words for words in found.notes), "notes of labels by folder are of no use"


def test_labels_come_from_one_place() -> None:
    with pytest.raises(ArgumentError, match="`label` and `label_from` both"):
        Preparation(label="kind", label_from="(a)")
    for pattern, words in (("a", "with a group in parentheses"), ("(", "is no regular expression")):
        with pytest.raises(ArgumentError, match=words):
            Preparation(label_from=pattern)


@pytest.mark.parametrize("source", ["digits", "sprites:count=9,size=8"])
def test_sets_without_file_names_refuse_labels_from_them(source: str) -> None:
    with pytest.raises(ArgumentError, match=r"^label_from: .* no files"):
        open_dataset(source, Preparation(label_from="(a)"))


def test_masks_name_the_folder_to_learn_from() -> None:
    assert lay_out(["images/1.jpg", "GT/1.png"]).left_out == {
        1: "left out as a mask, by its folder and name (name GT/ by itself to learn from masks)"
    }
