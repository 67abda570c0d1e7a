"""``morpho encode``: what is known of each image comes with its latents."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pictures import noise, write_folder

from morphospace.data import open_dataset
from morphospace.data.prepared import item_names
from morphospace.interpretation import Interpretation
from morphospace.points import PointTable, read_points, write_points
from morphospace.space import load
from morphospace.workflow import preparation_for

Morpho = Callable[..., Any]


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Pictures of two labels with a number and a word each; one is broken, one has no row."""
    folder = tmp_path / "pets"
    write_folder(folder / "cat", 6, (28, 28))
    write_folder(folder / "dog", 6, (28, 28), start=6)
    (folder / "cat" / "bad.png").write_bytes(b"")
    rows = [f"{i:03d}.png,{i / 4},{'red' if i % 2 else 'blue'}" for i in range(11)]
    (folder / "attributes.csv").write_text("\n".join(["file,weight,colour", *rows]))
    return folder


def cells(path: Path) -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    return header, rows


def test_a_folder_keeps_names_labels_and_attributes(morpho: Morpho, pets: Path, tmp_path: Path) -> None:
    ran = morpho("encode", "builtin", "pets", "--out", "z.csv", "--json")
    assert ran.code == 0, ran.err
    header, rows = cells(tmp_path / "z.csv")
    assert header == ["name", "label", "weight", "colour", "z1", "z2"]
    assert [row[:4] for row in rows[:2]] == [["cat/000.png", "cat", "0", "blue"], ["cat/001.png", "cat", "0.25", "red"]]
    assert rows[-1][:4] == ["dog/011.png", "dog", "", ""]
    assert len(rows) == 12
    assert ran.json["labels"] == ["cat", "dog"]
    assert ran.json["attributes"] == ["weight", "colour"]
    assert {p["name"] for p in ran.json["problems"]} == {"attributes.csv", "cat/bad.png"}
    assert "attributes.csv: no row for 2 of 13 files" in ran.err
    assert "left out cat/bad.png: empty file" in ran.err
    expected = load("builtin").encode(str(pets / "dog" / "007.png")).mean[0]
    assert np.allclose([float(v) for v in rows[7][4:]], expected, atol=1e-4)


def test_npz_holds_the_same_arrays(morpho: Morpho, pets: Path, tmp_path: Path) -> None:
    for ending in ("csv", "npz"):
        assert morpho("encode", "builtin", "pets", "--out", f"z.{ending}").code == 0
    words, arrays = read_points(tmp_path / "z.csv"), read_points(tmp_path / "z.npz")
    assert (words.z == arrays.z).all()
    assert words.labels == arrays.labels == ["cat"] * 6 + ["dog"] * 6
    assert words.names == arrays.names
    assert list(words.attributes) == list(arrays.attributes) == ["weight", "colour"]
    for table in (words, arrays):
        np.testing.assert_array_equal(table.attributes["weight"], [*(np.arange(11) / 4), np.nan])
        assert table.attributes["colour"].tolist() == ["blue", "red"] * 5 + ["blue", ""]
        ran = morpho("decode", "builtin", "z.csv" if table is words else "z.npz", "--force", "--out", "o", "--json")
        assert ran.json["images"] == 12, "attributes and labels are no latents"
    with np.load(tmp_path / "z.npz") as stored:
        assert set(stored) == {"z", "labels", "names", "attribute.weight", "attribute.colour", "about"}


def test_a_prepared_set_knows_the_name_of_each_file(morpho: Morpho, pets: Path, tmp_path: Path) -> None:
    assert morpho("encode", "builtin", "pets:train", "--out", "z.csv").code == 0
    table, folder = read_points(tmp_path / "z.csv"), read_points_of(morpho, tmp_path)
    assert 0 < len(table.names) < 12
    for name, label, z in zip(table.names, table.labels, table.z, strict=True):
        i = list(folder.names).index(name)
        assert label == name.partition("/")[0]
        np.testing.assert_allclose(z, folder.z[i], atol=1e-4)
    both = [name for kind in ("train", "test") for name in item_names(open_dataset(pets), kind)]
    assert sorted(both) == sorted(folder.names)


def read_points_of(morpho: Morpho, tmp_path: Path) -> PointTable:
    assert morpho("encode", "builtin", "pets", "--out", "folder.npz").code == 0
    return read_points(tmp_path / "folder.npz")


def test_a_set_has_its_label_names_and_factors(morpho: Morpho, tmp_path: Path) -> None:
    assert morpho("encode", "builtin", "sprites:count=30,size=28", "--out", "z.csv").code == 0
    table = read_points(tmp_path / "z.csv")
    sprites = open_dataset("sprites:count=30,size=28", preparation_for(load("builtin")))
    whole = [sprites.train, sprites.test]
    assert table.names[0] == "sprites:train/0"
    assert table.labels == [sprites.label_names[i] for split in whole for i in split.labels]  # type: ignore[union-attr]
    assert list(table.attributes) == list(sprites.train.attributes)
    scale = np.concatenate([np.asarray(split.attributes["scale"]) for split in whole])
    np.testing.assert_array_equal(table.attributes["scale"], scale)


def test_labels_of_a_table_are_written_once(morpho: Morpho, tmp_path: Path) -> None:
    write_folder(tmp_path / "flat", 4, (28, 28))
    rows = [f"{i:03d}.png,{i % 2 + 3},{i}" for i in range(4)]
    (tmp_path / "flat" / "attributes.csv").write_text("\n".join(["file,label,z1", *rows]))
    assert morpho("encode", "builtin", "flat", "--out", "z.csv").code == 0
    header, found = cells(tmp_path / "z.csv")
    assert header == ["name", "label", "attribute.z1", "z1", "z2"]
    assert [row[1:3] for row in found] == [["3", "0"], ["4", "1"], ["3", "2"], ["4", "3"]]
    assert read_points(tmp_path / "z.csv").attributes["z1"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("ending", ["csv", "npz"])
def test_odd_attributes_come_back(tmp_path: Path, ending: str) -> None:
    z = np.array([[1, 2], [3, 4]], np.float32)
    attributes = {
        name: np.array([0.1, np.nan]) for name in ("name", "label", "z7", "attribute.x", "attribute.attribute.x", "a,b")
    } | {"word": np.array(['say "x"', "über\nzwei"])}
    write_points(tmp_path / f"z.{ending}", PointTable(z, ["cat", ""], ["a", "b"], attributes))
    found = read_points(tmp_path / f"z.{ending}")
    assert (found.z == z).all()
    assert list(found.labels) == ["cat", ""]
    assert list(found.attributes) == list(attributes)
    for name, values in attributes.items():
        np.testing.assert_array_equal(found.attributes[name], values)


def test_tables_of_earlier_versions_are_read(morpho: Morpho, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("name,label,z1,z2\nmnist:test/0,7,0.5,-1\nmnist:test/1,2,0,1\n")
    np.savez(tmp_path / "old.npz", z=np.zeros((2, 2), np.float32), labels=np.array([7, 2]), names=np.array(["a", "b"]))
    for name in ("old.csv", "old.npz"):
        assert read_points(tmp_path / name).labels == ["7", "2"]
        assert morpho("decode", "builtin", name, "--json").json["images"] == 2


def test_a_split_without_labels_or_attributes_is_filled(morpho: Morpho, tmp_path: Path) -> None:
    arrays = {"x_train": noise(0, (4, 28, 28)), "y_train": np.arange(4), "x_test": noise(1, (2, 28, 28))}
    np.savez(tmp_path / "tiny.npz", **arrays)  # type: ignore[arg-type]
    ran = morpho("encode", "builtin", "tiny.npz", "--out", "z.csv")
    assert "note: the test images of tiny have no labels: theirs are left empty" in ran.err
    _, rows = cells(tmp_path / "z.csv")
    assert [row[1] for row in rows] == ["0", "1", "2", "3", "", ""]


def test_another_column_can_have_the_labels(morpho: Morpho, pets: Path, tmp_path: Path) -> None:
    ran = morpho("encode", "builtin", "pets", "--label", "colour", "--out", "z.csv")
    assert ran.code == 0, ran.err
    table = read_points(tmp_path / "z.csv")
    assert list(table.labels) == ["blue", "red"] * 5 + ["blue", "(no label)"]
    assert table.attributes["folder"].tolist() == ["cat"] * 6 + ["dog"] * 6
    assert 'labels are of the column "colour"' in ran.err
    wrong = morpho("encode", "builtin", "pets", "--label", "color")
    assert wrong.code == 2
    assert 'Did you mean "colour"' in wrong.err
    assert not (tmp_path / "morpho-out").exists()


def test_pages_of_a_stack_have_the_label_of_their_file(morpho: Morpho, tmp_path: Path) -> None:
    from PIL import Image

    space = load("builtin")
    space.about["data"] = {"name": "stacks", "interpretation": Interpretation(frames="all").to_json()}
    space.save(tmp_path / "s")
    write_folder(tmp_path / "pets" / "cat", 2, (28, 28))
    (tmp_path / "pets" / "dog").mkdir()
    first, *more = [Image.fromarray(noise(i, (28, 28))) for i in range(5, 8)]
    first.save(tmp_path / "pets" / "dog" / "stack.tif", save_all=True, append_images=more)
    assert morpho("encode", "s", "pets", "--out", "z.csv").code == 0
    table = read_points(tmp_path / "z.csv")
    pages = [f"dog/stack.tif[{i}]" for i in (1, 2, 3)]
    assert list(zip(table.names, table.labels, strict=True)) == [
        ("cat/000.png", "cat"), ("cat/001.png", "cat"), *((page, "dog") for page in pages),
    ]  # fmt: skip
    dataset = open_dataset(tmp_path / "pets", preparation_for(load(tmp_path / "s")))
    names = [name for kind in ("train", "test") for name in item_names(dataset, kind)]
    assert sorted(names) == sorted(table.names)
