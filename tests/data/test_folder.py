"""Folders of pictures: labels, splits, attributes, and everything that can be wrong with them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pictures import encoded, noise, write_folder

from morphospace.data import Dataset, Preparation, open_dataset
from morphospace.data.folder import list_folder
from morphospace.data.layout import NO_FOLDER
from morphospace.errors import ArgumentError, DataError, FileError

COUNT = 8


def reasons(dataset: Dataset) -> dict[str, str]:
    return {problem.name: problem.reason for problem in dataset.problems}


def test_sub_folders_are_labels_and_sizes_are_kept(tmp_path: Path) -> None:
    write_folder(tmp_path / "cats" / "old", 15)
    write_folder(tmp_path / "dogs", 15, start=15)
    found = open_dataset(tmp_path)
    assert found.shape == (12, 10, 3)
    assert found.label_names == ("cats", "dogs")
    assert len(found.train) + len(found.test) == 30
    assert found.source == str(tmp_path)
    assert found.name == tmp_path.name
    images = np.concatenate([found.train.images[:], found.test.images[:]])
    labels = np.concatenate([found.train.labels, found.test.labels])
    for image, label in zip(images, labels, strict=True):
        number = next(i for i in range(30) if (noise(i) == image).all())
        assert label == (number >= 15)


def test_images_beside_folders_have_a_label_of_their_own(tmp_path: Path) -> None:
    write_folder(tmp_path, 10)
    write_folder(tmp_path / "dogs", 10, start=10)
    assert open_dataset(tmp_path).label_names == (NO_FOLDER, "dogs")


@pytest.mark.parametrize("third", [None, "val"])
def test_train_and_test_folders_are_the_split(tmp_path: Path, third: str | None) -> None:
    for i, (split, kind) in enumerate([("train", "a"), ("train", "b"), ("test", "a"), ("test", "b")]):
        write_folder(tmp_path / split / kind, 6, start=6 * i)
    if third:
        write_folder(tmp_path / third / "a", 6, start=30)
    found = open_dataset(tmp_path)
    assert found.label_names == ("a", "b")
    assert (len(found.train), len(found.test)) == (12, 12)
    assert (found.validation is not None) == bool(third)


def test_a_csv_gives_attributes_by_file_name(tmp_path: Path) -> None:
    write_folder(tmp_path / "x", 12)
    rows = [f"x/{i:03d}.png,{i / 10},{'red' if i % 2 else 'blue'}" for i in range(12) if i != 5]
    (tmp_path / "my.csv").write_text(
        "\n".join(["file,size,colour", *rows, "nobody.png,1,red", "x/003.png,0.3,red", ""])
    )
    found = open_dataset(tmp_path)
    sizes, colours = found.train.attributes["size"], found.train.attributes["colour"]
    assert sizes.dtype.kind == "f"
    assert colours.dtype.kind == "U"
    for image, size, colour in zip(found.train.images, sizes, colours, strict=True):
        number = next(i for i in range(12) if (noise(i) == image).all())
        if number == 5:
            assert np.isnan(size)
            assert colour == ""
        else:
            assert size == pytest.approx(number / 10)
            assert colour == ("red" if number % 2 else "blue")
    words = " | ".join(reasons(found).values())
    assert "a row of a file that is not in the set" in words
    assert "no row for 1 of 12 files" in words
    assert "a second row" in words
    with pytest.raises(DataError, match="`strict=True` allows none"):
        open_dataset(tmp_path, Preparation(strict=True))


def test_a_label_column_is_the_label_where_folders_say_nothing(tmp_path: Path) -> None:
    write_folder(tmp_path, 12)
    (tmp_path / "labels.csv").write_text("name;label\n" + "\n".join(f"{i:03d};{'ab'[i % 2]}" for i in range(12)))
    assert open_dataset(tmp_path).label_names == ("a", "b")


# -- bad input ---------------------------------------------------------------------------------------


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no pictures"):
        open_dataset(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"1 other file, the first is notes\.txt"):
        open_dataset(tmp_path)


def test_broken_files_among_good_ones_are_skipped_and_named(tmp_path: Path) -> None:
    write_folder(tmp_path, 20)
    (tmp_path / "zero.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_bytes(b"no picture")
    (tmp_path / "cut.png").write_bytes(encoded(noise(99, (64, 64, 3)))[:3000])
    (tmp_path / "dot.png").write_bytes(encoded(noise(98, (1, 1, 3))))
    (tmp_path / "notes.txt").write_bytes(b"notes")
    (tmp_path / ".hidden").write_bytes(b"not even looked at")
    found = open_dataset(tmp_path)
    assert len(found.train) + len(found.test) == 20
    assert reasons(found) == {
        "zero.png": "empty file",
        "text.jpg": "not a picture",
        "cut.png": reasons(found)["cut.png"],
        "dot.png": "too small: 1x1 pixels",
        "notes.txt": "passed over: no table about these pictures",
    }
    assert "ends early" in reasons(found)["cut.png"]
    with pytest.raises(DataError, match=r"5 files .* cannot be used, `strict=True` allows none"):
        open_dataset(tmp_path, Preparation(strict=True))


def test_more_than_half_broken_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, 10)
    for i in range(10):
        (tmp_path / f"x{i}.png").write_bytes(b"")
    assert len(open_dataset(tmp_path).problems) == 10
    (tmp_path / "x10.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"more than half of 21: empty file \(11\)"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("count", [1, 5])
def test_one_image_or_copies_of_one_are_refused(tmp_path: Path, count: int) -> None:
    for i in range(count):
        (tmp_path / f"{i}.png").write_bytes(encoded(noise(0)))
    with pytest.raises(DataError, match="at least two pictures" if count == 1 else "copies of one"):
        open_dataset(tmp_path)


def test_a_folder_of_single_pixels_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, 5, (1, 1, 3))
    with pytest.raises(DataError, match="too small"):
        open_dataset(tmp_path)


NAMES = [
    "Ünïcödé.png",
    "日本語 の 画像.png",
    "spaces  in name.png",
    "line\nbreak.png",
    "quote'\"$(x).png",
    "-n.png",
    "ሰላም.png",
]


def test_names_in_any_script_are_read_and_kept(tmp_path: Path) -> None:
    write_folder(tmp_path, 5)
    for i, name in enumerate(NAMES):
        (tmp_path / name).write_bytes(encoded(noise(50 + i)) if i else b"")
    undecodable = os.fsencode(tmp_path) + b"/caf\xe9.png"
    if sys.platform.startswith("linux"):
        Path(os.fsdecode(undecodable)).write_bytes(b"")
    found = open_dataset(tmp_path)
    assert len(found.train) + len(found.test) == 5 + len(NAMES) - 1
    assert NAMES[0] in reasons(found)
    if sys.platform.startswith("linux"):
        assert "caf\\udce9.png" in reasons(found)


def test_links_that_loop_end(tmp_path: Path) -> None:
    write_folder(tmp_path / "a", 6)
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "a" / "self.png").symlink_to(tmp_path / "a" / "self.png")
    (tmp_path / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    found = open_dataset(tmp_path)
    assert len(found.train) + len(found.test) == 6
    assert "leads back" in reasons(found)["a/again"]
    assert "unreadable" in reasons(found)["a/self.png"]
    assert "unreadable" in reasons(found)["a/gone.png"]


def test_unreadable_and_odd_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path, 6)
    os.mkfifo(tmp_path / "pipe.png")
    really_open = open

    def refuse(path: Any, *rest: Any, **more: Any) -> Any:
        if str(path).endswith("003.png"):
            raise PermissionError(13, "Permission denied")
        return really_open(path, *rest, **more)

    monkeypatch.setattr("builtins.open", refuse)
    assert reasons(open_dataset(tmp_path)) == {
        "pipe.png": "no regular file",
        "003.png": "unreadable (Permission denied)",
    }


def test_a_file_that_goes_while_the_folder_is_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "f", 8)
    from morphospace.data.items import decode_items

    def vanish(items: Any, *rest: Any) -> Any:
        if rest:  # not while the sample is looked at
            (folder / "004.png").unlink(missing_ok=True)
        return decode_items(items, *rest)

    monkeypatch.setattr("morphospace.data.prepare.decode_items", vanish)
    found = open_dataset(folder)
    assert reasons(found) == {"004.png": "gone while the folder was read"}
    assert any("changed while it was read" in words for words in found.notes)
    monkeypatch.undo()
    assert not open_dataset(folder).problems


def test_a_changed_folder_is_noticed_and_an_unchanged_one_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "f", 10)
    first = open_dataset(folder)
    with monkeypatch.context() as patch:
        patch.setattr("morphospace.data.prepare._prepare", lambda *a: pytest.fail("read again"))
        assert open_dataset(folder).fingerprint == first.fingerprint
    (folder / "000.png").write_bytes(encoded(noise(77)))
    assert open_dataset(folder).fingerprint != first.fingerprint
    (folder / "000.png").unlink()
    assert len(open_dataset(folder).train) + len(open_dataset(folder).test) == 9
    (folder / "attributes.csv").write_text("file,x\n001.png,3\n")
    assert "x" in open_dataset(folder).train.attributes


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda p: p / "nowhere" / "x", FileError, "there is no folder or file"),
        (lambda p: "imagse", ArgumentError, "no data set, folder or file"),
        (lambda p: "mnits", ArgumentError, 'Did you mean "mnist"'),
        (lambda p: (p / "a.csv").write_text("x") and p / "a.csv", FileError, "is a table. If each row is the pixels"),
        (lambda p: (p / "a.xyz").write_text("x") and p / "a.xyz", ArgumentError, "no set of images"),
        (
            lambda p: "sprites:size=0",
            ArgumentError,
            "^data: sprites: size: expected [0-9]+ to [0-9]+ pixels a side, got 0x0",
        ),
        (lambda p: "sprites:colour=green", ArgumentError, "colour=grey"),
        (lambda p: "sprites:cuont=3", ArgumentError, 'Did you mean "count"'),
        (lambda p: "sprites:count=1", ArgumentError, "from 2"),
    ],
)
def test_sources_that_are_none(tmp_path: Path, make: Callable[[Path], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        open_dataset(make(tmp_path))


def test_wishes_that_make_no_sense() -> None:
    for wish in ({"size": (2, 64)}, {"size": (64, 100_000)}, {"resize": "squash"}, {"colour": "green"}):
        with pytest.raises(ArgumentError) as refused:
            Preparation(**wish)
        assert [refused.value.argument] == [*wish]


def test_listing_ignores_nothing_it_was_told_of(tmp_path: Path) -> None:
    write_folder(tmp_path / "b", 2)
    write_folder(tmp_path / "a", 2)
    (tmp_path / "noending").write_bytes(encoded(noise(9)))
    assert list_folder(tmp_path).files == ["a/000.png", "b/000.png", "a/001.png", "b/001.png", "noending"]


def test_the_example_of_labels_from_names_is_one_of_them(tmp_path: Path) -> None:
    for i in range(COUNT):
        (tmp_path / f"{'dog' if i > 4 else 'what'}_{i}.png").write_bytes(encoded(noise(i)))
        (tmp_path / f"a{i}.png").write_bytes(encoded(noise(i + 50)))
    found = open_dataset(tmp_path, Preparation(label_from="(dog)_"))
    assert found.notes[0] == "labels are what `label_from` finds in names: 1 of them, like dog"
