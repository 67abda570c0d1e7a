"""Directions without labels: axes are those of linear algebra, the most visible first."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from torch import Tensor

from morphospace.errors import ArgumentError
from morphospace.latent.axes import principal_axes
from morphospace.latent.discovery import decoder_axes, discover

few = settings(max_examples=15)


@few
@given(st.integers(0, 10_000))
def test_axes_are_those_of_linear_algebra(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = (rng.normal(size=(300, 4)) @ np.diag([4.0, 2.0, 1.0, 0.5]) @ rng.normal(size=(4, 4))).astype(np.float32)
    theirs = PCA(4).fit(codes).components_
    assert np.allclose(np.abs((principal_axes(codes)[1] * theirs).sum(1)), 1, atol=1e-3)
    linear = torch.from_numpy(rng.normal(size=(4, 30)) * np.array([[5], [2], [1], [0.3]])).float()
    right = np.linalg.svd(linear.numpy().T, full_matrices=False)[2]
    assert np.allclose(np.abs((decoder_axes(lambda z: z @ linear, codes) * right).sum(1)), 1, atol=1e-3)


@few
@given(st.integers(0, 10_000))
def test_the_most_visible_come_first_and_none_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.normal(size=(400, 5)).astype(np.float32)
    weights = torch.from_numpy(rng.normal(size=(5, 50))).float()

    def decode(z: Tensor) -> Tensor:
        return torch.sigmoid(z @ weights)

    found = discover(decode, codes, 8)
    effects = [one.effect for one in found]
    assert effects == sorted(effects, reverse=True)
    directions = np.stack([one.concept.direction for one in found]).astype(float)
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    assert (np.abs(units @ units.T) - np.eye(len(units))).max() < 0.95
    for concept, effect in found:
        along = codes @ (concept.direction / np.linalg.norm(concept.direction))
        upper = along > np.median(along)
        length = along[upper].mean() - along[~upper].mean()
        assert np.linalg.norm(concept.direction) == pytest.approx(length, rel=1e-3), "lower half to upper half"
        assert effect > 0
    again = discover(decode, codes, 8)
    assert [one.concept.name for one in again] == [one.concept.name for one in found]


def test_a_latent_that_never_varies_is_no_direction() -> None:
    codes = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    codes[:, 2] = 0
    found = discover(lambda z: z, codes, 9)
    assert all(abs(one.concept.direction[2]) < 1e-3 for one in found if one.concept.name.startswith("principal"))
    with pytest.raises(ArgumentError, match=r"^k: expected at least 1 direction, got 0"):
        discover(lambda z: z, codes, 0)
