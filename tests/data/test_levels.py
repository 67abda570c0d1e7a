"""Arrays of numbers as images, and later ones as those of a set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from morphospace.data import Dataset, Preparation, dataset_from_arrays
from morphospace.errors import DataError
from morphospace.recipes import build_model, find_recipe
from morphospace.space import Space
from morphospace.workflow.run import about_data

GREY = np.random.default_rng(0).random((12, 8, 8))
GREY[:, 0, 0], GREY[:, 0, 1] = 0, 1
COLOUR = np.random.default_rng(1).random((12, 8, 8, 3))
CLEAR = np.concatenate([COLOUR, GREY[..., None]], -1)
FIVE = np.stack([GREY * (place + 1) / 5 for place in range(5)], -1)


def test_a_fourth_channel_is_said_to_be_transparency() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 4), np.uint8)
    (words,) = dataset_from_arrays(images).notes
    assert words.startswith("the last of 4 channels was taken for transparency, over #FFFFFF; `background` changes")
    assert dataset_from_arrays(images, preparation=Preparation(channels=(1, 2, 3))).notes == ()


def untrained_on(dataset: Dataset) -> Space:
    recipe = find_recipe("quick")
    model = build_model(recipe, dataset.shape, seed=0)
    return Space(model, recipe, dataset.shape, about={"data": about_data(dataset)})


def as_bytes(values: np.ndarray) -> np.ndarray:
    return np.floor(values * 255 + 0.5).astype(np.uint8)


@pytest.mark.parametrize(
    ("array", "asked", "wanted"),
    [
        (GREY * 1.0000002, {}, as_bytes(GREY)),
        (GREY * 2 - 1, {}, as_bytes(GREY)),
        (np.round(GREY * 4095).astype(np.uint16), {}, as_bytes(np.round(GREY * 4095) / 4095)),
        (np.round(GREY * 2000 - 1000).astype(np.int16), {}, as_bytes((np.round(GREY * 2000)) / 2000)),
        ((GREY > 0.5).astype(np.uint8), {}, np.where(GREY > 0.5, 255, 0)),
        (GREY > 0.5, {}, np.where(GREY > 0.5, 255, 0)),
        (np.round(GREY * 20).astype(np.uint8), {}, as_bytes(np.round(GREY * 20) / 20)),
        (as_bytes(GREY), {}, as_bytes(GREY)),
        (COLOUR, {"channels": (3, 2, 1)}, as_bytes(COLOUR[..., ::-1])),
        (FIVE, {"channels": (5,)}, as_bytes(FIVE[..., 4])),
        (as_bytes(FIVE), {"channels": (5, 1, 2)}, as_bytes(FIVE)[..., [4, 0, 1]]),
        (as_bytes(CLEAR), {}, None),
        (CLEAR, {"background": "black"}, None),
    ],
)  # fmt: skip
def test_raw_arrays_become_the_pixels_of_the_set(array: np.ndarray, asked: dict[str, Any], wanted: Any) -> None:
    dataset = dataset_from_arrays(array, test_images=array, preparation=Preparation(**asked))
    space = untrained_on(dataset)
    prepared = dataset.train.images
    if wanted is not None:
        assert np.array_equal(prepared, np.asarray(wanted).reshape(prepared.shape))
    assert np.array_equal(space.prepare(array), prepared)
    assert (space.encode(array).mean == space.encode(prepared).mean).all()


@pytest.mark.parametrize("asked", ["20:240", "0:300", "10%:90%"])
def test_pixels_of_a_set_are_never_taken_for_samples_again(asked: str) -> None:
    images = as_bytes(GREY)
    images[3] //= 3  # as dark as it is, no value shows that it was prepared
    dataset = dataset_from_arrays(images, test_images=images, preparation=Preparation(intensity=asked))
    space = untrained_on(dataset)
    for image in dataset.train.images:
        assert (space.prepare(image) == image).all()


def test_marks_that_are_prepared_stay_even_where_they_could_be_raw() -> None:
    marks = np.round(GREY * 20).astype(np.uint8)  # 1 becomes 13
    space = untrained_on(dataset_from_arrays(marks))
    assert (space.prepare(np.full((8, 8), 13, np.uint8)) == 13).all()
    assert (space.prepare(np.full((8, 8), 12, np.uint8)) == 153).all()


def test_channels_that_the_space_does_not_know_are_refused() -> None:
    space = untrained_on(dataset_from_arrays(COLOUR))
    with pytest.raises(DataError, match="with C 1 or 3, got"):
        space.prepare(FIVE)
