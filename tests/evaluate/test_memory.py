"""Trials of concepts on a set that stays in its file: read in batches, with what they find unchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphospace.data import Dataset, Split
from morphospace.data.store import StoredImages
from morphospace.evaluate import edits, evaluate_space, judges
from morphospace.evaluate.class_trials import class_figures
from morphospace.evaluate.concept_trials import try_concepts
from morphospace.evaluate.measures import MEASURES, measure
from morphospace.images import Images
from morphospace.space import Space
from morphospace.workflow import learn_from_dataset, learn_label_classes

LARGEST = 256  # images: a judge's batch of training


class CountedImages(StoredImages):
    """Images in a file that remember the most that was read at once."""

    largest = 0

    def __getitem__(self, index: Any) -> Images:
        found = super().__getitem__(index)
        CountedImages.largest = max(CountedImages.largest, found.size // int(np.prod(self.shape[1:])))
        return found


@pytest.fixture
def stored(digits: Dataset, tmp_path: Path) -> Dataset:
    """Digits in files, each image three times."""

    def in_file(name: str, split: Split) -> Split:
        np.save(tmp_path / f"{name}.npy", np.concatenate([split.images[:]] * 3))
        return Split(CountedImages(tmp_path / f"{name}.npy"), np.concatenate([np.asarray(split.labels)] * 3))

    CountedImages.largest = 0
    return replace(digits, train=in_file("train", digits.train), test=in_file("test", digits.test))


def in_memory(dataset: Dataset) -> Dataset:
    train, test = (Split(split.images[:], split.labels) for split in (dataset.train, dataset.test))
    return replace(dataset, train=train, test=test)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "_FEWEST_STEPS", 20)
    monkeypatch.setattr(judges, "_EPOCHS", 1)
    monkeypatch.setattr(edits, "_REAL", 1000)


@pytest.mark.usefixtures("_quick")
def test_trials_read_a_batch_at_a_time(space: Space, digits: Dataset, stored: Dataset) -> None:
    learn_from_dataset(space, "slant", digits, measured="slant")
    learn_from_dataset(space, "6", digits, label="6")
    learn_label_classes(space, digits)
    trials, judge = try_concepts(space, stored, ["slant", "6"], seeds=(0, 1), images=20)
    classes = class_figures(space, stored, judge, images=10)
    evaluate_space(space, stored)
    assert 0 < CountedImages.largest <= LARGEST
    whole = in_memory(stored)
    again, same_judge = try_concepts(space, whole, ["slant", "6"], seeds=(0, 1), images=20)
    assert trials.to_json() == again.to_json()
    assert classes.to_json() == class_figures(space, whole, same_judge, images=10).to_json()


def test_measures_read_a_batch_at_a_time(stored: Dataset) -> None:
    for name in MEASURES:
        assert np.array_equal(measure(name, stored.train.images), measure(name, stored.train.images[:]), equal_nan=True)
        CountedImages.largest = 0
        measure(name, stored.train.images)
        assert 0 < CountedImages.largest <= LARGEST


def test_another_size_is_refused_before_anything_is_read(space: Space, tmp_path: Path) -> None:
    from morphospace.errors import DataError

    np.save(tmp_path / "large.npy", np.zeros((600, 16, 16, 1), np.uint8))
    CountedImages.largest = 0
    split = Split(CountedImages(tmp_path / "large.npy"))
    with pytest.raises(DataError, match=r"takes images of shape \(8, 8, 1\)"):
        evaluate_space(space, Dataset("large", split, split))
    assert CountedImages.largest <= 1


def test_the_nearest_training_image_is_found_across_batches() -> None:
    from morphospace.evaluate.class_trials import _nearest

    rng = np.random.default_rng(0)
    others, images = rng.integers(0, 256, (1000, 5, 4, 1), np.uint8), rng.integers(0, 256, (30, 5, 4, 1), np.uint8)
    rows = np.sort(rng.permutation(1000)[:700])
    away = np.square(others[rows].astype(np.int64)[None] - images[:, None]).sum((2, 3, 4))
    assert np.array_equal(_nearest(images, others, rows), rows[away.argmin(1)])
