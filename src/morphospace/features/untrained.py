"""Random convolutions: a network that nobody has trained still tells edges and textures, and is there everywhere."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from morphospace.features.network import Features

__all__ = ["LEAST", "random_features", "random_layers"]

_CHANNELS = (16, 32, 64, 128)
_SLOPE = 0.2  # of the leaky ReLUs: a channel that random weights turn off would say nothing, ever
LEAST = 8
"""Pixels a side, of which the deepest features make one place."""


def random_features(seed: int = 0) -> Features:
    """Four convolutions with leaky ReLU and weights drawn as He et al. do, the first one at full resolution.

    Args:
        seed: of the weights, which depend on nothing else.

    Source: He, Wang and Hopcroft, arXiv:1606.04801, for what random weights see; the weights: He et al.,
    arXiv:1502.01852.

    Example:
        >>> random_features().channels
        (16, 32, 64, 128)
    """
    return Features(random_layers(seed), range(len(_CHANNELS)), least=LEAST)


def random_layers(seed: int) -> list[nn.Module]:
    """Those of :func:`random_features`, each a convolution with its leaky ReLU."""
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for i, (channels, wanted) in enumerate(pairwise((3, *_CHANNELS))):
        layer = nn.Conv2d(channels, wanted, 3, stride=2 if i else 1, padding=1)
        nn.init.kaiming_normal_(layer.weight, _SLOPE, nonlinearity="leaky_relu", generator=generator)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        layers.append(nn.Sequential(layer, nn.LeakyReLU(_SLOPE)))
    return layers
