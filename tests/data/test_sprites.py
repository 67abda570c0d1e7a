"""Sprites: the same whoever draws them, and their factors are in their pictures."""

from __future__ import annotations

import numpy as np

from morphospace.data import Preparation, open_dataset


def test_sprites_are_deterministic_and_grow_without_moving() -> None:
    some = open_dataset("sprites:count=300,size=24x16")
    more = open_dataset("sprites:count=400,size=24x16")
    assert some.shape == (16, 24, 3)
    assert some.label_names == ("ellipse", "heart", "square")
    assert set(some.train.attributes) == {"shape", "scale", "rotation", "x", "y", "hue"}
    pictures = {image.tobytes() for image in more.train.images}
    assert sum(image.tobytes() in pictures for image in some.train.images) == len(some.train)
    assert open_dataset("sprites:count=300,size=24x16,seed=1").fingerprint != some.fingerprint
    assert open_dataset("sprites:count=300", Preparation(size=(16, 24))).fingerprint == some.fingerprint
    assert open_dataset("sprites:count=50,size=16,colour=grey").shape == (16, 16, 1)


def test_the_factors_of_sprites_are_in_their_pictures() -> None:
    found = open_dataset("sprites:count=400,size=32").train
    ink = 255.0 - found.images[:].astype(float)
    dark = ink.sum(-1)  # (N, H, W)
    weight = dark.sum((1, 2))
    assert (weight > 0).all()
    across = (dark.sum(1) * np.arange(32)).sum(1) / weight
    down = (dark.sum(2) * np.arange(32)).sum(1) / weight
    for name, middle in (("x", across), ("y", down)):
        assert np.corrcoef(np.asarray(found.attributes[name], float), middle)[0, 1] > 0.99
    covered = (dark > 30).sum((1, 2))
    squares = np.asarray(found.attributes["shape"]) == "square"
    scale = np.asarray(found.attributes["scale"], float)
    assert np.corrcoef(scale[squares] ** 2, covered[squares])[0, 1] > 0.95
    soft = (dark > 0) & (dark < dark.max((1, 2), keepdims=True) * 0.95)
    assert 0.05 < soft.sum() / (dark > 0).sum() < 0.6, "edges are anti-aliased"
