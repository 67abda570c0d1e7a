"""The shortest way between images of real MNIST, against the straight one."""

from __future__ import annotations

import time

import numpy as np
import pytest
from torch import Tensor

from morphospace.data import Dataset
from morphospace.latent import even_lines, geodesics, path_length
from morphospace.space import Space
from morphospace.workflow import train

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600)]

PAIRS, FRAMES = 200, 16


@pytest.fixture(scope="module")
def space(mnist: Dataset) -> Space:
    return train(mnist, "editing", seed=0)


def test_geodesics_are_shorter_than_straight_lines_and_as_even(space: Space, mnist: Dataset) -> None:
    """Over 200 pairs of test images, against lines whose frames are spaced to equal decoded steps."""

    def decode(z: Tensor) -> Tensor:
        return space.model.likelihood.mean(space.model.decode(z.to(space.device)))

    chosen = np.random.default_rng(0).choice(len(mnist.test.images), 2 * PAIRS, replace=False)
    a, b = np.split(space.encode(mnist.test.images[chosen]).mean, 2)
    began = time.perf_counter()
    paths = {"line": even_lines(a, b, FRAMES, decode), "geodesic": geodesics(a, b, FRAMES, decode)}
    seconds = time.perf_counter() - began
    length, evenness = {}, {}
    for name, drawn in paths.items():
        assert (drawn[:, 0] == a).all()
        assert (drawn[:, -1] == b).all()
        found = [path_length(space.decode(path, dtype="float")) for path in drawn]
        length[name] = np.array([way.length for way in found])
        evenness[name] = np.array([way.evenness for way in found])
    shorter = 1 - length["geodesic"] / length["line"]
    print(
        f"{PAIRS} pairs in {seconds:.1f} s: length {length['line'].mean():.2f} -> {length['geodesic'].mean():.2f}, "
        f"{shorter.mean():.1%} shorter (least {shorter.min():.1%}, most {shorter.max():.1%}); evenness "
        f"{evenness['line'].mean():.1e} -> {evenness['geodesic'].mean():.1e}"
    )
    assert shorter.mean() >= 0.12
    assert shorter.min() >= -1e-4
    assert evenness["geodesic"].mean() <= max(evenness["line"].mean(), 1e-3)


def test_a_geodesic_morph_takes_no_longer_than_a_second_and_a_half(space: Space, mnist: Dataset) -> None:
    images = mnist.test.images
    space.morph(images[0], images[1], path="geodesic")  # the first call warms up
    seconds = []
    for i in range(2, 12, 2):
        began = time.perf_counter()
        film = space.morph(images[i], images[i + 1], path="geodesic", frames=32)
        seconds.append(time.perf_counter() - began)
        assert len(film) == 32
    print(f"a morph of 32 frames: {np.median(seconds):.2f} s")
    assert np.median(seconds) <= 1.5
