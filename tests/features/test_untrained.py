"""Random convolutions."""

from __future__ import annotations

import torch

from morphospace.features import feature_network


def test_they_are_a_function_of_their_seed_and_leave_other_draws_alone() -> None:
    x = torch.rand(1, 3, 16, 16)
    torch.manual_seed(5)
    first = feature_network("random", seed=3)(x)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), drawn)
    for h, again, other in zip(first, feature_network("random", seed=3)(x), feature_network("random")(x), strict=True):
        assert torch.equal(h, again)
        assert not torch.allclose(h, other)


def test_features_neither_fade_nor_grow_with_depth() -> None:
    found = feature_network("random")(torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    assert [tuple(h.shape[1:]) for h in found] == [(16, 32, 32), (32, 16, 16), (64, 8, 8), (128, 4, 4)]
    lengths = [h.square().mean().item() for h in found]
    assert all(0.5 < length / lengths[0] < 1.5 for length in lengths)
