"""Which column of a set is its label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.pictures import encoded, noise, write_files, write_folder

from morphospace.data import Dataset, open_dataset

COUNT = 8


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


def test_a_column_of_train_and_validation_says_which_are_the_test(tmp_path: Path) -> None:
    write_files(tmp_path, [encoded(noise(i)) for i in range(COUNT)], ".png")
    kinds = ["val" if i % 4 == 0 else "train" for i in range(COUNT)]
    (tmp_path / "t.csv").write_text("file,split\n" + "".join(f"{i}.png,{kind}\n" for i, kind in enumerate(kinds)))
    found = open_dataset(tmp_path)
    assert (len(found.train), len(found.test), found.validation) == (6, 2, None)
    assert 'the column "split" has no test images: those of validation are the test' in found.notes


def test_labels_that_the_folders_have_too_are_no_choice(tmp_path: Path) -> None:
    for i, label in enumerate("ab"):
        write_folder(tmp_path / label, COUNT, start=COUNT * i)
    rows = [f"{label}/{COUNT * i + k:03d}.png,{label}" for i, label in enumerate("ab") for k in range(COUNT)]
    (tmp_path / "t.csv").write_text("file,label\n" + "\n".join(rows))
    found = open_dataset(tmp_path)
    assert (found.label_names, found.notes, list(found.train.attributes)) == (("a", "b"), (), ["label"])
