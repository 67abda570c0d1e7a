"""Labels that are numbers, hidden or missing; splits by name; and tables of latents in any order, or damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.pictures import noise, write_folder

from morphospace.data import Dataset, dataset_from_arrays, open_dataset
from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.points import PointTable, read_points, write_points


def labels_of(dataset: Dataset) -> set[str]:
    """The names of the labels that images of the set have."""
    numbers = [split.labels for split in (dataset.train, dataset.test) if split.labels is not None]
    return {dataset.label_names[i] for i in np.concatenate(numbers)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["3", "", "10"], ("(no label)", "3", "10")),
        (["3", "0", "10"], ("0", "3", "10")),
        (["0.5", "", "2"], ("(no label)", "0.5", "2")),
        (["cat", "", "dog"], ("(no label)", "cat", "dog")),
    ],
)
def test_a_column_of_labels_is_read_as_a_person_would(
    tmp_path: Path, values: list[str], expected: tuple[str, ...]
) -> None:
    write_folder(tmp_path, 30)
    rows = [f"{i:03d}.png,{values[i % 3]}" for i in range(30)]
    (tmp_path / "attributes.csv").write_text("\n".join(["file,label", *rows]))
    found = open_dataset(tmp_path)
    assert found.label_names == expected
    assert labels_of(found) == set(expected)


@pytest.mark.parametrize(
    ("kind", "labels", "expected"),
    [
        ("names", [0, 1, -1], {"cat", "dog", "(no label)"}),
        ("names", [0, 1, None], {"cat", "dog", "(no label)"}),
        ("int64", [7, 10, None], {"7", "10", "(no label)"}),
        ("float64", [7.0, 10.0, None], {"7", "10", "(no label)"}),
        ("string", ["cat", "dog", None], {"cat", "dog", "(no label)"}),
    ],
)
def test_a_hidden_label_of_the_hub_is_no_label(
    tmp_path: Path, kind: str, labels: list[Any], expected: set[str]
) -> None:
    datasets = pytest.importorskip("datasets")
    label = datasets.ClassLabel(names=["cat", "dog"]) if kind == "names" else datasets.Value(kind)
    columns = {
        "image": [Image.fromarray(noise(i, (9, 8, 3))) for i in range(30)],
        "label": [labels[i % 3] for i in range(30)],
    }
    features = datasets.Features({"image": datasets.Image(), "label": label})
    datasets.Dataset.from_dict(columns, features=features).to_parquet(tmp_path / "hub" / "train.parquet")
    assert labels_of(open_dataset(f"hf:{tmp_path / 'hub'}")) == expected


@pytest.mark.parametrize("first", [0, 1, 70_000])
def test_only_labels_that_occur_are_labels_of_a_set_of_arrays(tmp_path: Path, first: int) -> None:
    """Those of 1 to 3 are three: no label "0" is invented, and none for each number below a class's code."""
    images, labels = noise(0, (30, 4, 4)), first + np.arange(30) % 3
    np.savez(tmp_path / "mine.npz", images=images, labels=labels)
    for found in (dataset_from_arrays(images, labels), open_dataset(tmp_path / "mine.npz")):
        assert found.label_names == (str(first), str(first + 1), str(first + 2))
        for split in (found.train, found.test):
            named = [found.label_names[number] for number in np.asarray(split.labels)]
            places = [int(np.flatnonzero((images == image[..., 0]).all((1, 2)))[0]) for image in split.images]
            assert named == [str(label) for label in labels[places]]
    assert found.label_number(str(first + 2)) == 2


def test_labels_of_test_and_validation_images_count_too_and_the_fingerprint_is_of_the_numbers_given() -> None:
    images = noise(0, (6, 4, 4))
    parts: dict[str, Any] = {"test_images": images[:2], "validation_images": images[2:3]}
    found = dataset_from_arrays(images, [5, 9] * 3, test_labels=[7, 5], validation_labels=[2], **parts)
    assert found.label_names == ("2", "5", "7", "9")
    assert found.validation is not None
    assert [np.asarray(s.labels).tolist() for s in (found.train, found.test, found.validation)] == [
        [1, 3] * 3,
        [2, 1],
        [0],
    ]
    named = dataset_from_arrays(
        images, [5, 9] * 3, test_labels=[7, 5], validation_labels=[2], label_names=list("abcdefghij"), **parts
    )
    assert np.asarray(named.train.labels).tolist() == [5, 9] * 3
    assert named.fingerprint == found.fingerprint
    with pytest.raises(DataError, match="from 0 to 2 as there are 3 label_names"):
        dataset_from_arrays(images, [5, 9] * 3, label_names=["a", "b", "c"])


def test_a_set_knows_its_splits_by_name() -> None:
    plain = dataset_from_arrays(noise(0, (9, 4, 4)))
    whole = dataset_from_arrays(
        noise(0, (9, 4, 4)), test_images=noise(1, (3, 4, 4)), validation_images=noise(2, (2, 4, 4))
    )
    assert whole.split("train") is whole.train
    assert whole.split("test") is whole.test
    assert whole.split("validation") is whole.validation
    with pytest.raises(ArgumentError, match=r'no split "best".*Known: train, test, validation\.'):
        whole.split("best")
    with pytest.raises(ArgumentError, match=r'no split "validation".*Known: train, test\.'):
        plain.split("validation")


def test_columns_of_latents_count_by_their_numbers(tmp_path: Path) -> None:
    z = np.arange(24, dtype=np.float32).reshape(2, 12)
    write_points(tmp_path / "z.csv", PointTable(z, ["4", "5"], ["a", "b"]))
    head, *rows = [line.split(",") for line in (tmp_path / "z.csv").read_text().split()]
    order = np.argsort(head)
    assert [head[i] for i in order][2:6] == ["z1", "z10", "z11", "z12"]
    lines = [",".join(row[i] for i in order) for row in (head, *rows)]
    (tmp_path / "sorted.csv").write_text("\n".join(lines))
    found = read_points(tmp_path / "sorted.csv")
    assert (found.z == z).all()
    assert found.labels == ["4", "5"]
    assert found.names == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("z1,z3\n1,2\n", "got z1, z3"),
        ("z2,z3\n1,2\n", "got z2, z3"),
        ("z1,z2,z1\n1,2,3\n", "got z1, z1, z2"),
        ("z1,z01\n1,2\n", "got z1, z1"),
        ("z1,z2\n1,2\n1\n", "row 3 has 1 values, expected 2"),
        ("z1,z2,name\n1,2\n", "row 2 has 2 values, expected 3"),
        ("z1,label\n1\n", "row 2 has 1 values, expected 2"),
        ("z1,z2\n0,5,1,5\n", "row 2 has 4 values, expected 2"),
        (f"z1,name\n1,{'x' * 200_000}\n", "field larger than"),
        ("z1,z2\n", "no rows"),
        ("", "no rows"),
    ],
)
def test_damaged_tables_of_latents_are_said_to_be(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "z.csv").write_bytes(text.encode())
    with pytest.raises(FileError, match=words):
        read_points(tmp_path / "z.csv")
