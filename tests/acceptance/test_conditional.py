"""What the recipe conditional reaches on MNIST: the label decides the class, and a code keeps the style."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from morphospace.data import Dataset
from morphospace.evaluate.judges import train_judge
from morphospace.evaluate.measures import measure
from morphospace.space import load

pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(3600)]

STYLES = {"slant": 0.85, "stroke-width": 0.85}
"""How much alike ten labels of one code are in these: 0 of codes drawn anew, 0.91 when this was written."""


def test_conditional(train_and_record: Callable[..., dict[str, Any]], mnist: Dataset) -> None:
    said = train_and_record("mnist conditional", "mnist", "--recipe", "conditional", seed=0)
    space = load(said["space"])
    judge = train_judge(mnist.train.images, {"label": np.asarray(mnist.train.labels)}, seed=0)
    shares = [(judge.classes("label", space.given(k).sample(500, seed=1)) == k).mean() for k in range(10)]
    assert np.mean(shares) >= 0.95
    codes = space.sample_points(500, seed=2)
    for style, least in STYLES.items():
        measured = np.array([measure(style, space.given(k).decode(codes)) for k in range(10)])
        assert np.corrcoef(measured)[np.triu_indices(10, 1)].mean() >= least, style
    labels = np.asarray(mnist.test.labels)[:1000]
    encoding = space.encode(mnist.test.images[:1000], labels)
    others = (labels + 3) % 10
    assert (judge.classes("label", space.decode(encoding.mean, labels=others)) == others).mean() >= 0.95
