"""Trials of concepts on a set whose attribute is a number and a word at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import morphospace as ms
from morphospace.data import Dataset, dataset_from_arrays
from morphospace.errors import DataError
from morphospace.evaluate.concept_trials import try_concepts
from morphospace.evaluate.edits import whole_way
from morphospace.latent import Concept
from morphospace.workflow import learn_from_dataset


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


def test_a_way_is_told_by_the_spread_of_its_scores() -> None:
    """Of lengths in nanometres as of those in metres; where nothing can be measured, there is none."""
    truth, scores = np.array([0.0, 0, 1, 1]), np.array([1.0, 2, 4, 5])
    for unit in (1.0, 1e-9):
        assert whole_way(unit * scores, truth) == pytest.approx(3 * unit)
    assert np.isnan(whole_way(np.ones(4), truth))
    assert np.isnan(whole_way(np.full(4, np.nan), truth))
