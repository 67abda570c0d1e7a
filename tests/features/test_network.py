"""Networks that are read at several depths."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from morphospace.errors import ArgumentError
from morphospace.features import Features, feature_network


def test_layers_beyond_the_last_one_that_is_read_are_left_out_and_nothing_trains() -> None:
    network = Features([nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Conv2d(5, 7, 3), nn.ReLU()], read=(0, 2), least=5)
    assert (network.channels, len(network.layers), network.training) == ((5, 7), 3, False)
    assert not [name for name, value in network.named_parameters() if value.requires_grad]


def test_pictures_are_normalised_as_imagenet_is() -> None:
    identity = nn.Conv2d(3, 3, 1, bias=False)
    nn.init.dirac_(identity.weight)
    (seen,) = Features([identity], read=(0,), least=1)(torch.full((1, 3, 1, 1), 0.5))
    expected = [(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225]
    assert seen.flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_grey_is_three_channels_alike_and_other_channels_are_refused() -> None:
    network = feature_network("random")
    grey = torch.rand(2, 1, 12, 9)
    for one, three in zip(network(grey), network(grey.expand(-1, 3, -1, -1)), strict=True):
        torch.testing.assert_close(one, three)
    with pytest.raises(ArgumentError, match="expected pictures of 1 or 3 channels, got 4"):
        network(torch.rand(2, 4, 12, 9))


def test_a_picture_that_is_too_small_is_told_the_least_side() -> None:
    with pytest.raises(ArgumentError, match=r"needs pictures of 8 pixels a side or more, got 7x9 \(width by height\)"):
        feature_network("random")(torch.rand(1, 3, 9, 7))
