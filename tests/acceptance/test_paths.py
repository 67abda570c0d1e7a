"""The shortest way between images of real MNIST, against the straight one."""

from __future__ import annotations

import time

import numpy as np
import pytest
from torch import Tensor

from morphospace.data import Dataset
from morphospace.latent import even_lines, geodesics, path_length
from morphospace.space import Space

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600), pytest.mark.xdist_group("editing")]

PAIRS, FRAMES = 200, 16


def test_geodesics_are_shorter_than_straight_lines_and_as_even(editing: Space, mnist: Dataset) -> None:
    """Over 200 pairs of test images, against lines whose frames are spaced to equal decoded steps."""

    def decode(z: Tensor) -> Tensor:
        return editing.model.image(z.to(editing.device))

    chosen = np.random.default_rng(0).choice(len(mnist.test.images), 2 * PAIRS, replace=False)
    a, b = np.split(editing.encode(mnist.test.images[chosen]).mean, 2)
    began = time.perf_counter()
    paths = {"line": even_lines(a, b, FRAMES, decode), "geodesic": geodesics(a, b, FRAMES, decode)}
    seconds = time.perf_counter() - began
    length, evenness = {}, {}
    for name, drawn in paths.items():
        assert (drawn[:, 0] == a).all()
        assert (drawn[:, -1] == b).all()
        found = [path_length(editing.decode(path, dtype="float")) for path in drawn]
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
