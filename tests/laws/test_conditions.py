"""Laws of spaces that are told labels: the label decides what is drawn, and the code keeps the style."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import morphospace as ms
from morphospace.data import Dataset
from morphospace.errors import ArgumentError
from morphospace.evaluate.judges import Judge, train_judge
from morphospace.evaluate.measures import measure
from morphospace.space import Space
from morphospace.told import known_labels, label_number
from morphospace.workflow import learn_from_dataset, learn_label_classes


@pytest.fixture(scope="module")
def judge(digits: Dataset) -> Judge:
    return train_judge(digits.train.images, {"label": np.asarray(digits.train.labels)}, seed=0, steps=300)


@pytest.fixture
def fresh(told: Space) -> Space:
    """The space, as one that has said nothing and learned nothing yet."""
    return Space(
        told.model, told.recipe, told.shape, reference=told.reference, reference_labels=told.reference_labels,
        about=told.about,
    )  # fmt: skip


def test_the_label_decides_what_is_drawn(told: Space, judge: Judge) -> None:
    shares = [(judge.classes("label", told.given(k).sample(100, seed=1)) == k).mean() for k in range(10)]
    assert np.mean(shares) >= 0.95
    assert min(shares) >= 0.85


def test_the_code_keeps_the_style(told: Space) -> None:
    def alike(codes_of: Callable[[int], np.ndarray]) -> float:
        """How much alike the slants of ten labels are: the mean correlation of all pairs of labels."""
        slants = np.array([measure("slant", told.given(k).decode(codes_of(k))) for k in range(10)])
        return float(np.corrcoef(slants)[np.triu_indices(10, 1)].mean())

    assert alike(lambda _: told.sample_points(200, seed=2)) > 0.3
    assert abs(alike(lambda k: told.sample_points(200, seed=k))) < 0.1  # codes drawn anew for each label


def test_codes_say_nothing_of_the_label(told: Space, space: Space, digits: Dataset) -> None:
    """A space that is told labels leaves them out of its codes, so that those of all labels lie in one place."""

    def apart(codes: np.ndarray, labels: np.ndarray) -> float:
        means = np.stack([codes[labels == k].mean(0) for k in range(10)])
        return float(means.var(0).sum() / codes.var(0).sum())

    labels = np.asarray(digits.test.labels)
    assert apart(told.encode(digits.test.images, labels).mean, labels) < 0.15
    assert apart(space.encode(digits.test.images).mean, labels) > 0.4


def test_images_are_read_as_the_label_of_which_they_are_likeliest(
    fresh: Space, digits: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    images, labels = digits.test.images, np.asarray(digits.test.labels)
    with caplog.at_level(logging.WARNING, "morphospace"):
        read = fresh.encode(images).labels
        fresh.encode(images)
    assert read is not None
    assert (read == labels).mean() > 0.9
    assert len(caplog.messages) == 1  # said once
    assert re.fullmatch(
        r"read as \d(, \d){4} and [\d,]+ more, the labels as which they are likeliest; `given` says another",
        caplog.messages[0],
    )


def test_what_is_given_is_not_guessed(fresh: Space, digits: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "morphospace"):
        assert np.all(fresh.given("6").encode(digits.test.images[:5]).labels == 6)
        np.testing.assert_array_equal(fresh.encode(digits.test.images[:3], np.array([1, 2, 3])).labels, [1, 2, 3])
        fresh.given(6).atlas(2)
    assert not caplog.messages


def test_without_a_label_the_first_is_drawn_and_that_is_said(fresh: Space, caplog: pytest.LogCaptureFixture) -> None:
    z = fresh.sample_points(4, seed=0)
    with caplog.at_level(logging.WARNING, "morphospace"):
        np.testing.assert_array_equal(fresh.decode(z), fresh.given(0).decode(z))
    assert caplog.messages == ['drawn as "0", the first label; `given` says another']


def test_samples_are_of_each_label_in_turn(told: Space) -> None:
    codes = told.sample_points(20, seed=5)
    np.testing.assert_array_equal(told.sample(20, seed=5), told.decode(codes, labels=np.arange(20) % 10))
    np.testing.assert_array_equal(told.sample(20, seed=5, label="7"), told.given(7).decode(codes))


def test_edits_hold_the_label(fresh: Space, digits: Dataset) -> None:
    images, labels = digits.test.images[:20], np.asarray(digits.test.labels)[:20]
    learn_from_dataset(fresh, "ink", digits, measured="ink")
    held = fresh.given(labels)
    moved = held.move(held.encode(images).mean, {"ink": 1.0})
    np.testing.assert_array_equal(held.edit(images, {"ink": 1.0}), fresh.decode(moved, labels=labels))
    still = held.edit(images, {"ink": 0.0}, keep_detail=True)
    np.testing.assert_array_equal(still, images)


def test_to_another_class_is_the_same_code_drawn_as_that(told: Space, digits: Dataset) -> None:
    images, labels = digits.test.images[:20], np.asarray(digits.test.labels)[:20]
    code = told.given(labels).encode(images).mean
    np.testing.assert_array_equal(told.given(labels).edit(images, target="3"), told.given(3).decode(code))
    nothing = told.given(labels).edit(images[labels == 3], target="3", source="3", keep_detail=True)
    np.testing.assert_array_equal(nothing, images[labels == 3])
    with pytest.raises(ArgumentError, match="nothing lies between"):
        told.edit(images, target="3", strength=0.5)
    with pytest.raises(ArgumentError, match="codes hold none"):
        told.move(code, target="3")
    with pytest.raises(ArgumentError, match="no classes to learn"):
        learn_label_classes(told, digits)


def test_a_morph_goes_over_to_the_label_that_is_nearer(told: Space, digits: Dataset) -> None:
    images = digits.test.images[:2]
    read = told.encode(images).labels
    film = told.morph(*images, frames=9)
    assert film.labels is not None
    assert read is not None
    assert film.labels.tolist() == [read[0]] * 5 + [read[1]] * 4
    np.testing.assert_array_equal(film.frames, told.decode(film.points, labels=film.labels))
    np.testing.assert_array_equal(told.given(4).morph(*images, frames=5).labels, 5 * [4])


def test_an_analogy_keeps_the_label_of_the_third_or_takes_that_of_the_second(told: Space) -> None:
    six, seven, other = (told.given(k).sample(1, seed=9) for k in (6, 7, 2))
    points = told.analogy_points(six, seven, other)
    read = [told.encode(image).labels for image in (six, seven, other)]
    assert all(label is not None for label in read)
    np.testing.assert_array_equal(told.analogy(six, seven, other), told.decode(points, labels=read[2]))
    again = told.analogy_points(six, seven, six)
    np.testing.assert_array_equal(told.analogy(six, seven, six), told.decode(again, labels=read[1]))


def test_labels_that_there_are_not_are_refused(told: Space, space: Space) -> None:
    with pytest.raises(ArgumentError, match='there is no label "66"'):
        told.given("66")
    with pytest.raises(ArgumentError, match="expected numbers from 0 to 9, got 10"):
        told.decode(np.zeros((1, 2)), labels=np.array([10]))
    with pytest.raises(ArgumentError, match=r"expected one number of a label, or 1, got an array of int64 \(2,\)"):
        told.decode(np.zeros((1, 2)), labels=np.array([1, 2]))
    with pytest.raises(ArgumentError, match="told no label"):
        space.given("6")


def test_labels_are_known_by_name_and_by_number() -> None:
    names = ["Coat", "Ankle boot", "0"]
    assert [label_number(label, names) for label in ("Ankle boot", 1, "1", "0")] == [1, 1, 1, 2]
    assert known_labels(np.array([0, 1]), ["Bag", "Coat"], names) is None
    assert known_labels(np.array([1]), ["Bag", "Coat"], names).tolist() == [0]  # type: ignore[union-attr]


def test_it_comes_back_from_disk(told: Space, digits: Dataset, tmp_path: Path) -> None:
    back = ms.load(told.save(tmp_path / "told"))
    assert back.label_names == [str(k) for k in range(10)]
    labels = np.asarray(digits.test.labels)[:9]
    for one, other in zip(
        back.encode(digits.test.images[:9], labels), told.encode(digits.test.images[:9], labels), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(back.given("6").sample(5), told.given("6").sample(5))


def test_a_set_without_labels_is_refused(rng_images: np.ndarray) -> None:
    with pytest.raises(ArgumentError, match="no labels that the model could be told"):
        ms.train(rng_images, recipe="conditional", epochs=1)


@pytest.fixture
def rng_images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
