"""Trials of concepts on a set whose attribute is a number and a word at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import morphospace as ms
from morphospace.data import Dataset, dataset_from_arrays
from morphospace.evaluate.trials import try_concepts
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
