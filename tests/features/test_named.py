"""Networks by name."""

from __future__ import annotations

import pytest

from morphospace.errors import ArgumentError
from morphospace.features import NETWORKS, feature_network, weights_are_here


def test_an_unknown_name_is_told_the_known_ones() -> None:
    for ask in (feature_network, weights_are_here):
        with pytest.raises(ArgumentError, match=r'no feature network "vgg19".*mean "vgg16".*efficientnet-lite0, vgg16'):
            ask("vgg19")


def test_random_is_always_here() -> None:
    assert "random" in NETWORKS
    assert weights_are_here("random")
