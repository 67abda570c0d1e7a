"""Trials of concepts: of a set whose attribute is a number and a word at once, and of one that stays in its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import morphospace as ms
from morphospace.data import Dataset, Split, dataset_from_arrays
from morphospace.data.store import StoredImages
from morphospace.errors import DataError
from morphospace.evaluate import edits, evaluate_space, judges
from morphospace.evaluate.class_trials import class_figures
from morphospace.evaluate.concept_trials import try_concepts
from morphospace.evaluate.measures import MEASURES, measure
from morphospace.images import Images
from morphospace.latent import Concept
from morphospace.space import Space
from morphospace.workflow import learn_from_dataset, learn_label_classes

LARGEST = 256  # images: a judge's batch of training


def creatures() -> Dataset:
    """Bars of as many rows as they have legs."""
    rng = np.random.default_rng(0)
    images, legs = rng.integers(0, 60, (400, 8, 8, 1), np.uint8), rng.choice([2.0, 4.0, 6.0], 400)
    for image, count in zip(images, legs, strict=True):
        image[: int(count)] += 150
    found = dataset_from_arrays(images[:300], test_images=images[300:], name="creatures")
    train, test = (replace(s, attributes={"legs": k}) for s, k in ((found.train, legs[:300]), (found.test, legs[300:])))
    return replace(found, train=train, test=test)


def test_one_attribute_is_judged_as_a_number_and_by_its_value() -> None:
    dataset = creatures()
    space = ms.train(dataset, "quick", epochs=30)
    learn_from_dataset(space, "more", dataset, attribute="legs")
    learn_from_dataset(space, "four", dataset, attribute="legs=4")
    trials, judge = try_concepts(space, dataset, ["more", "four"], seeds=(0, 1), images=20)
    assert set(trials.names) == {"more", "four"}
    assert judge.kinds == {"legs": 0, "which legs": 4}
    assert min(min(values) for values in trials.judges.values()) > 0.9


def test_a_label_that_no_training_image_has_teaches_no_judge() -> None:
    """Its number lies beyond the kinds that a judge knows."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (60, 8, 8, 1), np.uint8)
    test_labels = np.repeat([1, 2], 10)
    dataset = dataset_from_arrays(images[:40], np.arange(40) % 2, test_images=images[40:], test_labels=test_labels)
    space = ms.train(dataset, "quick", epochs=1, settings={"encoder_widths": "4", "decoder_widths": "4"})
    space.concepts["2"] = Concept(name="2", direction=np.ones(2, np.float32))
    with pytest.raises(DataError, match="2 needs 5 training images or more that show it"):
        try_concepts(space, dataset, ["2"], seeds=(0, 1), images=5)
    space.concepts["0"] = Concept(name="0", direction=np.ones(2, np.float32))
    with pytest.raises(DataError, match="0 needs 5 test images or more that show it"):
        try_concepts(space, dataset, ["0"], seeds=(0, 1), images=5)


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
