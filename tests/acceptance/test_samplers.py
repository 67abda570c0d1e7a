"""Where samples of 32 latents come from, on MNIST: told by a judge that never saw a latent."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from morphospace.data import Dataset
from morphospace.evaluate.comparison import CONFIDENCE
from morphospace.evaluate.judges import Judge
from morphospace.images import Images
from morphospace.space import Space
from morphospace.workflow import train

SAMPLES = 4000

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def wide(mnist: Dataset) -> Space:
    """A space of 32 latents."""
    return train(mnist, "editing", latent_dim=32, seed=0)


def recognised(judge: Judge, images: Images) -> tuple[float, NDArray[np.float64]]:
    """The share of images that the judge recognises, and that of each of the ten digits."""
    chances = judge.read(images)["label"]
    digits = chances.argmax(1)[chances.max(1) >= CONFIDENCE]
    shares: NDArray[np.float64] = np.bincount(digits, minlength=10) / len(images)
    return float(shares.sum()), shares


def nearest(points: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far the nearest of ``known`` lies from each of ``points``, (N,)."""
    squares = np.square(known).sum(1)
    found = []
    for start in range(0, len(points), 250):
        some = points[start : start + 250]
        found.append((np.square(some).sum(1)[:, None] + squares - 2 * some @ known.T).min(1).clip(0))
    distances: NDArray[np.float32] = np.sqrt(np.concatenate(found))
    return distances


def flat(images: Images) -> NDArray[np.float32]:
    values: NDArray[np.float32] = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    return values


@pytest.mark.timed
def test_a_flow_draws_digits_of_all_kinds_and_no_training_image(wide: Space, mnist: Dataset, judge: Judge) -> None:
    train_images, labels = mnist.train.images, np.asarray(mnist.train.labels)
    known = np.bincount(labels, minlength=10) / len(labels)
    wide.refit("mixture", train_images)
    print("mixture:", recognised(judge, wide.sample(SAMPLES, seed=0))[0])
    began = time.perf_counter()
    wide.refit("flow", train_images, labels)
    seconds = time.perf_counter() - began
    z = wide.sample_points(SAMPLES, seed=0)
    images = wide.decode(z)
    share, kinds = recognised(judge, images)
    print(f"flow: {share:.4f} in {seconds:.1f} s; of each kind's own share", (kinds / known).round(2).tolist())
    assert share >= 0.95
    assert (kinds >= 0.75 * known).all()
    assert seconds <= 60
    # As far from what was learned as images that were not: as codes, and as pixels, both decoded.
    codes, tests = wide.encode(train_images).mean, wide.encode(mnist.test.images).mean
    for drawn, others, learned in (
        (z, tests, codes),
        (flat(images), flat(wide.decode(tests)), flat(np.asarray(train_images))),
    ):
        own, expected = nearest(drawn, learned), nearest(others, learned)
        print(
            "nearest:", own.min(), np.quantile(own, 0.01), "test images:", expected.min(), np.quantile(expected, 0.01)
        )
        assert own.min() >= expected.min()
        assert np.quantile(own, 0.01) >= np.quantile(expected, 0.01)


@pytest.mark.slow
def test_a_flow_that_is_told_no_labels_draws_them_all_the_same(wide: Space, mnist: Dataset, judge: Judge) -> None:
    wide.refit("flow", mnist.train.images)
    share, kinds = recognised(judge, wide.sample(SAMPLES, seed=0))
    print(f"flow without labels: {share:.4f}", kinds.round(3).tolist())
    assert share >= 0.94
    assert (kinds >= 0.7 * np.bincount(np.asarray(mnist.train.labels), minlength=10) / len(mnist.train)).all()
